"""The thresholds of a scenario: each a limit of a measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rgb2swir_ros.checked import Place, build
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.fault_entries import require
from rgb2swir_ros.hil.measures import MEASURES, OF_THE_RUN
from rgb2swir_ros.hil.sections import NAME, Threshold

# Measures that there is nothing of without a clock that runs, and without somebody who answers
ON_THE_WALL_CLOCK = ('arrival_', 'response_')
OF_THE_LOOP = ('response_', 'unanswered')


def parse_thresholds(entries: Any, where: Place, *, phases: Sequence[str], cameras: Sequence[str],
                     stepped: bool, loop: bool) -> tuple[Threshold, ...]:
    """Return the thresholds of a scenario.

    :param entries: the scenario's, with ``thresholds`` or without.
    :param phases: their names.
    :param stepped: whether the run is on simulated time.
    :param loop: whether the loop is closed: a system under test answers.
    :raises UserError: naming the first mistake with its line.
    """
    given = entries.get('thresholds', [])
    if not isinstance(given, list):
        raise UserError(f"{where.entry(entries, 'thresholds')} must be a list")
    made: list[Threshold] = []
    for number, item in enumerate(given):
        here = where.item('thresholds', number, item)
        one = build(Threshold, item, here)
        require(bool(NAME.fullmatch(one.name)) and one.name not in [t.name for t in made],
                here, item, 'name', one.name, 'a word of its own')
        require(one.measure in MEASURES, here, item, 'measure', one.measure,
                f"one of {', '.join(MEASURES)}")
        _require_measurable(one, here, item, stepped, loop)
        require(one.phase in ('', *phases), here, item, 'phase', one.phase,
                f"one of {', '.join(phases)}")
        require(one.camera in ('', *cameras), here, item, 'camera', one.camera,
                f"one of {', '.join(cameras)}")
        limit = 'at_least' if one.at_most is None else 'at_most'
        share = MEASURES[one.measure].startswith('share')
        require(0 <= getattr(one, limit) <= (1 if share else math.inf), here, item, limit,
                getattr(one, limit), 'a share from 0 to 1' if share else '0 or more')
        for key in ('phase', 'camera'):
            require(not getattr(one, key) or one.measure not in OF_THE_RUN, here, item, key,
                    getattr(one, key), f"left out: '{one.measure}' is one of the whole run")
        made.append(one)
    return tuple(made)


def _require_measurable(one: Threshold, here: Place, item: Any, stepped: bool,
                        loop: bool) -> None:
    require(not stepped or not one.measure.startswith(ON_THE_WALL_CLOCK), here, item, 'measure',
            one.measure, 'another one: on simulated time this is not measured')
    require(loop or not one.measure.startswith(OF_THE_LOOP), here, item, 'measure', one.measure,
            "another one, unless 'monitor' has a topic: nobody answers")
