"""The measures of every frame of a replay, one record a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.lab.evaluation.pairs.curves import MonotoneCurve, psnr, ssim
from rgb2swir_ros.lab.evaluation.pairs.measures import edge_agreement, score_frame
from rgb2swir_ros.lab.evaluation.replay.frames import JudgedFrame
from rgb2swir_ros.lab.evaluation.replay.pixels import Image
from rgb2swir_ros.lab.evaluation.replay.sensor_noise import frame_noise
from rgb2swir_ros.lab.evaluation.temporal import QUIET_CHANGE, QUIET_WINDOW
from rgb2swir_ros.lab.evaluation.warp import Flow, Mask, estimate_flow, warp_residual
from rgb2swir_ros.lab.scenes.annotations import GAMMA
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance

if TYPE_CHECKING:
    from rgb2swir_ros.imaging.novelty import Novelty
    from rgb2swir_ros.lab.detector.decode import Detections
    from rgb2swir_ros.lab.detector.model import DetectorModel

# the SWIR rank correlation "below the horizon" needs one; a camera that looks straight ahead has
# it at half of the height
HORIZON = .5


@dataclass(frozen=True)
class Judges:
    """What frames are judged with; what is None is left out.

    :param novelty: how far the input is from what the model knows.
    :param detector: finds objects; ``network``: the detector of this package, for features.
    :param sensor: the preset that histogram and noise are compared with.
    :param curve: from the translation's to the truth's square-root radiance.
    :param temporal: whether successive frames are compared.
    :param horizon: first row below it, as a share of the height.
    """

    novelty: Novelty | None = None
    detector: DetectorModel | None = None
    network: Any = None
    sensor: SensorSettings | None = None
    curve: MonotoneCurve | None = None
    temporal: bool = True
    horizon: float = HORIZON


@dataclass
class FrameFigures:
    """The figures of one frame.

    :param record: by name, plain numbers: a line of ``frames.jsonl``.
    :param found: detections in the SWIR frame; ``found_grey``: in the source as grey-scale.
    :param vectors: features of the SWIR frame (R, C), and of the true one, where there is one.
    """

    record: dict[str, Any]
    size: tuple[int, int]
    found: Detections | None = None
    found_grey: Detections | None = None
    vectors: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


def measure_frame(frame: JudgedFrame, judges: Judges,
                  like: FrameFigures | None = None) -> FrameFigures:
    """Return the figures of one frame by itself.

    :param like: figures of another translation of the same source: what was detected in the
        source is taken from them.
    """
    size = (frame.radiance.shape[0], frame.radiance.shape[1])
    grey = np.square(grey_sqrt_radiance(frame.rgb))
    everywhere = np.ones(size, bool)
    noise = frame_noise(frame.radiance, judges.sensor)
    record: dict[str, Any] = {
        'frame': frame.index, 'stamp_ns': frame.stamp_ns,
        'edges_source': edge_agreement(frame.radiance, grey, everywhere),
        'radiance_mean': noise.mean, 'black': noise.black, 'white': noise.white,
        'noise': noise.noise}
    if judges.sensor is not None:
        record['noise_expected'] = noise.expected
    if judges.novelty is not None:
        novelty = judges.novelty(frame.rgb)
        record |= {'input_novelty': novelty, 'input_known': novelty <= 0}
    figures = FrameFigures(record, size)
    if frame.true is not None and frame.seen is not None:
        record |= against_truth(frame.radiance, frame.true, frame.seen, judges)
        if judges.network is not None:
            from rgb2swir_ros.lab.evaluation.pairs.frechet import describe
            figures.vectors = (describe(judges.network, np.sqrt(frame.radiance), frame.seen),
                               describe(judges.network, np.sqrt(frame.true), frame.seen))
    if judges.detector is not None:
        shown = [display_value(frame.radiance)]
        if like is None or like.found_grey is None:
            figures.found, figures.found_grey = judges.detector.detect(
                [*shown, display_value(grey)])
        else:
            figures.found, figures.found_grey = judges.detector.detect(shown)[0], like.found_grey
        record['detections'] = len(figures.found.scores)
    return figures


def against_truth(radiance: Image, true: Image, seen: NDArray[np.bool_],
                  judges: Judges) -> dict[str, float]:
    """Return the figures of a frame against its true frame (H, W), on the pixels seen."""
    made, wanted = np.sqrt(radiance), np.sqrt(true)
    scores = score_frame(radiance, true, seen, round(judges.horizon * len(seen)))
    figures = {'psnr_db': psnr(made, wanted, seen), 'ssim': ssim(made, wanted, seen),
               'order': scores.whole, 'order_below': scores.below, 'order_coarse': scores.coarse,
               'order_coarse_below': scores.coarse_below, 'edges_true': scores.edges}
    if judges.curve is not None:
        pair = judges.curve.prediction(radiance), judges.curve.truth(true)
        figures |= {'psnr_curve_db': psnr(*pair, seen), 'ssim_curve': ssim(*pair, seen)}
    return figures


@dataclass(frozen=True)
class SourceStep:
    """How the source changes from a frame to the next.

    :param flow: (H, W, 2); ``seen``: (H, W), pixels that are seen in both frames.
    :param change: of square-root radiance of the source as grey-scale along the flow (H, W).
    """

    flow: Flow
    seen: Mask
    change: Image


def source_step(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> SourceStep:
    """Return the change between two frames of a source, uint8 RGB (H, W, 3)."""
    flow, seen = estimate_flow(before, now)
    return SourceStep(flow, seen, warp_residual(grey_sqrt_radiance(before),
                                                grey_sqrt_radiance(now), flow))


def measure_step(before: Image, now: Image, source: SourceStep) -> dict[str, float]:
    """Return the change from a frame to the next along the flow of the source, and where it rests.

    In square-root radiance, of the SWIR frames and of the source as grey-scale: see
    `rgb2swir_ros.lab.evaluation.temporal`. NaN where no pixel is seen in both.

    :param before: radiance (H, W); ``now``: of the next frame.
    """
    made = warp_residual(np.sqrt(before), np.sqrt(now), source.flow)
    grey, seen = source.change, source.seen
    quiet = seen & (cv2.blur(grey, (QUIET_WINDOW, QUIET_WINDOW)) < QUIET_CHANGE)
    return {'warp_error': _mean(made, seen), 'warp_error_source': _mean(grey, seen),
            'flicker': _mean(made, quiet), 'flicker_source': _mean(grey, quiet)}


def display_value(radiance: Image) -> Image:
    """Return what the detector takes, radiance ** (1 / 2.2)."""
    return np.power(np.clip(radiance, 0, 1), 1 / GAMMA, dtype=np.float32)


def _mean(plane: Image, mask: NDArray[np.bool_]) -> float:
    return float(plane[mask].mean()) if mask.any() else float('nan')
