"""Presets: the shape of a translator and the settings of its three trainings, as YAML files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from rgb2swir_ros.checked import build, known_entries, within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_config import TranslatorConfig
from rgb2swir_ros.model_presets import preset_model, read_sections

AnyConfig = TypeVar('AnyConfig', bound='TranslatorTrainingConfig')


@dataclass(frozen=True)
class Stage:
    """One stage of a training.

    :param name: determines the trained parts and the loss.
    :param steps: optimiser steps; ``rate``: highest learning rate.
    :param batch: pairs of 320x256 a step; fewer of larger frames.
    :param large: whether half of the steps use frames at the deployment resolution; the others
        use small ones.
    """

    name: str
    steps: int = within(1, 10_000_000)
    batch: int = within(1, 4096)
    rate: float = within(1e-7, 1)
    large: bool = False

    def kind(self, step: int) -> str:
        """Return the kind of a step's batch: see `rgb2swir_ros.lab.training.batches.draw`."""
        if self.large:
            # alternates every two steps: some losses are computed in every other step only
            return 'whole' if step % 4 < 2 else 'large'
        return 'crop' if step % 2 else 'whole'

    @property
    def work(self) -> int:
        """Relative computing time, by which time is divided among stages before they are timed."""
        return self.steps * self.batch


@dataclass(frozen=True)
class TranslatorTrainingConfig:
    """The stages of a training, in the order of ``STAGE_NAMES``, each at most once.

    The settings named in ``POST_TRAINING`` are used only after the last stage.
    """

    STAGE_NAMES: ClassVar[tuple[str, ...]]
    POST_TRAINING: ClassVar[tuple[str, ...]] = ()
    stages: tuple[Stage, ...]

    def checkpoint_identity(self) -> dict[str, Any]:
        """Return the settings that the weights in a checkpoint depend on."""
        return {k: v for k, v in asdict(self).items() if k not in self.POST_TRAINING}

    def scaled(self: AnyConfig, share: float) -> AnyConfig:
        """Return the same training with scaled numbers of steps, for trials and tests."""
        return replace(self, stages=tuple(
            replace(stage, steps=max(round(stage.steps * share), 1)) for stage in self.stages))


@dataclass(frozen=True)
class AutoencoderTrainingConfig(TranslatorTrainingConfig):
    """The first training: see `rgb2swir_ros.lab.training.autoencoder`.

    :param gradient_weight: weight of L1 on gradients, relative to L1 on square-root radiance.
    :param jitter: standard deviation of the noise on the latent.
    :param penalty: weight of the latent's mean square.
    :param without_skips: share of the batches of stage ``skips`` without skip connections.
    :param scale_batches: batches on which the latent's standard deviation is measured.
    """

    STAGE_NAMES = ('plain', 'skips')
    gradient_weight: float = within(0, 100, 3.0)
    jitter: float = within(0, 10, .05)
    penalty: float = within(0, 10, 1e-3)
    without_skips: float = within(0, 1, .25)
    scale_batches: int = within(1, 10_000, 64)


@dataclass(frozen=True)
class TeacherTrainingConfig(TranslatorTrainingConfig):
    """The second training: see `rgb2swir_ros.lab.training.teacher`.

    :param at_noise: share of the samples at t = 1 exactly, where sampling starts.
    :param lpl_share: share of the latent perceptual loss (LPL) in the total loss, in the steps
        that have it.
    :param lpl_below: LPL is computed for samples with a smaller t.
    :param lpl_every: LPL is computed in one of so many steps.
    """

    STAGE_NAMES = ('denoise', 'finish')
    at_noise: float = within(0, 1, .2)
    lpl_share: float = within(0, .9, .2)
    lpl_below: float = within(0, 1, .5)
    lpl_every: int = within(1, 1000, 1)


@dataclass(frozen=True)
class StudentTrainingConfig(TranslatorTrainingConfig):
    """The third training: see `rgb2swir_ros.lab.training.student`.

    :param lpl_share: of stage ``latent``; ``lpl_every`` too: see `TeacherTrainingConfig`.
    :param gradient_weight: weight in the pixel stages, relative to L1 on square-root radiance;
        ``region_weight``, ``detail_weight``, ``latent_weight`` (of L1 to the true latent) and
        ``steady_weight`` (of the consistency of two views, in every other step) too.
    :param without_skips: share of the batches of the pixel stages without skip connections.
    :param fine_detail: amplitude of the output's finest octave over the target's, to which the
        head's gain is calibrated after training; 0: no calibration.
    :param scale_batches: batches on which it is measured.
    :param endpoints: number of the teacher's endpoints whose mean is the target of stage
        ``latent``; 0: the true latent is the target.
    :param endpoint_steps: denoiser calls for each endpoint.
    """

    STAGE_NAMES = ('latent', 'pixels', 'finish')
    POST_TRAINING = ('fine_detail', 'scale_batches')
    lpl_share: float = within(0, .9, .2)
    lpl_every: int = within(1, 1000, 1)
    gradient_weight: float = within(0, 100, 3.0)
    region_weight: float = within(0, 100, 1.0)
    detail_weight: float = within(0, 100, 10.0)
    latent_weight: float = within(0, 100, .1)
    steady_weight: float = within(0, 100, 0.0)
    without_skips: float = within(0, 1, .1)
    fine_detail: float = within(0, 2, 0.0)
    scale_batches: int = within(1, 10_000, 64)
    endpoints: int = within(0, 64, 0)
    endpoint_steps: int = within(1, 100, 4)


@dataclass(frozen=True)
class Preset:
    """A translator's shape and the settings of its trainings.

    :param entries: of its sections, with those that ``like`` takes over, for the record.
    """

    name: str
    model: TranslatorConfig
    autoencoder: AutoencoderTrainingConfig
    teacher: TeacherTrainingConfig
    student: StudentTrainingConfig
    entries: dict[str, Any]


def read_preset(preset: str) -> Preset:
    """Read a bundled preset by its name, or a preset file by its path.

    A file with an entry ``like: NAME`` takes missing entries from that bundled preset.

    :param preset: a name, or a path that ends in ``.yaml``.
    :raises UserError: naming file, key and value, where anything is missing, unknown, of a wrong
        type or out of range.
    """
    path, top = read_sections(preset)
    return preset_of(path.stem, top, str(path))


def preset_of(name: str, sections: dict[str, Any], where: str) -> Preset:
    """Return the preset of some sections, as a file has them.

    :param where: of the sections, for errors.
    :raises UserError: see `read_preset`.
    """
    return Preset(
        name, preset_model(sections['model'], f'{where}: model'),
        _config(AutoencoderTrainingConfig, sections['autoencoder'], f'{where}: autoencoder'),
        _config(TeacherTrainingConfig, sections['teacher'], f'{where}: teacher'),
        _config(StudentTrainingConfig, sections['student'], f'{where}: student'), sections)


def _config(kind: type[AnyConfig], entries: Any, where: str) -> AnyConfig:
    """Return the settings of a section.

    :raises UserError: naming key and value.
    """
    entries = known_entries(entries, where, (one.name for one in fields(kind)))
    given = entries.get('stages')
    if not isinstance(given, list) or not given:
        raise UserError(f'{where}: stages must be a list of stages, not {given!r}')
    stages = tuple(_stage(entry, f'{where}: stage {number}', kind.STAGE_NAMES)
                   for number, entry in enumerate(given, 1))
    names = [stage.name for stage in stages]
    if names != [name for name in kind.STAGE_NAMES if name in names]:
        raise UserError(f'{where}: the stages are {", ".join(names)}, but must come in the order '
                        f'{", ".join(kind.STAGE_NAMES)}, each at most once')
    return build(kind, {**entries, 'stages': stages}, where)


def _stage(entry: Any, where: str, names: tuple[str, ...]) -> Stage:
    stage = build(Stage, entry, where)
    if stage.name not in names:
        raise UserError(f'{where}: name is {stage.name!r}, but must be one of {", ".join(names)}')
    return stage
