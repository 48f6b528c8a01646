"""Figures with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError

RESAMPLES = 2000
MIN_RESAMPLES = 20
INTERVAL = (2.5, 97.5)  # percent: a 95 % interval
BLOCK_S = 5.0           # seconds; frames of one drive that are nearer in time are not independent
LEAST_BLOCKS = 8        # fewer blocks give an interval that means nothing


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % bootstrap interval.

    :param value: NaN without data.
    :param low: NaN, like ``high``, without anything to resample: a single scene or sequence.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return ``0.512 [0.481, 0.540]``, without an interval of NaN; a dash for NaN."""
        if np.isnan(self.value):
            return '-'
        if np.isnan(self.low):
            return f'{self.value:.3f}'
        return f'{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]'


def figure(value: float, draws: NDArray[np.float64]) -> Figure:
    """Return a value with the interval of 95 % of its bootstrap draws (R,), without NaN."""
    known = draws[np.isfinite(draws)]
    if not np.isfinite(value) or not len(known):
        return Figure(value if np.isfinite(value) else np.nan, np.nan, np.nan)
    low, high = np.percentile(known, INTERVAL)
    return Figure(float(value), float(low), float(high))


@dataclass(frozen=True)
class Draws:
    """Resamples of groups of items, with replacement.

    :param index: (N,) int, the group of each item.
    :param counts: (R, G), how often each resample has each group; no rows where there are too few
        groups for an interval.
    """

    index: NDArray[np.intp]
    counts: NDArray[np.float64]

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over each resample's items (R,) of the items' values (N,)."""
        return self.counts @ np.bincount(self.index, values, self.counts.shape[1])

    def weights(self) -> NDArray[np.float64]:
        """Return how often each resample has each item, (R, N)."""
        return np.asarray(self.counts[:, self.index])


def draw_groups(groups: Sequence[str], resamples: int, seed: int, *, least: int = 2) -> Draws:
    """Draw groups of items: items of one group are not independent.

    :param groups: the group of each item.
    :param least: groups below which there is no interval.
    """
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    index = index.reshape(-1)
    if len(names) < least:
        return Draws(index, np.zeros((0, len(names))))
    draws = np.random.default_rng([seed, 3]).integers(0, len(names), (resamples, len(names)))
    return Draws(index, np.stack([np.bincount(d, minlength=len(names)) for d in draws])
                 .astype(float))


def time_blocks(scenes: Sequence[str], seconds: Sequence[float]) -> list[str]:
    """Return the block of `BLOCK_S` seconds of its scene that each frame belongs to.

    :param scenes: of each frame; ``seconds``: its time within the scene.
    """
    return [f'{scene}/{int(time // BLOCK_S)}'
            for scene, time in zip(scenes, seconds, strict=True)]


def ratio_of_sums(numerator: NDArray[np.float64], denominator: NDArray[np.float64],
                  draws: Draws) -> Figure:
    """Return the ratio of sums of paired values (N,), with the same items in each resample."""
    with np.errstate(divide='ignore', invalid='ignore'):
        ratios = draws.sums(numerator) / draws.sums(denominator)
        value = float(np.float64(numerator.sum()) / denominator.sum())
    return figure(value, ratios)


def check_bootstrap(resamples: int, seed: int) -> None:
    """Check the settings of a bootstrap.

    :raises UserError: if there are too few resamples, or the seed is negative.
    """
    if resamples < MIN_RESAMPLES or seed < 0:
        raise UserError(f'--resamples {resamples} --seed {seed}: give at least '
                        f'{MIN_RESAMPLES} resamples and a seed that is not negative')


def plain(value: Any) -> Any:
    """Return nested values and dataclasses for JSON: floats rounded, NaN as None."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 5)
    return value
