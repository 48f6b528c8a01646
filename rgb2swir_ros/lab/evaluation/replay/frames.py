"""The frames of a replay, each with its source and its true SWIR frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.replay.matching import Matching, match_stamps
from rgb2swir_ros.lab.evaluation.replay.pixels import Image, radiance_of, warp_onto
from rgb2swir_ros.lab.evaluation.replay.truth import Truth
from rgb2swir_ros.replay.bag import BagSource, CameraBag
from rgb2swir_ros.replay.frames import FootageError, Frame, decode
from rgb2swir_ros.sizes import size_of


@dataclass(frozen=True)
class JudgedFrame:
    """A translated frame.

    :param index: in its topic, from 0.
    :param rgb: the source uint8 (H, W, 3), scaled to the SWIR frame's size.
    :param radiance: of the SWIR frame (H, W).
    :param true: radiance of the true SWIR frame on the same pixels, or None.
    :param seen: (H, W), where the true frame shows something; None without one.
    """

    index: int
    stamp_ns: int
    rgb: NDArray[np.uint8]
    radiance: Image
    true: Image | None = None
    seen: NDArray[np.bool_] | None = None


@dataclass
class CameraReplay:
    """A camera of a replay, and what was translated of it.

    :param bag: the input; ``source``: its image topic.
    :param swir_bag: the bag with SWIR frames; ``topic``: theirs; ``gamma``: of 8-bit ones.
    :ivar faults: what could not be read, filled by `frames`.
    """

    bag: Path
    source: str
    swir_bag: Path
    topic: str
    gamma: float = 2.2
    faults: list[str] = field(default_factory=list)

    def stamps(self) -> list[int]:
        """Return the stamps of the SWIR frames, nanoseconds, in their order."""
        return [frame.stamp_ns for frame in self._swir()]

    def frames(self, truth: TrueFrames | None = None,
               wanted: set[int] | None = None) -> Iterator[JudgedFrame]:
        """Yield the SWIR frames with their sources, in order.

        :param wanted: indices of the frames to decode; None for all.
        :raises UserError: if the source's bag does not hold the source of a frame.
        """
        if truth is not None:
            truth.begin(wanted)
        sources = self._sources()
        for index, swir in enumerate(self._swir()):
            source = next((s for s in sources
                           if (s.log_ns, s.stamp_ns) == (swir.log_ns, swir.stamp_ns)), None)
            if source is None:
                raise UserError(f"{self.topic} of '{self.swir_bag}' holds a frame of "
                                f"{swir.stamp_ns} ns that '{self.bag}' does not have on "
                                f'{self.source}: they do not belong together')
            if wanted is not None and index not in wanted:
                continue
            radiance = radiance_of(swir, self.gamma)
            rgb = decode(source, size_of(radiance))
            true, seen = truth.of(index, radiance.shape) if truth else (None, None)
            yield JudgedFrame(index, swir.stamp_ns, rgb, radiance, true, seen)

    def _swir(self) -> Iterator[Frame]:
        yield from BagSource(self.swir_bag, self.topic).frames()

    def _sources(self) -> Iterator[Frame]:
        try:
            yield from CameraBag(self.bag, [self.source]).frames()
        except FootageError as error:
            if str(error) not in self.faults:
                self.faults.append(str(error))


class TrueFrames:
    """The true frames of a camera's replay, on the pixels of its SWIR frames."""

    def __init__(self, truth: Truth, stamps: Sequence[int],
                 homography: NDArray[np.float64] | None = None) -> None:
        """Match the frames.

        :param stamps: of the SWIR frames.
        :param homography: from pixels of a true frame to those of a SWIR frame.
        :raises UserError: if frames that belong together by their order differ in number, or no
            frame has a counterpart.
        """
        self._truth, self._homography = truth, homography
        if truth.stamps is not None:
            self.matching = match_stamps(stamps, truth.stamps)
        elif truth.count == len(stamps):
            self.matching = Matching(np.arange(len(stamps)), np.zeros(len(stamps), np.int64),
                                     0, 0)
        else:
            raise UserError(f'there are {len(stamps)} SWIR frames and {truth.count} pictures of '
                            'true ones: name the pictures by their stamps in nanoseconds')
        if not self.matching.matched.any():
            raise UserError(f'none of the {len(stamps)} SWIR frames has one of the {truth.count} '
                            'true frames within half a period: their clocks differ')

    @property
    def fault(self) -> str:
        """What of the true frames could not be read, or ''."""
        return self._truth.fault

    def begin(self, wanted: set[int] | None) -> None:
        """Begin at the first frame.

        :param wanted: indices of the SWIR frames that will be asked for; None for all.
        """
        index = self.matching.index
        self._truth.expect({int(index[k]) for k in range(len(index))
                            if index[k] >= 0 and (wanted is None or k in wanted)})

    def of(self, index: int, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Return radiance (H, W) and mask of the true frame of a SWIR frame, or None twice."""
        place = int(self.matching.index[index])
        if place < 0:
            return None, None
        return warp_onto(self._truth.radiance(place), (size[0], size[1]), self._homography)

    def account(self) -> dict[str, float]:
        """Return how many frames matched, how many did not, and the skew in milliseconds."""
        matched = self.matching.matched
        skew = self.matching.skew_ns[matched] / 1e6
        return {'matched': int(matched.sum()), 'unmatched': int((~matched).sum()),
                'true frames unused': self.matching.unused,
                'skew, mean, ms': float(skew.mean()), 'skew, largest, ms':
                float(np.abs(skew).max()), 'half a period, ms': self.matching.period_ns / 2e6}
