"""The report of a judged replay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rgb2swir_ros.lab.evaluation.replay.blocks import Drawn
from rgb2swir_ros.lab.evaluation.replay.frames import JudgedFrame
from rgb2swir_ros.lab.evaluation.replay.judge import Judgement
from rgb2swir_ros.lab.evaluation.replay.measures import MEASURES, UNITS
from rgb2swir_ros.lab.evaluation.replay.pixels import Image
from rgb2swir_ros.lab.evaluation.replay.summary import JudgedSet
from rgb2swir_ros.luma import DISPLAY_GAMMA
from rgb2swir_ros.report.model import (
    Check,
    Column,
    Facts,
    Gallery,
    Histogram,
    Picture,
    PictureRow,
    Scatter,
    Section,
    Series,
    Table,
    TimePlot,
    Verdict,
)
from rgb2swir_ros.report.thresholds import Threshold, check_thresholds

WORST = 3  # frames shown
# by which frames are ranked: the first that was measured, and whether low is bad
RANKED = (('ssim_curve', True), ('edges_true', True), ('edges_source', True))
PLOTTED = ('psnr_curve_db', 'order_coarse_below', 'edges_true', 'edges_source', 'warp_error',
           'flicker', 'input_novelty', 'radiance_mean')
SHORT = ('psnr_db', 'ssim', 'order_coarse_below', 'edges_true', 'edges_source', 'warp_ratio',
         'input_novelty', 'input_known')
NOVELTY_LIMIT = {'threshold': 0.0}


@dataclass(frozen=True)
class Names:
    """How the judged model, and the one that it is compared with, are called."""

    own: str
    other: str = ''


def checks_of(figures: Mapping[str, Drawn], times: Mapping[str, float],
              thresholds: Sequence[Threshold]) -> list[Check]:
    """Return the checks of a judgement's figures, and of times, against thresholds."""
    values = {name: one.as_value() for name, one in figures.items()}
    return check_thresholds(thresholds, {**values, **times}, UNITS)


def fault_checks(faults: Sequence[str]) -> list[Check]:
    """Return a check of whether everything could be read."""
    return [Check('input.whole', Verdict.FAIL if faults else Verdict.PASS, len(faults),
                  'at most 0', 'faults', '; '.join(faults))]


def judgement_section(figures: Sequence[Mapping[str, Drawn]], names: Names, frames: int,
                      groups: str) -> Section:
    """Return the table of all figures, with the difference to the compared model.

    :param figures: of the judged model and, after it, of the compared one.
    :param groups: says what was resampled.
    """
    columns = [Column('measure', 'measure'), Column('unit', 'unit'), Column('own', names.own)]
    if len(figures) > 1:
        columns += [Column('other', names.other),
                    Column('difference', f'{names.other} less {names.own}',
                           note='paired: the same blocks are resampled for both')]
    columns.append(Column('sense', 'better if', note='empty where neither is better by itself'))
    if len(figures) > 1:
        columns.append(Column('better', 'better model', note=(
            'the one for which the whole interval of the difference speaks; undecided where the '
            'interval reaches across 0, empty without one')))
    measured = [name for name in MEASURES if any(
        name in one and math.isfinite(one[name].value) for one in figures)]
    rows = [_row(name, figures, names) for name in measured]
    table = Table('Figures', columns, rows, f'Of {frames} judged frames. {groups}')
    explained = Facts('What the figures are', {
        MEASURES[name].title: MEASURES[name].note for name in measured})
    return Section('Judgement', [table, explained])


def _row(name: str, figures: Sequence[Mapping[str, Drawn]], names: Names) -> dict[str, Any]:
    measure = MEASURES[name]
    row: dict[str, Any] = {'measure': measure.title, 'unit': measure.unit,
                           'sense': measure.better}
    row |= {key: one[name].as_value() for key, one in zip(('own', 'other'), figures, strict=False)
            if name in one}
    if 'own' in row and 'other' in row:
        difference = figures[1][name].less(figures[0][name]).as_value()
        row['difference'] = difference
        if measure.better and difference.has_interval:
            sign = 1 if measure.better == 'higher' else -1
            low, high = sorted((sign * difference.low, sign * difference.high))
            row['better'] = names.other if low > 0 else names.own if high < 0 else 'undecided'
    return row


def recordings_table(judged: JudgedSet) -> Table:
    """Return a row of means for each bag and camera."""
    keys = [k for k in SHORT if any(k in f.record for f in judged.figures)]
    columns = [Column('bag', 'recording'), Column('camera', 'camera'), Column('frames', 'frames'),
               *(Column(k, MEASURES[k].title, MEASURES[k].unit) for k in keys)]
    values = {k: judged.column(k) for k in keys}
    pairs = list(zip(judged.bags, judged.cameras, strict=True))
    rows: list[dict[str, Any]] = []
    for bag, camera in dict.fromkeys(pairs):
        inside = np.array([pair == (bag, camera) for pair in pairs])
        rows.append({'bag': bag, 'camera': camera, 'frames': int(inside.sum()), **{
            k: float(np.nanmean(v[inside])) if np.isfinite(v[inside]).any() else math.nan
            for k, v in values.items()}})
    return Table('By recording', columns, rows, 'Means over frames.')


def time_section(judged: JudgedSet, limits: Sequence[Threshold], other: JudgedSet | None = None,
                 names: Names | None = None) -> Section:
    """Return plots of figures over the time of each recording, also of the compared model."""
    by_name = {one.measure: one for one in limits}
    items: list[Any] = []
    for key in PLOTTED:
        values = judged.column(key)
        if not np.isfinite(values).any():
            continue
        lines = [Series(label, seconds, values[inside])
                 for label, inside, seconds in _recordings(judged)]
        if other is not None and names is not None \
                and np.isfinite(compared := other.column(key)).any():
            lines = [Series(f'{names.own}: {one.name}', one.x, one.y) for one in lines]
            lines += [Series(f'{names.other}: {label}', seconds, compared[inside])
                      for label, inside, seconds in _recordings(other)]
        drawn = dict(NOVELTY_LIMIT) if key == 'input_novelty' else _limits(by_name.get(key))
        items.append(TimePlot(MEASURES[key].title, lines, MEASURES[key].unit,
                              'time in the recording, s', limits=drawn,
                              note=MEASURES[key].note))
    for key in ('input_novelty', 'edges_source'):
        values = judged.column(key)
        if np.isfinite(values).any():
            items.append(Histogram(f'{MEASURES[key].title}: all frames', {'frames': values},
                                   MEASURES[key].unit, bins=_bins(len(values)),
                                   limits=NOVELTY_LIMIT if key == 'input_novelty' else {}))
    if np.isfinite(judged.column('psnr_curve_db')).any() and np.isfinite(
            judged.column('input_novelty')).any():
        items.append(Scatter('Is the novelty of the input a warning?', [
            Series('frames', judged.column('input_novelty'), judged.column('psnr_curve_db'))],
            'novelty of the input, log-odds over the threshold', 'PSNR after one curve, dB'))
    return Section('Over time', items)


def _bins(values: int) -> int:
    """Return how many bars show so many values."""
    return min(40, max(8, values // 5))


def _recordings(judged: JudgedSet) -> list[tuple[str, Any, Any]]:
    pairs = list(zip(judged.bags, judged.cameras, strict=True))
    stamps = np.array(judged.stamps, np.int64)
    found = []
    for bag, camera in dict.fromkeys(pairs):
        inside = np.array([pair == (bag, camera) for pair in pairs])
        found.append((f'{bag} {camera}', inside, (stamps[inside] - stamps[inside].min()) / 1e9))
    return found


def _limits(threshold: Threshold | None) -> dict[str, float]:
    if threshold is None:
        return {}
    return {name: value for name, value in (('at least', threshold.low),
                                            ('at most', threshold.high)) if math.isfinite(value)}


def shown_frames(judged: JudgedSet) -> tuple[str, list[int]]:
    """Return by which measure frames are ranked, and the places of the worst and the median ones.

    :return: places in ``judged``, worst first, the median one last; none without a measure.
    """
    for key, low_is_bad in RANKED:
        values = judged.column(key)
        known = np.flatnonzero(np.isfinite(values))
        if len(known):
            order = known[np.argsort(values[known] if low_is_bad else -values[known],
                                     kind='stable')]
            places = [*order[:WORST].tolist(), int(order[len(order) // 2])]
            return key, list(dict.fromkeys(places))
    return '', []


def frames_section(judged: JudgedSet, frame_at: Callable[[int], JudgedFrame],
                   other: Callable[[JudgedFrame], Image] | None, names: Names) -> Section:
    """Return the worst frames and the median one beside their sources.

    :param frame_at: returns the frame at a place in ``judged``.
    :param other: the compared model.
    """
    key, places = shown_frames(judged)
    rows = []
    for k, place in enumerate(places):
        frame, record = frame_at(place), judged.figures[place].record
        what = 'Median' if k == len(places) - 1 and k else f'Worst {k + 1}'
        unit = f' {MEASURES[key].unit}' if MEASURES[key].unit else ''
        caption = (f'{what}: frame {record["frame"]} of {judged.bags[place]} '
                   f'{judged.cameras[place]}, {MEASURES[key].title} {record[key]:.3g}{unit}')
        pictures = [Picture('source', frame.rgb, f'colour source of {caption}'),
                    Picture(names.own, _grey(frame.radiance), f'SWIR of {caption}')]
        if other is not None:
            pictures.append(Picture(names.other, _grey(other(frame)), f'SWIR by {names.other}'))
        if frame.true is not None:
            pictures.append(Picture('true SWIR', _grey(frame.true), f'true SWIR of {caption}'))
        rows.append(PictureRow(caption, pictures))
    title = f'Worst and median frames by “{MEASURES[key].title}”' if key else 'Frames'
    return Section('Frames', [Gallery(title, rows)] if rows else [])


def _grey(radiance: Image) -> Any:
    return np.rint(255 * np.clip(radiance, 0, 1) ** (1 / DISPLAY_GAMMA)).astype(np.uint8)


def truth_facts(judgement: Judgement) -> list[Facts]:
    """Return how the true frames were matched."""
    return [Facts(f'True SWIR of {name}', dict(account))
            for name, account in judgement.accounts.items()]
