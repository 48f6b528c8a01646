"""The sources of a bench: footage of any kind, restamped, again and again if it is to be.

A source of another package is a class derived from `PictureSource`, named by an entry point of the
group ``rgb2swir_ros.sources``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.plugins import entries_of, plugins
from rgb2swir_ros.hil.sections import SOURCES, SourceSection
from rgb2swir_ros.imaging.fit import CameraInfoFields, fit_size
from rgb2swir_ros.imaging.resize import resize

GROUP = 'rgb2swir_ros.sources'
FOOTAGE = ('drive', 'bag', 'video', 'folder')
KEPT_BYTES = 300 * 2**20  # footage of up to this size is decoded once, however often it is shown


@dataclass(frozen=True)
class Picture:
    """One picture of a source.

    :param time_ns: when it was recorded, in nanoseconds; only differences count.
    :param rgb: uint8 (H, W, 3); None if it cannot be decoded.
    :param info: a sensor_msgs/CameraInfo, duck-typed, or None.
    :param refusal: why it cannot be decoded: an `ImageError`'s reason.
    """

    time_ns: int
    rgb: np.ndarray | None
    info: Any = None
    refusal: str = ''


@dataclass(frozen=True)
class SourceFrame:
    """A picture in its place in the run.

    :param index: from 0, over all repetitions.
    :param time_ns: since the first frame.
    :param rgb: uint8 (H, W, 3), of the size that the engine takes; None if it was refused.
    :param source_size: (height, width) that it had before.
    """

    index: int
    time_ns: int
    rgb: np.ndarray | None
    source_size: tuple[int, int]
    info: Any = None
    refusal: str = ''


class PictureSource:
    """The base of every source.

    :cvar focal: focal length over width, where that is known of the kind of source.
    """

    focal: float = 0.0

    def __init__(self, section: SourceSection, folder: Path) -> None:
        """Open it.

        :param section: of the scenario; ``options`` are the source's own.
        :param folder: the scenario's, from which relative paths start.
        :raises UserError: if there is nothing, or not what the section says.
        """
        self.section, self.folder = section, folder

    def pictures(self) -> Iterator[Picture]:
        """Yield the pictures in order of time, from the first one at each call."""
        raise NotImplementedError


def footage_path(section: SourceSection, folder: Path) -> Path:
    """Return where the footage of a source is.

    :param folder: the scenario's, from which relative paths start.
    :raises RuntimeError: if the path begins with ~ and an unknown user.
    """
    return folder / Path(section.path).expanduser()


def source_names() -> list[str]:
    """Return the name of every kind of source, those of other packages last."""
    return [*SOURCES, *(entry.name for entry in entries_of(GROUP))]


def open_pictures(section: SourceSection, folder: Path) -> PictureSource:
    """Open a source.

    :raises UserError: if its kind is no footage, or it cannot be opened.
    """
    # needs rosbags and av, which a bench that has a live topic does without
    from rgb2swir_ros.hil.footage import FootageSource
    ours: dict[str, type[PictureSource]] = dict.fromkeys(FOOTAGE, FootageSource)
    kinds = plugins(GROUP, ours, PictureSource)
    if section.kind not in kinds:
        raise UserError(f"a source of the kind '{section.kind}' is no footage; give one of "
                        f"{', '.join(kinds)}")
    return kinds[section.kind](section, folder)


def restamped(source: PictureSource, box: tuple[int, int],
              rate_hz: float) -> Iterator[SourceFrame]:
    """Yield the frames of a source on the run's time, scaled down to fit a box.

    The time is recorded - first recorded; where footage starts again, it goes on a period after
    its last frame.

    :param box: (height, width), see ``imaging.fit.fit_size``.
    :param rate_hz: frames a second; 0 for the recorded times.
    :raises UserError: if there is no frame, or recorded times do not grow.
    """
    index, offset = 0, 0
    for lap in _laps(source, box):
        first = previous = None
        period = 100_000_000
        for picture, size in lap:
            if first is None or previous is None:
                first = previous = picture.time_ns
            elif picture.time_ns > previous:
                period, previous = picture.time_ns - previous, picture.time_ns
            elif not rate_hz:
                raise UserError(
                    f'frame {index} of the source was recorded {previous - picture.time_ns} ns '
                    'before the one that it follows: such footage needs pacing: rate_hz')
            time_ns = (round(index * 1e9 / rate_hz) if rate_hz
                       else offset + picture.time_ns - first)
            yield SourceFrame(index, time_ns, picture.rgb, size, picture.info, picture.refusal)
            index += 1
        if first is None or previous is None:
            raise UserError('the source has no frame at all')
        offset += previous - first + period


Lap = Iterator[tuple[Picture, tuple[int, int]]]


def _laps(source: PictureSource, box: tuple[int, int]) -> Iterator[Lap]:
    """Yield the pictures of the source, fitted, with the size before; again if it loops."""
    kept: list[tuple[Picture, tuple[int, int]]] | None = []
    focal = source.section.focal or source.focal

    def first_lap() -> Lap:
        nonlocal kept
        total = 0
        for picture in source.pictures():
            fitted = _fitted(picture, box, focal)
            total += 0 if fitted[0].rgb is None else fitted[0].rgb.nbytes
            if kept is not None:
                kept.append(fitted)
                if total > KEPT_BYTES:
                    kept = None
            yield fitted
    yield first_lap()
    while source.section.loop:
        yield iter(kept) if kept is not None else first_lap()


def _fitted(picture: Picture, box: tuple[int, int],
            focal: float) -> tuple[Picture, tuple[int, int]]:
    """Return a picture of the engine's size, and the size that it had.

    :raises UserError: if it is no picture.
    """
    if picture.rgb is None:
        return picture, (0, 0)
    if picture.rgb.dtype != np.uint8 or picture.rgb.ndim != 3 or picture.rgb.shape[2] != 3:
        raise UserError(f'a picture of the source is {picture.rgb.dtype} {picture.rgb.shape}, but '
                        'must be uint8 (height, width, 3)')
    height, width = picture.rgb.shape[:2]
    info = picture.info
    if info is None and focal:
        info = pinhole(height, width, focal)
    rgb = resize(picture.rgb, fit_size((height, width), box))
    return Picture(picture.time_ns, np.ascontiguousarray(rgb), info), (height, width)


def pinhole(height: int, width: int, focal: float) -> CameraInfoFields:
    """Return the CameraInfo of a camera without distortion that looks through its middle.

    :param focal: focal length over width.
    """
    f, cx, cy = focal * width, (width - 1) / 2, (height - 1) / 2
    return CameraInfoFields(
        height=height, width=width, distortion_model='plumb_bob', d=[0.0] * 5,
        k=[f, 0, cx, 0, f, cy, 0, 0, 1], r=[1, 0, 0, 0, 1, 0, 0, 0, 1],
        p=[f, 0, cx, 0, 0, f, cy, 0, 0, 0, 1, 0])
