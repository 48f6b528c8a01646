"""The observer, a process of its own, receives and records what a system under test would.

``python -m rgb2swir_ros.hil.observer BAG --record FILE --camera NAME ...`` prints ``observing``
when it has subscribed, writes the bag and the arrivals, and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.result import Arrival, Observation
from rgb2swir_ros.replay.bag import INFO, RAW, stamp_ns
from rgb2swir_ros.replay.bag_writer import DIAGNOSTICS, BagWriter

DRAIN_S = 0.5  # of silence after which nothing more is expected
DEPTH = 500


class Observer:
    """The subscriptions, the bag, and what is noted of each message."""

    def __init__(self, cameras: list[str], node: str, bag: BagWriter) -> None:
        """Subscribe.

        :param node: name of the bench's node in the graph, like ``/hil``.
        """
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import CameraInfo, Image

        from rgb2swir_ros.ros.sequence_numbers import SequenceTracker
        self.node = rclpy.create_node('hil_observer', start_parameter_services=False)
        self.observation = Observation(lost=dict.fromkeys(cameras, 0))
        self.last_ns = time.monotonic_ns()
        self._bag = bag
        self._trackers = {camera: SequenceTracker() for camera in cameras}
        reliable = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE)
        latched = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.RELIABLE,
                             durability=DurabilityPolicy.TRANSIENT_LOCAL)
        for camera in cameras:
            self._subscribe(Image, RAW, f'{camera}/swir/image_raw', reliable, self._image(camera))
            self._subscribe(CameraInfo, INFO, f'{camera}/swir/camera_info', reliable,
                            self._info(camera))
        for topic, quality, note in (
                (f'{node}/faults', latched, self._note_faults), (f'{node}/frames', reliable, None),
                ('/diagnostics', reliable, None)):
            self._subscribe(DiagnosticArray, DIAGNOSTICS, topic, quality, note)

    def _subscribe(self, kind: type, name: str, topic: str, quality: Any,
                   note: Callable[[bytes, int, int, dict[str, Any]], None] | None) -> None:
        from rgb2swir_ros.ros.qos import has_message_info
        absolute = topic if topic.startswith('/') else f'/{topic}'
        self._bag.declare(absolute, name)

        def receive(cdr: bytes, about: dict[str, Any]) -> None:
            now, wall = time.monotonic_ns(), time.time_ns()
            self.last_ns = now
            self._bag.write(absolute, name, cdr, wall)
            self.observation.messages[absolute] = self.observation.messages.get(absolute, 0) + 1
            if note is not None:
                note(cdr, now, wall, about)

        def receive_alone(cdr: bytes) -> None:
            receive(cdr, {})
        self.node.create_subscription(
            kind, absolute, receive if has_message_info() else receive_alone, quality, raw=True)

    def _image(self, camera: str) -> Callable[[bytes, int, int, dict[str, Any]], None]:
        from rclpy.serialization import deserialize_message
        from sensor_msgs.msg import Image

        from rgb2swir_ros.hil.outputs import digest

        def note(cdr: bytes, now: int, wall: int, about: dict[str, Any]) -> None:
            lost = self._trackers[camera].see(about.get('publication_sequence_number'))
            self.observation.lost[camera] += lost
            image = deserialize_message(cdr, Image)
            self.observation.arrivals.append(Arrival(
                camera, stamp_ns(cdr), wall, now, digest(image.data),
                (image.height, image.width, image.encoding, image.step, len(image.data))))
        return note

    def _info(self, camera: str) -> Callable[[bytes, int, int, dict[str, Any]], None]:
        def note(cdr: bytes, now: int, wall: int, about: dict[str, Any]) -> None:
            self.observation.infos.append((camera, stamp_ns(cdr)))
        return note

    def _note_faults(self, cdr: bytes, now: int, wall: int, about: dict[str, Any]) -> None:
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
    import rclpy

    from rgb2swir_ros.ros.serving import spin_until_input_ends
    rclpy.init(args=[])
    try:
        with BagWriter(given.bag) as bag:
            observer = Observer(given.camera, given.node, bag)
            print('observing', flush=True)
            spin_until_input_ends(observer.node, lambda: observer.last_ns, DRAIN_S)
        given.record.write_text(json.dumps(asdict(observer.observation)))
        return 0
    except UserError as error:
        print(f'observer: {error}', file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()


if __name__ == '__main__':
    sys.exit(main())
