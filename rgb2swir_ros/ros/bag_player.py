"""Publish recorded frames at the pace of their record times, with /clock, as a player does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from rgb2swir_ros.ros.camera_publisher import CameraPublisher
from rgb2swir_ros.ros.messages import SECOND_NS

DEPTH = 10
REPORT_S = 1.0


@dataclass(frozen=True)
class Shot:
    """A frame ready to be published.

    :param camera: whose it is.
    :param log_ns: its record time in nanoseconds, by which it is due.
    :param image: the serialized image.
    :param info: the serialized CameraInfo, if there is one.
    """

    camera: str
    stamp_ns: int
    log_ns: int
    image: bytes
    info: bytes | None


class BagPlayer:
    """The cameras of a recording, and /clock.

    :ivar sent: camera, stamp, record time and monotonic time of each frame that was published, in
        nanoseconds.
    """

    def __init__(self, cameras: Mapping[str, bool], *, rate: float = 1.0,
                 clock_hz: float = 40.0) -> None:
        """Advertise the cameras' topics.

        :param cameras: whether its images are compressed, by the camera's name.
        :param rate: times the recorded pace.
        :param clock_hz: of /clock, by the wall clock; besides there is one tick for each frame, so
            that no stamp lies in the future. 0: no /clock.
        """
        self._publishers = {
            name: CameraPublisher(f'player_{number}', name, compressed=compressed, depth=DEPTH)
            for number, (name, compressed) in enumerate(cameras.items())}
        self._rate, self._clock_hz = rate, clock_hz
        self._node = rclpy.create_node('player', start_parameter_services=False)
        self._clock: Any = None
        if clock_hz:
            # the profile of rclcpp::ClockQoS
            self._clock = self._node.create_publisher(Clock, '/clock', QoSProfile(
                history=HistoryPolicy.KEEP_LAST, depth=1,
                reliability=ReliabilityPolicy.BEST_EFFORT))
        self._lock = threading.Lock()
        self._first_ns, self._started_ns = 0, 0  # record time and monotonic time of the start
        self._ended = threading.Event()
        self.sent: list[tuple[str, int, int, int]] = []

    def start_clock(self, first_ns: int) -> None:
        """Publish /clock from now on; it stands at a record time until frames are played."""
        self._first_ns = first_ns
        if self._clock is not None:
            threading.Thread(target=self._tick, name='clock', daemon=True).start()

    def await_subscribers(self, timeout_s: float, settle_s: float) -> None:
        """Wait until each camera's images have a subscriber.

        :raises UserError: if one has none in time.
        """
        for publisher in self._publishers.values():
            publisher.await_subscribers(timeout_s, settle_s, infos=False)

    def play(self, shots: Iterable[Shot], closed: threading.Event,
             report: Callable[[int], None]) -> None:
        """Publish frames at their pace.

        :param shots: in the order of record times.
        :param closed: ends it early.
        :param report: called each second with the number of frames that were published.
        """
        reported = time.monotonic()
        begun = False
        for shot in shots:
            if not begun:  # of each round
                self._first_ns, self._started_ns = shot.log_ns, time.monotonic_ns()
                begun = True
            due = self._started_ns + round((shot.log_ns - self._first_ns) / self._rate)
            closed.wait(max(0, due - time.monotonic_ns()) / SECOND_NS)
            if closed.is_set():
                return
            self._publish(shot)
            if time.monotonic() - reported >= REPORT_S:
                reported = time.monotonic()
                report(len(self.sent))
        self._started_ns = 0  # the clock stands

    def close(self) -> None:
        """Remove the nodes."""
        self._ended.set()
        for publisher in self._publishers.values():
            publisher.close()
        with self._lock:
            self._clock = None
        self._node.destroy_node()

    def _publish(self, shot: Shot) -> None:
        self._tell(shot.log_ns)
        publisher = self._publishers[shot.camera]
        publisher.publish(shot.stamp_ns, shot.image, shot.info)
        self.sent.append((shot.camera, shot.stamp_ns, shot.log_ns, publisher.sent[-1][1]))

    def _tell(self, log_ns: int) -> None:
        """Publish a time, if there is a clock; record times before 1970 are not told."""
        with self._lock:
            if self._clock is None or log_ns < 0:
                return
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(log_ns, SECOND_NS)
            self._clock.publish(message)

    def _tick(self) -> None:
        while not self._ended.wait(1 / self._clock_hz):
            first, started = self._first_ns, self._started_ns
            passed = (time.monotonic_ns() - started) * self._rate if started else 0
            self._tell(first + round(passed))
