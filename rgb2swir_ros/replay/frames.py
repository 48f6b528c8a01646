"""A frame of footage, of any kind of source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.raw import ImageFields
from rgb2swir_ros.imaging.resize import resize


class FootageError(UserError):
    """Footage that cannot be read: missing, empty, corrupt, cut short or of an unknown kind."""


@dataclass(frozen=True)
class CompressedImage:
    """The fields of a ``sensor_msgs/CompressedImage``, without its header."""

    format: str
    data: bytes


@dataclass(frozen=True)
class Frame:
    """One frame: its time, its origin, and its pixels in their stored form.

    :param stamp_ns: acquisition time in nanoseconds: a bag's ``header.stamp``; for videos the
        presentation time since the start; for pictures it follows from their order.
    :param content: raw fields, compressed bytes, or RGB pixels as uint8 (H, W, 3).
    :param name: the name of the frame in messages to the user.
    :param cdr: the serialized message of a bag, unchanged.
    :param info_cdr: the serialized CameraInfo that belongs to the frame, if the bag has one.
    :param log_ns: when a bag recorded it, in nanoseconds; its stamps may be of another clock.
    """

    stamp_ns: int
    frame_id: str
    topic: str
    content: ImageFields | CompressedImage | NDArray[np.uint8]
    name: str = ''
    cdr: bytes | None = field(default=None, repr=False)
    info_cdr: bytes | None = field(default=None, repr=False)
    log_ns: int | None = None


class Source(Protocol):
    """Footage that can be read from its start any number of times.

    :param kind: 'bag', 'video' or 'pictures'.
    :param topic: the bag's image topic, else ''.
    :param count: number of frames, None if it is not known before they are read.
    """

    path: Path
    kind: str
    topic: str
    count: int | None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order of time.

        :raises FootageError: where the footage cannot be read any further.
        """
        ...


def decode(frame: Frame, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return a frame's pixels as uint8 RGB (H, W, 3), area-resized to size (height, width).

    :raises ImageError: if the stored image is malformed or of an unsupported encoding.
    """
    content = frame.content
    if isinstance(content, ImageFields):
        return raw.to_rgb(content, size)
    if isinstance(content, CompressedImage):
        return compressed.to_rgb(content.data, content.format, size)
    return resized(content, size)


def resized(rgb: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Return uint8 RGB (H, W, 3) scaled to size (height, width) by area, as the node does."""
    return rgb if size is None else resize(rgb, size)


def decode_or_fail(frame: Frame, source: Source) -> NDArray[np.uint8]:
    """Return a frame's RGB pixels.

    :raises FootageError: naming the frame, if it cannot be decoded.
    """
    try:
        return decode(frame)
    except ImageError as error:
        raise FootageError(
            f"{frame.name} of '{source.path}' cannot be decoded: {error}") from error
