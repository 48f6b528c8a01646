"""True SWIR frames beside a judged recording: a topic of its bag, or a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.replay.pixels import Image, radiance_of, read_radiance
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError, Frame
from rgb2swir_ros.replay.pictures import is_picture, natural_key


class Truth(Protocol):
    """True frames that are asked for in about the order of their time.

    :ivar stamps: of the frames, nanoseconds; None where frames belong together by their order.
    :ivar count: of the frames.
    :ivar fault: what could not be read, or ''.
    """

    stamps: list[int] | None
    count: int
    fault: str

    def expect(self, wanted: set[int]) -> None:
        """Begin at the first frame; those of other indices will not be asked for."""

    def radiance(self, index: int) -> Image:
        """Return the radiance (H, W) of a frame that is wanted, once."""


class TopicTruth:
    """The frames of an image topic of a bag."""

    def __init__(self, bag: Path, topic: str, gamma: float) -> None:
        """Read the stamps.

        :param gamma: of frames of 8 bits.
        :raises FootageError: if the bag has no such topic, or no message on it.
        """
        self.topic, self._bag, self._gamma, self.fault = topic, bag, gamma, ''
        self.stamps: list[int] | None = []
        for frame in self._frames():
            self.stamps.append(frame.stamp_ns)
        self.count = len(self.stamps)
        self.expect(set())

    def _frames(self) -> Iterator[Frame]:
        try:
            yield from BagSource(self._bag, self.topic).frames()
        except FootageError as error:
            if not self.stamps:
                raise
            self.fault = str(error)

    def expect(self, wanted: set[int]) -> None:
        """Begin at the first frame: see `Truth`."""
        self._wanted = wanted
        self._kept: dict[int, Frame] = {}
        self._reading = enumerate(self._frames())

    def radiance(self, index: int) -> Image:
        """Return the radiance of a frame: see `Truth`."""
        while index not in self._kept:
            place, frame = next(self._reading)
            if place in self._wanted:
                self._kept[place] = frame
        return radiance_of(self._kept.pop(index), self._gamma)


class FolderTruth:
    """The pictures of a folder: named by their stamps in nanoseconds, or in order."""

    def __init__(self, folder: Path, gamma: float) -> None:
        """List the pictures.

        :param gamma: of pictures of 8 bits.
        :raises UserError: if there are none.
        """
        try:
            self._files = sorted((p for p in folder.iterdir() if is_picture(p)), key=natural_key)
        except OSError as error:
            raise UserError(f"cannot read the folder '{folder}': {error.strerror}") from error
        if not self._files:
            raise UserError(f"the folder '{folder}' holds no picture")
        self._gamma, self.fault, self.count = gamma, '', len(self._files)
        names = [path.stem for path in self._files]
        # so many digits that they can be no running number
        stamped = all(name.isdecimal() and len(name) >= 16 for name in names)
        self.stamps: list[int] | None = [int(name) for name in names] if stamped else None

    def expect(self, wanted: set[int]) -> None:
        """Do nothing: pictures are read when they are asked for."""

    def radiance(self, index: int) -> Image:
        """Return the radiance of a picture: see `Truth`."""
        return read_radiance(self._files[index], self._gamma)
