"""The figures of all judged frames together, each with the draws of the same resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rgb2swir_ros.lab.detector.decode import Detections, relabel
from rgb2swir_ros.lab.evaluation.detection import ALL, LOOSEST, weighted_precisions
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES, Draws
from rgb2swir_ros.lab.evaluation.pairs.frechet import MIN_FRAMES, frechet_distance
from rgb2swir_ros.lab.evaluation.replay.blocks import (
    Drawn,
    Values,
    draw_blocks,
    drawn,
    group_names,
    mean,
    ratio,
)
from rgb2swir_ros.lab.evaluation.replay.labels import Labels, pseudo_labels
from rgb2swir_ros.lab.evaluation.replay.measure import FrameFigures
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame

# Resamples of mAP and the Frechet distance, which take 6 to 20 ms and more each (100 to 1,000
# frames); those of means and ratios take microseconds
COSTLY = 200
# index into `AREAS` and IoU thresholds of each figure of detection
SIZES = {'': (0, ALL), '50': (0, LOOSEST), '_small': (1, ALL), '_medium': (2, ALL),
         '_large': (3, ALL)}
# ratios of two entries of the records: numerator and denominator, each a sum over frames
RATIOS = {'warp_ratio': ('warp_error', 'warp_error_source'),
          'flicker_ratio': ('flicker', 'flicker_source'),
          'noise_ratio': ('noise', 'noise_expected')}
MEANS = ('psnr_db', 'ssim', 'psnr_curve_db', 'ssim_curve', 'order', 'order_below', 'order_coarse',
         'order_coarse_below', 'edges_true', 'edges_source', 'warp_error', 'flicker',
         'radiance_mean', 'black', 'white', 'noise', 'input_novelty', 'input_known')


@dataclass
class JudgedSet:
    """The figures of the frames of any number of bags and cameras, one model's.

    :param bags: the bag of each frame; ``cameras``: its image topic.
    """

    figures: list[FrameFigures] = field(default_factory=list)
    bags: list[str] = field(default_factory=list)
    cameras: list[str] = field(default_factory=list)

    def add(self, figures: FrameFigures, bag: str, camera: str) -> None:
        """Add a frame."""
        self.figures.append(figures)
        self.bags.append(bag)
        self.cameras.append(camera)

    @property
    def stamps(self) -> list[int]:
        """Return the stamps, nanoseconds."""
        return [f.record['stamp_ns'] for f in self.figures]

    def column(self, name: str) -> Values:
        """Return an entry of the records (N,), NaN where it is missing."""
        return np.array([float(f.record.get(name, np.nan)) for f in self.figures])


def summarise(judged: JudgedSet, *, classes: Sequence[str] = (), labels: Labels | None = None,
              score: float = .5, resamples: int | None = None, seed: int = 0
              ) -> dict[str, Drawn]:
    """Return every figure that applies, by name.

    Two sets of the same frames have the same resamples, so that their differences are paired.

    :param classes: of the detector; ``score``: from which its detections are pseudo-labels.
    :param resamples: by default `RESAMPLES`, of which mAP and the Frechet distance get the first
        `COSTLY`.
    """
    groups = group_names(judged.bags, judged.stamps)
    draws = draw_blocks(groups, resamples or RESAMPLES, seed)
    weights = Draws(draws.index, draws.counts[:resamples or COSTLY]).weights()
    known = {key for f in judged.figures for key in f.record}
    result = {key: mean(judged.column(key), draws) for key in MEANS if key in known}
    for key, (above, below) in RATIOS.items():
        if above in known and below in known:
            result[key] = _ratio(judged.column(above), judged.column(below), draws)
    result |= _frechet(judged, weights)
    if labels is not None and classes:
        result |= _true_precisions(judged, groups, weights, labels, classes)
    if any(f.found_grey is not None for f in judged.figures):
        result |= _agreement(judged, groups, weights, classes, score)
    return result


def _ratio(above: Values, below: Values, draws: Draws) -> Drawn:
    """Return the ratio of the sums over frames that have both."""
    known = np.isfinite(above) & np.isfinite(below)
    return ratio(np.where(known, above, 0.), np.where(known, below, 0.), draws)


def _frechet(judged: JudgedSet, weights: Values) -> dict[str, Drawn]:
    pairs = [(k, f.vectors) for k, f in enumerate(judged.figures) if f.vectors is not None]
    if len(pairs) < MIN_FRAMES:
        return {}
    index = np.array([k for k, _ in pairs])
    made, true = (np.stack([vectors[side] for _, vectors in pairs]) for side in (0, 1))

    def distance(weight: Values) -> float:
        times = weight[index].astype(int)  # a resample takes frames whole numbers of times
        return frechet_distance(*(np.repeat(side, times, axis=0).reshape(-1, side.shape[2])
                                  for side in (made, true)))

    return {'frechet': drawn(distance, len(judged.figures), weights)}


def _true_precisions(judged: JudgedSet, groups: Sequence[str], weights: Values, labels: Labels,
                     classes: Sequence[str]) -> dict[str, Drawn]:
    frames: list[AnnotatedFrame] = []
    found: list[Detections] = []
    kept: list[int] = []
    for k, figures in enumerate(judged.figures):
        objects = labels.of(figures.record['stamp_ns'], figures.size, groups[k])
        if objects is not None and figures.found is not None:
            frames.append(objects)
            found.append(relabel(figures.found, classes, labels.classes))
            kept.append(k)
    made = _precisions(frames, found, len(labels.classes), weights[:, kept])
    return {f'map{name}': drawn_ for name, drawn_ in made.items()}


def _agreement(judged: JudgedSet, groups: Sequence[str], weights: Values,
               classes: Sequence[str], score: float) -> dict[str, Drawn]:
    both = [(k, f) for k, f in enumerate(judged.figures)
            if f.found is not None and f.found_grey is not None]
    frames = [pseudo_labels(f.found_grey, score, f.size, groups[k])  # type: ignore[arg-type]
              for k, f in both]
    found = [f.found for _, f in both]
    made = _precisions(frames, found, len(classes),  # type: ignore[arg-type]
                       weights[:, [k for k, _ in both]])
    return {f'agreement_map{name}': drawn_ for name, drawn_ in made.items()}


def _precisions(frames: Sequence[AnnotatedFrame], found: Sequence[Detections], classes: int,
                weights: Values) -> dict[str, Drawn]:
    """Return COCO mAP of detections by the names of `SIZES`; nothing without an object."""
    if not any(len(frame.labels) for frame in frames):
        return {}
    made = weighted_precisions(frames, found, classes, weights)
    return {name: Drawn(*made.mean(area, thresholds))
            for name, (area, thresholds) in SIZES.items()}
