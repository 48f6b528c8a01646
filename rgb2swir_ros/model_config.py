"""What shapes a model, and how it is read from the plain mappings of YAML files."""

from __future__ import annotations

from dataclasses import dataclass, field, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig

STAGES = ('autoencoder', 'teacher', 'student')  # of a translator's training, in their order
STUDENT_STEPS = (1, 2, 4)
DENOISERS: dict[str, type[UNetConfig] | type[DiTConfig]] = {
    UNetConfig.kind: UNetConfig, DiTConfig.kind: DiTConfig}

Config = TypeVar('Config')


@dataclass(frozen=True)
class TranslatorConfig:
    """All that shapes a translator.

    :param name: the model's name.
    :param stage: the last stage of its training that is done, one of ``STAGES``.
    :param steps: denoiser calls of the student: 1, 2 or 4.
    :param denoiser: its type says whether the denoiser is a U-Net or a DiT.
    :raises ValueError: if there is no such stage or number of steps, or the parts' channels do
        not fit together.
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

    :param entries: as in ``model.yaml``, without ``format`` and ``kind``; what is missing has
        its default. The mapping ``denoiser`` may have a ``kind``, ``unet`` (if missing) or
        ``dit``.
    :param where: names the mapping in errors.
    :raises UserError: if no translator can be built of it.
    """
    parts: dict[str, type] = {'autoencoder': AutoencoderConfig, 'guidance': GuidanceConfig}
    denoiser, kind = _mapping(entries, where).get('denoiser', {}), UNetConfig.kind
    if isinstance(denoiser, dict):
        kind = denoiser.get('kind', kind)
        denoiser = {name: value for name, value in denoiser.items() if name != 'kind'}
    if not isinstance(kind, str) or kind not in DENOISERS:
        raise UserError(f"{where}: denoiser: unknown kind '{kind}'; "
                        f'known are {sorted(DENOISERS)}')
    parts['denoiser'] = DENOISERS[kind]
    given = {**entries, 'denoiser': denoiser}
    configs: dict[str, Any] = {
        name: parse_config(part, given.get(name, {}), f'{where}: {name}')
        for name, part in parts.items()}
    return parse_config(TranslatorConfig, {**entries, **configs}, where)


def parse_config(kind: type[Config], entries: Any, where: str) -> Config:
    """Build a configuration, a dataclass of numbers, texts, switches and tuples, from a mapping.

    :param entries: lists stand for tuples; all numbers are whole and above 0.
    :param where: names the mapping in errors.
    :raises UserError: if it is no mapping, has an unknown entry, or one that is impossible.
    """
    types = get_type_hints(kind)
    known = {f: types[f] for f in kind.__dataclass_fields__}  # type: ignore[attr-defined]
    if unknown := sorted(str(name) for name in _mapping(entries, where) if name not in known):
        raise UserError(f"{where}: unknown entry '{unknown[0]}'; known are {sorted(known)}")
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()}
    for name, value in values.items():
        if not is_dataclass(value) and not _fits(value, known[name]):
            text = known[name].__name__ if isinstance(known[name], type) else known[name]
            raise UserError(f'{where}: {name} cannot be {entries[name]!r}; it must be '
                            f'{text}, numbers above 0')
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(f'{where}: {error}') from error


def _mapping(entries: Any, where: str) -> dict[str, Any]:
    if not isinstance(entries, dict):
        raise UserError(f'{where} must be a mapping, not {entries!r}')
    return entries


def _fits(value: Any, kind: Any) -> bool:
    """Say whether a value is of a type: ``int`` (above 0), ``str``, ``bool`` or a tuple."""
    if get_origin(kind) is tuple:
        items = get_args(kind)
        if not isinstance(value, tuple):
            return False
        if items[-1] is Ellipsis:
            items = items[:1] * len(value)
        return len(value) == len(items) and all(map(_fits, value, items))
    return type(value) is kind and (kind is not int or value > 0)
