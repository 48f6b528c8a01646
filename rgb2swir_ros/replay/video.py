"""Read video files frame by frame: at their own times, upright, with square pixels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from rgb2swir_ros.imaging.resize import letterbox, resize
from rgb2swir_ros.replay.frames import FootageError, Frame
from rgb2swir_ros.sizes import size_of

SUFFIXES = ('.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.mpeg', '.ts', '.mts',
            '.m2ts', '.wmv', '.flv', '.ogv', '.3gp', '.mjpeg', '.mjpg', '.h264', '.hevc')
# Edit lists hide a few leading frames; a file that lacks more frames than this is truncated.
SLACK = 2
RETRIES = 20  # faults of the container in a row, after which the rest is not read
RATES_HZ = (0.01, 1000.0)  # a rate outside of this range is an error of the file
ASPECTS = (Fraction(1, 8), Fraction(8))  # of a pixel: the same


def is_video(path: Path) -> bool:
    """Return whether a file has the name of a video."""
    return path.suffix.lower() in SUFFIXES


class VideoSource:
    """The frames of a video file's first video stream.

    :ivar notes: notes for the user about the frames; complete when :meth:`frames` has ended.
    """

    kind = 'video'
    topic = ''

    def __init__(self, path: Path) -> None:
        """Open the file and read its metadata.

        :raises FootageError: if it is no readable video.
        """
        self.path = path
        self.notes: list[str] = []
        with self._open() as container:
            stream = self._stream(container)
            self._streams = len(_views(container))
            self.count: int | None = stream.frames or None
            rate = float(stream.average_rate or stream.guessed_rate or 25)
            self.rate_hz = rate if RATES_HZ[0] <= rate <= RATES_HZ[1] else 25.0

    def frames(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded, as upright RGB with square pixels.

        All have the size of the first: later ones of another size are scaled to fit into it, with
        black margins. Stamps are nanoseconds since the first frame.

        :raises FootageError: at the end, if frames are missing or could not be decoded.
        """
        self.notes = [f'only the first of its {self._streams} video streams was read'
                      ] if self._streams > 1 else []
        lost: list[str] = []
        clock = _Clock(self.rate_hz)
        size: tuple[int, int] | None = None
        others: Counter[tuple[int, int]] = Counter()
        read = damaged = 0
        for decoded, aspect in self._decoded(lost):
            rgb = _square(_rgb(decoded), aspect)
            rgb = np.rot90(rgb, round(getattr(decoded, 'rotation', 0) / 90) % 4)
            size = size or size_of(rgb)
            if size_of(rgb) != size:
                others[size_of(rgb)] += 1
                rgb = letterbox(rgb, size)
            damaged += bool(getattr(decoded, 'is_corrupt', False))
            yield Frame(clock.stamp_ns(decoded.time), 'camera', '', np.ascontiguousarray(rgb),
                        f'frame {read}')
            read += 1
        self.notes += [f'{count} frames of {width}x{height} were fitted into {size[1]}x{size[0]}'
                       for (height, width), count in others.items() if size]
        self._complain(read, damaged, lost)

    def _complain(self, read: int, damaged: int, lost: list[str]) -> None:
        """Raise FootageError if frames were lost; all losses are in one line."""
        faults = []
        if lost:
            faults.append(f'{len(lost)} of its frames cannot be decoded: {lost[0]}')
        if damaged:
            faults.append(f'{damaged} frames are damaged')
        if not read:
            raise FootageError(f"the video '{self.path}' holds no frame at all"
                               + ''.join(f'; {fault}' for fault in faults))
        if self.count is not None and read + len(lost) < self.count - SLACK:
            faults.append(f'it ends early: {read} of the {self.count} frames it announces')
        if faults:
            raise FootageError(f"the video '{self.path}' could not be read whole: "
                               f'{"; ".join(faults)}')

    def _decoded(self, lost: list[str]) -> Iterator[tuple[Any, Fraction | None]]:
        """Yield decoded frames and their pixel aspect; count the packets that do not decode.

        A decoder with many threads loses the frames that it holds when one packet fails. So at the
        first fault the file is read again with one thread.
        """
        given = 0
        for threads in ('AUTO', 'NONE'):
            seen = 0
            lost.clear()
            with self._open() as container:
                stream = self._stream(container)
                stream.thread_type = threads
                for packet in self._packets(container, stream, lost):
                    try:
                        found = packet.decode()
                    except FFmpegError as error:
                        lost.append(f'after frame {seen}: {error.strerror or error}')
                        if threads == 'AUTO':
                            break
                        continue
                    for decoded in found:
                        seen += 1
                        if seen > given:
                            given = seen
                            yield decoded, (stream.sample_aspect_ratio
                                            or stream.codec_context.sample_aspect_ratio)
                else:
                    return

    def _packets(self, container: Any, stream: Any, lost: list[str]) -> Iterator[Any]:
        """Yield packets; skip damaged places of the container."""
        failed = 0
        while True:
            try:
                for packet in container.demux(stream):
                    failed = 0
                    yield packet
                return
            except FFmpegError as error:
                failed += 1
                lost.append(f'the file is damaged: {error.strerror or error}')
                if failed > RETRIES:
                    return

    def _open(self) -> Any:
        try:
            # an absolute path, since FFmpeg takes text before a colon for a protocol
            return av.open(_name(self.path))
        except (FFmpegError, OSError, ValueError) as error:
            raise FootageError(f"'{self.path}' is no readable video: "
                               f'{getattr(error, "strerror", None) or error}') from error

    def _stream(self, container: Any) -> Any:
        streams = _views(container)
        if not streams:
            raise FootageError(f"'{self.path}' has no video stream")
        if streams[0].codec_context is None:
            raise FootageError(f"'{self.path}' is coded in a way that this FFmpeg cannot decode")
        return streams[0]


class _Clock:
    """Strictly increasing times of frames, from the times in the file."""

    def __init__(self, rate_hz: float) -> None:
        self._step = 1 / rate_hz
        self._shift: float | None = None
        self._told = 0.0
        self._stamp = -1

    def stamp_ns(self, told: float | None) -> int:
        """Return nanoseconds since the first frame.

        :param told: the time in the file in seconds, None if there is none. It restarts where
            recordings were joined; the next frame then follows one period after the last.
        """
        if told is None:
            told = self._told + self._step if self._stamp >= 0 else 0.0
        if self._shift is None:
            self._shift = -told
        elif told < self._told - 2 * self._step:
            self._shift += self._told + self._step - told
        self._told = told
        # damaged files repeat times, but two frames must not have one stamp
        self._stamp = max(round((told + self._shift) * 1e9), self._stamp + 1)
        return self._stamp


def _name(path: Path) -> Any:
    """Return a source that FFmpeg opens: an open file if the name is not UTF-8."""
    name = os.path.abspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return path.open('rb')
    return name


def _views(container: Any) -> list[Any]:
    """Return the video streams that are no cover art and no thumbnails."""
    return [stream for stream in container.streams.video if not any(
        word in str(getattr(stream, 'disposition', '')).lower()
        for word in ('attached_pic', 'timed_thumbnails'))]


def _rgb(decoded: Any) -> NDArray[np.uint8]:
    rgb: NDArray[np.uint8] = decoded.to_ndarray(format='rgb24')
    return rgb


def _square(rgb: NDArray[np.uint8], aspect: Fraction | None) -> NDArray[np.uint8]:
    """Return the frame with square pixels: one side is enlarged.

    :param aspect: width over height of a pixel, None or 0 if it is not known.
    """
    if not aspect or aspect == 1 or not ASPECTS[0] <= aspect <= ASPECTS[1]:
        return rgb
    height, width = rgb.shape[:2]
    size = (height, round(width * aspect)) if aspect > 1 else (round(height / aspect), width)
    return resize(rgb, size)
