"""Latencies of a run: the stages in the node, and from the camera to the recorder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

TOTAL = 'total_ms'
WHOLE = 'camera_to_recorder_ms'
QUANTILES = {'p50': 50, 'p95': 95, 'p99': 99, 'max': 100}


def whole_way(sent: Sequence[tuple[int, int]],
              arrived: Sequence[tuple[int, int]]) -> list[tuple[int, float]]:
    """Return (index of a frame sent, milliseconds from its publication to its arrival).

    :param sent: (stamp, monotonic time) of each frame sent, in nanoseconds; all processes of a
        machine have the same monotonic clock.
    :param arrived: the same for each frame recorded.
    """
    waiting: dict[int, list[int]] = {}
    for index, (stamp, _) in enumerate(sent):
        waiting.setdefault(stamp, []).append(index)
    found = []
    for stamp, time in arrived:
        if waiting.get(stamp):
            index = waiting[stamp].pop(0)
            found.append((index, (time - sent[index][1]) / 1e6))
    return found


def summary(values: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return p50, p95, p99 and max of each stage that has values, in milliseconds."""
    return {name: {label: round(float(np.percentile(series, q)), 3)
                   for label, q in QUANTILES.items()}
            for name, series in values.items() if len(series)}
