"""What a report consists of: checks, and sections of tables, plots, pictures and facts.

All classes are plain values. `rgb2swir_ros.report.html`, `data` and `junit` write them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Verdict(str, Enum):
    """What came of a check, from the best to the worst."""

    PASS = 'pass'
    INCONCLUSIVE = 'inconclusive'
    FAIL = 'fail'
    ERROR = 'error'

    def __str__(self) -> str:
        """Return the word."""
        return self.value


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict: error, then fail, then inconclusive; pass if there is none."""
    order = list(Verdict)
    return max(verdicts, key=order.index, default=Verdict.PASS)


@dataclass(frozen=True)
class Value:
    """A figure with its interval.

    :param value: NaN where it could not be measured.
    :param low: end of the interval, NaN, like ``high``, without one.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def has_interval(self) -> bool:
        """Say whether both ends of the interval are known."""
        return math.isfinite(self.low) and math.isfinite(self.high)


Cell = str | int | float | bool | Value | None


@dataclass(frozen=True)
class Check:
    """A measured figure against a limit.

    :param name: stable: tools follow it from report to report, such as ``latency.p99_ms``.
    :param verdict: what came of it.
    :param measured: the figure, or None.
    :param limit: the limit in words: ``at most 50``.
    :param unit: of figure and limit.
    :param message: why, where figure and limit do not say it.
    """

    name: str
    verdict: Verdict
    measured: Cell = None
    limit: str = ''
    unit: str = ''
    message: str = ''


@dataclass(frozen=True)
class Column:
    """A column of a table.

    :param key: of the rows' entries; ``title``: the heading; ``unit``: below it.
    :param digits: significant digits of figures.
    :param note: explains the column.
    """

    key: str
    title: str
    unit: str = ''
    digits: int = 3
    note: str = ''


@dataclass(frozen=True)
class Table:
    """A table; the first column names the rows.

    :param rows: entries by the columns' keys; what is missing has an empty cell.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Cell]]
    note: str = ''


@dataclass(frozen=True)
class Series:
    """A line or a cloud of points.

    :param x: (N,); ``y``: (N,), NaN where there is a gap.
    """

    name: str
    x: Sequence[float] | NDArray[Any]
    y: Sequence[float] | NDArray[Any]


@dataclass(frozen=True)
class Phase:
    """A span of a time plot that has a name, from ``start`` to ``end`` on its x axis."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Event:
    """A moment of a time plot that has a name."""

    name: str
    time: float


@dataclass(frozen=True)
class TimePlot:
    """Figures over time.

    :param unit: of the y axis; ``x_title``: of the x axis, with its unit.
    :param phases: shaded spans; ``events``: vertical lines.
    :param limits: horizontal lines, by name.
    """

    title: str
    series: Sequence[Series]
    unit: str = ''
    x_title: str = 'time, s'
    phases: Sequence[Phase] = ()
    events: Sequence[Event] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    note: str = ''


@dataclass(frozen=True)
class Timeline:
    """What went on when: rows of spans over one time axis.

    :param rows: each a name and its spans; a span's own name is written into it.
    :param events: vertical lines.
    """

    title: str
    rows: Sequence[tuple[str, Sequence[Phase]]]
    x_title: str = 'time, s'
    events: Sequence[Event] = ()
    note: str = ''


@dataclass(frozen=True)
class Histogram:
    """How often values occur.

    :param values: (N,) by the name of the series; what is not finite is left out.
    :param limits: vertical lines, by name.
    """

    title: str
    values: Mapping[str, Sequence[float] | NDArray[Any]]
    unit: str = ''
    bins: int = 40
    limits: Mapping[str, float] = field(default_factory=dict)
    note: str = ''


@dataclass(frozen=True)
class Scatter:
    """Points of two figures; the titles of the axes include their units."""

    title: str
    series: Sequence[Series]
    x_title: str
    y_title: str
    note: str = ''


@dataclass(frozen=True)
class Picture:
    """A picture with its name.

    :param pixels: uint8 (H, W) grey or (H, W, 3) RGB.
    :param alt: says what is seen, to somebody who does not see it.
    """

    name: str
    pixels: NDArray[np.uint8]
    alt: str


@dataclass(frozen=True)
class PictureRow:
    """Pictures side by side, such as source and result, with one caption."""

    caption: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Gallery:
    """Rows of pictures."""

    title: str
    rows: Sequence[PictureRow]
    note: str = ''


@dataclass(frozen=True)
class Facts:
    """Names and values, such as versions and hashes."""

    title: str
    entries: Mapping[str, Cell]
    note: str = ''


Item = Table | TimePlot | Timeline | Histogram | Scatter | Gallery | Facts


@dataclass(frozen=True)
class Section:
    """A chapter of a report.

    :param text: paragraphs before its items.
    """

    title: str
    items: Sequence[Item] = ()
    text: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """A report.

    :param name: stable identifier of its kind, such as ``replay``: names the suite in JUnit.
    :param summary: one paragraph that says what was measured on what.
    :param checks: what the verdict rests on.
    :param facts: versions and hashes, also the properties in JUnit.
    :param created: date and time as ISO 8601.
    :param seconds: how long the work took, or None.
    :param verdict: by default the worst of the checks; None in a report without checks.
    """

    name: str
    title: str
    summary: str
    created: str
    checks: Sequence[Check] = ()
    sections: Sequence[Section] = ()
    facts: Sequence[Facts] = ()
    seconds: float | None = None
    verdict: Verdict | None = None

    def __post_init__(self) -> None:
        """Take the verdict from the checks where none is given."""
        if self.verdict is None and self.checks:
            object.__setattr__(self, 'verdict', worst(check.verdict for check in self.checks))
