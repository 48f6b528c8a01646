"""The topics of a camera of the bench: fill its messages, publish them, count the QoS events."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from rgb2swir_ros.hil.pipeline import Outgoing
from rgb2swir_ros.hil.sections import STEPPED_DEPTH, WALL, PacingSection
from rgb2swir_ros.imaging import raw
from rgb2swir_ros.ros import messages, qos
from rgb2swir_ros.ros.topics import Topic

DEPTH = 10
STAMPS = (0, 2**31 * 10**9 - 1)  # what a message's stamp can hold, in nanoseconds


@dataclass(frozen=True)
class Ready:
    """A frame with its messages filled.

    :param digest: of the pixels that are sent.
    """

    out: Outgoing
    stamp_ns: int
    image: Image
    info: CameraInfo | None
    digest: str


class CameraOutputs:
    """The publishers of one camera: ``CAMERA/swir/image_raw`` and ``CAMERA/swir/camera_info``."""

    def __init__(self, node: Node, camera: str, pacing: PacingSection, encoding: str,
                 events: Counter[str]) -> None:
        """Advertise the topics with deadline and liveliness.

        :param encoding: of the images.
        :param events: counts the QoS events by name.
        """
        self.camera, self._encoding, self._events = camera, encoding, events
        self._log = node.get_logger()
        depth = DEPTH if pacing.clock == WALL else STEPPED_DEPTH
        profile = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth,
                             reliability=ReliabilityPolicy.RELIABLE)
        if pacing.clock == WALL:  # the middleware's timers know no simulated time
            profile.deadline = Duration(nanoseconds=pacing.deadline_ns)
            profile.liveliness = LivelinessPolicy.MANUAL_BY_TOPIC
            profile.liveliness_lease_duration = Duration(nanoseconds=pacing.lease_ns)
        self._frame_id = f"{camera.strip('/').replace('/', '_')}_swir_optical"
        image, info = f'{camera}/swir/image_raw', f'{camera}/swir/camera_info'
        self.topic, self.info_topic = (node.resolve_topic_name(name) for name in (image, info))
        self.image: Any = qos.advertise(
            node, Image, Topic(image, self.topic), profile=profile,
            deadline=self._deadline, liveliness=self._liveliness,
            incompatible_qos=self._incompatible)
        self.info: Any = qos.advertise(
            node, CameraInfo, Topic(info, self.info_topic),
            profile=QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth,
                               reliability=ReliabilityPolicy.RELIABLE))

    def prepare(self, out: Outgoing, t0_ns: int) -> Ready:
        """Return a frame with its messages filled.

        :param t0_ns: the stamp of the first frame.
        """
        frame = out.frame
        stamp = min(max(t0_ns + frame.time_ns + frame.stamp_shift_ns, STAMPS[0]), STAMPS[1])
        header = Header(frame_id=self._frame_id)
        header.stamp.sec, header.stamp.nanosec = divmod(stamp, 10**9)
        image = messages.image(header, raw.to_fields(frame.pixels, self._encoding))
        for name, value in frame.fields.items():
            if name == 'data':
                image.data = array('B', image.data[:value])
            else:
                setattr(image, name, value)
        info = None if out.info is None else messages.camera_info(header, out.info)
        return Ready(out, stamp, image, info, digest(image.data))

    def publish(self, ready: Ready) -> None:
        """Publish a frame; the image first: its time is what counts."""
        self.image.publish(ready.image)
        if ready.info is not None:
            self.info.publish(ready.info)

    def await_receipt(self, timeout_s: float) -> bool:
        """Wait until every reliable subscriber has received what was published."""
        limit = Duration(nanoseconds=round(timeout_s * 1e9))
        return bool(self.image.wait_for_all_acked(limit))

    def subscribers(self) -> int:
        """Return how many subscribers the image has."""
        return int(self.image.get_subscription_count())

    def _deadline(self, event: Any) -> None:
        self._events['deadline_missed'] += event.total_count_change

    def _liveliness(self, event: Any) -> None:
        self._events['liveliness_lost'] += event.total_count_change

    def _incompatible(self, event: Any) -> None:
        self._events['incompatible_qos'] += event.total_count_change
        self._log.warning(
            f'a subscriber of {self.topic} requests another {qos.policy_name(event)} than is '
            f'offered and receives no images')


def digest(data: Any) -> str:
    """Return BLAKE2 of an image's data, 16 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()
