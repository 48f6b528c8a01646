"""How well objects are found in SWIR frames: COCO mAP, its uncertainty, and what chance gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.evaluation.accumulate import AREAS, Matches, average_precisions, match
from rgb2swir_ros.evaluation.annotations import AnnotatedFrame, read_tone
from rgb2swir_ros.evaluation.detector.decode import Detections
from rgb2swir_ros.evaluation.detector.model import Judge

RESAMPLES = 200
INTERVAL = (2.5, 97.5)  # percent: a 95 % interval
SHUFFLES = 3


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % bootstrap interval; NaN where there is no such object."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return ``0.512 [0.481, 0.540]``, or a dash without an object."""
        if np.isnan(self.value):
            return '-'
        return f'{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]'


@dataclass(frozen=True)
class DetectionResult:
    """The figures of one set of detections, all in [0, 1].

    :param map: mAP over IoU .50 to .95, classes with objects alone; ``map50``: at IoU .50;
        ``small``, ``medium``, ``large``: of objects below 32x32, below 96x96, from 96x96 pixels.
    :param by_class: AP over IoU .50 to .95; ``by_class_small``: of small objects.
    :param chance: the mAP of the same detections, each frame's laid on a frame of another scene;
        the highest of a few such shuffles. ``chance_small``: of small objects.
    :param objects: how many there are; ``by_area`` and ``by_class_objects``: the same in parts.
    """

    map: Figure
    map50: Figure
    small: Figure
    medium: Figure
    large: Figure
    by_class: dict[str, Figure]
    by_class_small: dict[str, Figure]
    chance: float
    chance_small: float
    images: int
    scenes: int
    objects: int
    by_area: dict[str, int]
    by_class_objects: dict[str, int]
    detections: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None, which JSON has a word for."""
        return dict(_plain(asdict(self)))


def detect_files(detector: Judge, frames: Sequence[AnnotatedFrame],
                 pictures: Sequence[Path]) -> list[Detections]:
    """Return the detections in each picture, with a line of progress on stderr.

    :param pictures: one for each frame, of its size.
    :raises UserError: if a picture cannot be read or has another size.
    """
    found: list[Detections] = []
    for k, (frame, picture) in enumerate(zip(frames, pictures, strict=True)):
        found += detector.detect([read_tone(picture, frame.size)])
        if (k + 1) % 20 == 0 or k + 1 == len(frames):
            print(f'\r{k + 1}/{len(frames)} frames', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def evaluate_detections(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
                        classes: Sequence[str], *, resamples: int = RESAMPLES,
                        seed: int = 0) -> DetectionResult:
    """Return mAP and the rest, with intervals from resampled scenes.

    Whole scenes are drawn, not frames: frames of a scene share their geometry, and drawing them
    one by one would make the interval too narrow.

    :param found: the detections of each frame, labels being indices into ``classes``.
    :raises UserError: if the frames have no object.
    """
    table = match(frames, found, len(classes))
    ones = np.ones(len(frames))
    whole = average_precisions(table, ones)
    if np.isnan(whole).all():
        raise UserError('the frames have no object: there is nothing to find')
    draws = np.stack([average_precisions(table, weights)
                      for weights in scene_weights([f.scene for f in frames], resamples, seed)])

    def figure(value: NDArray[np.float64], drawn: NDArray[np.float64]) -> Figure:
        """Average over classes and thresholds (those that there are)."""
        if np.isnan(value).all():
            return Figure(np.nan, np.nan, np.nan)
        means = _mean(drawn.reshape(len(drawn), -1))
        low, high = np.nanpercentile(means, INTERVAL)
        return Figure(float(np.nanmean(value)), float(low), float(high))

    def per_class(area: int) -> dict[str, Figure]:
        return {name: figure(whole[k, area], draws[:, k, area]) for k, name in enumerate(classes)}

    chances = [average_precisions(match(frames, shuffled(frames, found, k + seed), len(classes)),
                                  ones) for k in range(SHUFFLES)]
    areas = [figure(whole[:, k], draws[:, :, k]) for k in range(len(AREAS))]
    return DetectionResult(
        map=areas[0], map50=figure(whole[:, 0, 0], draws[:, :, 0, 0]), small=areas[1],
        medium=areas[2], large=areas[3], by_class=per_class(0), by_class_small=per_class(1),
        chance=max(float(np.nanmean(c[:, 0])) for c in chances),
        chance_small=max(float(_mean(c[None, :, 1].reshape(1, -1))[0]) for c in chances),
        images=len(frames), scenes=len({f.scene for f in frames}),
        objects=sum(_objects(row[0]) for row in table),
        by_area={name: sum(_objects(row[k]) for row in table)
                 for k, name in enumerate(AREAS) if k},
        by_class_objects={name: _objects(table[k][0]) for k, name in enumerate(classes)},
        detections=sum(len(d.scores) for d in found))


def scene_weights(scenes: Sequence[str], resamples: int, seed: int) -> NDArray[np.float64]:
    """Return (resamples, I): how often each image counts when scenes are drawn with replacement.

    :param scenes: the scene of each image.
    """
    names, index = np.unique(np.asarray(scenes), return_inverse=True)
    draws = np.random.default_rng([seed, 3]).integers(0, len(names), (resamples, len(names)))
    counts = np.stack([np.bincount(d, minlength=len(names)) for d in draws]) if resamples else \
        np.zeros((0, len(names)))
    return counts[:, index].astype(float)


def shuffled(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
             seed: int) -> list[Detections]:
    """Return the detections, each frame's moved to a frame of another scene.

    Scenes are put in a random order and the detections shifted by the size of the largest scene:
    with at least twice as many frames, no frame gets detections of its own scene.
    """
    rng = np.random.default_rng([seed, 4])
    scenes = sorted({f.scene for f in frames})
    rank = dict(zip(scenes, rng.permutation(len(scenes)).tolist(), strict=True))
    order = sorted(range(len(frames)), key=lambda k: rank[frames[k].scene])
    largest = max(sum(f.scene == s for f in frames) for s in scenes)
    moved: list[Detections] = list(found)
    for place, source in enumerate(order):
        moved[order[(place + largest) % len(order)]] = found[source]
    return moved


def _objects(matches: Matches) -> int:
    return int(matches.objects.sum())


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row without its NaN; NaN for a row of nothing else."""
    known = ~np.isnan(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 5)
    return value
