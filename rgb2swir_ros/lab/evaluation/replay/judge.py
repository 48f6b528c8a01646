"""Judge replays: read their bags once more, measure every frame, and sum up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.pairs.curves import MonotoneCurve, fit_curve
from rgb2swir_ros.lab.evaluation.replay.blocks import Drawn
from rgb2swir_ros.lab.evaluation.replay.frames import CameraReplay, JudgedFrame, TrueFrames
from rgb2swir_ros.lab.evaluation.replay.labels import Labels
from rgb2swir_ros.lab.evaluation.replay.measure import (
    FrameFigures,
    Judges,
    measure_frame,
    measure_step,
    source_step,
)
from rgb2swir_ros.lab.evaluation.replay.pixels import Image
from rgb2swir_ros.lab.evaluation.replay.summary import JudgedSet, summarise
from rgb2swir_ros.lab.evaluation.replay.truth import FolderTruth, TopicTruth
from rgb2swir_ros.progress import ProgressDisplay

if TYPE_CHECKING:
    from rgb2swir_ros.imaging.novelty import Novelty

CURVE_FRAMES, CURVE_STEP = 24, 4  # frames and every so many pixels that a curve is fitted to
Translate = Callable[[NDArray[np.uint8], int], Image]  # fitted RGB and stamp to radiance


@dataclass(frozen=True)
class TruthSettings:
    """Where true SWIR frames are.

    :param topic: of the input bag; ``folder``: of pictures; one of them.
    :param gamma: of true frames of 8 bits.
    :param homography: from pixels of a true frame to those of a SWIR frame; None if aligned.
    """

    topic: str = ''
    folder: Path | None = None
    gamma: float = 2.2
    homography: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class CameraRun:
    """A camera of a replay, as it is judged.

    :param bag: name for tables.
    """

    bag: str
    replay: CameraReplay


@dataclass
class Judgement:
    """What came of judging.

    :param own: the replay's frames; ``other``: the same frames by the compared model.
    :param accounts: of true frames, by bag and camera.
    :param faults: what could not be read, by bag.
    """

    own: JudgedSet = field(default_factory=JudgedSet)
    other: JudgedSet | None = None
    accounts: dict[str, dict[str, float]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield a line of ``frames.jsonl`` for each frame; the other model's under ``compare``."""
        for k, figures in enumerate(self.own.figures):
            line = {'bag': self.own.bags[k], 'camera': self.own.cameras[k], **figures.record}
            if self.other is not None:
                line['compare'] = {key: value for key, value in
                                   self.other.figures[k].record.items()
                                   if key not in ('frame', 'stamp_ns')}
            yield line


def judge(runs: Sequence[CameraRun], judges: Judges, truth: TruthSettings | None = None, *,
          every: int = 1, other: Translate | None = None,
          other_novelty: Novelty | None = None) -> Judgement:
    """Measure the frames of replays; progress on stderr.

    :param every: judge one frame of so many, with the step to the frame after it.
    :param other: another model, which translates the same sources.
    :param other_novelty: how far the input is from what that model knows.
    :return: also of what came before an error; the faults name it.
    :raises UserError: if nothing can be judged: the first reason.
    """
    result = Judgement(other=JudgedSet() if other else None)
    errors: list[UserError] = []
    others = replace(judges, novelty=other_novelty)

    def failed(run: CameraRun, error: UserError) -> None:
        errors.append(error)
        result.faults.append(f'{run.bag} {run.replay.source}: {error}')

    wanted: dict[int, set[int]] = {}
    for number, run in enumerate(runs):
        try:
            wanted[number] = _wanted(run, judges, every)
        except UserError as error:  # one recording does not stop the others
            failed(run, error)
    with ProgressDisplay(sum(map(len, wanted.values())), 'frames judged') as progress:
        for number, frames in wanted.items():
            try:
                _judge_one(runs[number], frames, (judges, others), truth, every, other, result,
                           progress)
            except UserError as error:
                failed(runs[number], error)
    if not result.own.figures:
        raise errors[0] if errors else UserError('the replays hold no frame to judge')
    return result


def figures_of(judgement: Judgement, *, classes: Sequence[str] = (), labels: Labels | None = None,
               score: float = .5, resamples: int | None = None, seed: int = 0
               ) -> list[dict[str, Drawn]]:
    """Return the figures of the replay and, after them, those of the compared model.

    The arguments are those of `rgb2swir_ros.lab.evaluation.replay.summary.summarise`.
    """
    return [summarise(one, classes=classes, labels=labels, score=score, resamples=resamples,
                      seed=seed) for one in (judgement.own, judgement.other) if one is not None]


def true_frames(run: CameraRun, truth: TruthSettings | None) -> TrueFrames | None:
    """Return the true frames of a camera, or None."""
    if truth is None:
        return None
    source = (FolderTruth(truth.folder, truth.gamma) if truth.folder is not None
              else TopicTruth(run.replay.bag, truth.topic, truth.gamma))
    return TrueFrames(source, run.replay.stamps(), truth.homography)


def _wanted(run: CameraRun, judges: Judges, every: int) -> set[int]:
    """Return the indices of the frames to decode: one of so many, and the one after it."""
    return {k for k in range(len(run.replay.stamps()))
            if k % every == 0 or (judges.temporal and k % every == 1)}


def _judge_one(run: CameraRun, wanted: set[int], judges: tuple[Judges, Judges],
               truth: TruthSettings | None, every: int, other: Translate | None, result: Judgement,
               progress: ProgressDisplay) -> None:
    true = true_frames(run, truth)
    if true is not None:
        # each model has a curve of its own, as each would be set to the camera
        judges = (replace(judges[0], curve=_curve(run, true, None)),
                  replace(judges[1], curve=_curve(run, true, other)))
    targets = [target for target in (result.own, result.other) if target is not None]
    before: list[JudgedFrame] = []
    for frame in run.replay.frames(true, wanted):
        shown = [frame] if other is None else [frame, translated(frame, other)]
        figures: FrameFigures | None = None
        if frame.index % every == 0:
            for target, one, using in zip(targets, shown, judges, strict=False):
                figures = measure_frame(one, using, figures)
                target.add(figures, run.bag, run.replay.source)
        if judges[0].temporal and before and before[0].index == frame.index - 1 \
                and before[0].index % every == 0 \
                and before[0].radiance.shape == frame.radiance.shape:
            step = source_step(before[0].rgb, frame.rgb)
            index = -2 if frame.index % every == 0 else -1  # the step belongs to its first
            for target, last, one in zip(targets, before, shown, strict=True):
                target.figures[index].record |= measure_step(last.radiance, one.radiance, step)
        before = shown
        progress.advance()
    name = f'{run.bag} {run.replay.source}'
    if true is not None:
        result.accounts[name] = true.account()
    result.faults += [f'{name}: {fault}' for fault in (
        *run.replay.faults, *([true.fault] if true is not None and true.fault else []))]


def translated(frame: JudgedFrame, model: Translate) -> JudgedFrame:
    """Return a frame with another model's radiance."""
    return replace(frame, radiance=model(frame.rgb, frame.stamp_ns))


def _curve(run: CameraRun, true: TrueFrames, model: Translate | None) -> MonotoneCurve:
    """Return the curve that fits evenly spaced frames of a recording best."""
    matched = np.flatnonzero(true.matching.matched)
    chosen = {int(k) for k in matched[np.linspace(0, len(matched) - 1, min(
        CURVE_FRAMES, len(matched))).astype(int)]}
    thin = slice(None, None, CURVE_STEP)
    pairs = []
    for frame in islice(run.replay.frames(true, chosen), CURVE_FRAMES):
        shown = translated(frame, model) if model else frame
        if frame.true is not None and frame.seen is not None:
            pairs.append((shown.radiance[thin, thin], frame.true[thin, thin],
                          frame.seen[thin, thin]))
    try:
        return fit_curve(pairs)
    except ValueError as error:
        raise UserError(f'{run.bag}: the true frames show nothing of the SWIR frames: is the '
                        'homography right?') from error
