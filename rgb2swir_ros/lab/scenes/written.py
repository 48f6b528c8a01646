"""How much of a data set is written, and its display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rgb2swir_ros.progress import ProgressDisplay


@dataclass
class DatasetProgress:
    """Progress of writing, reported to the caller after each unit.

    :param total: frames of the data set; ``done``: frames written, ``kept`` of them by an earlier
        run.
    :param news: message about the last unit for the user, or ''.
    :param failed: kind, seed and reason of each unit that could not be rendered.
    """

    total: int
    done: int = 0
    kept: int = 0
    news: str = ''
    failed: list[dict[str, Any]] = field(default_factory=list)


def display_on(display: ProgressDisplay) -> Callable[[DatasetProgress], None]:
    """Return a function that shows on a display how much of a data set is written."""
    def show(progress: DatasetProgress) -> None:
        if display.total is None:
            display.begin_at(progress.done, progress.total)
        else:
            display.reach(progress.done)
        if progress.news:
            display.log(progress.news)

    return show
