"""Write what a replay makes of a bag: SWIR, CameraInfo, timing, the clock and all that is copied.

Parts are closed after a number of frames, and the record of progress is written with each.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.bag_translation import CameraWriter, TranslatedFrame
from rgb2swir_ros.replay.cameras import INFO, RAW
from rgb2swir_ros.replay.copying import Copier
from rgb2swir_ros.replay.frames import Frame
from rgb2swir_ros.replay.message_writer import DIAGNOSTICS, TIMING, MessageWriter
from rgb2swir_ros.replay.offline import OfflineTranslator
from rgb2swir_ros.replay.resume import Progress, Unfinished
from rgb2swir_ros.replay.run_record import BAG_FOLDER, SwirTopic, TopicDigest
from rgb2swir_ros.replay.sameness import extend
from rgb2swir_ros.replay.split_bag_writer import SplitBagWriter
from rgb2swir_ros.replay.storage.base import Connection, Message, reason
from rgb2swir_ros.sizes import size_of

GAP_NS = 60 * 10**9
CLOCK, CLOCK_TYPE = '/clock', 'rosgraph_msgs/msg/Clock'


class ClockTick(NamedTuple):
    """A time that /clock tells, in nanoseconds."""

    log_ns: int


def with_clock(items: Iterable[Frame | Message], first_ns: int,
               rate_hz: float) -> Iterator[Frame | Message | ClockTick]:
    """Yield the items, and before each the ticks that are due by its record time.

    In a gap of more than a minute the clock stands, as after a first record time of 0.

    :param first_ns: of the first tick.
    """
    number = 0
    for item in items:
        now = item.log_ns or 0
        if now - first_ns - number * 1e9 / rate_hz > GAP_NS:
            number = int((now - first_ns) * rate_hz / 1e9)
        while (due := first_ns + round(number * 1e9 / rate_hz)) <= now:
            yield ClockTick(due)
            number += 1
        yield item


class ReplayWriter(CameraWriter):
    """Writes the items of one bag, and knows how far it is."""

    def __init__(self, bag: CameraBag, unfinished: Unfinished, progress: Progress,
                 translator: OfflineTranslator, copier: Copier, *, segment_frames: int,
                 clock: bool, on_frame: Callable[[], None]) -> None:
        """Go on where the progress says.

        :param segment_frames: frames in a part.
        :param clock: whether there are `ClockTick` among the items.
        """
        super().__init__(bag.cameras, lambda: self.bag, translator, on_frame)
        self.progress, self._unfinished, self._copier = progress, unfinished, copier
        self._cameras: dict[str, SwirTopic] = {
            camera.source: camera for camera in progress.run.cameras}
        self._swir = {camera.topic for camera in progress.run.cameras}
        self._segment_frames, self._frames = segment_frames, 0
        self._failed = False
        # a second Ctrl-C closes the part while the writing thread may still be at work
        self._lock = threading.RLock()
        copier.failed = dict(progress.unconverted)
        self.bag = SplitBagWriter(unfinished.bag, BAG_FOLDER, progress.segments, self._note)
        for camera in bag.cameras:
            self.bag.declare(f'{camera.base}/image_raw', RAW)
            if camera.info:
                self.bag.declare(f'{camera.base}/camera_info', INFO)
        self.bag.declare(TIMING, DIAGNOSTICS)
        if clock:
            self.bag.declare(CLOCK, CLOCK_TYPE)
        for one in copier.outputs:
            self.bag.add(one)
        for topic in self.bag.topics():
            progress.run.topics.setdefault(topic, TopicDigest())

    def write(self, item: Any) -> None:
        """Write one item; after an error nothing more is written."""
        with self._lock:
            if self._failed:
                return
            try:
                self._write(item)
                self.progress.items += 1
                if self._frames >= self._segment_frames:
                    self.split()
            except BaseException:
                self._failed = True
                raise

    def _write(self, item: Any) -> None:
        if isinstance(item, Message):
            if (message := self._copier.convert(item)) is not None:
                self.bag.write_to(message.connection, message.data, message.log_ns)
        elif isinstance(item, ClockTick):
            self.bag.write(CLOCK, CLOCK_TYPE, clock_message(item.log_ns), item.log_ns)
        else:
            super().write(item)

    def write_frame(self, item: TranslatedFrame) -> None:
        """Write image, CameraInfo and timing of a frame."""
        frame = item.frame
        camera = self._cameras[frame.topic]
        camera.source_size = camera.source_size or item.source
        camera.size = camera.size or size_of(item.radiance)
        super().write_frame(item)
        self.progress.last_item = self.progress.items
        values = {**item.stages, 'total_ms': sum(item.stages.values())}
        self.bag.write_diagnostics(
            TIMING, frame.stamp_ns, f'/translator: timing {camera.source}',
            {name: f'{value:.3f}' for name, value in values.items()}, frame.log_ns)
        self._frames += 1

    def copy_extras(self, bag: CameraBag) -> list[str]:
        """Copy attachments and metadata; return why some could not be."""
        try:
            for one in bag.recording.attachments():
                self.bag.attach(one)
            for name, entries in bag.recording.metadata():
                self.bag.add_metadata(name, entries)
        except (ValueError, KeyError, EOFError, struct.error) as error:  # malformed records
            return [f'not all attachments and metadata can be read: {reason(error)}']
        return []

    def split(self) -> None:
        """Close the part and write how far the run is; after an error it does nothing."""
        with self._lock:
            if self._failed:
                return
            self.bag.split()
            self.tally()
            self.progress.segments = list(self.bag.segments)
            self.progress.unconverted = dict(self._copier.failed)
            self._unfinished.save(self.progress)
            self._frames = 0

    def tally(self) -> None:
        """Move the counts to the record of the run."""
        result, run = self.result, self.progress.run
        for topic, camera in self._cameras.items():
            camera.frames += result.frames.pop(topic, 0)
            for reason_key, count in result.infos.pop(topic, {}).items():
                camera.notes[reason_key] = camera.notes.get(reason_key, 0) + count
        for (topic, key), (count, first) in result.refused.items():
            camera = self._cameras[topic]
            camera.refused[key] = camera.refused.get(key, 0) + count
            camera.first_refusals.setdefault(key, first)
        result.refused.clear()
        run.engines = {f'{width}x{height}': description for (height, width), description
                       in self._translator.engines().items()}

    def _note(self, one: Connection, log_ns: int, data: bytes) -> None:
        digest = self.progress.run.topics.setdefault(one.topic, TopicDigest())
        if one.topic == TIMING:
            digest.messages += 1
            return
        extend(digest, one.topic, one.msgtype, log_ns, data)
        if one.topic in self._swir:
            self.progress.last_frame = hashlib.sha256(data).hexdigest()


class _Captured(MessageWriter):
    """Keeps the last message of each topic in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, bytes] = {}

    def write(self, topic: str, msgtype: str, cdr: bytes, log_ns: int) -> None:
        self.messages[topic] = cdr


def image_hash(bag: CameraBag, translator: OfflineTranslator, frame: Frame,
               rgb: np.ndarray) -> str:
    """Return the SHA-256 of the SWIR image that an engine makes of a frame.

    :param rgb: the frame's pixels, uint8 (H, W, 3).
    """
    captured = _Captured()
    cameras = CameraWriter(bag.cameras, lambda: captured, translator, lambda: None)
    radiance = translator.radiance(translator.fit(rgb), 1)
    cameras.write_frame(TranslatedFrame(frame, radiance, rgb.shape[:2], {}))
    image = captured.messages[cameras.result.outputs[frame.topic]]
    return hashlib.sha256(image).hexdigest()


def clock_message(time_ns: int) -> bytes:
    """Return a serialized ``rosgraph_msgs/Clock``."""
    return b'\0\1\0\0' + struct.pack('<iI', *divmod(time_ns, 10**9))
