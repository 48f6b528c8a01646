"""Frechet distance between true and translated frames, in features of the package's detector.

It compares distributions, not pairs, so neither parallax nor a small shift counts. It is never
called FID, which is defined by the Inception network's features alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.pairs.measures import Mask, Plane
from rgb2swir_ros.luma import DISPLAY_GAMMA

if TYPE_CHECKING:
    from rgb2swir_ros.lab.detector.network import Detector

GRID = 4, 4      # regions of a frame, each described by one vector
MIN_FRAMES = 40  # 640 vectors of 160 features: fewer make a covariance of noise

Vectors = NDArray[np.float64]


def describe(network: Detector, sqrt_radiance: Plane, mask: Mask) -> Vectors:
    """Return the detector's coarsest features of a frame's regions, (16, C).

    :param sqrt_radiance: (H, W) in [0, 1]. Pixels outside the mask are set to the mask's mean, so
        that they look alike in both frames of a pair.
    """
    import torch
    import torch.nn.functional as F

    from rgb2swir_ros.lab.detector.network import DIVISOR
    from rgb2swir_ros.nets.blocks import pad_to_multiple

    filled = np.where(mask, sqrt_radiance, sqrt_radiance[mask].mean() if mask.any() else 0)
    display_value = np.power(np.clip(filled, 0, 1), 2 / DISPLAY_GAMMA).astype(np.float32)
    with torch.no_grad():
        frame = pad_to_multiple(torch.from_numpy(display_value)[None, None], DIVISOR)
        features = F.adaptive_avg_pool2d(network.eval().features(frame)[-1], GRID)
    return np.asarray(features[0].flatten(1).T.double().numpy())


def frechet_distance(a: Vectors, b: Vectors) -> float:
    """Return the Frechet distance of the normal distributions of two sets of vectors (N, C).

    ``|ma - mb|^2 + tr(A + B - 2 (A B)^(1/2))`` (Dowson and Landau 1982); this is its square,
    which is what is usually stated.

    :raises ValueError: if a set has fewer than two vectors.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError('a covariance needs at least two vectors')
    ca, cb = (np.atleast_2d(np.cov(v, rowvar=False)) for v in (a, b))
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = np.linalg.eigvalsh(root @ cb @ root)  # the eigenvalues of A B, symmetric
    between = float(np.square(a.mean(0) - b.mean(0)).sum())
    cross = float(np.sqrt(np.maximum(product, 0)).sum())
    return max(between + float(np.trace(ca) + np.trace(cb)) - 2 * cross, 0.)
