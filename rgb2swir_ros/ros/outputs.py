"""What a camera sends: the SWIR image, raw and compressed, and its CameraInfo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.ros import messages, qos


class Outputs:
    """The publishers of one camera."""

    def __init__(self, node: Node, camera: str, changed: Callable[[], None]) -> None:
        """Advertise the topics.

        :param changed: called when listeners come or go, where the distribution reports it.
        :raises UserError: if a QoS override is wrong.
        """
        self._node = node
        self._logger = node.get_logger()
        self.incompatible_qos = 0

        def advertise(kind: type, topic: str) -> Any:
            def incompatible(event: Any) -> None:
                self.incompatible_qos += event.total_count_change
                self._logger.warning(
                    f'a listener of {topic} asks for another {qos.policy_name(event)} than is '
                    f'offered and gets no images; set qos_overrides.{topic}.publisher')
            return qos.advertise(node, kind, topic, matched=lambda _: changed(),
                                 incompatible_qos=incompatible)

        base = f'{camera}/swir'
        self.image = advertise(Image, f'{base}/image_raw')
        self.compressed = advertise(CompressedImage, f'{base}/image_raw/compressed')
        self.info = advertise(CameraInfo, f'{base}/camera_info')

    @property
    def all(self) -> tuple[Any, Any, Any]:
        """Return the three publishers."""
        return self.image, self.compressed, self.info

    def wanted(self) -> bool:
        """Return whether anybody listens to any of them."""
        return any(publisher.get_subscription_count() for publisher in self.all)

    def publish(self, header: Any, swir: np.ndarray, encoding: str, info: Any | None) -> None:
        """Publish one frame to those who listen.

        :param header: the input's header: its stamp and frame_id are kept.
        :param swir: uint8 or uint16 (H, W).
        :param encoding: ``mono8`` or ``mono16``.
        :param info: the scaled ``CameraInfoFields``, or None where the camera has none.
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
        for publisher in self.all:
            self._node.destroy_publisher(publisher)
