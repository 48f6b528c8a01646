"""Read video files, frame by frame, with their real times and turned upright."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from rgb2swir_ros.replay.frames import FootageError, Frame

SUFFIXES = ('.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.mpeg', '.ts', '.mts',
            '.m2ts', '.wmv', '.flv', '.ogv', '.3gp', '.mjpeg', '.mjpg', '.h264', '.hevc')
# Edit lists hide a few leading frames of sound files; more missing than this was cut off.
SLACK = 2


def is_video(path: Path) -> bool:
    """Say whether a file's name is that of a video."""
    return path.suffix.lower() in SUFFIXES


class VideoSource:
    """The frames of a video file's first video stream."""

    kind = 'video'
    topic = ''

    def __init__(self, path: Path) -> None:
        """Open the file and read what it says of itself.

        :raises FootageError: if it is no readable video.
        """
        self.path = path
        with self._open() as container:
            stream = self._stream(container)
            self.count: int | None = stream.frames or None
            rate = stream.average_rate or stream.guessed_rate
            self.rate_hz = float(rate) if rate else 25.0

    def frames(self) -> Iterator[Frame]:
        """Yield every frame as upright RGB; stamps are nanoseconds since the first frame.

        :raises FootageError: where decoding breaks off; the frames before it were yielded.
        """
        read = 0
        start: float | None = None
        stamp = -1
        with self._open() as container:
            stream = self._stream(container)
            try:
                for decoded in container.decode(stream):
                    start = decoded.time if start is None else start
                    time = (decoded.time - start if decoded.time is not None and start is not None
                            else read / self.rate_hz)
                    # broken files repeat times; two frames with one stamp could not be told apart
                    stamp = max(round(time * 1e9), stamp + 1)
                    yield Frame(stamp, 'camera', '', _upright(decoded), f'frame {read}')
                    read += 1
            except FFmpegError as error:
                raise FootageError(f"the video '{self.path}' cannot be read past frame {read}: "
                                   f'{error.strerror or error}') from error
        if not read:
            raise FootageError(f"the video '{self.path}' holds no frame at all")
        if self.count is not None and read < self.count - SLACK:
            raise FootageError(f"the video '{self.path}' ends early: {read} of the {self.count} "
                               'frames it announces')

    def _open(self) -> Any:
        try:
            return av.open(str(self.path))
        except (FFmpegError, OSError, ValueError) as error:
            raise FootageError(f"'{self.path}' is no readable video: "
                               f'{getattr(error, "strerror", None) or error}') from error

    def _stream(self, container: Any) -> Any:
        if not container.streams.video:
            raise FootageError(f"'{self.path}' has no video stream")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise FootageError(f"'{self.path}' is coded in a way that this FFmpeg cannot decode")
        stream.thread_type = 'AUTO'
        return stream


def _upright(decoded: Any) -> NDArray[np.uint8]:
    """Return RGB turned as the file's display matrix says (degrees counter-clockwise)."""
    rgb = decoded.to_ndarray(format='rgb24')
    turns = round(getattr(decoded, 'rotation', 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(rgb, turns))
