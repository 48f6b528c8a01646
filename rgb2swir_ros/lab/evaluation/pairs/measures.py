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


class Truth:
    """The SWIR frame of a view, with what the measures need of it; it scores any prediction."""

    def __init__(self, truth: Plane, mask: Mask, horizon: int) -> None:
        """Prepare a frame.

        :param horizon: the first row below the horizon.
        """
        self._plane, self._mask = truth, mask
        self._parts = []
        for part in (mask, below_horizon(mask, horizon)):
            blur = MaskedBlur(part, mask.shape[1] / COARSE)
            self._parts.append((blur, Ranks(truth, part), Ranks(blur(truth), part)))

    def score(self, prediction: Plane) -> FrameScores:
        """Return the figures of a prediction."""
        sqrt_radiance = np.sqrt(np.maximum(prediction, 0) + DARKEST)
        figures = [(fine.correlation(sqrt_radiance), coarse.correlation(blur(sqrt_radiance)))
                   for blur, fine, coarse in self._parts]
        (whole, coarse_whole), (below, coarse_below) = figures
        return FrameScores(whole, below, coarse_whole, coarse_below,
                           edge_agreement(prediction, self._plane, self._mask))


def score_frame(prediction: Plane, truth: Plane, mask: Mask, horizon: int) -> FrameScores:
    """Return the figures of one prediction of a frame: see `Truth`."""
    return Truth(truth, mask, horizon).score(prediction)


def below_horizon(mask: Mask, horizon: int) -> Mask:
    """Return the part of a mask from a row on."""
    below = mask.copy()
    below[:horizon] = False
    return below


class Ranks:
    """The ranks of a plane over a mask, for Spearman's correlation; ties share their mean rank.

    Of more than `SAMPLE` pixels a fixed random sample is taken, the same for equal masks.
    """

    def __init__(self, plane: Plane, mask: Mask) -> None:
        """Rank the pixels of a plane."""
        self._places = np.flatnonzero(mask)
        if len(self._places) > SAMPLE:
            pick = np.random.default_rng(0).choice(len(self._places), SAMPLE, replace=False)
            self._places = self._places[pick]
        self._ranks = self._centred(plane)

    def correlation(self, plane: Plane) -> float:
        """Return the rank correlation with another plane.

        NaN without three pixels, or where one of the two is flat.
        """
        if len(self._places) < 3:
            return float('nan')
        ranks = self._centred(plane)
        size = float(np.sqrt(np.square(ranks).sum() * np.square(self._ranks).sum()))
        return float(ranks @ self._ranks) / size if size > 0 else float('nan')

    def _centred(self, plane: Plane) -> NDArray[np.float64]:
        ranks = mean_ranks(plane.ravel()[self._places])
        return ranks - (len(ranks) - 1) / 2


def mean_ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the rank of each of the values (N,), from 0; equal values have their mean rank."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[index.reshape(-1)])


class MaskedBlur:
    """A Gaussian blur that takes in a mask's pixels alone."""

    def __init__(self, mask: Mask, sigma: float) -> None:
        """Prepare a mask; the deviation is in pixels."""
        self._mask, self._sigma = mask.astype(np.float32), sigma
        self._weight = np.maximum(cv2.GaussianBlur(self._mask, (0, 0), sigma), 1e-3)

    def __call__(self, plane: Plane) -> Plane:
        """Return a plane, blurred."""
        return np.asarray(cv2.GaussianBlur(plane * self._mask, (0, 0), self._sigma)
                          / self._weight, np.float32)


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
