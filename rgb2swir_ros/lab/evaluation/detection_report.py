"""The report on detection: table, precision-recall curves, images with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.files import finished, write_picture
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.accumulate import AREAS, RECALLS, Matches, precision
from rgb2swir_ros.lab.evaluation.detection import DetectionResult
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame, read_display_value
from rgb2swir_ros.report.plots import import_pyplot

TILES, COLUMNS, TILE_WIDTH = 12, 3, 640
HIT_OVERLAP = 0.5  # IoU
LEGEND_HEIGHT = 32
FOUND, MISSED, FALSE = (60, 200, 60), (60, 60, 240), (0, 220, 255)  # BGR


def table(result: DetectionResult, title: str) -> str:
    """Return the table for the terminal."""
    lines = [title, f'{result.images} frames of {result.scenes} scenes, {result.objects} objects, '
             f'{result.detections} detections', '',
             f'{"COCO mAP":<22}{"objects":>8}   value [95 % interval, scenes resampled]']
    rows = [('all', result.objects, result.map), ('IoU .50 alone', result.objects, result.map50),
            *[(f'{name} ({span})', result.by_area[name], getattr(result, name))
              for name, span in (('small', '< 32x32'), ('medium', '< 96x96'),
                                 ('large', '>= 96x96'))]]
    lines += [f'  {name:<20}{count:>8}   {figure}' for name, count, figure in rows]
    lines += ['', f'{"AP by class":<22}{"objects":>8}   {"all":<24}small']
    lines += [f'  {name:<20}{result.by_class_objects[name]:>8}   {figure!s:<24}'
              f'{result.by_class_small[name]}' for name, figure in result.by_class.items()]
    lines += ['', f'by chance (detections laid on other scenes): {result.chance:.4f}, small '
              f'{result.chance_small:.4f}' if not np.isnan(result.chance_small) else
              f'by chance (detections laid on other scenes): {result.chance:.4f}']
    return '\n'.join(lines) + '\n'


def plot_curves(target: Path, matches: list[list[Matches]], classes: Sequence[str]) -> None:
    """Plot precision over recall at IoU .50 by class, for all and for small objects.

    :raises UserError: if matplotlib is missing.
    """
    pyplot = import_pyplot()
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.6), layout='constrained', sharey=True)
    for area, panel in enumerate(axes):
        for kind, name in enumerate(classes):
            part = matches[kind][area]
            curve = precision(part, np.ones(len(part.objects)))
            if curve is not None:
                panel.plot(RECALLS, curve[0],
                           label=f'{name} ({part.objects.sum()}), AP50 {curve[0].mean():.2f}')
        panel.set(title=f'{AREAS[area]} objects, IoU .50', xlabel='recall', xlim=(0, 1),
                  ylim=(0, 1.02))
        panel.grid(alpha=.3)
        panel.legend(fontsize=8, loc='lower left')
    axes[0].set_ylabel('precision')
    with finished(target) as temporary:
        figure.savefig(temporary, dpi=110)
    pyplot.close(figure)


def working_score(matches: list[list[Matches]]) -> float:
    """Return the score above which detections of all classes have the best F1 at IoU .50."""
    pooled = [row[0] for row in matches]
    scores = np.concatenate([m.scores for m in pooled])
    hit = np.concatenate([(m.hit & ~m.ignored)[0] for m in pooled])
    counted = np.concatenate([~m.ignored[0] for m in pooled])
    total = sum(int(m.objects.sum()) for m in pooled)
    if not hit.any():
        return .5
    order = np.argsort(-scores, kind='stable')
    hits, detections = np.cumsum(hit[order]), np.cumsum(counted[order])
    return float(scores[order][np.argmax(2 * hits / (detections + total))])


def sort_out(frame: AnnotatedFrame, found: Detections,
             score: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which detections from ``score`` on hit an object (N,), and which objects are hit.

    Greedy, best score first, within a class, at IoU .50; detections below ``score`` are not hits.
    """
    hit, taken = np.zeros(len(found.scores), bool), np.zeros(len(frame.labels), bool)
    corners = np.concatenate([frame.boxes[:, :2], frame.boxes[:, :2] + frame.boxes[:, 2:]], axis=1)
    area = frame.boxes[:, 2] * frame.boxes[:, 3]
    for k in np.flatnonzero(found.scores >= score):
        box = found.boxes[k]
        inner = (np.minimum(box[2:], corners[:, 2:]) - np.maximum(box[:2], corners[:, :2])
                 ).clip(0).prod(axis=1)
        overlap = inner / (area + np.prod(box[2:] - box[:2]) - inner)
        overlap[taken | (frame.labels != found.labels[k])] = 0
        if len(overlap) and overlap.max() >= HIT_OVERLAP:
            hit[k] = taken[overlap.argmax()] = True
    return hit, taken


def contact_sheet(target: Path, frames: Sequence[AnnotatedFrame], pictures: Sequence[Path],
                  found: Sequence[Detections], classes: Sequence[str], score: float) -> None:
    """Write evenly spaced frames with boxes: found, missed and false.

    :param pictures: the inputs of the detector, one for each frame.
    :param score: detections below it are not shown; see `working_score`.
    """
    wanted = np.unique(np.linspace(0, len(frames) - 1, min(TILES, len(frames))).astype(int))
    tiles = [draw_boxes(frames[k], read_display_value(pictures[k], frames[k].size), found[k],
                        classes, score, TILE_WIDTH) for k in wanted]
    height = max(t.shape[0] for t in tiles)
    tiles = [np.pad(t, ((0, height - t.shape[0]), (0, 0), (0, 0))) for t in tiles]
    columns = min(COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[k:k + columns]) for k in range(0, len(tiles), columns)])
    write_picture(target, np.vstack([legend(sheet.shape[1], score), sheet])[..., ::-1])


def legend(width: int, score: float) -> NDArray[np.uint8]:
    """Return a strip (`LEGEND_HEIGHT`, width, 3), BGR, with the legend of the boxes' colours."""
    strip = np.zeros((LEGEND_HEIGHT, width, 3), np.uint8)
    for k, (text, colour) in enumerate(((f'found (score from {score:.2f})', FOUND),
                                        ('missed', MISSED), ('false', FALSE))):
        cv2.putText(strip, text, (10 + 280 * k, 22), cv2.FONT_HERSHEY_SIMPLEX, .6, colour, 1,
                    cv2.LINE_AA)
    return strip


def draw_boxes(frame: AnnotatedFrame, display_value: NDArray[np.float32], found: Detections,
               classes: Sequence[str], score: float, width: int) -> NDArray[np.uint8]:
    """Return a frame as BGR, scaled to a width, with its boxes: found, missed and false."""
    scale = width / display_value.shape[1]
    grey = cv2.resize((display_value * 255).astype(np.uint8), None, fx=scale, fy=scale,
                      interpolation=cv2.INTER_CUBIC)
    picture = np.ascontiguousarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    hit, taken = sort_out(frame, found, score)
    for box, label in zip(frame.boxes[~taken & ~frame.ignored], frame.labels[~taken
                          & ~frame.ignored], strict=True):
        _draw(picture, np.concatenate([box[:2], box[:2] + box[2:]]) * scale, classes[label],
              MISSED)
    for k in np.flatnonzero(found.scores >= score):
        _draw(picture, found.boxes[k] * scale, f'{classes[found.labels[k]]} {found.scores[k]:.2f}',
              FOUND if hit[k] else FALSE)
    return picture


def _draw(picture: NDArray[np.uint8], box: NDArray[np.float32], text: str,
          colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = (round(float(v)) for v in box)
    # boxes are drawn outside their edges, so that small objects remain visible
    cv2.rectangle(picture, (left - 2, top - 2), (right + 1, bottom + 1), colour, 1)
    cv2.putText(picture, text, (left - 2, max(top - 5, 10)), cv2.FONT_HERSHEY_SIMPLEX, .36, colour,
                1, cv2.LINE_AA)
