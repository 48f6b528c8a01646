"""Judge models, and rows that know no material, on pairs.

A scene is judged in two passes: the curves of its rows need all its frames, and PSNR, SSIM, the
Frechet distance and the sheet need the curves. Between them, planes of at most `KEPT` frames lie
in a temporary folder, so a long drive has these figures for as many, evenly spaced.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.evaluation.pairs.boxes import MarkedBoxes, pairs_in_order
from rgb2swir_ros.lab.evaluation.pairs.curves import MonotoneCurve, fit_curve, psnr, ssim
from rgb2swir_ros.lab.evaluation.pairs.frames import JudgedFrame
from rgb2swir_ros.lab.evaluation.pairs.frechet import Vectors, describe
from rgb2swir_ros.lab.evaluation.pairs.measures import FrameScores, Mask, Plane, Truth
from rgb2swir_ros.lab.evaluation.pairs.references import GREY

if TYPE_CHECKING:
    from rgb2swir_ros.lab.detector.network import Detector

SAMPLED = 4000  # pixels of a frame that its scene's curves are fitted on
KEPT = 256      # frames of a scene whose planes are kept: half a megabyte for each row

Rgb = NDArray[np.uint8]
Predict = Callable[[Rgb], Plane]


@dataclass
class RowScores:
    """What one row of the table has on one frame.

    :param in_order: of each marked pair of the frame; empty without boxes.
    """

    scores: FrameScores
    in_order: list[bool]
    psnr: float = float('nan')
    ssim: float = float('nan')


@dataclass(frozen=True)
class FrameResult:
    """The rows of one frame, by name."""

    name: str
    scene: str
    number: int
    rows: dict[str, RowScores]


@dataclass(frozen=True)
class SheetRow:
    """A frame as the sheet shows it: all planes are square-root radiance over the truth's peak."""

    name: str
    rgb: Rgb
    truth: Plane
    mask: Mask
    made: dict[str, Plane]


@dataclass
class Judgement:
    """Everything that was measured.

    :param features: of true frames (under ``None``) and of each row, for the Frechet distance.
    :param shown: frames of the sheet.
    """

    frames: list[FrameResult] = field(default_factory=list)
    features: dict[str | None, list[Vectors]] = field(default_factory=dict)
    shown: list[SheetRow] = field(default_factory=list)


class Judge:
    """Judges scene after scene."""

    def __init__(self, rows: Mapping[str, Predict], *, boxes: MarkedBoxes | None = None,
                 network: Detector | None = None, shown: Iterable[str] = (),
                 advance: Callable[[], None] = lambda: None) -> None:
        """Begin with nothing judged.

        :param rows: functions from RGB uint8 (H, W, 3) to radiance float32 (H, W).
        :param network: gives the features of the Frechet distance; None: none is taken.
        :param shown: names of the frames that the sheet shows.
        :param advance: called once a frame.
        """
        self.rows, self.boxes, self.network = dict(rows), boxes, network
        self.result = Judgement()
        self._shown, self._advance = set(shown), advance

    def scene(self, frames: Iterable[JudgedFrame], count: int = KEPT) -> None:
        """Judge the frames of one scene.

        :param count: how many they are.
        """
        step = max(-(-count // KEPT), 1)
        with tempfile.TemporaryDirectory(prefix='rgb2swir_pairs_') as folder:
            results, samples = [], []
            for k, frame in enumerate(frames):
                made = {name: predict(frame.rgb) for name, predict in self.rows.items()}
                results.append(self._measure(frame, made))
                samples.append(_sample(frame, made))
                if k % step == 0 or frame.name in self._shown:
                    _keep(Path(folder, f'{k}.npz'), frame, made, frame.name in self._shown)
                self._advance()
            curves = {name: fit_curve((s[name], s[None], np.ones(s[None].shape, bool))
                                      for s in samples) for name in self.rows}
            for k, result in enumerate(results):
                kept = Path(folder, f'{k}.npz')
                if kept.exists():
                    with np.load(kept) as stored:
                        self._after_curve(result, curves, stored)
        self.result.frames += results

    def _measure(self, frame: JudgedFrame, made: Mapping[str, Plane]) -> FrameResult:
        marked = self.boxes.of(frame.name) if self.boxes else None
        truth = Truth(frame.truth, frame.mask, frame.horizon)
        return FrameResult(frame.name, frame.scene, frame.number, {
            name: RowScores(truth.score(plane),
                            pairs_in_order(plane, marked) if marked else [])
            for name, plane in made.items()})

    def _after_curve(self, result: FrameResult, curves: Mapping[str, MonotoneCurve],
                     stored: Mapping[str, NDArray[np.float32]]) -> None:
        """Measure what needs the scene's curves, and keep what the sheet shows."""
        mask = stored['mask'].astype(bool)
        truth = next(iter(curves.values())).truth(stored['truth'].astype(np.float32))
        planes = {name: curves[name].prediction(stored[f'made_{n}'].astype(np.float32))
                  for n, name in enumerate(self.rows)}
        for name, plane in planes.items():
            row = result.rows[name]
            row.psnr, row.ssim = psnr(plane, truth, mask), ssim(plane, truth, mask)
        if self.network is not None:
            for key, plane in ((None, truth), *planes.items()):
                self.result.features.setdefault(key, []).append(
                    describe(self.network, plane, mask))
        if result.name in self._shown:
            self.result.shown.append(SheetRow(
                result.name, stored['rgb'].astype(np.uint8), truth, mask, planes))


def _keep(path: Path, frame: JudgedFrame, made: Mapping[str, Plane], shown: bool) -> None:
    """Write a frame's planes in half precision, with 11 bits of each value."""
    kept: dict[str, Any] = {
        'truth': frame.truth.astype(np.float16), 'mask': frame.mask,
        'rgb': frame.rgb if shown else np.zeros((0, 0, 3), np.uint8)}
    kept |= {f'made_{n}': plane.astype(np.float16) for n, plane in enumerate(made.values())}
    np.savez(path, **kept)


def _sample(frame: JudgedFrame,
            made: Mapping[str, Plane]) -> dict[str | None, NDArray[np.float32]]:
    """Return pixels of the truth (under None) and of each row, the same places in each."""
    places = np.flatnonzero(frame.mask)
    if len(places) > SAMPLED:
        places = np.random.default_rng(frame.number).choice(places, SAMPLED, replace=False)
    return {None: frame.truth.ravel()[places],
            **{name: plane.ravel()[places] for name, plane in made.items()}}


def hard_pairs(frame: FrameResult) -> list[bool]:
    """Return for each marked pair of a frame whether grey-scale gets it wrong."""
    return [not right for right in frame.rows[GREY].in_order]
