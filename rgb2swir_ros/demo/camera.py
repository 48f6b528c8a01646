"""The demo's camera, a process of its own: ``python -m rgb2swir_ros.demo.camera``.

It reads the footage ahead, says ``prepared``, waits for a line on its standard input and for a
subscriber, and sends the frames at their pace; then it stays until its standard input closes,
since what it sent last still lies in its shared memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.demo.footage import Footage, image_message, info_message, restamped, time_ns
from rgb2swir_ros.demo.wire import say
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.overlap import ahead

BUFFER_BYTES = 300 * 2**20  # read ahead, so that decoding takes no time from the translator
MATCH_S = 20.0
SETTLE_S = 0.5  # that a subscriber is seen here does not mean that it sees us


@dataclass(frozen=True)
class Shot:
    """A frame ready to be sent."""

    stamp_ns: int
    due_ns: int
    image: bytes
    info: bytes | None


def shots(footage: Footage) -> Iterator[Shot]:
    """Yield the frames as serialized messages."""
    drive = footage.source.kind == 'drive'
    for frame in footage.frames():
        yield Shot(frame.stamp_ns, time_ns(frame), image_message(frame),
                   info_message(frame, drive))


class Camera:
    """The publishers and the record of what was sent."""

    def __init__(self, footage: Footage, name: str) -> None:
        """Advertise ``name/image_raw`` or ``name/image_raw/compressed``, and the CameraInfo."""
        import rclpy
        from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import CameraInfo, CompressedImage, Image
        self._node = rclpy.create_node('demo_camera', start_parameter_services=False)
        best_effort = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=10,
                                 reliability=ReliabilityPolicy.BEST_EFFORT)
        topic = f'{name}/image_raw' + ('/compressed' if footage.compressed else '')
        self._images: Any = self._node.create_publisher(
            CompressedImage if footage.compressed else Image, topic, best_effort)
        self._infos: Any = self._node.create_publisher(
            CameraInfo, f'{name}/camera_info', best_effort)
        self._live = footage.live
        self.sent: list[tuple[int, int]] = []

    def await_match(self) -> None:
        """Wait until somebody subscribes to the images and the CameraInfo.

        :raises UserError: if nobody does.
        """
        deadline = time.monotonic() + MATCH_S
        while not (self._images.get_subscription_count() and self._infos.get_subscription_count()):
            if time.monotonic() > deadline:
                raise UserError(f'nobody subscribed to {self._images.topic_name} within '
                                f'{MATCH_S:.0f} s')
            time.sleep(0.05)
        time.sleep(SETTLE_S)

    def send(self, shot: Shot) -> None:
        """Publish a frame; with the time of now as its stamp if it has none of its own."""
        image, info, stamp = shot.image, shot.info, shot.stamp_ns
        if self._live:
            stamp = time.time_ns()
            image = restamped(image, stamp)
            info = None if info is None else restamped(info, stamp)
        if info is not None:
            self._infos.publish(info)
        self.sent.append((stamp, time.monotonic_ns()))
        self._images.publish(image)


def main(arguments: list[str] | None = None) -> int:
    """Run the camera."""
    parser = argparse.ArgumentParser()
    parser.add_argument('input')
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--topic')
    parser.add_argument('--rate', type=float, default=0.0)
    parser.add_argument('--name', default='camera')
    parser.add_argument('--record', type=Path, required=True)
    given = parser.parse_args(arguments)
    import rclpy
    rclpy.init(args=[])
    try:
        footage = Footage(given.input, given.seconds, given.topic)
        camera = Camera(footage, given.name)
        closed = threading.Event()
        go = threading.Event()
        threading.Thread(target=_listen, args=(go, closed), daemon=True).start()
        error = _film(camera, footage, given.rate, go, closed)
        given.record.write_text(json.dumps(camera.sent))
        say('done', sent=len(camera.sent), error=error)
        closed.wait()
        return 0
    except UserError as error:
        print(f'camera: {error}', file=sys.stderr)
        return 2
    except OSError as error:  # the disk is full
        print(f"camera: '{error.filename or given.record}': {error.strerror or error}",
              file=sys.stderr)
        return 2
    finally:
        rclpy.try_shutdown()


def _film(camera: Camera, footage: Footage, rate_hz: float, go: threading.Event,
          closed: threading.Event) -> str:
    """Send everything at its pace; return why the footage broke off, or ''."""
    frame_bytes = len(image_message(next(footage.frames())))
    filled = threading.Event()
    waiting = ahead(shots(footage), max(2, BUFFER_BYTES // frame_bytes), filled)
    try:
        first = next(waiting)
        while not filled.wait(0.1) and not closed.is_set():
            pass
        say('prepared')
        while not go.wait(0.1):
            if closed.is_set():
                return ''
        camera.await_match()
        start = time.monotonic_ns()
        reported = start
        shot: Shot | None = first
        while shot is not None and not closed.is_set():
            due = (round(len(camera.sent) * 1e9 / rate_hz) if rate_hz
                   else shot.due_ns - first.due_ns)
            closed.wait(max(0.0, (start + due - time.monotonic_ns()) / 1e9))
            camera.send(shot)
            if time.monotonic_ns() - reported > 10**9:
                reported = time.monotonic_ns()
                say('progress', sent=len(camera.sent))
            shot = next(waiting, None)
    except FootageError as error:
        return str(error)
    finally:
        waiting.close()  # type: ignore[attr-defined]
    return ''


def _listen(go: threading.Event, closed: threading.Event) -> None:
    for _ in sys.stdin:
        go.set()
    closed.set()


if __name__ == '__main__':
    sys.exit(main())
