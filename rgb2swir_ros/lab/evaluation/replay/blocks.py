"""Groups of frames that are independent enough to resample: blocks of five seconds, or bags."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.intervals import Figure, figure, group_weights

BLOCK_NS = 5 * 10**9
FEWEST = 8  # fewer groups give no interval

Values = NDArray[np.float64]


def group_names(bags: Sequence[str], stamps: Sequence[int]) -> list[str]:
    """Return the group of each frame: its bag where there are at least `FEWEST`, else its block.

    Blocks begin at the first stamp of their bag.

    :param bags: the bag of each frame; ``stamps``: nanoseconds.
    """
    if len(set(bags)) >= FEWEST:
        return list(bags)
    first: dict[str, int] = {}
    for bag, stamp in zip(bags, stamps, strict=True):
        first[bag] = min(first.get(bag, stamp), stamp)
    return [f'{bag}/{(stamp - first[bag]) // BLOCK_NS}'
            for bag, stamp in zip(bags, stamps, strict=True)]


def block_weights(groups: Sequence[str], resamples: int, seed: int) -> Values:
    """Return weights (resamples, N) of frames, groups resampled; no rows below `FEWEST` groups."""
    if len(set(groups)) < FEWEST:
        return np.zeros((0, len(groups)))
    return group_weights(groups, resamples, seed)


def mean_figure(values: Values, weights: Values) -> Figure:
    """Return the mean of the finite values (N,) with its interval, NaN without any."""
    known = np.isfinite(values)
    filled = np.where(known, values, 0.)
    return ratio_figure(filled, known.astype(float), weights)


def ratio_figure(numerator: Values, denominator: Values, weights: Values) -> Figure:
    """Return the ratio of two sums over frames (N,) with its interval."""
    with np.errstate(divide='ignore', invalid='ignore'):
        value = np.float64(numerator.sum()) / np.float64(denominator.sum())
        draws = (weights @ numerator) / (weights @ denominator)
    return figure(float(value), draws)


def drawn_figure(statistic: Callable[[Values], float], count: int, weights: Values) -> Figure:
    """Return a statistic of weighted frames with its interval.

    :param statistic: takes the weights (N,) of the frames.
    """
    draws = np.array([statistic(row) for row in weights])
    return figure(statistic(np.ones(count)), draws)
