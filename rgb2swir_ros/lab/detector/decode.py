"""From a detector's candidates to detections: threshold, non-maximum suppression, best 100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_SCORE = 0.02  # lower scores hardly change mAP and cost time
OVERLAP = 0.6  # IoU of two boxes of a class above which the lower score is suppressed
MAX_DETECTIONS = 100  # of a frame, as in COCO
CANDIDATES = 1000  # boxes with the highest scores, before suppression


@dataclass(frozen=True)
class Detections:
    """The detections of one frame, sorted by descending score.

    :param boxes: (N, 4) float32, left, top, right, bottom in pixels, inside the frame.
    :param scores: (N,) float32 in [0, 1]; ``labels``: (N,) int64, index into the classes.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], size: tuple[int, int], *,
             min_score: float = MIN_SCORE, overlap: float = OVERLAP) -> Detections:
    """Return the detections among candidates by greedy non-maximum suppression in each class.

    :param boxes: (N, 4), left, top, right, bottom in pixels; ``scores``: (N, classes).
    :param size: (height, width) of the frame, to which boxes are clipped.
    """
    cell, label = np.nonzero(scores >= min_score)
    score = scores[cell, label]
    best = np.argsort(-score, kind='stable')[:CANDIDATES]
    cell, label, score = cell[best], label[best], score[best]
    box = np.clip(boxes[cell], 0, [size[1], size[0]] * 2).astype(np.float32)
    valid = (box[:, 2:] > box[:, :2]).all(axis=1)
    box, label, score = box[valid], label[valid], score[valid]
    # offset by class, so that boxes of two classes never overlap
    apart = box + (label * 2. * max(size))[:, None]
    sides = np.concatenate([apart[:, :2], apart[:, 2:] - apart[:, :2]], axis=1)
    indices = cv2.dnn.NMSBoxes(sides.tolist(), score.tolist(), 0., overlap)
    kept = np.asarray(indices, np.int64).reshape(-1)[:MAX_DETECTIONS]
    return Detections(box[kept], score[kept].astype(np.float32), label[kept].astype(np.int64))


def relabel(found: Detections, names: Sequence[str], wanted: Sequence[str]) -> Detections:
    """Return the detections with labels that index ``wanted`` in place of ``names``.

    Detections of other classes are left out, because the data has no objects to compare them with.
    """
    index = np.array([wanted.index(n) if n in wanted else -1 for n in names], np.int64)
    labels = index[found.labels]
    kept = labels >= 0
    return Detections(found.boxes[kept], found.scores[kept], labels[kept])
