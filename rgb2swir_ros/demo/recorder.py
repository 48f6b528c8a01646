"""The process of the demo's recorder: ``python -m rgb2swir_ros.demo.recorder``.

It writes the messages of the translator to a bag, serialized as they arrive. The record time of a
message is its header's stamp. A message of /diagnostics, which has the wall clock's time, gets the
record time of the frame before it, so that a player shows both together. If the header stamps of
the input are of another clock than its record times (all zero, or counted from the camera's
start), the record time of a message is the input's first record time plus the time since the
arrival of the first message.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.wire import ros_context, say
from rgb2swir_ros.replay.bag import INFO, RAW, stamp_ns
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.message_writer import DIAGNOSTICS, TIMING

DRAIN_S = 0.5  # without a message: then no more are expected


class TimeLine:
    """The record times of messages in the bag."""

    def __init__(self, start_ns: int | None = None) -> None:
        """Start without a message.

        :param start_ns: record time of the first message in nanoseconds; by default each message
            gets its stamp.
        """
        self._start_ns = start_ns
        self._first_arrival_ns: int | None = None

    def place(self, stamp: int, arrival_ns: int) -> int:
        """Return the record time of a message, in nanoseconds.

        :param stamp: of its header, in nanoseconds.
        :param arrival_ns: when it arrived, by a monotonic clock.
        """
        if self._start_ns is None:
            return stamp
        if self._first_arrival_ns is None:
            self._first_arrival_ns = arrival_ns
        return self._start_ns + arrival_ns - self._first_arrival_ns


class Arrivals(TimeLine):
    """Each message lies where it arrived, by the monotonic clock."""

    def place(self, stamp: int, arrival_ns: int) -> int:
        """Return the time of its arrival."""
        return arrival_ns


class Recorder:
    """The subscriptions and the bag."""

    def __init__(self, bag: BagWriter, cameras: Sequence[str], time_line: TimeLine) -> None:
        """Subscribe to the translator's topics of some cameras."""
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import CameraInfo, Image
        self.node = rclpy.create_node('demo_recorder', start_parameter_services=False)
        self._bag = bag
        self._early: list[bytes] = []
        self._time_line = time_line
        self._last_time: int | None = None
        self.arrivals: list[tuple[int, int, str]] = []  # stamp, monotonic time, camera
        self.last_ns = 0
        self._status = '/diagnostics'
        reliable = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=100,
                              reliability=ReliabilityPolicy.RELIABLE)
        topics: list[tuple[str, Any, str, str]] = [
            (TIMING, DiagnosticArray, DIAGNOSTICS, ''),
            (self._status, DiagnosticArray, DIAGNOSTICS, '')]
        for camera in cameras:
            topics += [(f'/{camera}/swir/image_raw', Image, RAW, camera),
                       (f'/{camera}/swir/camera_info', CameraInfo, INFO, '')]
        for topic, kind, name, camera in topics:
            bag.declare(topic, name)

            def receive(cdr: bytes, topic: str = topic, name: str = name,
                        camera: str = camera) -> None:
                self._receive(topic, name, cdr, camera)
            self.node.create_subscription(kind, topic, receive, reliable, raw=True)

    def _receive(self, topic: str, name: str, cdr: bytes, camera: str) -> None:
        """Take a message; ``camera`` is whose image it is, or ''."""
        now = time.monotonic_ns()
        if topic == self._status:
            self._tell(cdr)
            if self._last_time is None:
                self._early.append(cdr)
            else:
                self._bag.write(topic, name, cdr, self._last_time)
            return
        stamp = stamp_ns(cdr)
        self.last_ns = now
        at = self._time_line.place(stamp, now)
        self._bag.write(topic, name, cdr, at)
        if camera:
            self.arrivals.append((stamp, now, camera))
            self._last_time = at
            for status in self._early:
                self._bag.write(self._status, DIAGNOSTICS, status, at)
            self._early.clear()

    def _tell(self, cdr: bytes) -> None:
        """Send the translator's status to the process that runs the demo."""
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.serialization import deserialize_message
        told: dict[str, Any] = {}
        for status in deserialize_message(cdr, DiagnosticArray).status:
            kind, _, _ = status.name.removeprefix('/translator: ').partition(' ')
            if status.name.startswith('/translator: ') and kind in ('camera', 'engine'):
                values = {value.key: value.value for value in status.values}
                told[kind] = values
                told[f'{kind}_text'] = status.message
                if kind == 'camera':
                    name = status.name.partition(' camera ')[2]
                    told.setdefault('cameras', {})[name] = values
        if told:
            say('diagnostics', recorded=len(self.arrivals), **told)


def main(arguments: list[str] | None = None) -> None:
    """Record until the standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument('bag', type=Path)
    parser.add_argument('--camera', action='append', required=True, help='once for each')
    parser.add_argument('--record', type=Path, required=True)
    parser.add_argument('--start-ns', type=int)
    parser.add_argument('--by-arrival', action='store_true',
                        help='place each message at the monotonic time of its arrival')
    given = parser.parse_args(arguments)
    from rgb2swir_ros.ros.serving import spin_until_input_ends
    with ros_context('recorder', given.record):
        with BagWriter(given.bag) as bag:
            recorder = Recorder(bag, given.camera, Arrivals() if given.by_arrival
                                else TimeLine(given.start_ns))
            say('recording')
            spin_until_input_ends(recorder.node, lambda: recorder.last_ns, DRAIN_S)
        given.record.write_text(json.dumps(recorder.arrivals))
        say('recorded', counts=bag.counts)


if __name__ == '__main__':
    main()
