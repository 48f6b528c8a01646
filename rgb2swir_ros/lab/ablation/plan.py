"""What all rows of an ablation have in common, decided once and written down: ``plan.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_json
from rgb2swir_ros.lab.ablation.pace import measure_factor, share_for
from rgb2swir_ros.lab.ablation.presets import VariantPresets
from rgb2swir_ros.lab.ablation.rows import Task
from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.preset import Preset
from rgb2swir_ros.marks import TOOL

PLAN_FILE = 'plan.json'
SHARE = .25


@dataclass(frozen=True)
class Budget:
    """How long to train, as the user asks for it.

    :param share: of the preset's steps; None: not given.
    :param minutes: of all trainings together, by which the share is chosen; None: not given.
    """

    share: float | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        :raises UserError: naming the one that is out of range.
        """
        if self.share is not None and not 0 < self.share <= 1:
            raise UserError(f'--share {self.share:g} is not in (0, 1]')
        if self.minutes is not None and not 0 < self.minutes <= 100_000:
            raise UserError(f'--minutes {self.minutes:g}: give more than 0, at most 100000')


@dataclass(frozen=True)
class Plan:
    """What is decided.

    :param share: of the preset's steps, for every row.
    :param pace: of this machine, see `rgb2swir_ros.lab.ablation.pace.Pace`; None: not measured.
    """

    share: float
    pace: float | None = None


def make_plan(folder: Path, budget: Budget, presets: VariantPresets, preset: Preset,
              stores: Stores, tasks: Sequence[Task], log: Callable[[str], None]) -> Plan:
    """Return in which share of the preset's steps every row is trained.

    The first run of an output folder decides and writes it down; later ones read it, whatever
    their rows are.

    :param tasks: the trainings that ``budget.minutes`` are for.
    :raises UserError: if the folder was begun with another share, other presets or other pairs.
    """
    path = folder / PLAN_FILE
    identity = json.loads(json.dumps({'presets': presets.sections, 'data': stores.identity}))
    if path.exists():
        return _agreed(path, budget, identity)
    share, factor = budget.share or SHARE, None
    about: dict[str, Any] = {}
    if budget.minutes is not None:
        log('measuring the pace of each stage')
        factor = measure_factor(preset, stores)
        share = share_for(budget.minutes, tasks, preset, factor) if tasks else SHARE
        about = {'minutes': budget.minutes, 'trainings': [task.name for task in tasks],
                 'pace': round(factor, 3)}
    write_json(path, {'share': share, **about, **identity})
    log(f'every row is trained in a share of {share:g} of the steps: {path}')
    return Plan(share, factor)


def _agreed(path: Path, budget: Budget, identity: dict[str, Any]) -> Plan:
    """Return a plan that was made before."""
    try:
        plan = json.loads(path.read_text())
        share = float(plan['share'])
        pace = float(plan['pace']) if 'pace' in plan else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f'cannot read the plan {path} ({type(error).__name__}: {error}): give '
                        'another --output') from error
    plan.pop(TOOL, None)  # the file's own mark
    for name, value in identity.items():
        if plan.get(name) != value:
            raise UserError(f'{path} was made with other {name}: rows would not compare; give '
                            'another --output, or what it was made with (--data, --preset, '
                            '--batch-share)')
    if budget.share is not None and budget.share != share:
        raise UserError(f'--share {budget.share:g}: {path} has {share:g} for all its rows; leave '
                        'it out, or give another --output')
    return Plan(share, pace)
