"""Detection in what models make of the RGB frames, beside the true SWIR frames of the same scenes.

The same resampled scenes give the draws of every column, so that ratios and differences are of
pairs: what makes a resample hard is hard for both, and drops out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections, relabel
from rgb2swir_ros.lab.detector.model import Judge
from rgb2swir_ros.lab.evaluation.detection import (
    ALL,
    LOOSEST,
    DetectionResult,
    Precisions,
    draw_precisions,
    summarise,
)
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES, Figure, figure, plain
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.annotations import GAMMA, AnnotatedSet, read_display_value
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.replay.pictures import read_picture

# what is compared: the name, the index into `AREAS`, and the IoU thresholds
MEASURES = {'map': (0, ALL), 'map50': (0, LOOSEST), 'small': (1, ALL), 'medium': (2, ALL),
            'large': (3, ALL)}
SHOWN_FRAMES = 6
Tone = NDArray[np.float32]


@dataclass(frozen=True)
class Column:
    """What was found in one set of pictures of the same frames.

    :param name: of the model, or of the true frames.
    :param tones: of the frames that are shown, by their index.
    """

    name: str
    found: list[Detections]
    tones: dict[int, Tone]


@dataclass(frozen=True)
class ModelResult:
    """A model's figures, against the true frames and against the first model.

    :param calls: of the denoiser for each frame; ``milliseconds``: median of a frame's call.
    :param to_true: the ratio of each of `MEASURES` to that of the true frames.
    :param to_first: the difference of each of `MEASURES` to the first model's; empty for that.
    """

    name: str
    calls: int
    milliseconds: float
    figures: DetectionResult
    to_true: dict[str, Figure]
    to_first: dict[str, Figure]


@dataclass(frozen=True)
class Comparison:
    """The figures of the true SWIR frames and of each model."""

    true: DetectionResult
    models: tuple[ModelResult, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        return dict(plain(asdict(self)))


def find_objects(annotated: AnnotatedSet, pictures: Sequence[Path], detector: Judge,
                 models: Sequence[Candidate]) -> list[Column]:
    """Detect in the true frames and in each model's, frame by frame; progress on stderr.

    :param pictures: the RGB pictures; one for each frame.
    :return: the column of the true frames, then one for each model.
    :raises UserError: if a picture cannot be read or has not the size of its frame.
    """
    columns = [Column(name, [], {}) for name in ('true SWIR', *(m.name for m in models))]
    shown = set(shown_frames(len(annotated.frames)))
    with ProgressDisplay(len(annotated.frames)) as progress:
        for k, (frame, picture) in enumerate(zip(annotated.frames, pictures, strict=True)):
            rgb = read_picture(picture)
            if rgb.shape[:2] != frame.size:
                raise UserError(f'{picture} has {rgb.shape[1]}x{rgb.shape[0]} pixels, its '
                                f'annotations {frame.size[1]}x{frame.size[0]}')
            tones = [read_display_value(frame.path, frame.size),
                     *(np.power(m.radiance(rgb), 1 / GAMMA, dtype=np.float32) for m in models)]
            for column, tone in zip(columns, tones, strict=True):
                column.found.append(relabel(detector.detect([tone])[0], detector.classes,
                                            annotated.classes))
                if k in shown:
                    column.tones[k] = tone
            progress.advance()
    return columns


def shown_frames(count: int) -> list[int]:
    """Return the frames that a person is shown, spread evenly over the set."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(SHOWN_FRAMES, count))})


def compare(annotated: AnnotatedSet, columns: Sequence[Column], models: Sequence[Candidate], *,
            resamples: int = RESAMPLES, seed: int = 0) -> Comparison:
    """Return the figures of the columns of `find_objects`, with paired bootstrap intervals."""
    frames, classes = annotated.frames, annotated.classes
    drawn = [draw_precisions(frames, c.found, classes, resamples=resamples, seed=seed)
             for c in columns]
    results = [summarise(frames, c.found, classes, d, seed=seed)
               for c, d in zip(columns, drawn, strict=True)]
    return Comparison(results[0], tuple(
        ModelResult(model.name, model.calls, model.milliseconds, result,
                    ratios(own, drawn[0]), {} if own is drawn[1] else differences(own, drawn[1]))
        for model, result, own in zip(models, results[1:], drawn[1:], strict=True)))


def ratios(own: Precisions, reference: Precisions) -> dict[str, Figure]:
    """Return own over reference by `MEASURES`, both of the same resampled scenes."""
    result = {}
    for name, (area, thresholds) in MEASURES.items():
        (a, a_draws), (b, b_draws) = own.mean(area, thresholds), reference.mean(area, thresholds)
        with np.errstate(divide='ignore', invalid='ignore'):  # nothing found in any true frame
            result[name] = figure(float(np.float64(a) / b), a_draws / b_draws)
    return result


def differences(own: Precisions, reference: Precisions) -> dict[str, Figure]:
    """Return own minus reference by `MEASURES`, both of the same resampled scenes."""
    result = {}
    for name, (area, thresholds) in MEASURES.items():
        (a, a_draws), (b, b_draws) = own.mean(area, thresholds), reference.mean(area, thresholds)
        result[name] = figure(a - b, a_draws - b_draws)
    return result
