"""How much of a data set is written, for who waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rgb2swir_ros.progress import ProgressDisplay


@dataclass
class DatasetProgress:
    """What of a data set is written, handed to a caller's function after each unit.

    :param done: frames there are by now, ``kept`` of them from an earlier run, of ``total``.
    :param news: what the user must know of the last unit, or nothing.
    """

    total: int
    done: int = 0
    kept: int = 0
    news: str = ''
    failed: list[dict[str, Any]] = field(default_factory=list)


def display_on(display: ProgressDisplay) -> Callable[[DatasetProgress], None]:
    """Return what shows on a display how much of a data set is written."""
    def show(progress: DatasetProgress) -> None:
        if display.total is None:
            display.begin_at(progress.done, progress.total)
        else:
            display.reach(progress.done)
        if progress.news:
            display.log(progress.news)

    return show
