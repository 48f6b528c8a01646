"""A camera and a listener in separate processes, as on a vehicle.

The benchmarks start ``python -m rgb2swir_ros.bench.peers camera|listener|status ...``; each prints
one JSON line at its end. Latencies compare clocks of one machine.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rgb2swir_ros.child_process import ChildProcess
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.transport import remove_stale_segments
from rgb2swir_ros.sizes import parse_size

SECOND_NS = 10**9
SETTLE_S = 0.3  # a subscriber that is seen here may not yet see this publisher
# of the keys in /diagnostics: the outcomes of frames
COUNTS = ('received', 'translated', 'dropped_', 'refused_', 'lost_')


class Peer(ChildProcess):
    """A camera, a listener, or a subscriber of /diagnostics; a listener ends with its input.

    :ivar lines: of its standard output.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it."""
        self.lines: list[str] = []
        super().__init__('rgb2swir_ros.bench.peers', *arguments, environment=environment,
                         on_output=self.lines.append, takes_input=True)

    def result(self, timeout_s: float, what: str) -> dict[str, Any]:
        """Close its input, wait for its end, and return its report.

        :raises UserError: if it does not end in time, or fails.
        """
        self.close_input()
        code = self.wait(timeout_s)
        stop([self])
        if code is None:
            raise UserError(f'{what} did not end within {timeout_s:.0f} s')
        if code != 0 or not self.lines:
            raise UserError(f'{what} failed with exit code {code} (see above)')
        report: dict[str, Any] = json.loads(self.lines[-1])
        return report


def stop(peers: Sequence[Peer]) -> None:
    """Kill the peers that still run, for example after an error."""
    for peer in peers:
        running = peer.wait(0) is None
        peer.end()
        if running:
            remove_stale_segments()


def _camera(arguments: argparse.Namespace) -> dict[str, Any]:
    from sensor_msgs.msg import CameraInfo, Image

    from rgb2swir_ros.ros.camera_publisher import CameraPublisher

    publisher = CameraPublisher('bench_camera', arguments.camera)
    height, width = parse_size(arguments.size)
    noise = np.random.default_rng(0).integers(0, 256, height * width * 3, dtype=np.uint8)
    image = Image(height=height, width=width, encoding='bgr8', step=width * 3)
    image.data = array.array('B', noise.tobytes())
    info = CameraInfo(height=height, width=width)
    if not arguments.unwatched:
        publisher.await_subscribers(arguments.match_timeout, 0.0, infos=False)
    time.sleep(SETTLE_S)
    started = time.monotonic_ns()
    period = int(SECOND_NS / arguments.rate)
    first = time.time_ns()
    while time.monotonic_ns() - started < arguments.seconds * SECOND_NS:
        stamp = time.time_ns()
        for message in (info, image):
            message.header.frame_id = arguments.camera
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, SECOND_NS)
        publisher.publish(stamp, image, info)
        pause = started + len(publisher.sent) * period - time.monotonic_ns()
        if pause > 0:
            time.sleep(pause / SECOND_NS)
    report = {'sent': len(publisher.sent), 'first_ns': first}
    time.sleep(0.5)  # the last frames are still in this process's shared memory
    publisher.close()
    return report


def _listener(arguments: argparse.Namespace) -> dict[str, Any]:
    import rclpy
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    from rgb2swir_ros.ros.messages import stamp_ns
    from rgb2swir_ros.ros.serving import spin_until_input_ends

    node = rclpy.create_node('bench_listener', start_parameter_services=False)
    frames: list[tuple[int, int]] = []

    def receive(message: Image) -> None:
        frames.append((stamp_ns(message.header), time.time_ns()))

    node.create_subscription(Image, arguments.topic, receive, qos_profile_sensor_data)
    with contextlib.suppress(KeyboardInterrupt):
        spin_until_input_ends(node)
    return {'frames': frames}


def _status(arguments: argparse.Namespace) -> dict[str, Any]:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray

    node = rclpy.create_node('bench_watcher', start_parameter_services=False)
    states = ['nothing was heard on /diagnostics']
    counts: dict[str, int] = {}

    def receive(message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == '/translator: engine':
                states.append(status.message)
            else:
                counts.update({pair.key: int(pair.value) for pair in status.values
                               if pair.key.startswith(COUNTS) and pair.value.isdigit()})

    node.create_subscription(DiagnosticArray, '/diagnostics', receive, 10)
    deadline = time.monotonic() + arguments.match_timeout
    while time.monotonic() < deadline and not states[-1].startswith(('ready', 'failed')):
        rclpy.spin_once(node, timeout_sec=0.2)
    return {'state': states[-1], 'counts': counts}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one peer and print its JSON line."""
    parser = argparse.ArgumentParser(prog='peers')
    roles = parser.add_subparsers(dest='role', required=True)
    camera = roles.add_parser('camera')
    camera.add_argument('--camera', default='camera')
    camera.add_argument('--size', default='640x512')
    camera.add_argument('--rate', type=float, default=30.0)
    camera.add_argument('--seconds', type=float, default=5.0)
    camera.add_argument('--match-timeout', type=float, default=30.0)
    camera.add_argument('--unwatched', action='store_true')
    status = roles.add_parser('status')
    status.add_argument('--match-timeout', type=float, default=30.0)
    listener = roles.add_parser('listener')
    listener.add_argument('--topic', default='camera/image_raw')
    parsed = parser.parse_args(arguments)
    import rclpy
    rclpy.init()
    try:
        run = {'camera': _camera, 'listener': _listener, 'status': _status}[parsed.role]
        report = run(parsed)
    except UserError as error:
        print(f'{parsed.role}: {error}', file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    print(json.dumps(report), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
