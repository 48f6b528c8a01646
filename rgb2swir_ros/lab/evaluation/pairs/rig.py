"""A fixed rig: one homography maps a SWIR camera's pixels onto the colour camera's.

It is exact for what is far; near things are off by their parallax.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.pairs.measures import Mask, Plane

Matrix = NDArray[np.float64]
Size = tuple[int, int]


@dataclass(frozen=True)
class Rig:
    """The geometry of two cameras fixed to each other.

    :param homography: (3, 3), SWIR pixels (x, y) to RGB pixels.
    :param rgb_size: (height, width) that it holds for; ``swir_size`` likewise. Frames of other
        sizes are taken as scaled.
    """

    homography: Matrix
    rgb_size: Size
    swir_size: Size

    def between(self, rgb_size: Size, swir_size: Size) -> Matrix:
        """Return the homography for frames of given sizes (height, width)."""
        return (_scale(self.rgb_size, rgb_size) @ self.homography
                @ _scale(swir_size, self.swir_size))

    def warp(self, swir: Plane, rgb_size: Size) -> tuple[Plane, Mask]:
        """Return a SWIR frame (h, w) on the pixels of the RGB frame (H, W), and where it lies.

        A margin of 1/256 of the width is left out, where the interpolation reaches outside.
        """
        size = rgb_size[1], rgb_size[0]
        matrix = self.between(rgb_size, (swir.shape[0], swir.shape[1]))
        warped = cv2.warpPerspective(swir, matrix, size, flags=cv2.INTER_LINEAR)
        seen = cv2.warpPerspective(np.ones(swir.shape, np.uint8), matrix, size,
                                   flags=cv2.INTER_NEAREST)
        reach = max(rgb_size[1] // 256, 1)
        seen = cv2.erode(seen, np.ones((2 * reach + 1,) * 2, np.uint8),
                         borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(warped, np.float32), np.asarray(seen > 0)

    def entries(self) -> dict[str, object]:
        """Return it as `read_rig` reads it."""
        return {'homography': self.homography.tolist(), 'rgb_size': list(self.rgb_size[::-1]),
                'swir_size': list(self.swir_size[::-1])}


def read_rig(path: Path) -> Rig:
    """Read a rig: JSON with ``homography``, ``rgb_size`` and ``swir_size`` ([width, height]).

    :raises UserError: if it is no such file, or the homography turns or folds the picture.
    """
    try:
        entries = json.loads(path.read_text())
        homography = np.array(entries['homography'], np.float64)
        sizes = [_size(entries[name]) for name in ('rgb_size', 'swir_size')]
        if homography.shape != (3, 3):
            raise ValueError(f'homography is {homography.shape}, not 3x3')
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"'{path}' holds no homography ({type(error).__name__}: {error}): it "
                        'needs "homography" (3x3, SWIR pixels to RGB pixels), "rgb_size" and '
                        '"swir_size" ([width, height])') from error
    rig = Rig(homography, *sizes)
    if problem := fault(rig):
        raise UserError(f"'{path}': {problem}")
    return rig


def fault(rig: Rig) -> str:
    """Return why a rig cannot be right, or ''."""
    height, width = rig.swir_size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    if not np.isfinite(rig.homography).all() or abs(np.linalg.det(rig.homography)) < 1e-12:
        return 'the homography is singular'
    depth = np.column_stack([corners, np.ones(4)]) @ rig.homography[2]
    if depth.min() * depth.max() <= 0:
        return 'the homography maps part of the SWIR frame to infinity'
    mapped = apply(rig.homography, corners)
    sides = np.roll(mapped, -1, axis=0) - mapped
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if turns.min() <= 0:
        return 'the homography mirrors or folds the SWIR frame'
    frame = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * rig.rgb_size[::-1]
    shared, _ = cv2.intersectConvexConvex(mapped.astype(np.float32), frame.astype(np.float32))
    if shared < .1 * rig.rgb_size[0] * rig.rgb_size[1]:
        return 'the SWIR frame covers less than a tenth of the RGB frame'
    return ''


def apply(homography: Matrix, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points (N, 2) mapped by a homography."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _scale(source: Size, target: Size) -> Matrix:
    return np.diag([target[1] / source[1], target[0] / source[0], 1.])


def _size(values: Any) -> Size:
    width, height = values
    if type(width) is not int or type(height) is not int or min(width, height) < 1:
        raise ValueError(f'{values} is no size')
    return height, width
