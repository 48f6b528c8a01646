"""Object detection in SWIR frames: COCO mAP, its bootstrap interval, and its chance level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.detector.model import DetectorModel
from rgb2swir_ros.lab.evaluation.accumulate import AREAS, Matches, average_precisions, match
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES, Figure, draw_groups, figure
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame, read_display_value
from rgb2swir_ros.progress import ProgressDisplay

SHUFFLES = 3  # for the chance level
ALL, LOOSEST = slice(None), slice(0, 1)  # of the IoU thresholds: .50 to .95, and .50 alone


@dataclass(frozen=True)
class DetectionResult:
    """The figures of one set of detections, all in [0, 1].

    :param map: mAP over IoU .50 to .95, over classes with objects; ``map50``: at IoU .50;
        ``small``, ``medium``, ``large``: of objects below 32x32, below 96x96, from 96x96 pixels.
    :param by_class: AP over IoU .50 to .95; ``by_class_small``: of small objects.
    :param chance: chance level: the mAP of the same detections, assigned to frames of other
        scenes; the highest of `SHUFFLES` shuffles. ``chance_small``: of small objects.
    :param objects: number of objects; ``by_area`` and ``by_class_objects``: its parts.
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


def detect_files(detector: DetectorModel, frames: Sequence[AnnotatedFrame],
                 pictures: Sequence[Path]) -> list[Detections]:
    """Return the detections in each image; progress on stderr.

    :param pictures: one for each frame, of its size.
    :raises UserError: if an image cannot be read or has another size.
    """
    found: list[Detections] = []
    with ProgressDisplay(len(frames)) as progress:
        for frame, picture in zip(frames, pictures, strict=True):
            found += detector.detect([read_display_value(picture, frame.size)])
            progress.advance()
    return found


@dataclass(frozen=True)
class Precisions:
    """Average precision over all frames, and over each bootstrap resample of scenes.

    :param table: `Matches` by class, then by `AREAS`.
    :param whole: AP (classes, areas, T); ``draws``: the same of each resample, (R, ...).
    """

    table: list[list[Matches]]
    whole: NDArray[np.float64]
    draws: NDArray[np.float64]

    def mean(self, area: int, threshold: slice = ALL) -> tuple[float, NDArray[np.float64]]:
        """Return mAP of an area, and that of each resample (R,); NaN without such an object.

        The mean is over classes with objects and over the chosen IoU thresholds.
        """
        chosen = self.draws[:, :, area, threshold]  # none of a single scene
        rows = chosen.reshape(len(chosen), chosen.shape[1] * chosen.shape[2])
        return float(_mean(self.whole[:, area, threshold].reshape(1, -1))[0]), _mean(rows)


def draw_precisions(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
                    classes: Sequence[str], *, resamples: int = RESAMPLES,
                    seed: int = 0) -> Precisions:
    """Match detections and accumulate them, over all frames and over resampled scenes.

    The bootstrap resamples whole scenes: frames of a scene share their geometry, and resampling
    frames would make the interval too narrow. Equal frames, resamples and seed give equal
    resamples, so that those of several sets of detections are paired.

    :param found: the detections of each frame, labels being indices into ``classes``.
    :raises UserError: if the frames have no object.
    """
    weights = draw_groups([f.scene for f in frames], resamples, seed).weights()
    drawn = weighted_precisions(frames, found, len(classes), weights)
    if np.isnan(drawn.whole).all():
        raise UserError('the frames have no object: there is nothing to find')
    return drawn


def weighted_precisions(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
                        classes: int, weights: NDArray[np.float64]) -> Precisions:
    """Match detections and accumulate them, over all frames and with the weights of resamples.

    :param weights: (R, N), how often each resample has each frame.
    """
    table = match(frames, found, classes)
    whole = average_precisions(table, np.ones(len(frames)))
    draws = np.array([average_precisions(table, row) for row in weights])
    return Precisions(table, whole, draws.reshape(-1, *whole.shape))


def evaluate_detections(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
                        classes: Sequence[str], *, resamples: int = RESAMPLES,
                        seed: int = 0) -> DetectionResult:
    """Return the figures with intervals from resampled scenes: see `draw_precisions`."""
    drawn = draw_precisions(frames, found, classes, resamples=resamples, seed=seed)
    return summarise(frames, found, classes, drawn, seed=seed)


def summarise(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
              classes: Sequence[str], drawn: Precisions, *, seed: int = 0) -> DetectionResult:
    """Return the figures of detections from their `draw_precisions`."""
    table, whole, draws = drawn.table, drawn.whole, drawn.draws

    def per_class(area: int) -> dict[str, Figure]:
        return {name: figure(float(_mean(whole[k, area][None])[0]), _mean(draws[:, k, area]))
                for k, name in enumerate(classes)}

    chances = [average_precisions(match(frames, shuffled(frames, found, k + seed), len(classes)),
                                  np.ones(len(frames))) for k in range(SHUFFLES)]
    areas = [figure(*drawn.mean(k)) for k in range(len(AREAS))]
    return DetectionResult(
        map=areas[0], map50=figure(*drawn.mean(0, LOOSEST)), small=areas[1],
        medium=areas[2], large=areas[3], by_class=per_class(0), by_class_small=per_class(1),
        chance=max(float(np.nanmean(c[:, 0])) for c in chances),
        chance_small=max(float(_mean(c[None, :, 1].reshape(1, -1))[0]) for c in chances),
        images=len(frames), scenes=len({f.scene for f in frames}),
        objects=sum(_objects(row[0]) for row in table),
        by_area={name: sum(_objects(row[k]) for row in table)
                 for k, name in enumerate(AREAS) if k},
        by_class_objects={name: _objects(table[k][0]) for k, name in enumerate(classes)},
        detections=sum(len(d.scores) for d in found))


def shuffled(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
             seed: int) -> list[Detections]:
    """Return the detections, each frame's assigned to a frame of another scene.

    Scenes are shuffled and the detections shifted by the size of the largest scene. With at least
    twice as many frames, no frame gets detections of its own scene.
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
    """Return the mean of each row without its NaN; NaN for a row without values."""
    known = ~np.isnan(rows)
    count = known.sum(axis=1)
    total = np.where(known, rows, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
