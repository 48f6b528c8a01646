"""Which true SWIR frame belongs to which judged frame, by their stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Matching:
    """Pairs of frames of two cameras.

    :param index: (N,) of the true frame of each judged frame, -1 without one.
    :param skew_ns: (N,) stamp of the true frame less that of the judged one; 0 without one.
    :param period_ns: of the judged frames; 0 for fewer than two.
    :param unused: true frames that belong to no judged frame.
    """

    index: Numbers
    skew_ns: Numbers
    period_ns: int
    unused: int

    @property
    def matched(self) -> NDArray[np.bool_]:
        """Return which judged frames (N,) have a true frame."""
        return self.index >= 0


def match_stamps(stamps: Sequence[int], true: Sequence[int]) -> Matching:
    """Match each judged frame with the nearest true frame within half a period.

    The period is the median distance of successive stamps of the judged frames. A true frame
    serves one judged frame, the nearest. A single judged frame takes the nearest true frame.

    :param stamps: of the judged frames, nanoseconds, in any order; ``true``: of the true ones.
    """
    own, others = np.asarray(stamps, np.int64), np.asarray(true, np.int64)
    steps = np.diff(np.unique(own))
    period = int(np.median(steps)) if len(steps) else 0
    index, skew = np.full(len(own), -1, np.int64), np.zeros(len(own), np.int64)
    if not len(others):
        return Matching(index, skew, period, 0)
    order = np.argsort(others, kind='stable')
    ranked = others[order]
    right = np.searchsorted(ranked, own).clip(0, len(ranked) - 1)
    left = (right - 1).clip(0)
    nearer = np.where(np.abs(ranked[left] - own) <= np.abs(ranked[right] - own), left, right)
    distance = np.abs(ranked[nearer] - own)
    taken: dict[int, int] = {}
    for k in np.argsort(distance, kind='stable').tolist():
        place = int(order[nearer[k]])
        if place in taken or (period and 2 * distance[k] > period):
            continue
        taken[place] = k
        index[k], skew[k] = place, others[place] - own[k]
    return Matching(index, skew, period, len(others) - len(taken))
