"""All judged rows as one JSON value, with the comparisons between rows: ``ablation.json``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rgb2swir_ros.engines.processor import processor_name
from rgb2swir_ros.lab.ablation.judge import TRUE, Judge
from rgb2swir_ros.lab.ablation.rows import Row
from rgb2swir_ros.lab.ablation.train import Trainings
from rgb2swir_ros.lab.evaluation.comparison import differences, ratios
from rgb2swir_ros.lab.evaluation.intervals import plain

RATIO, DIFFERENCE = 'ratio', 'difference'
# what the method claims, and what a sceptic asks: kind, row, the row it is compared with
COMPARED = (
    (RATIO, 'unet_scae_lge', 'unet_ldm'), (RATIO, 'unet_scae_lge_seed1', 'unet_ldm_seed1'),
    (RATIO, 'dit_scae_lge', 'dit_ldm'), (RATIO, 'unet_scae', 'unet_ldm'),
    (RATIO, 'unet_lge', 'unet_ldm'), (RATIO, 'unet_skips_lge', 'unet_ldm'),
    (RATIO, 'unet_scae_lge', 'unet_scae_lge_no_lpl'),
    (DIFFERENCE, 'unet_scae_lge', 'unet_scae'),
    (DIFFERENCE, 'unet_scae_lge_seed1', 'unet_scae_seed1'),
    (DIFFERENCE, 'unet_scae_lge', 'teacher_50'), (DIFFERENCE, 'unet_scae_lge', 'teacher_10'),
    (DIFFERENCE, 'unet_scae_lge', 'teacher_4'), (DIFFERENCE, 'student_2', 'teacher_50'),
    (DIFFERENCE, 'student_4', 'teacher_50'), (DIFFERENCE, 'unet_scae_lge', 'canary'),
    (DIFFERENCE, 'unet_scae_lge', 'grey'), (DIFFERENCE, 'canary', 'grey'),
    (DIFFERENCE, 'unet_scae_lge', 'trees'))


def summarise(rows: Sequence[Row], judge: Judge, trainings: Trainings,
              command: str) -> dict[str, Any]:
    """Return the figures of the rows that are judged, JSON-serialisable.

    :param rows: in the order of the table; one that is not judged is left out.
    :param command: the command line that makes and judges them.
    """
    entries = [_entry(row, judge, trainings) for row in rows if judge.is_judged(row.name)]
    true = judge.figures(TRUE) or {}
    return {
        'command': command, 'share': trainings.share,
        'batch_share': trainings.batch_share,
        'machine': f'{processor_name()}, {os.cpu_count()} cores',
        'detector': judge.settings.detector.name, 'min_side': judge.detector.min_side,
        'frames': len(judge.frames), 'true': {
            key: true.get(key) for key in ('objects', 'contrast_objects', 'scenes', 'map')},
        'rows': entries, 'compared': _compared(judge, [entry['row'] for entry in entries]),
        'frechet_and_map': correlated(entries)}


def correlated(entries: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the rank correlation of Frechet distance and mAP over rows."""
    return rank_correlation([(entry['frechet'], entry['map']['map']['to_true']['value'])
                             for entry in entries])


def _entry(row: Row, judge: Judge, trainings: Trainings) -> dict[str, Any]:
    figures = dict(judge.figures(row.name) or {})
    figures.pop('judge', None)
    chain = row.task.chain() if row.task is not None else []
    minutes = sum(trainings.seconds(task) for task in chain if trainings.is_done(task)) / 60
    return {**figures, 'seed': row.seed, 'minutes': round(minutes, 1) if chain else None}


def _compared(judge: Judge, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the comparisons between rows that are there, from the same resampled scenes."""
    compared = []
    for kind, name, other in COMPARED:
        if name in names and other in names:
            measure = ratios if kind == RATIO else differences
            figures = judge.drawn(name).compared(judge.drawn(other), measure)
            compared.append({'kind': kind, 'row': name, 'to': other, **plain(figures)})
    return compared


def rank_correlation(pairs: Sequence[tuple[float | None, float | None]]) -> float | None:
    """Return Spearman's rank correlation of the pairs that are known, to three digits.

    None for fewer than three of them; equal values are ranked in their order.
    """
    known = [pair for pair in pairs if None not in pair]
    if len(known) < 3:
        return None
    ranks = np.argsort(np.argsort(np.array(known, float), axis=0, kind='stable'), axis=0)
    table = np.atleast_2d(np.corrcoef(ranks, rowvar=False))
    return round(float(table[0, 1]), 3)
