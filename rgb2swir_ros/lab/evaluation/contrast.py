"""Objects that look otherwise in SWIR than in grey-scale: where a translation can be better.

Dark cloth, people at night by halogen, cars in front of leaves: an object's radiance over that of
its surroundings is there another one in SWIR than in the visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.scenes.annotations import GAMMA, AnnotatedFrame, read_display_value
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance
from rgb2swir_ros.replay.pictures import read_picture

FACTOR = 2.0  # between the contrast in SWIR and that in grey-scale, either way
INNER = .6  # share of a box's sides, about its centre, that is taken as the object
MARGIN = .5  # width of the surroundings, as a share of the box's longer side
LEAST_MARGIN = 3.0  # pixels
FLOOR = .01  # added to both radiances: below it a ratio is noise


def contrast(radiance: NDArray[np.float32], box: NDArray[np.float32]) -> float:
    """Return the logarithm to base 2 of an object's radiance over that of its surroundings.

    The object is the middle of its box, as its corners show what is behind it. The surroundings
    are a frame about the box.

    :param radiance: (H, W), linear.
    :param box: left, top, width, height in pixels.
    """
    left, top, width, height = (float(v) for v in box)
    margin = max(MARGIN * max(width, height), LEAST_MARGIN)
    inside = _window(radiance.shape, left + (1 - INNER) / 2 * width,
                     top + (1 - INNER) / 2 * height, INNER * width, INNER * height)
    outer = _window(radiance.shape, left - margin, top - margin, width + 2 * margin,
                    height + 2 * margin)
    around = np.zeros(radiance.shape, bool)
    around[outer] = True
    around[_window(radiance.shape, left, top, width, height)] = False
    if not around.any():
        return 0.0
    own, other = float(radiance[inside].mean()), float(radiance[around].mean())
    return float(np.log2((own + FLOOR) / (other + FLOOR)))


def _window(shape: tuple[int, ...], left: float, top: float, width: float,
            height: float) -> tuple[slice, slice]:
    """Return the pixels of a box, at least one, as an index of an image."""
    def part(start: float, length: float, end: int) -> slice:
        first = min(max(round(start), 0), end - 1)
        return slice(first, max(min(round(start + length), end), first + 1))
    return part(top, height, shape[0]), part(left, width, shape[1])


def differing(frame: AnnotatedFrame, swir: NDArray[np.float32],
              grey: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which objects of a frame (N,) have contrasts that differ by `FACTOR` or more.

    :param swir: true radiance (H, W), linear; ``grey``: that of the grey-scale conversion.
    """
    return np.array([abs(contrast(swir, box) - contrast(grey, box)) >= np.log2(FACTOR)
                     for box in frame.boxes], bool).reshape(-1)


def find_differing(frames: Sequence[AnnotatedFrame],
                   pictures: Sequence[Path]) -> list[NDArray[np.bool_]]:
    """Return `differing` of each frame.

    :param pictures: the RGB images; one for each frame.
    :raises UserError: if an image cannot be read.
    """
    return [differing(frame, np.power(read_display_value(frame.path, frame.size), GAMMA),
                      np.square(grey_sqrt_radiance(read_picture(picture))))
            for frame, picture in zip(frames, pictures, strict=True)]


def only(frames: Sequence[AnnotatedFrame],
         chosen: Sequence[NDArray[np.bool_]]) -> list[AnnotatedFrame]:
    """Return the frames with all other objects as ignore regions: neither hits nor misses.

    :param chosen: of each frame, which objects (N,) count.
    """
    return [replace(frame, ignored=frame.ignored | ~mask)
            for frame, mask in zip(frames, chosen, strict=True)]
