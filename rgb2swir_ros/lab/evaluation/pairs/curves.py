"""PSNR and SSIM after one monotone curve for each sequence.

Exposure, gain and tone curve of a real camera are unknown. One non-decreasing curve from the
prediction's to the truth's square-root radiance, the best one in least squares (isotonic
regression), takes them out: what remains is what the prediction has wrong. A sequence is what one
camera took with one setting: a scene of a data set, or one drive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.pairs.measures import DARKEST, Mask, Plane

BINS = 256
FULL = 99.9       # percentile of the truth that counts as its full scale
SSIM_SIGMA, SSIM_REACH = 1.5, 5  # Wang et al. 2004 (doi 10.1109/TIP.2003.819861): 11x11 pixels
SSIM_K = .01, .03


@dataclass(frozen=True)
class MonotoneCurve:
    """A non-decreasing curve from predicted radiance to the truth's square root over its peak.

    :param edges: (B,) ascending square roots of predicted radiance; ``values``: (B,) in [0, 1].
    :param peak: of the truth, in its own unit of radiance.
    """

    edges: NDArray[np.float64]
    values: NDArray[np.float64]
    peak: float

    def prediction(self, radiance: Plane) -> Plane:
        """Return predicted radiance (H, W) as the truth's square root over its peak, [0, 1]."""
        sqrt_radiance = np.sqrt(np.maximum(radiance, 0) + DARKEST)
        return np.interp(sqrt_radiance, self.edges, self.values).astype(np.float32)

    def truth(self, radiance: Plane) -> Plane:
        """Return the square root of true radiance (H, W) over the peak, clipped to [0, 1]."""
        return np.sqrt(np.clip(radiance / np.float32(self.peak), 0, 1), dtype=np.float32)


def fit_curve(pairs: Iterable[tuple[Plane, Plane, Mask]]) -> MonotoneCurve:
    """Return the curve of a sequence of (prediction, truth, mask).

    The prediction's values are binned by their quantiles; the means of the bins are made monotone.

    :raises ValueError: if no pixel counts.
    """
    made, true = zip(*((p[m], t[m]) for p, t, m in pairs), strict=True)
    radiance, truth = np.concatenate(made), np.concatenate(true)
    if not len(truth):
        raise ValueError('no pixel of the sequence counts')
    peak = max(float(np.percentile(truth, FULL)), 1e-9)
    x = np.sqrt(np.maximum(radiance, 0) + DARKEST).astype(np.float64)
    y = np.sqrt(np.clip(truth / peak, 0, 1)).astype(np.float64)
    limits = np.unique(np.quantile(x, np.linspace(0, 1, BINS + 1)))
    index = np.clip(np.searchsorted(limits, x, 'right') - 1, 0, max(len(limits) - 2, 0))
    count = np.bincount(index).astype(np.float64)
    used = count > 0
    sums = [np.bincount(index, weights)[used] for weights in (x, y)]
    centres, means = (total / count[used] for total in sums)
    return MonotoneCurve(centres, isotonic(means, count[used]), peak)


def isotonic(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the non-decreasing values (N,) next to the given ones in weighted least squares.

    Pool adjacent violators (Ayer et al. 1955).
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values, weights, strict=True):
        blocks.append((float(value), float(weight), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, wa, na), (b, wb, nb) = blocks[-2:]
            blocks[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    return np.repeat([b[0] for b in blocks], [b[2] for b in blocks])


def psnr(a: Plane, b: Plane, mask: Mask) -> float:
    """Return the peak signal-to-noise ratio in dB of planes in [0, 1]; NaN without a mask."""
    if not mask.any():
        return float('nan')
    error = float(np.square(a[mask] - b[mask], dtype=np.float64).mean())
    return float(-10 * np.log10(max(error, 1e-10)))


def ssim(a: Plane, b: Plane, mask: Mask) -> float:
    """Return the structural similarity of planes in [0, 1], mean over the mask.

    Windows that reach out of the mask do not count; NaN where none remains.
    """
    inside = cv2.erode(mask.astype(np.uint8), np.ones((2 * SSIM_REACH + 1,) * 2, np.uint8),
                       borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    if not inside.any():
        return float('nan')
    size = (2 * SSIM_REACH + 1,) * 2

    def mean(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(plane, size, SSIM_SIGMA))

    x, y = a.astype(np.float64), b.astype(np.float64)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (k * k for k in SSIM_K)
    similarity = ((2 * mx * my + c1) * (2 * cov + c2)
                  / ((mx * mx + my * my + c1) * (vx + vy + c2)))
    return float(similarity[inside].mean())
