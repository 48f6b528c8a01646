"""Replays of a short drive with an engine that can be interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rosbags.rosbag2 import Reader

from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.replay_bag import BagReplay
from rgb2swir_ros.replay.replay_options import ReplayOptions
from rgb2swir_ros.replay.run_record import RunRecord, TopicDigest
from rgb2swir_ros.replay.sameness import extend
from rgb2swir_ros.replay.storage.recording import Recording

from . import footage

START = footage.START
STEP = 10**8
SWIR, INFO, TIMING = '/c/swir/image_raw', '/c/swir/camera_info', '/translator/timing'


class Opener(footage.FakeOpener):
    """Opens engines that are interrupted after some calls.

    :param after: calls until the interrupt; None: never.
    :param light: by what radiance is multiplied.
    """

    def __init__(self, after: int | None = None, error: BaseException | None = None,
                 light: float = 1.0, name: str = 'fake') -> None:
        super().__init__()
        self.left, self.error, self.light, self.name = after, error, light, name
        self.calls = 0

    def __call__(self, model: str, size: tuple[int, int], **options: object) -> object:
        inner = super().__call__(model, size, **{**options, 'backend': self.name})
        opener = self

        class Engine:
            def __call__(self, rgb: np.ndarray) -> np.ndarray:
                opener.calls += 1
                if opener.left is not None:
                    if opener.left == 0:
                        raise opener.error or KeyboardInterrupt
                    opener.left -= 1
                return inner(rgb) * np.float32(opener.light)

            def describe(self) -> dict[str, object]:
                return inner.describe()

        return Engine()


def drive(path: Path, count: int = 12, storage: str = 'mcap', infos: bool = True) -> Path:
    messages: list[tuple[str, object, int]] = []
    for n in range(count):
        stamp = START + n * STEP
        messages.append(('/c/image_raw', footage.image(footage.picture(n), stamp), stamp + 7))
        if infos:  # recorded after its image, and not at once
            messages.append(('/c/camera_info', footage.camera_info((48, 64), stamp),
                             stamp + STEP + 9))
    messages.sort(key=lambda message: message[2])
    return footage.write_bag(path, messages, storage)


def replay(source: Path, target: Path, *, opener: object | None = None, overwrite: bool = False,
           **options: object) -> RunRecord:
    options.setdefault('segment_frames', 4)
    chosen = ReplayOptions(Options(box=(48, 64)), **options)
    return BagReplay(source, target, chosen, opener=opener or Opener(),
                     overwrite=overwrite).run()


def payloads(bag: Path) -> dict[str, list[tuple[int, bytes]]]:
    found: dict[str, list[tuple[int, bytes]]] = {}
    with Reader(bag) as reader:
        for connection, log_ns, data in reader.messages():
            found.setdefault(connection.topic, []).append((log_ns, bytes(data)))
    return found


def digest_bag(path: Path) -> dict[str, TopicDigest]:
    """Return the hash of each topic of a bag, its messages in the order of record times.

    :raises FootageError: if it cannot be read.
    """
    recording = Recording(path)
    found = {one.topic: TopicDigest() for one in recording.connections}
    for connection, log_ns, payload in recording.messages(lambda _: True):
        extend(found[connection.topic], connection.topic, connection.msgtype, log_ns, payload)
    return found
