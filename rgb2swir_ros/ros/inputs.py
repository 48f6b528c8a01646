"""Selection of a camera's input topic, and the size in its CameraInfo. Needs no ROS."""

from __future__ import annotations

from collections import deque
from typing import Any

SILENT_NS = 2 * 10**9  # a topic without frames for longer counts as silent
# Thresholds for the change to compressed: it delivers at least so many frames and so long while
# raw delivers none.
ALONE = 3
ALONE_NS = 10**9
RECENT = 20  # frames of both topics that are compared


class TransportSelector:
    """Selects one of a camera's two topics as input where ``input_transport`` is ``auto``.

    Raw is preferred whenever it delivers. The presence of a publisher is no evidence: drivers
    with image_transport advertise both topics, and a killed driver stays in the graph until its
    lease ends (20 s). So if raw has a publisher and is silent, the compressed topic is subscribed
    to as well, and becomes the input once it alone delivers; a pause of both changes nothing.
    While compressed is the input, raw is subscribed to as well, and becomes the input again once
    it keeps pace.
    """

    def __init__(self, current: str = 'raw') -> None:
        self.current = current
        self._since_ns = 0  # when the subscription began, or raw last delivered
        self._alone = 0
        self._alone_since_ns = 0
        self._recent: deque[str] = deque(maxlen=RECENT)

    def begin(self, now_ns: int) -> None:
        """Start a subscription: reset what is known of earlier frames."""
        self._since_ns = now_ns
        self._forget()

    def arrived(self, kind: str, now_ns: int) -> None:
        """Record a frame of the ``raw`` or the ``compressed`` topic."""
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
        """Set ``current`` and return the topics to subscribe to, which include ``current``.

        :param raw: number of publishers of the raw topic.
        :param compressed: number of publishers of the compressed topic.
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

    Its height and width are the full sensor's, to which the region of interest and then the
    binning apply (sensor_msgs/CameraInfo).
    """
    roi = info.roi
    height, width = (roi.height or info.height, roi.width or info.width)
    return height // (info.binning_y or 1), width // (info.binning_x or 1)
