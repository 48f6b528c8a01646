"""What a fault is: a class of a few lines, and what it is given with each frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.imaging.draws import seeded_generator

# Points of injection, in the order in which a frame passes them: the colour picture before it is
# translated, the radiance on the sensor, the message that goes out. At the fourth nothing is
# injected into frames: it is the machine that the bench runs on.
RGB, RADIANCE, MESSAGE, HOST = 'rgb', 'radiance', 'message', 'host'
POINTS = (RGB, RADIANCE, MESSAGE, HOST)


@dataclass(frozen=True)
class Context:
    """What a fault knows when it is applied.

    :param name: the fault's name in the scenario.
    :param seed: the scenario's.
    :param camera: the camera's name.
    :param time_ns: the frame's time since the first frame.
    :param intensity: how strong the fault is now, 0 to 1.
    :param start_ns: when the fault has begun, on the frames' time.
    :param period_ns: nominal time between two frames.
    :param point: where the frame is: one of `POINTS`.
    :param memory: what the fault keeps of this camera from frame to frame; empty at its start.
    """

    name: str
    seed: int
    camera: str
    time_ns: int
    intensity: float
    start_ns: int
    period_ns: int
    point: str
    memory: dict[str, Any]

    def random(self, *more: object) -> np.random.Generator:
        """Return this frame's draws: the same for the same seed, fault, camera and time."""
        return seeded_generator(self.seed, self.time_ns, self.camera, self.name, *more)

    def fixed_random(self, *more: object) -> np.random.Generator:
        """Return draws that stay as long as the fault does: the place of a dead pixel."""
        return seeded_generator(self.seed, 'fixed', self.camera, self.name, *more)


@dataclass(frozen=True)
class Fault:
    """The base of every fault: a frozen dataclass whose fields are its parameters.

    `rgb2swir_ros.checked.within` gives a parameter its range. One object serves all cameras, so
    that what it remembers belongs into ``context.memory``.

    :cvar kind: its name in a scenario.
    :cvar points: where it can be injected; the first is the default.
    """

    kind: ClassVar[str] = ''
    points: ClassVar[tuple[str, ...]] = (MESSAGE,)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Return what becomes of a frame: none, one or several.

        It is called for each frame while the fault is active, and leaves the frame as it is:
        ``dataclasses.replace`` makes the changed one.
        """
        raise NotImplementedError

    def watch(self, frame: HilFrame, context: Context) -> None:
        """See a frame before the fault begins, to remember it in ``context.memory``."""
