"""Faults of the message that goes out: its size, encoding, length and stamp, its CameraInfo."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rgb2swir_ros.checked import within
from rgb2swir_ros.hil.faults.base import MESSAGE, Context, Fault
from rgb2swir_ros.hil.frame import HilFrame
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.sizes import SMALLEST_SIDE


@dataclass(frozen=True)
class _Drawn(Fault):
    """A fault that hits each frame with the probability ``intensity``."""

    points = (MESSAGE,)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Hit the frame or leave it."""
        hit = context.random().random() < context.intensity
        return [self.hit(frame)] if hit else [frame]

    def hit(self, frame: HilFrame) -> HilFrame:
        """Return the frame with the fault."""
        raise NotImplementedError


@dataclass(frozen=True)
class WrongSize(_Drawn):
    """The image has another size than the camera's, which its CameraInfo still has.

    :param scale: of both sides.
    """

    scale: float = within(0.1, 1, 0.5)

    kind = 'wrong_size'

    def hit(self, frame: HilFrame) -> HilFrame:
        """Scale the image."""
        height, width = (max(SMALLEST_SIDE, round(side * self.scale))
                         for side in frame.pixels.shape)
        return replace(frame, pixels=resize(frame.pixels, (height, width)))


@dataclass(frozen=True)
class WrongEncoding(_Drawn):
    """The image names an encoding that its data do not have."""

    encoding: str = 'rgb8'

    kind = 'wrong_encoding'

    def hit(self, frame: HilFrame) -> HilFrame:
        """Rename the encoding."""
        return replace(frame, fields={**frame.fields, 'encoding': self.encoding})


@dataclass(frozen=True)
class Truncated(_Drawn):
    """The end of the image's data is missing.

    :param lost: the share that is missing.
    """

    lost: float = within(0, 1, 0.5)

    kind = 'truncated'

    def hit(self, frame: HilFrame) -> HilFrame:
        """Cut the data off."""
        return replace(frame, fields={
            **frame.fields, 'data': int(frame.pixels.nbytes * (1 - self.lost))})


@dataclass(frozen=True)
class StampJump(_Drawn):
    """Stamps are wrong by ``ms`` milliseconds, which may be negative."""

    ms: float = within(-86_400_000, 86_400_000, 1000.0)

    kind = 'stamp_jump'

    def hit(self, frame: HilFrame) -> HilFrame:
        """Shift the stamp of image and CameraInfo."""
        return replace(frame, stamp_shift_ns=frame.stamp_shift_ns + round(self.ms * 1e6))


@dataclass(frozen=True)
class CameraInfoLoss(Fault):
    """CameraInfo is lost, with the probability ``intensity``.

    :param image: whether its image is lost together with it.
    """

    image: bool = True

    kind = 'camera_info_loss'

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Lose both, or the CameraInfo alone."""
        if context.random().random() >= context.intensity:
            return [frame]
        return [] if self.image else [replace(frame, info=False)]


KINDS: tuple[type[Fault], ...] = (WrongSize, WrongEncoding, Truncated, StampJump, CameraInfoLoss)
