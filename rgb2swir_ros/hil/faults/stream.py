"""Faults of the stream of frames: lost, late, twice, in a wrong order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rgb2swir_ros.checked import within
from rgb2swir_ros.hil.faults.base import MESSAGE, RGB, Context, Fault
from rgb2swir_ros.hil.frame import HilFrame

MS = 1_000_000  # nanoseconds


@dataclass(frozen=True)
class Drop(Fault):
    """Frames are lost, CameraInfo included: each with the probability ``intensity``."""

    kind = 'drop'
    points = (MESSAGE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Lose the frame or keep it."""
        return [] if context.random().random() < context.intensity else [frame]


@dataclass(frozen=True)
class BurstDrop(Fault):
    """Frames are lost in bursts: each run of frames with the probability ``intensity``.

    :param frames: how many follow one another.
    """

    frames: int = within(2, 10_000, 5)

    kind = 'burst_drop'
    points = (MESSAGE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Lose the frame if the burst that it would lie in takes place."""
        burst = (context.time_ns - context.start_ns) // (self.frames * context.period_ns)
        lost = context.fixed_random(burst).random() < context.intensity
        return [] if lost else [frame]


@dataclass(frozen=True)
class Delay(Fault):
    """Frames leave ``ms`` * ``intensity`` milliseconds later than due."""

    ms: float = within(0, 60_000, 100.0)

    kind = 'delay'

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Delay the frame."""
        late = round(self.ms * MS * context.intensity)
        return [replace(frame, delay_ns=frame.delay_ns + late)]


@dataclass(frozen=True)
class Jitter(Fault):
    """Frames leave later than due, by 0 to ``ms`` * ``intensity`` ms, evenly distributed."""

    ms: float = within(0, 60_000, 30.0)

    kind = 'jitter'

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Delay the frame by a draw."""
        late = round(self.ms * MS * context.intensity * context.random().random())
        return [replace(frame, delay_ns=frame.delay_ns + late)]


@dataclass(frozen=True)
class Duplicate(Fault):
    """Frames leave twice, one right after the other, with the probability ``intensity``."""

    kind = 'duplicate'

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Return the frame once or twice."""
        twice = context.random().random() < context.intensity
        return [frame, frame] if twice else [frame]


@dataclass(frozen=True)
class Reorder(Fault):
    """A frame leaves after its successor, with the probability ``intensity``.

    It leaves one and a half periods late: with 1, every second frame is overtaken.
    """

    kind = 'reorder'

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Delay the frame past the next one, unless the one before it is delayed already."""
        if context.memory.pop('delayed', False) or context.random().random() >= context.intensity:
            return [frame]
        context.memory['delayed'] = True
        return [replace(frame, delay_ns=frame.delay_ns + 3 * context.period_ns // 2)]


KINDS: tuple[type[Fault], ...] = (Drop, BurstDrop, Delay, Jitter, Duplicate, Reorder)
