"""When a failed engine process is started again: after growing pauses, and not without end."""

from __future__ import annotations

from dataclasses import dataclass

FAILURES_IN_A_ROW = 5
HEALTHY_S = 60.0  # a process that was ready for longer ends a row of failures
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True)
class ProcessEnd:
    """The end of an engine process.

    :param fatal: whether another process would fail as well.
    :param attributed: whether an engine's size caused it; `rgb2swir_ros.engines.ledger` counts
        the failures of each size, and gives up that size alone.
    """

    reason: str
    fatal: bool = False
    attributed: bool = False


class RestartPolicy:
    """Counts the failures in a row, and decides about the next start."""

    def __init__(self) -> None:
        """Start without failures."""
        self._failures = self._unattributed = 0

    def reset(self) -> None:
        """End the row of failures: the process works."""
        self._failures = self._unattributed = 0

    def count(self, end: ProcessEnd) -> float:
        """Count a failure; return the pause before the next start, in seconds."""
        self._failures += 1
        self._unattributed += not end.attributed
        return min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 9), LONGEST_PAUSE_S)

    def why_last(self, end: ProcessEnd) -> str:
        """Return why no process is started after this one; empty if one is."""
        if end.fatal:
            return end.reason
        if self._unattributed >= FAILURES_IN_A_ROW:
            return f'{self._unattributed} failures in a row, the last: {end.reason}'
        return ''
