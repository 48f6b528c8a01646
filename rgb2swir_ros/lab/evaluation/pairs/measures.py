"""Measures of a translation against the SWIR frame of the same view.

The exposure and the tone curve of a real SWIR frame are unknown, and its camera stood beside the
colour camera. So a pair is judged by what neither changes much: the order of brightness
(Spearman's rank correlation), of everything and of what is coarser than 1/32 of the width, which
is materials rather than edges; and edges, each tile at its best match within a few pixels.

All functions take a prediction and a truth, float32 (H, W), linear in radiance in any unit, and a
mask, bool (H, W), of the pixels that count. Frames are `WIDTH` pixels wide by convention: the size
of tiles and their reach are in pixels.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 640          # pixels; pairs are scaled to it
SAMPLE = 60_000      # pixels that a rank correlation draws from a frame
COARSE = 64          # a blur's deviation is the width over this: half of 1/32 of the width
TILE, REACH = 64, 8  # pixels: side of a tile, and how far its match may lie
TEXTURE = .5         # a tile counts if its gradient deviates by this share of the frame's
DARKEST = 1e-6       # radiance below which square roots lose their meaning

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FrameScores:
    """The figures of one frame; NaN where nothing of the frame counts.

    :param whole: rank correlation over all pixels of the mask.
    :param below: of those below the horizon.
    :param coarse: as ``whole``, of what is coarser than 1/32 of the width.
    :param coarse_below: as ``below``, of the same.
    :param edges: agreement of edges, see `edge_agreement`.
    """

    whole: float
    below: float
    coarse: float
    coarse_below: float
    edges: float

    def values(self) -> tuple[float, ...]:
        """Return the figures in the order of `MEASURES`."""
        return astuple(self)


MEASURES = tuple(f.name for f in fields(FrameScores))


def score_frame(prediction: Plane, truth: Plane, mask: Mask, horizon: int) -> FrameScores:
    """Return the figures of a frame.

    :param horizon: the first row below the horizon.
    """
    sqrt_radiance = np.sqrt(np.maximum(prediction, 0) + DARKEST)
    below = below_horizon(mask, horizon)
    return FrameScores(
        rank_correlation(sqrt_radiance, truth, mask),
        rank_correlation(sqrt_radiance, truth, below),
        coarse_correlation(sqrt_radiance, truth, mask),
        coarse_correlation(sqrt_radiance, truth, below),
        edge_agreement(prediction, truth, mask))


def below_horizon(mask: Mask, horizon: int) -> Mask:
    """Return the part of a mask from a row on."""
    below = mask.copy()
    below[:horizon] = False
    return below


def rank_correlation(a: Plane, b: Plane, mask: Mask) -> float:
    """Return Spearman's rank correlation of two planes over a mask; ties share their mean rank.

    Of more than `SAMPLE` pixels a fixed random sample is taken, the same in every call for one
    mask. NaN without a mask or where one of the two is flat.
    """
    a, b = a[mask], b[mask]
    if len(a) > SAMPLE:
        pick = np.random.default_rng(0).choice(len(a), SAMPLE, replace=False)
        a, b = a[pick], b[pick]
    if len(a) < 3:
        return float('nan')
    a_ranks, b_ranks = (ranks - ranks.mean() for ranks in (mean_ranks(a), mean_ranks(b)))
    size = float(np.sqrt(np.square(a_ranks).sum() * np.square(b_ranks).sum()))
    return float(a_ranks @ b_ranks) / size if size > 0 else float('nan')


def mean_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rank of each of the values (N,), from 0; equal values have their mean rank."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[index.reshape(-1)])


def coarse_correlation(a: Plane, b: Plane, mask: Mask) -> float:
    """Return the rank correlation of both planes blurred by 1/64 of the width.

    The blur is normalised by the mask, so that nothing outside it is mixed in.
    """
    sigma = mask.shape[1] / COARSE
    return rank_correlation(masked_blur(a, mask, sigma), masked_blur(b, mask, sigma), mask)


def masked_blur(plane: Plane, mask: Mask, sigma: float) -> Plane:
    """Return a plane blurred by a Gaussian (pixels) that takes in the mask's pixels alone."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    blurred = cv2.GaussianBlur(plane * mask.astype(np.float32), (0, 0), sigma)
    return np.asarray(blurred / np.maximum(weight, 1e-3), np.float32)


def edge_agreement(prediction: Plane, truth: Plane, mask: Mask) -> float:
    """Return how well the edges agree: 1 is equal, 0 is no relation; blur and loss lower it.

    It compares the magnitudes of the gradients of both square roots (Sobel after a blur of 1
    pixel). Each tile of `TILE` pixels with texture is correlated with the other frame, at the best
    place within `REACH` pixels, because near things are off by their parallax. The figure is the
    mean over tiles; NaN without a tile that has texture and lies wholly in the mask.
    """
    true = gradient(np.sqrt(np.maximum(truth, 0)))
    made = gradient(np.sqrt(np.maximum(prediction, 0) + DARKEST))
    enough = TEXTURE * true[mask].std() if mask.any() else np.inf
    found = []
    height, width = truth.shape
    for y in range(REACH, height - TILE - REACH, TILE):
        for x in range(REACH, width - TILE - REACH, TILE):
            around = slice(y - REACH, y + TILE + REACH), slice(x - REACH, x + TILE + REACH)
            tile = true[y:y + TILE, x:x + TILE]
            if not mask[around].all() or tile.std() < enough or tile.std() == 0:
                continue
            window = made[around]
            found.append(float(cv2.matchTemplate(window, tile, cv2.TM_CCOEFF_NORMED).max())
                         if window.std() > 1e-6 else 0.)
    return float(np.mean(found)) if found else float('nan')


def gradient(plane: Plane) -> Plane:
    """Return the magnitude of a plane's gradient, after a blur of 1 pixel."""
    smooth = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 1)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down), np.float32)
