"""Random objects and detections for the tests of the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame

CLASSES = ('car', 'person', 'bus')


def random_set(seed, count=30, looks=2, crowds=.1, decimals=6):
    """Return frames and detections: some right, some off, some false.

    :param decimals: of the scores; with 1 many are equal.
    """
    rng = np.random.default_rng(seed)
    frames, found = [], []
    for k in range(count):
        number = int(rng.integers(0, 7))
        sides = np.exp(rng.uniform(np.log(4), np.log(150), (number, 2)))
        boxes = np.concatenate([rng.uniform(0, 150, (number, 2)), sides], 1).astype(np.float32)
        labels = rng.integers(0, len(CLASSES), number)
        frames.append(AnnotatedFrame(
            Path(f'{k}.png'), (f'{k}.png',), (256, 320), boxes, labels,
            sides.prod(axis=1) * .9, rng.random(number) < crowds, f's{k // looks}', '', ''))
        kept = rng.random(number) < .8
        moved = boxes[kept] + rng.normal(0, .05, (kept.sum(), 4)) * np.tile(sides[kept], 2)
        false = int(rng.integers(0, 5))
        stray = np.concatenate([rng.uniform(0, 150, (false, 2)), rng.uniform(5, 90, (false, 2))],
                               1)
        boxes = np.concatenate([moved, stray])
        boxes[:, 2:] = boxes[:, :2] + boxes[:, 2:].clip(1)
        scores = np.concatenate([rng.uniform(.2, 1, kept.sum()), rng.uniform(0, .8, false)])
        kinds = np.concatenate([labels[kept], rng.integers(0, len(CLASSES), false)])
        scores = scores.round(decimals)
        order = np.argsort(-scores, kind='stable')
        found.append(Detections(boxes[order].astype(np.float32),
                                scores[order].astype(np.float32), kinds[order].astype(np.int64)))
    return frames, found


def perfect(frames):
    """Return detections that are the objects themselves."""
    return [Detections(np.concatenate([f.boxes[:, :2], f.boxes[:, :2] + f.boxes[:, 2:]], 1),
                       np.linspace(1, .5, len(f.labels), dtype=np.float32), f.labels)
            for f in frames]
