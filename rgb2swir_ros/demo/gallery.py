"""The demo's pictures: RGB beside SWIR, as an image and as a short video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.demo.footage import Footage, time_ns
from rgb2swir_ros.files import finished, write_picture
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError, decode
from rgb2swir_ros.replay.video_writer import VideoWriter
from rgb2swir_ros.sizes import size_of

ROWS = 3
GAP = 4


def pairs(footage: Footage, bag: Path, topic: str,
          recorded: Sequence[int]) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield (nanoseconds since the start, RGB, SWIR as RGB) of every recorded frame.

    RGB comes from the footage itself, scaled to the SWIR image.

    :param recorded: indices of the frames sent that were recorded, in the bag's order.
    """
    source = footage.frames()
    start: int | None = None
    reached = -1
    for wanted, swir in zip(recorded, BagSource(bag, topic).frames(), strict=False):
        if wanted <= reached:
            continue  # it arrived out of order: left out of the video, not of the bag
        try:
            while reached < wanted:
                frame = next(source)
                reached += 1
                start = time_ns(frame) if start is None else start
            grey = decode(swir)
            yield time_ns(frame) - (start or 0), decode(frame, size_of(grey)), grey
        except (StopIteration, FootageError):
            return
        except ImageError:
            continue


def write_gallery(folder: Path, footage: Footage, bag: Path, topic: str,
                  recorded: Sequence[int], rate_hz: float) -> int:
    """Write ``side_by_side.png`` and ``swir.mp4``; return how many frames the video has.

    :param rate_hz: the nominal rate of the video.
    """
    count = len(recorded)
    wanted = [int((n + .5) * count / ROWS) for n in range(min(ROWS, count))]
    rows: list[NDArray[np.uint8]] = []
    shape: tuple[int, int] | None = None
    with finished(folder / 'swir.mp4') as temporary, VideoWriter(temporary, rate_hz) as video:
        for index, (elapsed, rgb, swir) in enumerate(pairs(footage, bag, topic, recorded)):
            shape = shape or size_of(swir)
            row = beside(inside(rgb, shape), inside(swir, shape))
            video.write(row, elapsed)
            if wanted and index >= wanted[0]:
                del wanted[0]
                rows.append(label(row, f'RGB camera, {elapsed / 1e9:.2f} s', 'SWIR, translated'))
        if not rows:
            raise FootageError('no recorded frame could be paired with the footage')
        video.close()
    gap = np.full((GAP, rows[0].shape[1], 3), 255, np.uint8)
    write_picture(folder / 'side_by_side.png',
                  np.concatenate([part for row in rows for part in (row, gap)][:-1]))
    return video.frames


def inside(picture: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture scaled to fit into (height, width), with a black rest."""
    if picture.shape[:2] == shape:
        return picture
    scale = min(shape[0] / picture.shape[0], shape[1] / picture.shape[1])
    height, width = (max(int(side * scale), 1) for side in picture.shape[:2])
    filled = np.zeros((*shape, 3), np.uint8)
    filled[:height, :width] = resize(picture, (height, width))
    return filled


def beside(rgb: NDArray[np.uint8], swir: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return two pictures of one height side by side with a white gap, uint8 RGB."""
    gap = np.full((rgb.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([rgb, gap, swir], axis=1)


def label(row: NDArray[np.uint8], left: str, right: str) -> NDArray[np.uint8]:
    """Return a side-by-side picture with a text in the upper left corner of either half."""
    shown = np.ascontiguousarray(row)
    scale = max(row.shape[1] / 1600, .4)
    middle = (row.shape[1] + GAP) // 2
    for x, text in ((0, left), (middle, right)):
        (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        margin = height // 2
        bottom = height + below + 2 * margin
        shown[:bottom, x:x + width + 2 * margin] //= 4
        cv2.putText(shown, text, (x + margin, margin + height), cv2.FONT_HERSHEY_SIMPLEX, scale,
                    (255, 255, 255), 1, cv2.LINE_AA)
    return shown
