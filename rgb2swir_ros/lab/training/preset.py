"""Presets: the shape of a translator and the plans of its three trainings, as YAML files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, TypeVar

from rgb2swir_ros.checked import build, known_entries, within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_config import TranslatorConfig
from rgb2swir_ros.model_presets import preset_model, read_sections

AnyPlan = TypeVar('AnyPlan', bound='Plan')


@dataclass(frozen=True)
class Stage:
    """One stage of a training.

    :param name: decides what is trained, by which loss.
    :param steps: optimiser steps; ``rate``: highest learning rate.
    :param batch: pairs of 320x256 a step; of larger frames there are fewer.
    :param large: half of the steps take frames of the size of use, the others small ones.
    """

    name: str
    steps: int = within(1, 10_000_000)
    batch: int = within(1, 4096)
    rate: float = within(1e-7, 1)
    large: bool = False

    def kind(self, step: int) -> str:
        """Return the kind of a step's batch: see `rgb2swir_ros.lab.training.batches.draw`."""
        if self.large:
            # two and two: the trainings themselves do something in every other step
            return 'whole' if step % 4 < 2 else 'large'
        return 'crop' if step % 2 else 'whole'

    @property
    def work(self) -> int:
        """How much there is to compute, to divide time among stages before they are timed."""
        return self.steps * self.batch


@dataclass(frozen=True)
class Plan:
    """A training's stages, in the order of ``NAMES``, each at most once.

    Settings in ``AFTERWARDS`` count only when all stages are trained.
    """

    NAMES: ClassVar[tuple[str, ...]]
    AFTERWARDS: ClassVar[tuple[str, ...]] = ()
    stages: tuple[Stage, ...]

    def steering(self) -> dict[str, Any]:
        """Return all that the weights in a checkpoint depend on."""
        return {k: v for k, v in asdict(self).items() if k not in self.AFTERWARDS}

    def scaled(self: AnyPlan, share: float) -> AnyPlan:
        """Return the same training with its steps scaled; for trying things out and tests."""
        return replace(self, stages=tuple(
            replace(stage, steps=max(round(stage.steps * share), 1)) for stage in self.stages))


@dataclass(frozen=True)
class AutoencoderPlan(Plan):
    """The first training: see `rgb2swir_ros.lab.training.autoencoder`.

    :param gradient_weight: of the edges beside L1 on tone.
    :param jitter: deviation of the noise on the latent; ``penalty``: of its mean square.
    :param without_skips: share of the batches of stage ``skips`` that go without them.
    :param scale_batches: batches that the latent's deviation is measured on.
    """

    NAMES = ('plain', 'skips')
    gradient_weight: float = within(0, 100, 3.0)
    jitter: float = within(0, 10, .05)
    penalty: float = within(0, 10, 1e-3)
    without_skips: float = within(0, 1, .25)
    scale_batches: int = within(1, 10_000, 64)


@dataclass(frozen=True)
class TeacherPlan(Plan):
    """The second training: see `rgb2swir_ros.lab.training.teacher`.

    :param at_noise: share of the samples at t = 1 exactly, where sampling starts.
    :param lpl_share: share of the loss that the latent perceptual loss (LPL) has, in the steps
        that it is computed in.
    :param lpl_below: LPL counts for samples with a smaller t.
    :param lpl_every: LPL is computed every so many steps.
    """

    NAMES = ('denoise', 'finish')
    at_noise: float = within(0, 1, .2)
    lpl_share: float = within(0, .9, .2)
    lpl_below: float = within(0, 1, .5)
    lpl_every: int = within(1, 1000, 1)


@dataclass(frozen=True)
class StudentPlan(Plan):
    """The third training: see `rgb2swir_ros.lab.training.student`.

    :param lpl_share: of stage ``latent``, as ``lpl_every``: see `TeacherPlan`.
    :param gradient_weight: in the pixel stages, as ``region_weight``, ``detail_weight``,
        ``latent_weight`` (of L1 to the true latent) and ``steady_weight`` (of the difference
        between two views, in every other step), beside L1 on tone.
    :param without_skips: share of the batches of the pixel stages that go without skips.
    :param fine_detail: share of the target's finest octave (root of its energy) that the output
        has after the head's gain is scaled, once trained; 0: the gain is left as it is.
    :param scale_batches: batches that this is measured on.
    :param endpoints: how many of the teacher's endpoints are averaged for the target of stage
        ``latent``; 0: the true latent is the target.
    :param endpoint_steps: denoiser calls for each of them.
    """

    NAMES = ('latent', 'pixels', 'finish')
    AFTERWARDS = ('fine_detail', 'scale_batches')
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
    """A translator's shape and the plans of its trainings.

    :param entries: of its sections, those of the preset that it is like included, for the record.
    """

    name: str
    model: TranslatorConfig
    autoencoder: AutoencoderPlan
    teacher: TeacherPlan
    student: StudentPlan
    entries: dict[str, Any]


def read_preset(preset: str) -> Preset:
    """Read a preset by the name of one that comes along, or by a file's path.

    A file that says ``like: NAME`` has the entries of that preset where it gives none of its own.

    :param preset: a name, or a path that ends in ``.yaml``.
    :raises UserError: naming file, key and value, where anything is missing, unknown, of a wrong
        type or out of range.
    """
    path, top = read_sections(preset)
    return Preset(path.stem, preset_model(top['model'], f'{path}: model'),
                  _plan(AutoencoderPlan, top['autoencoder'], f'{path}: autoencoder'),
                  _plan(TeacherPlan, top['teacher'], f'{path}: teacher'),
                  _plan(StudentPlan, top['student'], f'{path}: student'), top)


def _plan(kind: type[AnyPlan], entries: Any, where: str) -> AnyPlan:
    """Return the plan of a section.

    :raises UserError: naming key and value.
    """
    entries = known_entries(entries, where, (one.name for one in fields(kind)))
    given = entries.get('stages')
    if not isinstance(given, list) or not given:
        raise UserError(f'{where}: stages must be a list of stages, not {given!r}')
    stages = tuple(_stage(entry, f'{where}: stage {number}', kind.NAMES)
                   for number, entry in enumerate(given, 1))
    names = [stage.name for stage in stages]
    if names != [name for name in kind.NAMES if name in names]:
        raise UserError(f'{where}: the stages are {", ".join(names)}, but must come in the order '
                        f'{", ".join(kind.NAMES)}, each at most once')
    return build(kind, {**entries, 'stages': stages}, where)


def _stage(entry: Any, where: str, names: tuple[str, ...]) -> Stage:
    stage = build(Stage, entry, where)
    if stage.name not in names:
        raise UserError(f'{where}: name is {stage.name!r}, but must be one of {", ".join(names)}')
    return stage
