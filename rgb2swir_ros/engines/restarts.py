"""When a failed engine process is started again: after growing pauses, and not without end."""

from __future__ import annotations

FAILURES_IN_A_ROW = 5
HEALTHY_S = 60.0  # a process that was ready for longer ends a row of failures
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0


class RestartPolicy:
    """Counts the failures in a row, and says how long to wait and when to give up.

    :ivar unattributed: the failures in a row that no size has caused. Those that one has caused
        are counted by `rgb2swir_ros.engines.ledger`, which gives up that size alone.
    """

    def __init__(self) -> None:
        """Start without failures."""
        self._failures = self.unattributed = 0

    def reset(self) -> None:
        """End the row of failures: the process works."""
        self._failures = self.unattributed = 0

    def count(self, *, attributed: bool) -> float:
        """Count a failure; return the pause before the next start, in seconds.

        :param attributed: whether a size caused it.
        """
        self._failures += 1
        self.unattributed += not attributed
        return min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 9), LONGEST_PAUSE_S)

    @property
    def exhausted(self) -> bool:
        """Whether there were too many failures in a row to try again."""
        return self.unattributed >= FAILURES_IN_A_ROW
