"""Write H.264 videos that every browser plays."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from rgb2swir_ros.errors import OutputError, UserError

CLOCK = 90_000  # ticks per second: the usual video clock, exact for 24, 25, 30 and 50 Hz


class VideoWriter:
    """An mp4 file: H.264, yuv420p, index in front, even sizes (the last row or column repeated).

    Use it as a context manager on a temporary path; the file is complete once it is closed.
    """

    def __init__(self, path: Path, rate_hz: float = 25.0, crf: int = 20) -> None:
        """Store the settings; the first frame sets the size, and the file is made then.

        :param rate_hz: the nominal rate; the times of the frames take precedence.
        :param crf: the constant rate factor of x264: 0 lossless, 18 looks lossless, 23 default.
        """
        self._path = path
        self._rate = Fraction(rate_hz).limit_denominator(1001)
        self._crf = crf
        self._container: Any = None
        self._stream: Any = None
        self._last = -1
        self._shape: tuple[int, ...] = ()
        self.frames = 0

    def write(self, pixels: NDArray[np.uint8], stamp_ns: int | None = None) -> None:
        """Append a frame.

        :param pixels: uint8, (H, W) grey or (H, W, 3) RGB, always of one size.
        :param stamp_ns: its time in nanoseconds since the start; never decreasing.
            By default frames follow at the nominal rate.
        :raises UserError: if a frame has another size, or the file cannot be written.
        """
        if self._shape and pixels.shape[:2] != self._shape[:2]:
            raise UserError(f"'{self._path}': a frame of {pixels.shape[:2]} in a video of "
                            f'{self._shape[:2]} (height, width)')
        try:
            if self._container is None:
                self._open(pixels)
            frame = av.VideoFrame.from_ndarray(
                _even(pixels), format='rgb24' if pixels.ndim == 3 else 'gray')
            seconds = (Fraction(self.frames) / self._rate if stamp_ns is None
                       else Fraction(stamp_ns, 10**9))
            frame.pts = self._last = max(round(seconds * CLOCK), self._last + 1)
            frame.time_base = Fraction(1, CLOCK)
            frame.duration = round(CLOCK / self._rate)
            self._mux(self._stream.encode(frame))
        except (FFmpegError, OSError) as error:
            raise OutputError(self._path, error) from error
        self.frames += 1

    def close(self) -> None:
        """Write the frames that the encoder still holds, and the index."""
        container, self._container = self._container, None
        if container is None:
            return
        try:
            try:
                self._mux(self._stream.encode(), container)
            finally:
                container.close()
        except (FFmpegError, OSError) as error:
            raise OutputError(self._path, error) from error

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        with suppress(UserError):  # the first error is more informative
            self.close()

    def _open(self, pixels: NDArray[np.uint8]) -> None:
        self._shape = pixels.shape
        height, width = (side + side % 2 for side in pixels.shape[:2])
        self._container = av.open(str(self._path.absolute()), 'w', format='mp4',
                                  options={'movflags': 'faststart'})
        self._stream = self._container.add_stream('libx264', rate=self._rate)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = 'yuv420p'
        self._stream.codec_context.time_base = Fraction(1, CLOCK)
        self._stream.options = {'crf': str(self._crf), 'preset': 'veryfast'}

    def _mux(self, packets: Any, container: Any = None) -> None:
        for packet in packets:
            (container or self._container).mux(packet)


def _even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frame with its last row or column repeated if a side is odd."""
    height, width = pixels.shape[:2]
    margins = [(0, height % 2), (0, width % 2)] + [(0, 0)] * (pixels.ndim - 2)
    return np.ascontiguousarray(np.pad(pixels, margins, mode='edge'))
