"""Rows that know no material, beside the models.

A rank correlation is raised by whatever follows the layout of a road scene: a bright sky above a
dark road. These rows say how much of a figure that explains.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.pairs.measures import Mask, Plane

GRADIENT, GREY, COLOUR_ROW = 'gradient', 'grey-scale', 'colour and row'
LUMINANCE = .2126, .7152, .0722  # of linear red, green, blue (ITU-R BT.709)
FITTED = 7  # every so many pixels of a frame is fitted

Rgb = NDArray[np.uint8]


def linear_light(rgb: Rgb) -> NDArray[np.float32]:
    """Return sRGB (..., 3), uint8, as linear light in [0, 1] (IEC 61966-2-1)."""
    x = np.arange(256, dtype=np.float32) / 255
    table = np.where(x <= .04045, x / 12.92, ((x + .055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[rgb])


def grey_scale(rgb: Rgb) -> Plane:
    """Return the luminance (H, W) of a frame in linear light."""
    return linear_light(rgb) @ np.array(LUMINANCE, np.float32)


def vertical_gradient(rgb: Rgb) -> Plane:
    """Return a plane (H, W) that falls from 1 in the first row to .1 in the last."""
    height, width = rgb.shape[:2]
    rows = np.linspace(1, .1, height, dtype=np.float32)[:, None]
    return np.repeat(rows, width, axis=1)


def apply_colour_row(coefficients: NDArray[np.float32], rgb: Rgb) -> Plane:
    """Return radiance (H, W) of a frame by fitted coefficients."""
    return np.square(np.maximum(_features(rgb) @ coefficients, 0))


def fit_colour_row(frames: Iterable[tuple[Rgb, Plane, Mask]]) -> NDArray[np.float32]:
    """Fit a function of colour and row to square-root radiance by least squares.

    Features are the square roots of linear red, green and blue, the row from 0 to 1, and the
    squares of these four. It must be fitted on frames that it does not judge.

    :param frames: (RGB, truth, mask).
    :return: the coefficients (9,) for `apply_colour_row`.
    """
    products, targets = np.zeros((9, 9)), np.zeros(9)
    for rgb, truth, mask in frames:
        x = _features(rgb)[mask][::FITTED].astype(np.float64)
        products += x.T @ x
        targets += x.T @ np.sqrt(np.maximum(truth[mask][::FITTED], 0)).astype(np.float64)
    return np.linalg.lstsq(products, targets, rcond=None)[0].astype(np.float32)


def _features(rgb: Rgb) -> NDArray[np.float32]:
    height, width = rgb.shape[:2]
    row = np.broadcast_to(np.linspace(0, 1, height, dtype=np.float32)[:, None, None],
                          (height, width, 1))
    x = np.concatenate([np.sqrt(linear_light(rgb)), row], axis=2)
    return np.concatenate([x, x * x, np.ones((height, width, 1), np.float32)], axis=2)
