"""The process of the demo's camera: ``python -m rgb2swir_ros.demo.camera``.

It reads the footage ahead, sends the event ``prepared``, waits for a line on its standard input
and for a subscriber, and publishes the frames at their times. Then it waits until its standard
input closes, because the last frames are still in its shared memory.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rgb2swir_ros.demo.footage import Footage, image_message, info_message, restamped, time_ns
from rgb2swir_ros.demo.wire import listen, ros_context, say
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.overlap import ahead

if TYPE_CHECKING:
    from rgb2swir_ros.ros.camera_publisher import CameraPublisher

BUFFER_BYTES = 300 * 2**20  # read ahead, so that decoding takes no time from the translator
MATCH_S = 20.0
SETTLE_S = 0.5
DEPTH = 10


@dataclass(frozen=True)
class Shot:
    """A frame that is ready to be published."""

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


def send(publisher: CameraPublisher, shot: Shot, *, live: bool) -> None:
    """Publish a frame.

    :param live: whether its stamp is the current time, instead of the one that it has.
    """
    if not live:
        publisher.publish(shot.stamp_ns, shot.image, shot.info)
        return
    stamp = time.time_ns()
    publisher.publish(stamp, restamped(shot.image, stamp),
                      None if shot.info is None else restamped(shot.info, stamp))


def main(arguments: list[str] | None = None) -> None:
    """Run the camera."""
    parser = argparse.ArgumentParser()
    parser.add_argument('input')
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--topic')
    parser.add_argument('--rate', type=float, default=0.0)
    parser.add_argument('--name', default='camera')
    parser.add_argument('--record', type=Path, required=True)
    given = parser.parse_args(arguments)
    from rgb2swir_ros.ros.camera_publisher import CameraPublisher

    with ros_context('camera', given.record):
        footage = Footage(given.input, given.seconds, given.topic)
        camera = CameraPublisher('demo_camera', given.name, compressed=footage.compressed,
                                 depth=DEPTH)
        closed = threading.Event()
        go = threading.Event()
        listen(go, closed)
        error = _film(camera, footage, given.rate, go, closed)
        given.record.write_text(json.dumps(camera.sent))
        say('done', sent=len(camera.sent), error=error)
        closed.wait()


def _film(camera: CameraPublisher, footage: Footage, rate_hz: float, go: threading.Event,
          closed: threading.Event) -> str:
    """Publish all frames at their times; return why the footage ended early, or ''."""
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
        camera.await_subscribers(MATCH_S, SETTLE_S, infos=True)
        start = time.monotonic_ns()
        reported = start
        shot: Shot | None = first
        while shot is not None and not closed.is_set():
            due = (round(len(camera.sent) * 1e9 / rate_hz) if rate_hz
                   else shot.due_ns - first.due_ns)
            closed.wait(max(0.0, (start + due - time.monotonic_ns()) / 1e9))
            send(camera, shot, live=footage.live)
            if time.monotonic_ns() - reported > 10**9:
                reported = time.monotonic_ns()
                say('progress', sent=len(camera.sent))
            shot = next(waiting, None)
    except FootageError as error:
        return str(error)
    finally:
        waiting.close()
    return ''


if __name__ == '__main__':
    main()
