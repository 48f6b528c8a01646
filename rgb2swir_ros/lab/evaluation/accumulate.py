"""COCO's average precision, matched once and accumulated for any weights of the images.

pycocotools matches detections to objects image by image, then accumulates. Matching is slow and is
not repeated: a bootstrap resample only changes the weight of each image.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rgb2swir_ros.lab.detector.decode import MAX_DETECTIONS, Detections
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame

THRESHOLDS = np.linspace(.5, .95, 10)  # of the IoU that makes a match
RECALLS = np.linspace(0, 1, 101)
AREAS = ('all', 'small', 'medium', 'large')  # COCO: below 32^2, below 96^2, from 96^2 pixels


@dataclass(frozen=True)
class Matches:
    """The matches of one class and one range of areas, over all images.

    :param scores: (D,) descending; ``images``: (D,) index of the image of each detection.
    :param hit: (T, D) bool, matched to an object; ``ignored``: (T, D) bool, not counted.
    :param objects: (I,) number of objects of each image.
    """

    scores: NDArray[np.float64]
    images: NDArray[np.int64]
    hit: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    objects: NDArray[np.int64]

    @cached_property
    def steps(self) -> Steps:
        """What precision at each recall depends on: a small part of all detections."""
        kept = self.hit.any(axis=0)
        # one that matches nothing is ignored, or not, at all thresholds alike
        false = ~kept & ~self.ignored.any(axis=0)
        return Steps(self.images[kept], (self.hit & ~self.ignored)[:, kept],
                     (~self.hit & ~self.ignored)[:, kept], self.images[false],
                     np.cumsum(false, dtype=np.int64)[kept])


@dataclass(frozen=True)
class Steps:
    """The matches where recall can rise, and the false detections in between.

    Precision falls from one such detection to the next, so its maxima are there.

    :param images: (K,) index of the image of each detection that matches at any threshold.
    :param hit: (T, K) bool, whether it counts as found; ``false``: (T, K), as false.
    :param others: (F,) index of the image of each false detection that matches at none;
        ``before``: (K,) number of those that come before each of the K.
    """

    images: NDArray[np.int64]
    hit: NDArray[np.bool_]
    false: NDArray[np.bool_]
    others: NDArray[np.int64]
    before: NDArray[np.int64]


def match(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
          classes: int) -> list[list[Matches]]:
    """Match detections to objects by pycocotools.

    :param found: the detections of each frame, labels being indices into the frames' classes.
    :return: `Matches` by class, then by `AREAS`.
    """
    evaluation = coco_evaluation(frames, found, classes)
    count, results = len(frames), evaluation.evalImgs
    table: list[list[Matches]] = []
    for kind in range(classes):
        row = []
        for area in range(len(AREAS)):
            begin = (kind * len(AREAS) + area) * count
            row.append(_join(results[begin:begin + count]))
        table.append(row)
    return table


def coco_evaluation(frames: Sequence[AnnotatedFrame], found: Sequence[Detections],
                    classes: int) -> COCOeval:
    """Return pycocotools' evaluation of boxes after ``evaluate()``; image ids are 1, 2, ..."""
    truth = COCO()
    objects: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for k, (frame, detections) in enumerate(zip(frames, found, strict=True)):
        for box, label, area, ignored in zip(frame.boxes.tolist(), frame.labels.tolist(),
                                             frame.areas.tolist(), frame.ignored.tolist(),
                                             strict=True):
            objects.append({'id': len(objects) + 1, 'image_id': k + 1, 'category_id': label + 1,
                            'bbox': box, 'area': area, 'iscrowd': int(ignored)})
        for corners, score, label in zip(detections.boxes.tolist(), detections.scores.tolist(),
                                         detections.labels.tolist(), strict=True):
            left, top, right, bottom = corners
            results.append({'image_id': k + 1, 'category_id': label + 1, 'score': score,
                            'bbox': [left, top, right - left, bottom - top]})
    truth.dataset = {'info': {}, 'images': [{'id': k + 1} for k in range(len(frames))],
                     'annotations': objects, 'categories': [{'id': k + 1} for k in range(classes)]}
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        truth.createIndex()
        if results:
            answers = truth.loadRes(results)
        else:  # loadRes refuses an empty list
            answers = COCO()
            answers.dataset = {**truth.dataset, 'annotations': []}
            answers.createIndex()
        evaluation = COCOeval(truth, answers, 'bbox')
        evaluation.params.imgIds = [k + 1 for k in range(len(frames))]
        evaluation.params.catIds = [k + 1 for k in range(classes)]
        evaluation.params.maxDets = [1, 10, MAX_DETECTIONS]
        evaluation.evaluate()
    return evaluation


def _join(results: Sequence[dict[str, Any] | None]) -> Matches:
    """Concatenate the images' matches in the order of the scores, as COCOeval does."""
    known = [(k, r) for k, r in enumerate(results) if r is not None]
    objects = np.zeros(len(results), np.int64)
    for k, r in known:
        objects[k] = np.count_nonzero(np.asarray(r['gtIgnore']) == 0)
    if not known:
        empty = np.zeros((len(THRESHOLDS), 0), bool)
        return Matches(np.zeros(0), np.zeros(0, np.int64), empty, empty, objects)
    scores = np.concatenate([np.asarray(r['dtScores'], float) for _, r in known])
    order = np.argsort(-scores, kind='mergesort')  # as COCOeval: equal scores keep their order
    images = np.concatenate([np.full(len(r['dtScores']), k) for k, r in known])
    matched = np.concatenate([np.asarray(r['dtMatches']) for _, r in known], axis=1)
    ignored = np.concatenate([np.asarray(r['dtIgnore']) for _, r in known], axis=1).astype(bool)
    return Matches(scores[order], images[order].astype(np.int64), (matched > 0)[:, order],
                   ignored[:, order], objects)


def precision(matches: Matches, weights: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return precision (T, 101) at each IoU threshold and recall, or None without an object.

    :param weights: (I,) weight of each image; with ones the result equals that of COCOeval.
    """
    total = float(weights @ matches.objects)
    if total == 0:
        return None
    steps = matches.steps
    weight = weights[steps.images]
    between = np.concatenate([[0.0], np.cumsum(weights[steps.others])])[steps.before]
    hits = np.cumsum(weight * steps.hit, axis=1)
    false = np.cumsum(weight * steps.false, axis=1) + between
    recall = hits / total
    height = hits / np.maximum(hits + false, np.spacing(1))
    height = np.maximum.accumulate(height[:, ::-1], axis=1)[:, ::-1]
    curve = np.zeros((len(hits), len(RECALLS)))
    for k in range(len(hits)):
        place = np.searchsorted(recall[k], RECALLS, side='left')
        reached = place < recall.shape[1]
        curve[k, reached] = height[k, place[reached]]
    return curve


def average_precisions(table: list[list[Matches]],
                       weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return AP (classes, areas, T); NaN where the weighted images have no such object."""
    result = np.full((len(table), len(AREAS), len(THRESHOLDS)), np.nan)
    for kind, row in enumerate(table):
        for area, matches in enumerate(row):
            curve = precision(matches, weights)
            if curve is not None:
                result[kind, area] = curve.mean(axis=1)
    return result
