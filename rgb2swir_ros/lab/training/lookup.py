"""Baselines of a learned translation: grey-scale conversion and a per-pixel colour look-up table.

A look-up table has the statistics of colours, without position, texture or context. The gain of a
network over it is what the network has learned beyond colour.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.luma import REC601

NODES = 17  # along each of red, green and blue, a usual size of colour tables
ITERATIONS = 30


def grey_sqrt_radiance(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the square-root radiance (...,) of RGB (..., 3) converted to grey scale.

    Luma by Rec. 601, decoded with gamma 2.2: ``sqrt(luma ** 2.2) = luma ** 1.1``.
    """
    luma = rgb.astype(np.float32) @ np.array(REC601, np.float32) / 255
    return np.power(luma, 1.1, dtype=np.float32)


class ColourLookup:
    """A table of square-root radiance over red, green and blue, with trilinear interpolation."""

    def __init__(self) -> None:
        """Start with the grey-scale conversion, which colours without training pixels keep."""
        levels = np.linspace(0, 255, NODES).round().astype(np.uint8)
        grid = np.stack(np.meshgrid(levels, levels, levels, indexing='ij'), axis=-1)
        self.table: NDArray[np.float64] = grey_sqrt_radiance(grid).astype(np.float64).ravel()

    def fit(self, rgb: NDArray[np.uint8], sqrt_radiance: NDArray[np.float32]) -> ColourLookup:
        """Fit the table to pixels by least squares.

        Simultaneous iterative reconstruction (SIRT: Gilbert 1972): each node moves by the mean
        residual of the pixels around it, weighted by their interpolation weights. It converges
        to the least-squares solution; nodes without pixels keep their values.

        :param rgb: uint8 (N, 3); ``sqrt_radiance``: float (N,).
        """
        corners = list(_corners(rgb))
        total = sum(np.bincount(nodes, weights, NODES ** 3) for nodes, weights in corners)
        for _ in range(ITERATIONS):
            predicted = sum(self.table[nodes] * weights for nodes, weights in corners)
            residual = sqrt_radiance - predicted
            moved = sum(np.bincount(nodes, weights * residual, NODES ** 3)
                        for nodes, weights in corners)
            self.table += moved / np.maximum(total, 1.0)
        return self

    def sqrt_radiance(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return square-root radiance (...,), float32, of RGB uint8 (..., 3)."""
        flat = rgb.reshape(-1, 3)
        sqrt_radiance = np.zeros(len(flat))
        for nodes, weights in _corners(flat):
            sqrt_radiance += self.table[nodes] * weights
        return sqrt_radiance.reshape(rgb.shape[:-1]).astype(np.float32)

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return radiance (...,), float32 in [0, 1], of RGB uint8 (..., 3)."""
        return np.square(np.clip(self.sqrt_radiance(rgb), 0, 1))


def _corners(rgb: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield node indices and weights (N,) of the eight nodes around each colour (N, 3)."""
    place = rgb.astype(np.float64) * ((NODES - 1) / 255)
    low = np.minimum(place.astype(np.int64), NODES - 2)
    share = place - low
    for corner in range(8):
        bits = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1])
        nodes = (low + bits) @ np.array([NODES ** 2, NODES, 1])
        yield nodes, np.where(bits, share, 1 - share).prod(axis=1)
