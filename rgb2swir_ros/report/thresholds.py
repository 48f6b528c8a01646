"""Limits of figures from a YAML file, and the checks that come of them.

The file maps measures to limits::

    psnr_db: {min: 20}
    latency_p99_ms: {max: 50, by: interval}

``by: value``, the default, compares the figure itself. ``by: interval`` wants its whole 95 %
interval on the right side: a wholly wrong one fails, one on both sides is inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.report.model import Cell, Check, Value, Verdict
from rgb2swir_ros.strict_yaml import read_strict_yaml

KEYS = ('min', 'max', 'by')
VALUE, INTERVAL = 'value', 'interval'


@dataclass(frozen=True)
class Threshold:
    """The limits of a measure.

    :param low: lowest allowed figure, -inf without one; ``high``: the highest, inf without one.
    :param by: `VALUE` or `INTERVAL`.
    """

    measure: str
    low: float = -math.inf
    high: float = math.inf
    by: str = VALUE

    def __str__(self) -> str:
        """Return the limits in words: ``at least 20``, ``1 to 2, whole interval``."""
        if math.isinf(self.high):
            text = f'at least {self.low:g}'
        elif math.isinf(self.low):
            text = f'at most {self.high:g}'
        else:
            text = f'{self.low:g} to {self.high:g}'
        return text + (', whole interval' if self.by == INTERVAL else '')


def read_thresholds(path: Path, known: Sequence[str]) -> list[Threshold]:
    """Return the thresholds of a file, in its order.

    :param known: the names of measures that there are.
    :raises UserError: if the file cannot be read, holds none, or naming an entry that is wrong.
    """
    content = read_strict_yaml(path, 'the thresholds')
    if not isinstance(content, dict) or not content:
        raise UserError(f'{path} holds no thresholds: write a measure a line, such as '
                        f'"{known[0] if known else "measure"}: {{min: 0}}"')
    return [_threshold(f'{path}: {name}', str(name), limits, known)
            for name, limits in content.items()]


def check_thresholds(thresholds: Sequence[Threshold], figures: Mapping[str, Cell],
                     units: Mapping[str, str]) -> list[Check]:
    """Return one check for each threshold.

    :param figures: by measure; one that is missing or NaN was not measured, which is inconclusive.
    :param units: of the measures.
    """
    return [_check(one, figures.get(one.measure), units.get(one.measure, ''))
            for one in thresholds]


def _threshold(where: str, name: str, limits: Any, known: Sequence[str]) -> Threshold:
    if name not in known:
        raise UserError(f"{where}: there is no such measure; there are {', '.join(known)}")
    if not isinstance(limits, dict) or not {'min', 'max'} & set(limits):
        raise UserError(f'{where} is {limits!r}, but must give min, max or both: {{min: 0}}')
    for key, value in limits.items():
        if key not in KEYS:
            raise UserError(f"{where}: unknown key '{key}': known are {', '.join(KEYS)}")
        if key == 'by':
            if value not in (VALUE, INTERVAL):
                raise UserError(f'{where}: by is {value!r}, but must be {VALUE} or {INTERVAL}')
        elif isinstance(value, bool) or not isinstance(value, (int, float)) \
                or not math.isfinite(value):
            raise UserError(f'{where}: {key} is {value!r}, but must be a number')
    low, high = float(limits.get('min', -math.inf)), float(limits.get('max', math.inf))
    if low > high:
        raise UserError(f'{where}: min {low:g} is above max {high:g}')
    return Threshold(name, low, high, limits.get('by', VALUE))


def _check(threshold: Threshold, figure: Cell, unit: str) -> Check:
    verdict, message = _verdict(threshold, figure)
    return Check(threshold.measure, verdict, figure, str(threshold), unit, message)


def _verdict(threshold: Threshold, figure: Cell) -> tuple[Verdict, str]:
    value = figure if isinstance(figure, Value) else Value(
        math.nan if figure is None or isinstance(figure, str) else float(figure))
    if math.isnan(value.value):
        return Verdict.INCONCLUSIVE, 'not measured'
    low, high = value.value, value.value
    if threshold.by == INTERVAL:
        if not value.has_interval:
            return Verdict.INCONCLUSIVE, 'no interval: too few blocks or bags'
        low, high = value.low, value.high
    if threshold.low <= low and high <= threshold.high:
        return Verdict.PASS, ''
    if high < threshold.low or low > threshold.high or threshold.by == VALUE:
        return Verdict.FAIL, ''
    return Verdict.INCONCLUSIVE, 'the interval reaches across the limit'
