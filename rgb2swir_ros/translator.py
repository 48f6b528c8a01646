"""The models, translator and regression, each as one module, and their folder on disk.

A model folder holds ``model.yaml`` (the configuration), ``weights.safetensors`` (float32 tensors;
never a pickle) and ``MODEL_CARD.md``.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
import yaml
from torch import Tensor, nn

from rgb2swir_ros.diffusion.sampler import sample_student
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.autoencoder import (
    AutoencoderConfig,
    SourceEncoder,
    SwirDecoder,
    SwirEncoder,
)
from rgb2swir_ros.nets.blocks import pad_to_multiple
from rgb2swir_ros.nets.guidance import GuidanceConfig, GuidanceEncoder
from rgb2swir_ros.nets.regression import RegressionConfig, RegressionUNet
from rgb2swir_ros.nets.unet import UNetConfig, UNetDenoiser
from rgb2swir_ros.nets.weights import load_weights, write_weights

MODEL_FILE = 'model.yaml'
WEIGHTS_FILE = 'weights.safetensors'
FORMAT = 1

Config = TypeVar('Config')
Model = TypeVar('Model', bound='SwirModel')


@dataclass(frozen=True)
class TranslatorConfig:
    """All that shapes a translator.

    :param name: the model's name.
    :param steps: denoiser calls of the student: 1, 2 or 4.
    """

    name: str = 'nano'
    steps: int = 1
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    denoiser: UNetConfig = field(default_factory=UNetConfig)

    @property
    def is_baseline(self) -> bool:
        """Say whether this is the plain LDM: neither source skips nor learned guidance."""
        return not (self.autoencoder.source_skips or self.guidance.learned)


class SwirModel(nn.Module, ABC):
    """RGB to SWIR radiance in one static graph, and its folder on disk.

    Each kind has a ``config``, a ``head`` and a way from RGB to ``tone``.
    """

    kind: ClassVar[str]  # what model.yaml calls it
    divisor: ClassVar[int]  # of the sizes that `tone` takes
    config: Any

    @abstractmethod
    def tone(self, rgb: Tensor) -> Tensor:
        """Return unclipped tone (B, 1, H, W), float32, of RGB whose size ``divisor`` divides."""

    @property
    @abstractmethod
    def head(self) -> nn.Module:
        """The last layers, which stay in float32."""

    def set_precision(self: Model, dtype: torch.dtype) -> Model:
        """Cast the trunk (everything but the head, which stays float32) in place.

        :param dtype: ``torch.float32``, ``torch.bfloat16`` or ``torch.float16``.
        """
        self.to(dtype)
        self.head.float()
        return self

    def core(self, rgb: Tensor) -> Tensor:
        """Translate; this is what gets exported and compiled.

        :param rgb: (B, 3, H, W), float or half, sRGB-coded, in [0, 1]; any H, W >= 16.
        :return: radiance (B, 1, H, W), float32, in [0, 1].
        """
        height, width = rgb.shape[-2:]
        tone = self.tone(pad_to_multiple(rgb, self.divisor))[:, :, :height, :width]
        return tone.clamp(0, 1).square()

    def forward(self, rgb: Tensor) -> Tensor:
        """Translate camera frames.

        :param rgb: (B, H, W, 3), uint8, RGB.
        :return: radiance (B, H, W), float32, linear light: 1.0 is a white Lambertian surface
            under the scene's main light at the RGB frame's exposure; clipped to [0, 1].
        """
        return self.core(rgb.permute(0, 3, 1, 2).float() / 255)[:, 0]

    def save(self, folder: Path) -> None:
        """Write ``model.yaml`` and ``weights.safetensors`` to a folder, made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        write_weights({k: v.float() for k, v in self.state_dict().items()},
                      folder / WEIGHTS_FILE)
        entries = {'format': FORMAT, 'kind': self.kind, **_plain(asdict(self.config))}
        (folder / MODEL_FILE).write_text(yaml.safe_dump(entries, sort_keys=False))

    @classmethod
    def load(cls: type[Model], folder: Path) -> Model:
        """Read a model folder of this kind: see `load_model`.

        :raises UserError: if it cannot be read, or holds a model of another kind.
        """
        model = load_model(folder)
        if not isinstance(model, cls):
            raise UserError(f'{folder} holds a {model.kind}, and a {cls.kind} is asked for')
        return model


class Translator(SwirModel):
    """RGB to SWIR radiance in one static graph: guidance, one-step denoiser, decoder.

    Built untrained; `load` brings a trained one.
    """

    kind = 'translator'
    divisor = 16

    def __init__(self, config: TranslatorConfig | None = None) -> None:
        """Build the networks.

        :raises ValueError: if the parts' channels do not fit together.
        """
        super().__init__()
        config = config or TranslatorConfig()
        if config.denoiser.guidance_channels != config.guidance.channels:
            raise ValueError(
                f'the denoiser takes {config.denoiser.guidance_channels} guidance channels, '
                f'the guidance has {config.guidance.channels}')
        if config.denoiser.latent_channels != config.autoencoder.latent_channels:
            raise ValueError(
                f'the denoiser has {config.denoiser.latent_channels} latent channels, '
                f'the autoencoder {config.autoencoder.latent_channels}')
        self.config = config
        self.encoder = SwirEncoder(config.autoencoder)
        self.source = (SourceEncoder(config.autoencoder)
                       if config.autoencoder.source_skips else None)
        self.guidance = GuidanceEncoder(config.guidance)
        self.denoiser = UNetDenoiser(config.denoiser)
        self.decoder = SwirDecoder(config.autoencoder)

    @property
    def head(self) -> nn.Module:
        """The decoder's last layers, which stay in float32."""
        return self.decoder.head

    @property
    def dtype(self) -> torch.dtype:
        """The trunk's type."""
        return self.denoiser.inlet.weight.dtype

    def latent(self, rgb: Tensor) -> Tensor:
        """Return the student's clean latent (B, C, H/8, W/8) of RGB whose size 16 divides."""
        return sample_student(self.denoiser, self.guidance(rgb),
                              self.config.autoencoder.latent_channels, self.config.steps)

    def decode(self, latent: Tensor, rgb: Tensor) -> Tensor:
        """Return tone (B, 1, H, W) of a latent and its source (B, 3, H, W) in [0, 1]."""
        features = None if self.source is None else self.source(rgb.to(self.dtype))
        return self.decoder(latent, features, rgb)

    def tone(self, rgb: Tensor) -> Tensor:
        """Return unclipped tone (B, 1, H, W), float32, of RGB whose size 16 divides."""
        return self.decode(self.latent(rgb.to(self.dtype)), rgb)


class Regressor(SwirModel):
    """RGB to SWIR radiance by one U-Net: the translator's plain baseline, the data's canary."""

    kind = 'regression'
    divisor = 32

    def __init__(self, config: RegressionConfig | None = None) -> None:
        """Build the network, untrained."""
        super().__init__()
        self.config = config or RegressionConfig()
        self.network = RegressionUNet(self.config)

    @property
    def head(self) -> nn.Module:
        """The network's last layers, which stay in float32."""
        return self.network.head

    def tone(self, rgb: Tensor) -> Tensor:
        """Return unclipped tone (B, 1, H, W), float32, of RGB whose size 32 divides."""
        return self.network(rgb)


# each kind, its configuration and the parts of that
KINDS: dict[str, tuple[type[SwirModel], type, dict[str, type]]] = {
    'translator': (Translator, TranslatorConfig, {
        'autoencoder': AutoencoderConfig, 'guidance': GuidanceConfig, 'denoiser': UNetConfig}),
    'regression': (Regressor, RegressionConfig, {}),
}


def load_model(folder: Path) -> SwirModel:
    """Read a model folder of any kind.

    :return: a float32 model in evaluation mode.
    :raises UserError: if the configuration or the weights are missing, damaged, or do not
        fit each other; the text names the file.
    """
    model = _read_model(Path(folder) / MODEL_FILE)
    load_weights(model, Path(folder) / WEIGHTS_FILE, MODEL_FILE)
    return model.eval()


def model_hash(folder: Path) -> str:
    """Return the SHA-256 of a model's configuration and weights, as a hexadecimal text.

    :raises UserError: if one of the files is missing.
    """
    digest = hashlib.sha256()
    for name in (MODEL_FILE, WEIGHTS_FILE):
        try:
            digest.update((Path(folder) / name).read_bytes())
        except OSError as error:
            raise UserError(f'cannot read {Path(folder) / name}: {error.strerror}') from error
    return digest.hexdigest()


def _read_model(path: Path) -> SwirModel:
    """Build the untrained model of a ``model.yaml``; one that has no ``kind`` is a translator."""
    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'cannot read {path}: {error}') from error
    if not isinstance(entries, dict) or entries.pop('format', None) != FORMAT:
        raise UserError(f"{path} is no model of format {FORMAT} (its first entry must be "
                        f"'format: {FORMAT}')")
    kind = entries.pop('kind', Translator.kind)
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(f"{path}: unknown kind '{kind}'; known are {sorted(KINDS)}")
    model, whole, parts = KINDS[kind]
    try:
        for part, config in parts.items():
            entries[part] = _config(config, entries.get(part, {}), f'{path}: {part}')
        return model(_config(whole, entries, str(path)))
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(f'{path}: {error}') from error


def _config(kind: type[Config], entries: Any, where: str) -> Config:
    if not isinstance(entries, dict):
        raise UserError(f'{where} must be a mapping, not {entries!r}')
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted({*entries} - known):
        raise UserError(f"{where}: unknown entry '{unknown[0]}'; known are {sorted(known)}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()})


def _plain(value: Any) -> Any:
    """Return nested tuples as lists: YAML's safe dumper knows no tuples."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
