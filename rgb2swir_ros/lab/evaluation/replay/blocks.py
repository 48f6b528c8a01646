"""Groups of frames that are independent enough to resample: blocks of five seconds, or bags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.intervals import (
    BLOCK_S,
    LEAST_BLOCKS,
    Draws,
    draw_groups,
    figure,
)
from rgb2swir_ros.report.model import Value

BLOCK_NS = round(BLOCK_S * 1e9)
FEWEST = LEAST_BLOCKS  # fewer groups give no interval

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


def draw_blocks(groups: Sequence[str], resamples: int, seed: int) -> Draws:
    """Return resamples of groups of frames; none below `FEWEST` groups."""
    return draw_groups(groups, resamples, seed, least=FEWEST)


@dataclass(frozen=True)
class Drawn:
    """A figure over all frames, and over each resample of groups.

    :param draws: (R,), of the same resamples for every figure; R = 0 without an interval.
    """

    value: float
    draws: Values

    def less(self, other: Drawn) -> Drawn:
        """Return the difference to another figure, resample by resample: it is paired."""
        return Drawn(self.value - other.value, self.draws - other.draws)

    def as_value(self) -> Value:
        """Return the figure with its 95 % interval."""
        made = figure(self.value, self.draws)
        return Value(made.value, made.low, made.high)


def mean(values: Values, draws: Draws) -> Drawn:
    """Return the mean of the finite values (N,), NaN without any."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0.), known.astype(float), draws)


def ratio(numerator: Values, denominator: Values, draws: Draws) -> Drawn:
    """Return the ratio of two sums over frames (N,)."""
    with np.errstate(divide='ignore', invalid='ignore'):
        return Drawn(float(np.float64(numerator.sum()) / np.float64(denominator.sum())),
                     draws.sums(numerator) / draws.sums(denominator))


def drawn(statistic: Callable[[Values], float], count: int, weights: Values) -> Drawn:
    """Return a statistic of weighted frames.

    :param statistic: takes the weights (N,) of the frames.
    """
    return Drawn(statistic(np.ones(count)), np.array([statistic(row) for row in weights]))
