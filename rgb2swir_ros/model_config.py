"""The configuration of a translator, and how it is read from the mappings of YAML files."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from rgb2swir_ros.checked import build, known_entries
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig

STAGES = ('autoencoder', 'teacher', 'student')  # of a translator's training, in this order
STUDENT_STEPS = (1, 2, 4)
DENOISERS: dict[str, type[UNetConfig] | type[DiTConfig]] = {
    UNetConfig.kind: UNetConfig, DiTConfig.kind: DiTConfig}


@dataclass(frozen=True)
class TranslatorConfig:
    """The configuration of a translator.

    :param name: the model's name.
    :param stage: the last completed stage of its training, one of ``STAGES``.
    :param steps: denoiser calls of the student: 1, 2 or 4.
    :param denoiser: a U-Net or a DiT, according to its type.
    :raises ValueError: if there is no such stage or number of steps, or the channels of the parts
        do not match.
    """

    name: str = 'nano'
    stage: str = 'student'
    steps: int = 1
    autoencoder: AutoencoderConfig = field(default_factory=AutoencoderConfig)
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    denoiser: UNetConfig | DiTConfig = field(default_factory=UNetConfig)

    def __post_init__(self) -> None:
        """Check stage, steps and channels."""
        if self.stage not in STAGES:
            raise ValueError(f"no stage '{self.stage}': it must be one of {STAGES}")
        if self.steps not in STUDENT_STEPS:
            raise ValueError(f'steps must be one of {STUDENT_STEPS}, not {self.steps}')
        if self.denoiser.guidance_channels != self.guidance.channels:
            raise ValueError(f'the denoiser takes {self.denoiser.guidance_channels} guidance '
                             f'channels, the guidance has {self.guidance.channels}')
        if self.denoiser.latent_channels != self.autoencoder.latent_channels:
            raise ValueError(f'the denoiser has {self.denoiser.latent_channels} latent channels, '
                             f'the autoencoder {self.autoencoder.latent_channels}')


def translator_config(entries: dict[str, Any], where: str) -> TranslatorConfig:
    """Build a translator's configuration from nested mappings.

    :param entries: as in ``model.yaml``, without ``format`` and ``kind``; missing entries have
        their defaults. The mapping ``denoiser`` may have a ``kind``, ``unet`` (the default) or
        ``dit``.
    :param where: names the mapping in errors.
    :raises UserError: if the configuration is invalid.
    """
    parts: dict[str, type] = {'autoencoder': AutoencoderConfig, 'guidance': GuidanceConfig}
    names = (one.name for one in fields(TranslatorConfig))
    denoiser, kind = known_entries(entries, where, names).get('denoiser', {}), UNetConfig.kind
    if isinstance(denoiser, dict):
        kind = denoiser.get('kind', kind)
        denoiser = {name: value for name, value in denoiser.items() if name != 'kind'}
    if not isinstance(kind, str) or kind not in DENOISERS:
        raise UserError(f"{where}: denoiser: unknown kind '{kind}'; "
                        f'known are {sorted(DENOISERS)}')
    parts['denoiser'] = DENOISERS[kind]
    given = {**entries, 'denoiser': denoiser}
    configs: dict[str, Any] = {
        name: build(part, given.get(name, {}), f'{where}: {name}')
        for name, part in parts.items()}
    return build(TranslatorConfig, {**entries, **configs}, where)
