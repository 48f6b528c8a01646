"""The output topics of a camera: the SWIR image, raw and compressed, and its CameraInfo."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.ros import messages, qos
from rgb2swir_ros.ros.publishers import NAMED_S, UNNAMED, other_nodes
from rgb2swir_ros.ros.topics import Topic, Topics


class Outputs:
    """The publishers of one camera."""

    def __init__(self, node: Node, topics: Topics, changed: Callable[[], None]) -> None:
        """Advertise the topics.

        :param changed: called when subscribers connect or disconnect, if the distribution has
            that event.
        :raises UserError: if a QoS override is wrong.
        """
        self._node = node
        self._logger = node.get_logger()
        self._topics = (topics.swir, topics.swir_compressed, topics.swir_info)
        self.incompatible_qos = 0
        self._unnamed_since: dict[str, int] = {}
        self.all: list[Any] = []
        try:
            for kind, topic in zip((Image, CompressedImage, CameraInfo), self._topics,
                                   strict=True):
                self.all.append(self._advertise(kind, topic, changed))
        except BaseException:
            self.destroy()
            raise
        self.image, self.compressed, self.info = self.all

    def _advertise(self, kind: type, topic: Topic, changed: Callable[[], None]) -> Any:
        def incompatible(event: Any) -> None:
            self.incompatible_qos += event.total_count_change
            self._logger.warning(
                f'a subscriber of {topic} requests another {qos.policy_name(event)} than is '
                f"offered and receives no images; {qos.advice(topic, 'publisher', event)}")
        return qos.advertise(self._node, kind, topic, matched=lambda _: changed(),
                             incompatible_qos=incompatible)

    def has_subscribers(self) -> bool:
        """Return whether any of the topics has a subscriber."""
        return any(publisher.get_subscription_count() for publisher in self.all)

    def other_publishers(self) -> str:
        """Return the other nodes that publish these topics, or '' if there are none.

        A publisher is discovered before the name of its node: it is reported once the name is
        known, or after five seconds without one. A killed node counts until its lease ends,
        20 s later.
        """
        found = []
        for topic in self._topics:
            names = self._other_nodes(topic)
            if names[UNNAMED]:
                since = self._unnamed_since.setdefault(topic.name, time.monotonic_ns())
                if time.monotonic_ns() - since < NAMED_S * 1e9:
                    del names[UNNAMED]
            else:
                self._unnamed_since.pop(topic.name, None)
            if names:
                found.append(f"{topic} by {', '.join(sorted(names))}")
        return '; '.join(found)

    def _other_nodes(self, topic: Topic) -> Counter[str]:
        """Return how many publishers of a topic each other node has."""
        if self._node.count_publishers(topic.name) <= 1:
            return Counter()
        # rclpy remaps the name here, unlike in count_publishers
        return other_nodes(self._node, topic.unresolved)

    def publish(self, header: Any, swir: np.ndarray, encoding: str, info: Any | None) -> None:
        """Publish one frame on the topics that have subscribers.

        :param header: the input's header: its stamp and frame_id are kept.
        :param swir: uint8 or uint16 (H, W).
        :param encoding: ``mono8`` or ``mono16``.
        :param info: the transformed ``CameraInfoFields``, or None if the camera has none.
        """
        if info is not None:
            self.info.publish(messages.camera_info(header, info))
        if self.image.get_subscription_count():
            self.image.publish(messages.image(header, raw.to_fields(swir, encoding)))
        if self.compressed.get_subscription_count():
            codec = 'jpeg' if encoding == 'mono8' else 'png'
            data, style = compressed.encode(swir, codec)
            self.compressed.publish(messages.compressed_image(header, data, style))

    def destroy(self) -> None:
        """Withdraw the topics."""
        while self.all:
            self._node.destroy_publisher(self.all.pop())
