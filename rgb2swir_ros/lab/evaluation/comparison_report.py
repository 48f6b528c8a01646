"""The report on compared models: a table and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.files import write_picture
from rgb2swir_ros.lab.evaluation.comparison import Column, Comparison, ModelComparison
from rgb2swir_ros.lab.evaluation.detection_report import LEGEND_HEIGHT, draw_boxes, legend
from rgb2swir_ros.lab.evaluation.intervals import Figure
from rgb2swir_ros.lab.scenes.annotations import AnnotatedSet
from rgb2swir_ros.replay.pictures import read_picture

ROWS = {'map': 'all', 'map50': 'IoU .50 alone', 'small': 'small (< 32x32)',
        'medium': 'medium (< 96x96)', 'large': 'large (>= 96x96)'}
TILE_WIDTH = 480
CELL = 22  # characters of a figure with its interval


def comparison_table(result: Comparison, title: str) -> str:
    """Return the table for the terminal."""
    true, models = result.true, result.models
    counts = [true.objects, true.objects, *true.by_area.values()]
    names = ['true SWIR', *short_names([m.name for m in models])]
    lines = [title, f'{true.images} frames of {true.scenes} scenes, {true.objects} objects; '
             'intervals: 95 %, the same resampled scenes in every column', '']

    def section(heading: str, titles: Sequence[str],
                rows: Sequence[tuple[str, int | str, Sequence[Figure | str]]]) -> None:
        wide = [max(CELL, len(t)) for t in titles]
        lines.append((f'{heading:<22}{"objects":>8}   ' + '  '.join(
            f'{t:<{w}}' for t, w in zip(titles, wide, strict=True))).rstrip())
        lines.extend((f'  {name:<20}{count:>8}   ' + '  '.join(
            f'{cell!s:<{w}}' for cell, w in zip(cells, wide, strict=True))).rstrip()
            for name, count, cells in rows)
        lines.append('')

    everything = [true, *(m.figures for m in models)]
    labels = list(zip(ROWS.items(), counts, strict=True))
    section('COCO mAP', names, [(text, n, [getattr(r, key) for r in everything])
                                for (key, text), n in labels])
    section('over true SWIR', names[1:], [(text, n, [m.to_true[key] for m in models])
                                          for (key, text), n in labels])
    if len(models) > 1:
        section(f'minus {names[1]}', names[2:],
                [(text, n, [m.to_first[key] for m in models[1:]]) for (key, text), n in labels])
    if part_of := result.differing:
        section('otherwise in SWIR', names, [
            ('mAP', part_of.objects, [part_of.true, *part_of.models]),
            ('over true SWIR', '', ['', *part_of.to_true])])
    for heading, part in (('AP by class', 'by_class'), ('AP, small, by class',
                                                        'by_class_small')):
        section(heading, names, [(name, true.by_class_objects[name] if part == 'by_class' else '',
                                  [getattr(r, part)[name] for r in everything])
                                 for name in true.by_class])
    section('by chance', names, [
        ('all', '', [f'{r.chance:.4f}' for r in everything]),
        ('small', '', ['-' if np.isnan(r.chance_small) else f'{r.chance_small:.4f}'
                       for r in everything])])
    lines += ['a frame, median after warm-up', *(f'  {_speed(m)}' for m in models)]
    return '\n'.join(lines) + '\n'


def short_names(names: Sequence[str]) -> list[str]:
    """Return the last part of each folder's name, or the names if those would be the same."""
    last = [Path(name).name for name in names]
    return last if len(set(last)) == len(names) else list(names)


def _speed(model: ModelComparison) -> str:
    calls = {0: 'no denoiser', 1: '1 call of the denoiser'}.get(
        model.calls, f'{model.calls} calls of the denoiser')
    return f'{model.name}: {model.milliseconds:.1f} ms, {calls}'


def model_sheet(target: Path, annotated: AnnotatedSet, pictures: Sequence[Path],
                columns: Sequence[Column], score: float) -> None:
    """Write rows of RGB, true SWIR and each model's frame, with boxes: found, missed, false.

    :param pictures: the RGB images of all frames.
    :param score: detections below it are not shown, in any column.
    """
    titles = ['RGB', *short_names([c.name for c in columns])]
    rows: list[NDArray[np.uint8]] = []
    for k in sorted(columns[0].display_values):
        rgb = read_picture(pictures[k])
        height = round(TILE_WIDTH * rgb.shape[0] / rgb.shape[1])
        tiles = [cv2.resize(rgb[..., ::-1], (TILE_WIDTH, height), interpolation=cv2.INTER_CUBIC)]
        tiles += [draw_boxes(annotated.frames[k], c.display_values[k], c.found[k],
                             annotated.classes, score, TILE_WIDTH) for c in columns]
        rows.append(np.hstack([t[:height] for t in tiles]).astype(np.uint8, copy=False))
    head = np.zeros((LEGEND_HEIGHT, rows[0].shape[1], 3), np.uint8)
    for k, title in enumerate(titles):
        cv2.putText(head, title[-40:], (10 + TILE_WIDTH * k, 22), cv2.FONT_HERSHEY_SIMPLEX, .6,
                    (255, 255, 255), 1, cv2.LINE_AA)
    sheet = np.vstack([legend(rows[0].shape[1], score), head, *rows])
    write_picture(target, np.ascontiguousarray(sheet[..., ::-1]))
