"""The observer, a process of its own, receives and records what a system under test would.

``python -m rgb2swir_ros.hil.observer BAG --record FILE --camera NAME ...`` prints ``observing``
when it has subscribed, writes the bag and the arrivals, and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.peer import serve
from rgb2swir_ros.hil.result import Arrival, Observation
from rgb2swir_ros.replay.bag import INFO, RAW, stamp_ns
from rgb2swir_ros.replay.bag_writer import DIAGNOSTICS, BagWriter

DRAIN_S = 0.5  # of silence after which nothing more is expected
DEPTH = 500


class Observer:
    """The subscriptions, the bag, and what is noted of each message."""

    def __init__(self, cameras: list[str], bench: str, bag: BagWriter) -> None:
        """Prepare.

        :param bench: name of the bench's node in the graph, like ``/hil``.
        """
        from rgb2swir_ros.ros.sequence_numbers import SequenceTracker
        self.observation = Observation(lost=dict.fromkeys(cameras, 0))
        self._bench, self._bag = bench, bag
        self._last_ns = time.monotonic_ns()
        self._trackers = {camera: SequenceTracker() for camera in cameras}

    def subscribe(self, node: Any) -> Callable[[], int]:
        """Subscribe; return when the last message came."""
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import CameraInfo, Image
        reliable = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        latched = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for camera in self._trackers:
            self._subscribe(node, Image, RAW, f'{camera}/swir/image_raw', reliable,
                            self._image(camera))
            self._subscribe(node, CameraInfo, INFO, f'{camera}/swir/camera_info', reliable,
                            self._info(camera))
        for topic, quality, note in (
                (f'{self._bench}/faults', latched, self._note_faults),
                (f'{self._bench}/frames', reliable, None), ('/diagnostics', reliable, None)):
            self._subscribe(node, DiagnosticArray, DIAGNOSTICS, topic, quality, note)
        return lambda: self._last_ns

    def _subscribe(self, node: Any, kind: type, name: str, topic: str, quality: Any,
                   note: Callable[[bytes, int, int, Mapping[str, Any]], None] | None) -> None:
        from rgb2swir_ros.ros.qos import with_info
        absolute = topic if topic.startswith('/') else f'/{topic}'
        self._bag.declare(absolute, name)

        def receive(cdr: bytes, about: Mapping[str, Any]) -> None:
            now, wall = time.monotonic_ns(), time.time_ns()
            self._last_ns = now
            self._bag.write(absolute, name, cdr, wall)
            self.observation.messages[absolute] = self.observation.messages.get(absolute, 0) + 1
            if note is not None:
                note(cdr, now, wall, about)

        node.create_subscription(kind, absolute, with_info(receive), quality, raw=True)

    def _image(self, camera: str) -> Callable[[bytes, int, int, Mapping[str, Any]], None]:
        from rclpy.serialization import deserialize_message
        from sensor_msgs.msg import Image

        from rgb2swir_ros.hil.outputs import digest

        def note(cdr: bytes, now: int, wall: int, about: Mapping[str, Any]) -> None:
            lost = self._trackers[camera].see(about.get('publication_sequence_number'))
            self.observation.lost[camera] += lost
            image = deserialize_message(cdr, Image)
            self.observation.arrivals.append(Arrival(
                camera, stamp_ns(cdr), wall, now, digest(image.data),
                (image.height, image.width, image.encoding, image.step, len(image.data))))
        return note

    def _info(self, camera: str) -> Callable[[bytes, int, int, Mapping[str, Any]], None]:
        def note(cdr: bytes, now: int, wall: int, about: Mapping[str, Any]) -> None:
            self.observation.infos.append((camera, stamp_ns(cdr)))
        return note

    def _note_faults(self, cdr: bytes, now: int, wall: int, about: Mapping[str, Any]) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.serialization import deserialize_message
        names = [value.value for status in deserialize_message(cdr, DiagnosticArray).status
                 for value in status.values if value.key == 'name']
        self.observation.faults.append((now, tuple(names)))


def main(arguments: list[str] | None = None) -> int:
    """Observe until the standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument('bag', type=Path)
    parser.add_argument('--record', type=Path, required=True)
    parser.add_argument('--camera', action='append', required=True)
    parser.add_argument('--node', default='/hil')
    given = parser.parse_args(arguments)
    try:
        with BagWriter(given.bag) as bag:
            observer = Observer(given.camera, given.node, bag)
            serve('hil_observer', 'observing', observer.subscribe, DRAIN_S)
    except UserError as error:
        print(f'observer: {error}', file=sys.stderr)
        return 2
    given.record.write_text(json.dumps(asdict(observer.observation)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
