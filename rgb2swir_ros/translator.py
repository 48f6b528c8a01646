"""The models, translator and regression, each as one module, and their folder on disk.

A model folder holds ``model.yaml`` (the configuration), ``weights.safetensors`` (float32 tensors;
never a pickle) and ``MODEL_CARD.md``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor, nn

from rgb2swir_ros.checked import build
from rgb2swir_ros.diffusion.sampler import sample_student, sample_teacher
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_config import STAGES, TranslatorConfig, translator_config
from rgb2swir_ros.model_files import (
    MODEL_FILE,
    WEIGHTS_FILE,
    model_hash,
    read_entries,
    write_entries,
)
from rgb2swir_ros.nets.autoencoder import SourceEncoder, SwirDecoder, SwirEncoder
from rgb2swir_ros.nets.blocks import FrameLinear, pad_to_multiple
from rgb2swir_ros.nets.dit import DiTConfig, DiTDenoiser
from rgb2swir_ros.nets.guidance import GuidanceEncoder
from rgb2swir_ros.nets.regression import RegressionConfig, RegressionUNet
from rgb2swir_ros.nets.unet import UNetDenoiser
from rgb2swir_ros.nets.weights import load_weights, write_weights

__all__ = ['STAGES', 'Regressor', 'SwirModel', 'Translator', 'TranslatorConfig', 'load_model',
           'model_hash', 'translator_config']

LATENT_SCALE = 8  # pixels of the image to one of the latent, along each side

Model = TypeVar('Model', bound='SwirModel')


class SwirModel(nn.Module, ABC):
    """RGB to SWIR radiance in one static graph, and its folder on disk.

    Each kind has a ``config``, a ``head`` and a method ``sqrt_radiance``.
    """

    kind: ClassVar[str]  # what model.yaml calls it
    divisor: int  # of the sides that `sqrt_radiance` takes
    config: Any

    @abstractmethod
    def sqrt_radiance(self, rgb: Tensor) -> Tensor:
        """Return square-root radiance (B, 1, H, W), float32, unclipped.

        :param rgb: (B, 3, H, W) in [0, 1]; ``divisor`` divides H and W.
        """

    @property
    @abstractmethod
    def head(self) -> nn.Module:
        """The last layers, which stay in float32."""

    def set_precision(self: Model, dtype: torch.dtype) -> Model:
        """Cast the trunk in place: everything but the head and the FrameLinear layers.

        Those stay in float32; see `rgb2swir_ros.nets.blocks.FrameLinear`.

        :param dtype: ``torch.float32``, ``torch.bfloat16`` or ``torch.float16``.
        """
        _cast(self, dtype, self.head)
        return self

    def core(self, rgb: Tensor) -> Tensor:
        """Translate; this method is what is exported and compiled.

        :param rgb: (B, 3, H, W), float or half, sRGB-coded, in [0, 1]; any H, W >= 16.
        :return: radiance (B, 1, H, W), float32, in [0, 1].
        """
        height, width = rgb.shape[-2:]
        padded = pad_to_multiple(rgb, self.divisor)
        sqrt_radiance = self.sqrt_radiance(padded)[:, :, :height, :width]
        return sqrt_radiance.clamp(0, 1).square()

    def forward(self, rgb: Tensor) -> Tensor:
        """Translate camera frames.

        :param rgb: (B, H, W, 3), uint8, RGB.
        :return: radiance (B, H, W), float32, linear light: 1.0 is a white Lambertian surface
            under the scene's main light at the RGB frame's exposure; clipped to [0, 1].
        """
        return self.core(rgb.permute(0, 3, 1, 2).float() / 255)[:, 0]

    def save(self, folder: Path) -> None:
        """Write ``model.yaml`` and ``weights.safetensors`` to a folder, created if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        write_weights({k: v.float() for k, v in self.state_dict().items()},
                      folder / WEIGHTS_FILE)
        write_entries(folder / MODEL_FILE, {'kind': self.kind, **self.entries()})

    def entries(self) -> dict[str, Any]:
        """Return the configuration as it stands in ``model.yaml``."""
        return asdict(self.config)

    @classmethod
    def load(cls: type[Model], folder: Path, *, unfinished: bool = False) -> Model:
        """Read a model folder of this kind: see `load_model`.

        :raises UserError: if it cannot be read, or holds a model of another kind.
        """
        model = load_model(folder, unfinished=unfinished)
        if not isinstance(model, cls):
            raise UserError(f'{folder} holds a {model.kind}, but a {cls.kind} is needed')
        return model


class Translator(SwirModel):
    """RGB to SWIR radiance in one static graph: guidance, one-step denoiser, decoder.

    The constructor builds an untrained one, `load` reads a trained one.
    """

    kind = 'translator'

    def __init__(self, config: TranslatorConfig | None = None) -> None:
        """Build the networks, untrained."""
        super().__init__()
        config = config or TranslatorConfig()
        self.config = config
        self.divisor = LATENT_SCALE * config.denoiser.divisor
        self.encoder = SwirEncoder(config.autoencoder)
        self.source = (SourceEncoder(config.autoencoder)
                       if config.autoencoder.source_skips else None)
        self.guidance = GuidanceEncoder(config.guidance)
        self.denoiser = (DiTDenoiser(config.denoiser) if isinstance(config.denoiser, DiTConfig)
                         else UNetDenoiser(config.denoiser))
        self.decoder = SwirDecoder(config.autoencoder)

    @property
    def head(self) -> nn.Module:
        """The decoder's last layers, which stay in float32."""
        return self.decoder.head

    @property
    def dtype(self) -> torch.dtype:
        """The trunk's type."""
        return self.denoiser.inlet.weight.dtype

    def entries(self) -> dict[str, Any]:
        """Return the configuration as it stands in ``model.yaml``, the denoiser with its kind."""
        entries = asdict(self.config)
        denoiser = {'kind': self.config.denoiser.kind, **entries['denoiser']}
        return {**entries, 'denoiser': denoiser}

    def latent(self, rgb: Tensor) -> Tensor:
        """Return the student's clean latent (B, C, H/8, W/8).

        :param rgb: (B, 3, H, W) in [0, 1]; ``divisor`` divides H and W.
        """
        return sample_student(self.denoiser, self.guidance(rgb),
                              self.config.autoencoder.latent_channels, self.config.steps)

    def teacher_latent(self, rgb: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Return the teacher's clean latent (B, C, H/8, W/8), float32.

        :param rgb: (B, 3, H, W), float32, in [0, 1]; ``divisor`` divides H and W.
        :param steps: Euler steps from noise, at least 1.
        :param generator: draws the noise.
        """
        return sample_teacher(self.denoiser, self.guidance(rgb),
                              self.config.autoencoder.latent_channels, steps, generator)

    def sample(self, rgb: Tensor, steps: int, generator: torch.Generator) -> Tensor:
        """Translate camera frames by the teacher: see `forward` and `teacher_latent`.

        :param rgb: (B, H, W, 3), uint8, RGB; any size.
        :return: radiance (B, H, W), float32, in [0, 1].
        """
        height, width = rgb.shape[1:3]
        source = pad_to_multiple(rgb.permute(0, 3, 1, 2).float() / 255, self.divisor)
        latent = self.teacher_latent(source, steps, generator).to(self.dtype)
        sqrt_radiance = self.decode(latent, source)[:, 0, :height, :width]
        return sqrt_radiance.clamp(0, 1).square()

    def decode(self, latent: Tensor, rgb: Tensor) -> Tensor:
        """Return the square-root radiance (B, 1, H, W), float32, unclipped, of a latent.

        :param latent: (B, C, H/8, W/8).
        :param rgb: its source (B, 3, H, W) in [0, 1].
        """
        features = None if self.source is None else self.source(rgb)
        return self.decoder(latent, features, rgb)

    def sqrt_radiance(self, rgb: Tensor) -> Tensor:
        """Return square-root radiance (B, 1, H, W): see `SwirModel.sqrt_radiance`."""
        return self.decode(self.latent(rgb), rgb)


class Regressor(SwirModel):
    """RGB to SWIR radiance by one U-Net: the translator's baseline without diffusion."""

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

    def sqrt_radiance(self, rgb: Tensor) -> Tensor:
        """Return square-root radiance (B, 1, H, W): see `SwirModel.sqrt_radiance`."""
        return self.network(rgb)


# Constructors by kind. Each takes the entries of ``model.yaml`` and a name for errors.
KINDS: dict[str, Callable[[dict[str, Any], str], SwirModel]] = {
    Translator.kind: lambda entries, where: Translator(translator_config(entries, where)),
    Regressor.kind: lambda entries, where: Regressor(
        build(RegressionConfig, entries, where)),
}


def load_model(folder: Path, *, unfinished: bool = False) -> SwirModel:
    """Read a model folder of any kind.

    :param unfinished: accept a translator whose student is not trained yet.
    :return: a float32 model in evaluation mode.
    :raises UserError: if the configuration or the weights are missing, damaged or do not fit
        each other (the text names the file), or if the model is unfinished.
    """
    path = Path(folder) / MODEL_FILE
    entries = read_entries(path)
    kind = entries.pop('kind', '')
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(f"{path}: unknown kind '{kind}'; known are {sorted(KINDS)}")
    model = KINDS[kind](entries, str(path))
    if not unfinished:
        require_finished(model, folder)
    load_weights(model, Path(folder) / WEIGHTS_FILE, MODEL_FILE)
    return model.eval()


def require_finished(model: SwirModel, folder: Path) -> None:
    """Refuse a translator whose student is not trained yet.

    :param folder: the folder that it was read from, for the error.
    :raises UserError: if so; the text names the next command.
    """
    if isinstance(model, Translator) and model.config.stage != STAGES[-1]:
        following = STAGES[STAGES.index(model.config.stage) + 1]
        raise UserError(f"{folder} holds a translator that is trained up to its "
                        f"{model.config.stage}, and pictures need a student; go on with "
                        f"'rgb2swir train {following}'")


def _cast(module: nn.Module, dtype: torch.dtype, head: nn.Module) -> None:
    """Cast a module in place, but for its head and its FrameLinears; see `set_precision`.

    Those are not even cast to the type and back: the rounding is lost for good, and in the head's
    biases it would shift the whole frame.
    """
    if module is head or isinstance(module, FrameLinear):
        module.float()
    elif children := list(module.children()):
        for child in children:
            _cast(child, dtype, head)
    else:
        module.to(dtype)
