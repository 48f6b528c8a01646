"""The rows of the ablation, and the trainings that they need.

A variant is a translator with some parts of the method switched on. A row is what is judged: a
student of a variant, a teacher of one, or a baseline. Rows of one variant share trainings, and
all variants whose autoencoders agree share the autoencoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rgb2swir_ros.errors import UserError

UNET, DIT = 'unet', 'dit'
GREY, LOOKUP, TREES, CANARY = 'grey', 'lookup', 'trees', 'canary'


@dataclass(frozen=True)
class Variant:
    """A translator with some parts of the method.

    :param denoiser: `UNET` or `DIT`.
    :param skips: source skips; ``gain``: the head's gain on fine luminance; ``filtered``: the
        guided filter. The three are the switches of the autoencoder.
    :param learned: whether the guidance is learned (LGE).
    :param lpl: whether the latent perceptual loss is in the loss.
    """

    denoiser: str = UNET
    skips: bool = False
    gain: bool = False
    filtered: bool = False
    learned: bool = False
    lpl: bool = True

    @property
    def autoencoder(self) -> str:
        """A name of its autoencoder's switches."""
        parts = [name for name, on in (('skips', self.skips), ('gain', self.gain),
                                       ('filter', self.filtered)) if on]
        return '_'.join(parts) or 'plain'

    @property
    def name(self) -> str:
        """A name of all its switches."""
        parts = [self.denoiser, self.autoencoder, *['lge'] * self.learned,
                 *['no_lpl'] * (not self.lpl)]
        return '_'.join(parts)


@dataclass(frozen=True)
class Task:
    """One training.

    :param what: ``autoencoder``, ``teacher``, ``student`` or ``canary``.
    :param variant: of the translator; None for the canary.
    :param steps: denoiser calls of a student.
    :param start: the training that it starts from.
    """

    what: str
    variant: Variant | None
    seed: int
    steps: int = 1
    start: Task | None = None

    @property
    def name(self) -> str:
        """The name of its folders."""
        parts = [self.what + (f'{self.steps}' if self.what == 'student' else '')]
        if self.variant is not None:
            parts.append(self.variant.autoencoder if self.what == 'autoencoder'
                         else self.variant.name)
        return '_'.join(parts) + (f'_seed{self.seed}' if self.seed else '')

    def chain(self) -> list[Task]:
        """Return the trainings up to this one, in their order."""
        return [*(self.start.chain() if self.start else ()), self]


@dataclass(frozen=True)
class Row:
    """What is judged.

    :param title: for tables.
    :param variant: None for a baseline, which is ``name``.
    :param steps: denoiser calls for each frame.
    :param teacher: whether a teacher is judged, not a student.
    :param core: the rows that come first.
    """

    name: str
    title: str
    variant: Variant | None = None
    steps: int = 1
    teacher: bool = False
    seed: int = 0
    core: bool = False

    @property
    def task(self) -> Task | None:
        """Its last training; None if it needs none."""
        if self.variant is None:
            return Task('canary', None, self.seed) if self.name == CANARY else None
        autoencoder = Task('autoencoder', Variant(
            UNET, self.variant.skips, self.variant.gain, self.variant.filtered), self.seed)
        teacher = Task('teacher', self.variant, self.seed, start=autoencoder)
        return teacher if self.teacher else Task('student', self.variant, self.seed, self.steps,
                                                 teacher)


LDM = Variant()
SKIPS = replace(LDM, skips=True)
GAIN = replace(SKIPS, gain=True)
SCAE = replace(GAIN, filtered=True)
LGE = replace(LDM, learned=True)
FULL = replace(SCAE, learned=True)
FULL_DIT = replace(FULL, denoiser=DIT)

CORNERS = (('ldm', 'U-Net: plain LDM', LDM),
           ('scae', 'U-Net: + skips, gain and guided filter', SCAE),
           ('lge', 'U-Net: + LGE', LGE), ('scae_lge', 'U-Net: SCAE + LGE', FULL))
ROWS = (
    *(Row(f'unet_{name}', title, variant, core=True) for name, title, variant in CORNERS),
    Row(CANARY, 'canary: direct regression of equal compute', core=True),
    Row('dit_ldm', 'DiT: plain LDM', replace(LDM, denoiser=DIT), core=True),
    Row('dit_scae_lge', 'DiT: SCAE + LGE', FULL_DIT, core=True),
    *(Row(f'unet_{name}_seed1', f'{title}, seed 1', variant, seed=1, core=True)
      for name, title, variant in CORNERS),
    Row(GREY, 'grey-scale conversion'),
    Row(LOOKUP, 'colour look-up fitted to the training pairs'),
    Row(TREES, 'gradient-boosted trees on colour, place and local statistics'),
    Row('unet_skips', 'U-Net: + skips (SCAE as published)', SKIPS),
    Row('unet_skips_gain', 'U-Net: + skips and fine gain', GAIN),
    Row('unet_scae_lge_no_lpl', 'U-Net: SCAE + LGE, without LPL', replace(FULL, lpl=False)),
    *(Row(f'teacher_{steps}', f'U-Net: SCAE + LGE, teacher, {steps} steps', FULL, steps, True)
      for steps in (50, 10, 4)),
    *(Row(f'student_{steps}', f'U-Net: SCAE + LGE, student, {steps} steps', FULL, steps)
      for steps in (4, 2)),
    Row('unet_skips_lge', 'U-Net: + skips and LGE (both as published)',
        replace(SKIPS, learned=True)),
)


def chosen_rows(names: Sequence[str]) -> list[Row]:
    """Return the named rows, or all, in the order of `ROWS`.

    :raises UserError: naming a row that there is not.
    """
    known = [row.name for row in ROWS]
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"--only {unknown[0]}: there is no such row; the rows are "
                        f"{', '.join(known)}")
    return [row for row in ROWS if not names or row.name in names]


def trainings(rows: Iterable[Row]) -> list[Task]:
    """Return the trainings that rows need, each once, in the order in which rows need them."""
    return list(dict.fromkeys(task for row in rows if row.task is not None
                              for task in row.task.chain()))
