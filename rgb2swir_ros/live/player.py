"""Play a bag to the translator: ``python -m rgb2swir_ros.live.player``, or ``replay_player``.

By itself it waits for a subscriber, plays, and ends. For ``rgb2swir replay --live`` (``--record``)
it says ``prepared``, waits for a line on its standard input, says ``done`` after the last frame,
and stays until its standard input closes, since the last frames still lie in its shared memory.
"""

from __future__ import annotations

import argparse
import heapq
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rgb2swir_ros.demo.wire import listen, ros_context, say
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.cameras import COMPRESSED, RecordedCamera
from rgb2swir_ros.replay.frames import FootageError, Frame
from rgb2swir_ros.replay.overlap import ahead
from rgb2swir_ros.replay.window import window_of

if TYPE_CHECKING:
    from rgb2swir_ros.ros.bag_player import BagPlayer, Shot

BUFFER_BYTES = 300 * 2**20  # frames read ahead, so that reading never holds up the player
WAITING = 4  # frames of each camera that are brought in order
SETTLE_S = 0.5
PATIENCE_S = 20.0
LONG_PATIENCE_S = 24 * 3600.0  # by itself: whoever looks at the output may come later


def camera_name(camera: RecordedCamera) -> str:
    """Return the node's name of a recorded camera; its outputs are ``/NAME/swir/...``."""
    return camera.base.removesuffix('/swir').strip('/') or 'camera'


def camera_names(bag: CameraBag) -> list[str]:
    """Return the node's names of a bag's cameras."""
    return [camera_name(camera) for camera in bag.cameras]


def main(arguments: list[str] | None = None) -> int:
    """Run the player."""
    from rclpy.utilities import remove_ros_args
    words = sys.argv if arguments is None else ['player', *arguments]
    given = _parse(remove_ros_args(words)[1:])
    with ros_context('player', given.record, words[1:]):
        try:
            return _run(given)
        except KeyboardInterrupt:
            return 130


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog='replay_player')
    parser.add_argument('bag', type=Path)
    parser.add_argument('--topics', nargs='+', default=[])
    parser.add_argument('--rate', type=float, default=1.0)
    parser.add_argument('--loop', type=int, default=1, help='times that it is played')
    parser.add_argument('--clock', type=float, default=40.0, help='rate of /clock in hertz')
    parser.add_argument('--start-offset', type=float, default=0.0)
    parser.add_argument('--playback-duration', type=float)
    parser.add_argument('--record', type=Path, help='for rgb2swir replay --live only')
    return parser.parse_args(words)


def _run(given: argparse.Namespace) -> int:
    from rgb2swir_ros.ros.bag_player import BagPlayer
    bag = CameraBag(given.bag, given.topics)
    window = window_of(bag.recording.start_ns(), given.start_offset, given.playback_duration)
    names = {camera.topic: camera_name(camera) for camera in bag.cameras}
    player = BagPlayer({name: camera.connection.msgtype == COMPRESSED for name, camera
                        in zip(names.values(), bag.cameras, strict=True)},
                       rate=given.rate, clock_hz=given.clock)
    closed, go = threading.Event(), threading.Event()
    if given.record is not None:
        listen(go, closed)
    try:
        for number in range(given.loop):
            frames = (frame for frame in bag.items(window) if isinstance(frame, Frame))
            _round(player, _shots(frames, names), given, go, closed, first=not number)
            if closed.is_set():
                break
        fault = '; '.join(bag.faults)
        if given.record is None:
            print(f'player: {len(player.sent)} frames were published'
                  + (f'; {fault}' if fault else ''), file=sys.stderr)
            return 1 if fault else 0
        given.record.write_text(json.dumps(player.sent))
        say('done', sent=len(player.sent), error=fault)
        closed.wait()
        return 0
    finally:
        player.close()


def _round(player: BagPlayer, shots: Iterator[Shot], given: argparse.Namespace,
           go: threading.Event, closed: threading.Event, *, first: bool) -> None:
    """Play the bag once; before the first time wait until everything is ready."""
    shot = next(shots, None)
    if shot is None:
        raise FootageError(f"'{given.bag}' holds no frame in the chosen time")
    filled = threading.Event()
    waiting = ahead(_with(shot, shots), max(2, BUFFER_BYTES // (len(shot.image) + 1)), filled)
    try:
        start = next(waiting)
        if first:
            player.start_clock(shot.log_ns)
            while not filled.wait(0.1) and not closed.is_set():
                pass
            if given.record is not None:
                say('prepared')
                while not go.wait(0.1) and not closed.is_set():
                    pass
            player.await_subscribers(
                LONG_PATIENCE_S if given.record is None else PATIENCE_S, SETTLE_S)
        player.play(_with(start, waiting), closed, _report(given))
    finally:
        waiting.close()


def _report(given: argparse.Namespace) -> Callable[[int], None]:
    def report(sent: int) -> None:
        if given.record is not None:
            say('progress', sent=sent)
    return report


def _shots(frames: Iterator[Frame], names: dict[str, str]) -> Iterator[Shot]:
    from rgb2swir_ros.ros.bag_player import Shot
    for frame in _in_time(frames, WAITING * len(names)):
        assert frame.cdr is not None
        assert frame.log_ns is not None
        yield Shot(names[frame.topic], frame.stamp_ns, frame.log_ns, frame.cdr, frame.info_cdr)


def _in_time(frames: Iterator[Frame], depth: int) -> Iterator[Frame]:
    """Yield frames by record time: one that waited for its CameraInfo comes late."""
    waiting: list[tuple[int, int, Frame]] = []
    for number, frame in enumerate(frames):
        heapq.heappush(waiting, (frame.log_ns or 0, number, frame))
        if len(waiting) > depth:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _with(first: Shot, others: Iterator[Shot]) -> Iterator[Shot]:
    yield first
    yield from others


if __name__ == '__main__':
    sys.exit(main())
