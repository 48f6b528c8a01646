"""Publish images and their CameraInfo as a camera's driver does; for the demo and the benches."""

from __future__ import annotations

import time
from typing import Any

import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.errors import UserError

POLL_S = 0.02


class CameraPublisher:
    """A node with the publishers of one camera, best effort.

    :ivar sent: (stamp, monotonic time when it was published) of each frame, in nanoseconds.
    """

    def __init__(self, node_name: str, camera: str, *, compressed: bool = False,
                 depth: int = 5) -> None:
        """Advertise ``camera/image_raw`` or ``camera/image_raw/compressed``, and the CameraInfo.

        :param depth: frames that the middleware keeps for a subscriber that is behind.
        """
        self._node = rclpy.create_node(node_name, start_parameter_services=False)
        quality = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth,
                             reliability=ReliabilityPolicy.BEST_EFFORT)
        topic = f'{camera}/image_raw' + ('/compressed' if compressed else '')
        self._images: Any = self._node.create_publisher(
            CompressedImage if compressed else Image, topic, quality)
        self._infos: Any = self._node.create_publisher(CameraInfo, f'{camera}/camera_info',
                                                       quality)
        self.sent: list[tuple[int, int]] = []

    def await_subscribers(self, timeout_s: float, settle_s: float, *, infos: bool) -> None:
        """Wait until the images have a subscriber.

        :param settle_s: further wait: a subscriber that is seen here may not yet see this camera.
        :param infos: whether the CameraInfo must have a subscriber as well.
        :raises UserError: if there is none in time.
        """
        deadline = time.monotonic() + timeout_s
        while not (self._images.get_subscription_count()
                   and (not infos or self._infos.get_subscription_count())):
            if time.monotonic() > deadline:
                raise UserError(f'nobody subscribed to {self._images.topic_name} within '
                                f'{timeout_s:.0f} s')
            time.sleep(POLL_S)
        time.sleep(settle_s)

    def publish(self, stamp_ns: int, image: Image | CompressedImage | bytes,
                info: CameraInfo | bytes | None) -> None:
        """Publish a frame, its CameraInfo first; both are messages, serialized or not.

        :param stamp_ns: their stamp.
        """
        if info is not None:
            self._infos.publish(info)
        self.sent.append((stamp_ns, time.monotonic_ns()))
        self._images.publish(image)

    def close(self) -> None:
        """Remove the node."""
        self._node.destroy_node()
