"""Translate the cameras of a bag to SWIR images on the same time line.

Reading, the engine and writing overlap: a thread reads and decodes ahead, another writes behind.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import PixelTransform, follow_camera_info
from rgb2swir_ros.imaging.raw import to_fields
from rgb2swir_ros.replay.bag import INFO, CameraBag
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.cameras import RecordedCamera
from rgb2swir_ros.replay.frames import FootageError, Frame, decode
from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.message_writer import MessageWriter
from rgb2swir_ros.replay.offline import OfflineTranslator
from rgb2swir_ros.replay.overlap import Behind, ahead
from rgb2swir_ros.sizes import size_of

INFO_NOTES = {
    'camera_info_missing': 'frames went without CameraInfo, since there is none for them',
    'camera_info_mismatch': 'CameraInfos were left out, since they are for images of another size',
}
AHEAD = 4  # decoded frames that wait for the engine, and translated ones for the writer


@dataclass
class BagTranslation:
    """The counts of one translated bag.

    :param frames: number of translated frames, by topic.
    :param outputs: topic of the SWIR images, by topic of the images.
    :param refused: for each topic and reason the number of frames that were left out, and the
        first error.
    :param infos: for each topic the number of frames without CameraInfo, by reason.
    :param broken: why a part of the bag could not be read, or ''.
    """

    frames: Counter[str] = field(default_factory=Counter)
    outputs: dict[str, str] = field(default_factory=dict)
    refused: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    infos: dict[str, Counter[str]] = field(default_factory=dict)
    broken: str = ''

    def failures(self) -> list[str]:
        """Return what was lost, one line for each reason."""
        lines = [f'{count} frames of {topic} were left out; the first: {first}'
                 for (topic, _), (count, first) in self.refused.items()]
        return lines + ([self.broken] if self.broken else [])

    def notes(self) -> list[str]:
        """Return notes for the user about CameraInfo, one line for each reason."""
        return [f'{topic}: {count} {INFO_NOTES.get(key, key)}'
                for topic, counts in self.infos.items() for key, count in counts.items()]


class TranslatedFrame(NamedTuple):
    """A frame with its radiance float32 (h, w), and the source's (height, width).

    :param stages: milliseconds by stage: ``decode_ms``, ``preprocess_ms``, ``inference_ms``.
    """

    frame: Frame
    radiance: NDArray[np.float32]
    source: tuple[int, int]
    stages: Mapping[str, float]


class PartTimes:
    """Seconds that reading, the engine and writing took; each part has one thread."""

    def __init__(self) -> None:
        """Start at zero."""
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure a block."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started


class CameraWriter:
    """Writes translated frames and their CameraInfo, and counts them, in the order they come in.

    It is called from one thread, in the order of the items.
    """

    def __init__(self, cameras: Sequence[RecordedCamera], open_writer: Callable[[], MessageWriter],
                 translator: OfflineTranslator, on_frame: Callable[[], None]) -> None:
        """Write nothing yet.

        :param open_writer: makes the output; called when there is a first frame.
        :param on_frame: called after each frame that was written.
        """
        self.cameras = {camera.topic: camera for camera in cameras}
        self.result = BagTranslation(outputs={
            topic: f'{camera.base}/image_raw' for topic, camera in self.cameras.items()})
        self._open_writer = open_writer
        self._writer: MessageWriter | None = None
        self._translator = translator
        self._on_frame = on_frame

    @property
    def writer(self) -> MessageWriter:
        """Return the output, opened when it is first needed."""
        if self._writer is None:
            self._writer = self._open_writer()
        return self._writer

    def write(self, item: Any) -> None:
        """Write a `TranslatedFrame`, or count an image that could not be decoded."""
        if isinstance(item, TranslatedFrame):
            self.write_frame(item)
            self._on_frame()
        elif isinstance(item, Refused):
            key = item.frame.topic, item.error.reason
            count, first = self.result.refused.get(key, (0, f'{item.frame.name}: {item.error}'))
            self.result.refused[key] = count + 1, first

    def write_frame(self, item: TranslatedFrame) -> None:
        """Write the image, and its CameraInfo with the image's header, as the node does."""
        frame = item.frame
        pixels = self._translator.pixels(item.radiance, frame.stamp_ns)
        base = self.cameras[frame.topic].base
        encoding = 'mono16' if pixels.dtype == np.uint16 else 'mono8'
        self.writer.write_image(f'{base}/image_raw', frame.stamp_ns, frame.frame_id,
                                to_fields(pixels, encoding), frame.log_ns)
        info: Any = None
        if frame.info_cdr is not None:
            info = message_types().deserialize_cdr(frame.info_cdr, INFO)
        target = size_of(pixels)
        fields = follow_camera_info(
            info, item.source, target, PixelTransform.resize(item.source, target),
            self.result.infos.setdefault(frame.topic, Counter()))
        if fields is not None:
            self.writer.write_camera_info(f'{base}/camera_info', frame.stamp_ns, frame.frame_id,
                                          fields, frame.log_ns)
        self.result.frames[frame.topic] += 1


class Refused(NamedTuple):
    """A frame that cannot be decoded, and why."""

    frame: Frame
    error: ImageError


class _Fitted(NamedTuple):
    frame: Frame
    rgb: NDArray[np.uint8]
    source: tuple[int, int]
    stages: dict[str, float]


def translate_items(items: Iterable[Any], translator: OfflineTranslator,
                    write: Callable[[Any], None], times: PartTimes, expected: int) -> None:
    """Translate the frames among some items, and hand on every item in order.

    :param items: frames, and others that are handed on as they are.
    :param write: called in one thread with each item: a frame as `TranslatedFrame` or `Refused`.
    :param expected: how many frames there are, for backend ``auto``.
    :raises Exception: what ``items``, the engine or ``write`` raises; what was translated before
        it has been written.
    """
    def read() -> Generator[Any, None, None]:
        remaining = iter(items)
        while True:
            with times.part('read'):
                item = next(remaining, None)
                if isinstance(item, Frame):
                    item = _fitted(item, translator)
            if item is None:
                return
            yield item

    def written(item: Any) -> None:
        with times.part('write'):
            write(item)

    with Behind(AHEAD) as behind, closing(ahead(read(), AHEAD)) as ready:
        for item in ready:
            if isinstance(item, _Fitted):
                started, opening = time.perf_counter(), translator.opening_s
                radiance = translator.radiance(item.rgb, expected)
                seconds = time.perf_counter() - started - (translator.opening_s - opening)
                times.seconds['engine'] += seconds
                stages = {**item.stages, 'inference_ms': 1e3 * seconds}
                item = TranslatedFrame(item.frame, radiance, item.source, stages)  # noqa: PLW2901
            behind.put(written, item)


def _fitted(frame: Frame, translator: OfflineTranslator) -> _Fitted | Refused:
    started = time.perf_counter()
    try:
        rgb = decode(frame)
    except ImageError as error:
        return Refused(frame, error)
    decoded = time.perf_counter()
    fitted = translator.fit(rgb)
    return _Fitted(frame, fitted, size_of(rgb), {
        'decode_ms': 1e3 * (decoded - started),
        'preprocess_ms': 1e3 * (time.perf_counter() - decoded)})


def translate_bag(bag: CameraBag, open_writer: Callable[[], BagWriter],
                  translator: OfflineTranslator, on_frame: Callable[[], None]) -> BagTranslation:
    """Translate all cameras of a bag.

    A message has the record time and the header of the one that it was made from. Malformed images
    are left out and counted. After data that cannot be read the rest is translated.

    :param open_writer: makes the output; called when there is a first frame.
    :param on_frame: called after each frame.
    """
    with ExitStack() as stack:
        cameras = CameraWriter(bag.cameras, lambda: stack.enter_context(open_writer()), translator,
                               on_frame)
        try:
            translate_items(bag.frames(), translator, cameras.write, PartTimes(), bag.count or 1)
        except FootageError as error:
            cameras.result.broken = str(error)
    return cameras.result
