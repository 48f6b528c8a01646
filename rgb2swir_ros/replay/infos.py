"""Match each image of a recording with its CameraInfo."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from rgb2swir_ros.replay.frames import Frame

# A CameraInfo has its image's stamp by convention, and may be recorded before or after it: an
# image waits for this many later images before another CameraInfo is used, so that no bag is
# read twice.
PATIENCE = 2
KEPT = 100


@dataclass
class Pairing:
    """The images of one camera that wait for their CameraInfo.

    An image gets the CameraInfo of its own stamp. Without one it gets the latest before it, as in
    the node; without one before it, the first after it that arrives in time.

    :param expected: whether the camera has CameraInfo at all.
    """

    expected: bool
    _waiting: deque[tuple[Frame, bytes | None]] = field(default_factory=deque)
    _infos: dict[int, bytes] = field(default_factory=dict)
    _latest: bytes | None = None

    def see_info(self, stamp_ns: int, cdr: bytes) -> Iterator[Frame]:
        """Add a CameraInfo; yield the images that are complete with it."""
        self._infos.pop(stamp_ns, None)
        self._infos[stamp_ns] = self._latest = cdr
        self._waiting = deque((frame, fallback or cdr) for frame, fallback in self._waiting)
        while len(self._infos) > KEPT:
            del self._infos[next(iter(self._infos))]
        yield from self._ready(PATIENCE)

    def see_image(self, frame: Frame) -> Iterator[Frame]:
        """Add an image; yield the images that need not wait any longer."""
        self._waiting.append((frame, self._latest))
        yield from self._ready(PATIENCE if self.expected else 0)

    def waits_before(self, end_ns: int) -> bool:
        """Return whether an image that was recorded before a time still waits."""
        return any(frame.log_ns is not None and frame.log_ns < end_ns
                   for frame, _ in self._waiting)

    def rest(self) -> Iterator[Frame]:
        """Yield the images that are still waiting."""
        yield from self._ready(0)

    def _ready(self, patience: int) -> Iterator[Frame]:
        while self._waiting and (len(self._waiting) > patience
                                 or self._waiting[0][0].stamp_ns in self._infos):
            frame, fallback = self._waiting.popleft()
            yield replace(frame, info_cdr=self._infos.get(frame.stamp_ns) or fallback)
