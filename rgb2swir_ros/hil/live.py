"""A live topic as a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.hil.clocks import impossible_age
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.ros import qos
from rgb2swir_ros.ros.messages import stamp_ns
from rgb2swir_ros.ros.topics import Topic

REFUSAL = 'impossible_age'


class TopicSource:
    """The images of a topic, as they come. Frames keep their time: stamp - t0.

    :ivar size: (height, width) of the pictures as they are translated; None before the first.
    """

    def __init__(self, node: Node, topic: str, box: tuple[int, int], max_age_ns: int,
                 arrive: Callable[[SourceFrame], None], t0_ns: Callable[[], int],
                 complain: Callable[[str], None]) -> None:
        """Subscribe to images and to the CameraInfo beside them.

        :param topic: one that ends with ``/compressed`` is of CompressedImage.
        :param box: (height, width) that pictures are scaled down to fit.
        :param arrive: called with each frame.
        :param t0_ns: the run's first stamp, 0 before it begins.
        :param complain: called with a text on each frame whose age is impossible.
        """
        self._node, self._box, self._max_age_ns = node, box, max_age_ns
        self._arrive, self._t0_ns, self._complain = arrive, t0_ns, complain
        self._compressed = topic.endswith('/compressed')
        self._index = 0
        self.topic = topic
        self._info: Any = None
        base = topic.removesuffix('/compressed').rpartition('/')[0]
        info = f'{base}/camera_info'
        self.size: tuple[int, int] | None = None
        self._subscriptions = [
            qos.subscribe(node, CompressedImage if self._compressed else Image,
                          Topic(topic, node.resolve_topic_name(topic)), self._take),
            qos.subscribe(node, CameraInfo, Topic(info, node.resolve_topic_name(info)),
                          self._take_info)]

    def _take_info(self, info: Any) -> None:
        self._info = info

    def _take(self, message: Any) -> None:
        """Decode an image and pass it on, or note why not."""
        now, stamp, t0 = (self._node.get_clock().now().nanoseconds, stamp_ns(message.header),
                          self._t0_ns())
        try:
            source, rgb = self._decoded(message)
        except ImageError as error:
            if t0:
                self._send(stamp - t0, None, (0, 0), error.reason)
            return
        self.size = rgb.shape[:2]
        if not t0 or stamp < t0:
            return  # before the run
        if problem := impossible_age(now - stamp, self._max_age_ns):
            self._complain(problem)
            self._send(stamp - t0, None, source, REFUSAL)
            return
        self._send(stamp - t0, rgb, source)

    def _decoded(self, message: Any) -> tuple[tuple[int, int], Any]:
        if self._compressed:
            picture = compressed.parse(message.data)
            source = picture.header.height, picture.header.width
            rgb = compressed.to_rgb(picture, message.format, fit_size(source, self._box))
            return source, rgb
        source = message.height, message.width
        if min(source) <= 0:
            raise ImageError('zero_size', 'the image has no pixels')
        return source, raw.to_rgb(message, fit_size(source, self._box))

    def _send(self, time_ns: int, rgb: Any, source: tuple[int, int], refusal: str = '') -> None:
        self._arrive(SourceFrame(self._index, time_ns, rgb, source, self._info, refusal))
        self._index += 1
