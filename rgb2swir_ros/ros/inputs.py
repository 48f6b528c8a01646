"""Decisions about a camera's input that need no ROS."""

from __future__ import annotations

from collections import deque
from typing import Any

SILENT_NS = 2 * 10**9  # after which a topic is silent
ALONE_NS = 10**9  # for so long, and with
ALONE = 3  # so many frames, the compressed topic delivers while raw does not
RECENT = 20


class TransportChoice:
    """Which of a camera's two topics is read where ``input_transport`` is ``auto``.

    Raw is preferred whenever it delivers. Drivers with image_transport advertise both topics, so
    a publisher alone says nothing, and a killed driver stays in the graph until its lease ends
    (20 s). So where raw has a publisher and is silent, the compressed topic is listened to as
    well, and is read once it delivers alone; a pause of both changes nothing. While the
    compressed topic is read, raw is listened to, and is read again once it keeps pace.
    """

    def __init__(self, current: str = 'raw') -> None:
        self.current = current
        self._since_ns = 0  # when listening began, or raw last delivered
        self._alone = 0
        self._alone_since_ns = 0
        self._recent: deque[str] = deque(maxlen=RECENT)

    def begin(self, now_ns: int) -> None:
        """Take note that listening begins: what was heard before is forgotten."""
        self._since_ns = now_ns
        self._forget()

    def arrived(self, kind: str, now_ns: int) -> None:
        """Take note of a frame of the ``raw`` or the ``compressed`` topic."""
        if kind == 'raw':
            self._since_ns = now_ns
            self._alone = 0
            if 'raw' not in self._recent:
                self._recent.clear()
        else:
            if not self._alone:
                self._alone_since_ns = now_ns
            self._alone += 1
        self._recent.append(kind)

    def choose(self, now_ns: int, *, raw: int, compressed: int) -> set[str]:
        """Set ``current`` and return the topics to listen to, ``current`` among them.

        :param raw: publishers of the raw topic.
        :param compressed: publishers of the compressed topic.
        """
        if self.current == 'raw':
            if compressed and (not raw or self._compressed_alone(now_ns)):
                self._change('compressed', now_ns)
        elif raw and (not compressed or self._raw_keeps_pace()):
            self._change('raw', now_ns)
        if self.current == 'compressed':
            return {'compressed', 'raw'} if raw else {'compressed'}
        silent = now_ns - self._since_ns > SILENT_NS
        return {'raw', 'compressed'} if compressed and silent else {'raw'}

    def _compressed_alone(self, now_ns: int) -> bool:
        return self._alone >= ALONE and now_ns - self._alone_since_ns >= ALONE_NS

    def _raw_keeps_pace(self) -> bool:
        frames = self._recent.count('raw')
        return frames >= ALONE and 5 * frames >= 2 * len(self._recent)

    def _change(self, kind: str, now_ns: int) -> None:
        self.current = kind
        self.begin(now_ns)

    def _forget(self) -> None:
        self._alone = 0
        self._recent.clear()


def info_size(info: Any) -> tuple[int, int]:
    """Return the (height, width) of the images that a CameraInfo describes.

    Its height and width are the full sensor's; the region of interest and then the binning make
    the image (sensor_msgs/CameraInfo).
    """
    roi = info.roi
    height, width = (roi.height or info.height, roi.width or info.width)
    return height // (info.binning_y or 1), width // (info.binning_x or 1)
