"""Detection in the output of models, compared with the true SWIR frames of the same scenes.

All columns use the same bootstrap resamples of scenes, so that ratios and differences are paired:
the difficulty of a resample affects both and cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections, relabel
from rgb2swir_ros.lab.detector.model import DetectorModel
from rgb2swir_ros.lab.evaluation.contrast import only
from rgb2swir_ros.lab.evaluation.detection import (
    ALL,
    LOOSEST,
    DetectionResult,
    Precisions,
    draw_precisions,
    summarise,
)
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES, Figure, figure
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.annotations import (
    GAMMA,
    AnnotatedFrame,
    AnnotatedSet,
    read_display_value,
)
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.replay.pictures import read_picture

# the compared measures: name, index into `AREAS`, IoU thresholds
MEASURES = {'map': (0, ALL), 'map50': (0, LOOSEST), 'small': (1, ALL), 'medium': (2, ALL),
            'large': (3, ALL)}
SHOWN_FRAMES = 6
DisplayValues = NDArray[np.float32]


@dataclass(frozen=True)
class Column:
    """The detections in one set of images of the frames.

    :param name: of the model, or of the true frames.
    :param display_values: of the frames of the contact sheet, by their index.
    """

    name: str
    found: list[Detections]
    display_values: dict[int, DisplayValues]


@dataclass(frozen=True)
class ModelComparison:
    """A model's figures, and their comparison with the true frames and with the first model.

    :param calls: of the denoiser for each frame; ``milliseconds``: median of a frame's call.
    :param to_true: the ratio of each of `MEASURES` to that of the true frames.
    :param to_first: difference of each of `MEASURES` to the first model's; empty for the first.
    """

    name: str
    calls: int
    milliseconds: float
    figures: DetectionResult
    to_true: dict[str, Figure]
    to_first: dict[str, Figure]


@dataclass(frozen=True)
class Differing:
    """mAP of the objects whose contrast in SWIR is another one than in grey-scale.

    :param objects: their number; ``true``: of the true frames.
    :param models: of each model; ``to_true``: the ratio of each to that of the true frames.
    """

    objects: int
    true: Figure
    models: tuple[Figure, ...]
    to_true: tuple[Figure, ...]


@dataclass(frozen=True)
class Comparison:
    """The figures of the true SWIR frames and of each model.

    :param differing: None if there are no such objects, or nobody has looked for them.
    """

    true: DetectionResult
    models: tuple[ModelComparison, ...]
    differing: Differing | None = None


def find_objects(annotated: AnnotatedSet, pictures: Sequence[Path], detector: DetectorModel,
                 models: Sequence[Candidate]) -> list[Column]:
    """Return the detections in the true frames and in each model's output; progress on stderr.

    :param pictures: the RGB images; one for each frame.
    :return: the column of the true frames, then one for each model.
    :raises UserError: if an image cannot be read or does not have the size of its frame.
    """
    columns = [Column(name, [], {}) for name in ('true SWIR', *(m.name for m in models))]
    shown = set(shown_frames(len(annotated.frames)))
    with ProgressDisplay(len(annotated.frames)) as progress:
        for k, (frame, picture) in enumerate(zip(annotated.frames, pictures, strict=True)):
            rgb = read_picture(picture)
            if rgb.shape[:2] != frame.size:
                raise UserError(f'{picture} has {rgb.shape[1]}x{rgb.shape[0]} pixels, its '
                                f'annotations {frame.size[1]}x{frame.size[0]}')
            display_values = [read_display_value(frame.path, frame.size),
                              *(np.power(m.radiance(rgb), 1 / GAMMA, dtype=np.float32)
                                for m in models)]
            for column, display_value in zip(columns, display_values, strict=True):
                column.found.append(relabel(detector.detect([display_value])[0], detector.classes,
                                            annotated.classes))
                if k in shown:
                    column.display_values[k] = display_value
            progress.advance()
    return columns


def shown_frames(count: int) -> list[int]:
    """Return the indices of the frames of the contact sheet, evenly spaced."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(SHOWN_FRAMES, count))})


def compare(annotated: AnnotatedSet, columns: Sequence[Column], models: Sequence[Candidate], *,
            resamples: int = RESAMPLES, seed: int = 0,
            differing: Sequence[NDArray[np.bool_]] | None = None) -> Comparison:
    """Return the figures of the columns of `find_objects`, with paired bootstrap intervals.

    Progress on stderr.

    :param differing: of `rgb2swir_ros.lab.evaluation.contrast.find_differing`.
    """
    frames, classes = annotated.frames, annotated.classes
    drawn = _drawn(frames, columns, classes, resamples, seed)
    results = [summarise(frames, c.found, classes, d, seed=seed)
               for c, d in zip(columns, drawn, strict=True)]
    return Comparison(results[0], tuple(
        ModelComparison(model.name, model.calls, model.milliseconds, result,
                    ratios(own, drawn[0]), {} if own is drawn[1] else differences(own, drawn[1]))
        for model, result, own in zip(models, results[1:], drawn[1:], strict=True)),
        None if differing is None else _differing(annotated, columns, differing, resamples, seed))


def _drawn(frames: Sequence[AnnotatedFrame], columns: Sequence[Column], classes: Sequence[str],
           resamples: int, seed: int) -> list[Precisions]:
    """Return the precisions of each column; minutes for thousands of resamples."""
    drawn = []
    with ProgressDisplay(len(columns), f'columns resampled {resamples} times') as progress:
        for column in columns:
            drawn.append(draw_precisions(frames, column.found, classes, resamples=resamples,
                                         seed=seed))
            progress.advance(name=column.name)
    return drawn


def _differing(annotated: AnnotatedSet, columns: Sequence[Column],
               chosen: Sequence[NDArray[np.bool_]], resamples: int, seed: int) -> Differing | None:
    """Return the figures of the chosen objects alone, or None without any."""
    frames = only(annotated.frames, chosen)
    objects = sum(int((~frame.ignored).sum()) for frame in frames)
    if not objects:
        return None
    true, *models = _drawn(frames, columns, annotated.classes, resamples, seed)
    return Differing(objects, figure(*true.mean(*MEASURES['map'])),
                     tuple(figure(*own.mean(*MEASURES['map'])) for own in models),
                     tuple(ratios(own, true)['map'] for own in models))


def ratios(own: Precisions, reference: Precisions) -> dict[str, Figure]:
    """Return the ratio of own to reference by `MEASURES`, with paired resamples."""
    result = {}
    for name, (area, thresholds) in MEASURES.items():
        (a, a_draws), (b, b_draws) = own.mean(area, thresholds), reference.mean(area, thresholds)
        with np.errstate(divide='ignore', invalid='ignore'):  # no detections in the true frames
            result[name] = figure(float(np.float64(a) / b), a_draws / b_draws)
    return result


def differences(own: Precisions, reference: Precisions) -> dict[str, Figure]:
    """Return own minus reference by `MEASURES`, with paired resamples."""
    result = {}
    for name, (area, thresholds) in MEASURES.items():
        (a, a_draws), (b, b_draws) = own.mean(area, thresholds), reference.mean(area, thresholds)
        result[name] = figure(a - b, a_draws - b_draws)
    return result
