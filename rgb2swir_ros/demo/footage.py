"""The footage of the demo's camera: the beginning of a source, as serialized ROS messages."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.headers import read_header
from rgb2swir_ros.imaging.raw import ImageFields
from rgb2swir_ros.replay.bag import COMPRESSED, INFO, RAW
from rgb2swir_ros.replay.drive import FILE, FOCAL, DriveSource
from rgb2swir_ros.replay.frames import CompressedImage, FootageError, Frame, Source
from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.source import open_source

CLOCKS_APART_NS = 60 * 10**9  # stamps further from the record times are of another clock
TRIES = 30  # frames that are tried to get the size; footage is unusable if all are malformed


class Footage:
    """The first seconds of a source.

    :ivar live: whether frames are stamped when they are sent, since the source has no stamps (any
        source but a bag).
    :ivar record_start_ns: when a bag's first image was recorded, in nanoseconds, if its header
        stamps are of another clock than the bag's time line; else None.
    :ivar compressed: whether the camera sends CompressedImage.
    """

    def __init__(self, path: str | Path, seconds: float, topic: str | None = None) -> None:
        """Open a source as ``replay.source.open_source`` does, or the package's own drive.

        :param seconds: the frames of the first so many seconds are used.
        :raises FootageError: if it cannot be read, or its first frames are all malformed.
        """
        path = Path(path).expanduser()
        self.source: Source = DriveSource() if path == FILE else open_source(path, topic)
        self.seconds = seconds
        self.live = self.source.kind != 'bag'
        first = list(itertools.islice(self.source.frames(), 1))
        if not first:
            raise FootageError(f"'{path}' holds no frame at all")
        self.record_start_ns = _record_start(first[0])
        self.compressed = isinstance(first[0].content, CompressedImage)
        self.size = self._size()

    @property
    def message_type(self) -> str:
        """Return the type of the camera's messages."""
        return COMPRESSED if self.compressed else RAW

    def frames(self) -> Iterator[Frame]:
        """Yield the frames of the first seconds.

        :raises FootageError: where the source cannot be read any further.
        """
        start: int | None = None
        for frame in self.source.frames():
            start = time_ns(frame) if start is None else start
            if time_ns(frame) - start >= self.seconds * 1e9:
                return
            yield frame

    def is_cut(self, sent: int) -> bool:
        """Return whether the source has more frames than were sent."""
        return self.source.count is not None and self.source.count > sent

    def _size(self) -> tuple[int, int]:
        reason: Exception | None = None
        for frame in itertools.islice(self.frames(), TRIES):
            try:
                return frame_size(frame)
            except ImageError as error:
                reason = error
        raise FootageError(f"no usable image among the first frames of '{self.source.path}': "
                           f'{reason}')


def _record_start(frame: Frame) -> int | None:
    if frame.log_ns is None or abs(frame.log_ns - frame.stamp_ns) < CLOCKS_APART_NS:
        return None
    return frame.log_ns


def time_ns(frame: Frame) -> int:
    """Return when a frame is due, in nanoseconds: when a bag recorded it, else its stamp."""
    return frame.stamp_ns if frame.log_ns is None else frame.log_ns


def frame_size(frame: Frame) -> tuple[int, int]:
    """Return a frame's (height, width) without decoding it.

    :raises ImageError: if it is malformed.
    """
    content = frame.content
    if isinstance(content, CompressedImage):
        header = read_header(content.data)
        return header.height, header.width
    if isinstance(content, ImageFields):
        if min(content.height, content.width) <= 0:
            raise ImageError('zero_size', f'the image is {content.width}x{content.height}')
        return content.height, content.width
    return content.shape[0], content.shape[1]


def image_message(frame: Frame) -> bytes:
    """Return the serialized image: a bag's own, unchanged; else a bgr8 Image with stamp 0."""
    if frame.cdr is not None:
        return frame.cdr
    rgb = frame.content
    assert isinstance(rgb, np.ndarray)
    message = message_types().types[RAW](
        header=_header(frame.frame_id), height=rgb.shape[0], width=rgb.shape[1], encoding='bgr8',
        is_bigendian=0, step=rgb.shape[1] * 3, data=_bgr(rgb).reshape(-1))
    return bytes(message_types().serialize_cdr(message, RAW))


def info_message(frame: Frame, drive: bool) -> bytes | None:
    """Return the serialized CameraInfo of a frame: the bag's, or the drive's pinhole camera."""
    if not drive:
        return frame.info_cdr
    height, width = frame_size(frame)
    focal = FOCAL * width
    # The renderer's image centre is column W / 2 from the corner of the first pixel; ROS counts
    # from the centre of the first pixel
    k = np.array([focal, 0, width / 2 - .5, 0, focal, height / 2 - .5, 0, 0, 1], float)
    p = np.insert(k.reshape(3, 3), 3, 0, axis=1).reshape(-1)
    roi = message_types().types['sensor_msgs/msg/RegionOfInterest'](
        x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    message = message_types().types[INFO](
        header=_header(frame.frame_id), height=height, width=width, distortion_model='plumb_bob',
        d=np.zeros(5), k=k, r=np.eye(3).reshape(-1), p=p, binning_x=0, binning_y=0, roi=roi)
    return bytes(message_types().serialize_cdr(message, INFO))


def restamped(cdr: bytes, stamp_ns: int) -> bytes:
    """Return a little-endian message that begins with a header, with another stamp.

    :raises ValueError: if it is big-endian.
    """
    if not cdr[1] & 1:
        raise ValueError('a big-endian message cannot be restamped')
    return cdr[:4] + struct.pack('<iI', *divmod(stamp_ns, 10**9)) + cdr[12:]


def _bgr(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(rgb[..., ::-1])


def _header(frame_id: str) -> Any:
    stamp = message_types().types['builtin_interfaces/msg/Time'](sec=0, nanosec=0)
    return message_types().types['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)
