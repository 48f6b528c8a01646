"""The time limits of an engine process: of its silence, its start and each of its builds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from rgb2swir_ros.engines.channel import Size
from rgb2swir_ros.engines.child import EngineHandle
from rgb2swir_ros.sizes import format_size

# Loading torch, TensorRT, OpenVINO or CUDA from a cold and slow disk, and parts of building, hold
# Python's lock, and with it the heartbeat
LOADING_TIMEOUT_S = 120.0


class Overdue(NamedTuple):
    """A deadline that has passed, in one line, and the size whose build took too long, if any."""

    text: str
    size: Size | None = None


@dataclass(frozen=True)
class Deadlines:
    """The time limits of an engine process.

    :param heartbeat_timeout_s: of its silence; while it loads libraries or builds, at least
        `LOADING_TIMEOUT_S`.
    :param build_timeout_s: of one build, and of the start; of the start at least
        `LOADING_TIMEOUT_S`.
    """

    heartbeat_timeout_s: float
    build_timeout_s: float

    def next(self, child: EngineHandle) -> float:
        """Return the `time.monotonic` at which the next deadline passes."""
        return min(self._times(child))

    def overdue(self, child: EngineHandle, doing: str) -> Overdue | None:
        """Return the deadline that has passed, or None.

        :param doing: what the process is doing, for the text.
        """
        now = time.monotonic()
        silent_too_long, busy_too_long = self._times(child)
        if now >= silent_too_long:
            return Overdue('the engine process gave no sign of life for '
                           f'{now - child.last_heard:.1f} s')
        if now < busy_too_long:
            return None
        if child.building is None:
            return Overdue(f'the engine process did not start in {now - child.born:.0f} s '
                           f'({doing})')
        size, _ = child.building
        return Overdue(f'building an engine for {format_size(size)} took longer than '
                       f'build_timeout_s, {self.build_timeout_s:g} s ({doing})', size)

    def _times(self, child: EngineHandle) -> tuple[float, float]:
        """Return when it has been silent for too long, and when at one thing for too long."""
        busy = child.building is not None or not child.started
        silence = max(self.heartbeat_timeout_s, LOADING_TIMEOUT_S if busy else 0)
        begun = child.building[1] if child.building else child.born
        limit = self.build_timeout_s if child.started else max(self.build_timeout_s,
                                                               LOADING_TIMEOUT_S)
        return child.last_heard + silence, begun + limit if busy else float('inf')
