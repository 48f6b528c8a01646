"""Figures over all judged frames, with intervals and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.intervals import (
    BLOCK_S,
    LEAST_BLOCKS,
    RESAMPLES,
    Draws,
    Figure,
    draw_groups,
    figure,
    plain,
    time_blocks,
)
from rgb2swir_ros.lab.evaluation.pairs.evaluation import FrameResult, Judgement, hard_pairs
from rgb2swir_ros.lab.evaluation.pairs.frechet import MIN_FRAMES, frechet_distance
from rgb2swir_ros.lab.evaluation.pairs.measures import MEASURES

Column = tuple[NDArray[np.float64], NDArray[np.float64]]  # sum and number in each frame


@dataclass(frozen=True)
class RowSummary:
    """The figures of one row.

    :param figures: by measure: those of `MEASURES`, ``psnr``, ``ssim``, and with marked boxes the
        shares ``boxes`` and ``hard``.
    :param minus_first: the same, less the first model's, with paired resamples; empty for it.
    :param boxes: numbers of marked pairs in order and of all; ``hard``: of those that grey-scale
        gets wrong.
    :param frechet: Frechet distance in the detector's features; NaN with too few frames.
    """

    figures: dict[str, Figure]
    minus_first: dict[str, Figure]
    boxes: tuple[int, int]
    hard: tuple[int, int]
    frechet: float


@dataclass(frozen=True)
class Summary:
    """The figures of all rows.

    :param intervals: what the intervals were drawn from, or why there are none.
    """

    frames: int
    scenes: int
    intervals: str
    rows: dict[str, RowSummary]

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        return dict(plain(asdict(self)))


def summarise(judgement: Judgement, first: str, *, rate: float | None = None,
              resamples: int = RESAMPLES, seed: int = 0) -> Summary:
    """Return the figures of all rows.

    :param first: the row that the others are compared with.
    :param rate: frames in a second, by which one drive is cut into blocks.
    """
    frames = judgement.frames
    draws, intervals = draw_frames(frames, rate, resamples, seed)
    names = list(frames[0].rows)
    columns = {name: _columns(frames, name) for name in names}
    rows = {}
    for name in names:
        own, base = columns[name], columns[first]
        rows[name] = RowSummary(
            {key: _mean(column, draws) for key, column in own.items()},
            {} if name == first else {
                key: _difference(own[key], base[key], draws) for key in own},
            _count(own.get('boxes')), _count(own.get('hard')), _frechet(judgement, name))
    return Summary(len(frames), len({f.scene for f in frames}), intervals, rows)


def draw_frames(frames: Sequence[FrameResult], rate: float | None, resamples: int,
                seed: int) -> tuple[Draws, str]:
    """Return resamples of scenes, or of blocks of one drive, and what they are."""
    scenes = [f.scene for f in frames]
    count, groups = len(set(scenes)), scenes
    if count == 1 and rate:
        groups = time_blocks(scenes, [f.number / rate for f in frames])
    found = len(set(groups))
    draws = draw_groups(groups, resamples, seed, least=LEAST_BLOCKS)
    if count > 1:
        what = f'{count} scenes'
    elif rate:
        what = f'{found} blocks of {BLOCK_S:g} seconds of one drive'
    else:
        return draws, 'no intervals: one scene; --rate gives blocks of it'
    if found < LEAST_BLOCKS:
        return draws, f'no intervals: {what}, which is less than {LEAST_BLOCKS}'
    return draws, f'intervals: 95 %, {resamples} resamples of {what}'


def _columns(frames: Sequence[FrameResult], name: str) -> dict[str, Column]:
    """Return sums and numbers of each measure by frame; a frame without it counts nothing."""
    rows = [f.rows[name] for f in frames]
    values = {key: [getattr(row.scores, key) for row in rows] for key in MEASURES}
    values |= {'psnr': [row.psnr for row in rows], 'ssim': [row.ssim for row in rows]}
    columns: dict[str, Column] = {}
    for key, value in values.items():
        found = np.array(value, np.float64)
        known = np.isfinite(found)
        columns[key] = np.where(known, found, 0), known.astype(np.float64)
    if any(row.in_order for row in rows):
        hard = [[r for r, h in zip(row.in_order, hard_pairs(f), strict=True) if h]
                for row, f in zip(rows, frames, strict=True)]
        for key, lists in (('boxes', [row.in_order for row in rows]), ('hard', hard)):
            columns[key] = (np.array([sum(one) for one in lists], np.float64),
                            np.array([len(one) for one in lists], np.float64))
    return columns


def _mean(column: Column, draws: Draws) -> Figure:
    value, drawn = _draw(column, draws)
    return figure(value, drawn)


def _difference(own: Column, base: Column, draws: Draws) -> Figure:
    """Return own minus base, over the frames that have both."""
    both = (own[1] > 0) & (base[1] > 0)
    (a, a_drawn), (b, b_drawn) = (_draw((c[0] * both, c[1] * both), draws) for c in (own, base))
    return figure(a - b, a_drawn - b_drawn)


def _draw(column: Column, draws: Draws) -> tuple[float, NDArray[np.float64]]:
    total, number = column
    with np.errstate(divide='ignore', invalid='ignore'):
        return float(total.sum() / number.sum()), draws.sums(total) / draws.sums(number)


def _count(column: Column | None) -> tuple[int, int]:
    return (0, 0) if column is None else (int(column[0].sum()), int(column[1].sum()))


def _frechet(judgement: Judgement, name: str) -> float:
    features = judgement.features
    if not features or len(judgement.frames) < MIN_FRAMES:
        return float('nan')
    return frechet_distance(*(np.concatenate(features[key]) for key in (name, None)))
