"""Temporal consistency: the change from frame to frame after compensation of motion (warp error).

All figures are of square-root radiance. A blank output would be perfectly consistent, so that each
figure comes with the output's mean gradient over that of the reference, which reveals blur.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import (
    RESAMPLES,
    Figure,
    draw_groups,
    ratio_of_sums,
)
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.sequences import FOOTAGE, MOVING, STILL, Clip, ClipFrame
from rgb2swir_ros.lab.evaluation.warp import Image, gradient, warp_residual
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance
from rgb2swir_ros.progress import ProgressDisplay

RGB, TRUE = 'RGB grey-scale', 'true SWIR'
# the reference of each kind of clip
REFERENCE = {STILL: RGB, MOVING: TRUE, FOOTAGE: RGB}
# "Quiet": the RGB residual, averaged over a square of QUIET_WINDOW pixels against the effect of
# noise, is below QUIET_CHANGE
QUIET_CHANGE, QUIET_WINDOW = 3 / 255, 9
SLICE_HEIGHT = 0.6  # row of the slices, share of the height from above: road and traffic


@dataclass
class Track:
    """The figures of one kind of image in a clip.

    :param change: for each step to the next frame, mean |warped next - now| over seen pixels.
    :param quiet: the same over quiet pixels; of footage only.
    :param gradients: of each frame; see `gradient`.
    :param rows: the same row of pixels (W,) of each frame.
    """

    change: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    rows: list[Image] = field(default_factory=list)


@dataclass
class Record:
    """The figures of a clip.

    :param tracks: by name: `RGB`, `TRUE` if there are true frames, and each model.
    :param seen: share of compared pixels, of each step.
    :param quiet_share: share of quiet ones among them; of footage only.
    """

    name: str
    kind: str
    tracks: dict[str, Track]
    seen: list[float] = field(default_factory=list)
    quiet_share: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class TemporalConsistency:
    """The temporal consistency of one kind of image, over all clips of a kind.

    :param change: mean over clips, in square-root radiance; ``ratio``: over that of the reference.
    :param gradient: mean gradient over that of the reference.
    :param to_first: ratio to the first model's change; None for the first model and references.
    :param quiet: change of quiet pixels; ``quiet_ratio``: over the RGB's change there.
    :param by_clip: each clip's name and its ratio; names may repeat.
    """

    change: float
    ratio: Figure
    gradient: float
    to_first: Figure | None
    quiet: float
    quiet_ratio: Figure
    by_clip: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class KindResult:
    """All clips of one kind.

    :param rows: by name: references and models.
    :param seen: share of compared pixels; ``quiet_share``: share of quiet ones among them.
    """

    kind: str
    reference: str
    clips: int
    steps: int
    seen: float
    quiet_share: float
    rows: dict[str, TemporalConsistency]


def measure(clips: Sequence[Clip], models: Sequence[Candidate]) -> list[Record]:
    """Translate every clip by every model and measure the changes; progress on stderr.

    :raises UserError: if a file cannot be read, or a clip has fewer than two frames.
    """
    counts = [clip.count for clip in clips]
    total = None if None in counts else sum(c or 0 for c in counts)
    with ProgressDisplay(total) as progress:
        return [_measure(clip, models, progress) for clip in clips]


def _measure(clip: Clip, models: Sequence[Candidate], progress: ProgressDisplay) -> Record:
    record = Record(clip.name, clip.kind, {})
    before: tuple[ClipFrame, dict[str, Image]] | None = None
    for frame in clip.clip_frames():
        images = dict(_images(frame, models))
        for name, image in images.items():
            track = record.tracks.setdefault(name, Track())
            track.gradients.append(gradient(image))
            track.rows.append(image[int(SLICE_HEIGHT * len(image))].copy())
        if before is not None:
            _step(record, before[0], before[1], images)
        before = frame, images
        progress.advance()
    if not record.seen:
        raise UserError(f'{clip.name} has no two frames to compare')
    return record


def _images(frame: ClipFrame, models: Sequence[Candidate]) -> Iterator[tuple[str, Image]]:
    yield RGB, grey_sqrt_radiance(frame.rgb)
    if frame.true is not None:
        yield TRUE, frame.true
    for model in models:
        yield model.name, np.sqrt(model.radiance(frame.rgb))


def _step(record: Record, frame: ClipFrame, now: Mapping[str, Image],
          following: Mapping[str, Image]) -> None:
    """Add the change from a frame to the next."""
    if frame.seen is None or not frame.seen.any():
        raise UserError(f'{record.name}: frame {len(record.seen)} has no point in common with '
                        'the next one')
    seen = frame.seen
    residuals = {name: warp_residual(now[name], following[name], frame.flow) for name in now}
    record.seen.append(float(seen.mean()))
    for name, residual in residuals.items():
        record.tracks[name].change.append(float(residual[seen].mean()))
    if record.kind != FOOTAGE:
        return
    quiet = seen & (cv2.blur(residuals[RGB], (QUIET_WINDOW, QUIET_WINDOW)) < QUIET_CHANGE)
    record.quiet_share.append(float(quiet.sum() / seen.sum()))
    for name, residual in residuals.items():
        record.tracks[name].quiet.append(float(residual[quiet].mean()) if quiet.any() else np.nan)


def summarise(records: Sequence[Record], kind: str, models: Sequence[str], *,
              resamples: int = RESAMPLES, seed: int = 0) -> KindResult | None:
    """Return the figures of the clips of one kind, or None if there are none.

    A ratio is a ratio of sums over clips. The bootstrap resamples whole clips, because the frames
    of a clip are not independent.

    :param models: names; the others are compared with the first.
    """
    chosen = [r for r in records if r.kind == kind]
    if not chosen:
        return None
    draws = draw_groups([str(k) for k in range(len(chosen))], resamples, seed)
    reference = REFERENCE[kind]

    def values(name: str, what: str) -> NDArray[np.float64]:
        """Return the mean over each clip (N,) of a list of a track."""
        return np.array([_mean(getattr(r.tracks[name], what)) for r in chosen])

    def consistency(name: str) -> TemporalConsistency:
        change, own = values(name, 'change'), values(reference, 'change')
        has_quiet = np.array([bool(np.isfinite(q)) for q in values(name, 'quiet')])
        quiet, rgb_quiet = (np.where(has_quiet, values(n, 'quiet'), 0.) for n in (name, RGB))
        first = models[0]
        return TemporalConsistency(
            float(change.mean()), ratio_of_sums(change, own, draws),
            float(values(name, 'gradients').sum() / values(reference, 'gradients').sum()),
            ratio_of_sums(change, values(first, 'change'), draws)
            if name in models and name != first else None,
            float(quiet.sum() / has_quiet.sum()) if has_quiet.any() else np.nan,
            ratio_of_sums(quiet, rgb_quiet, draws),
            tuple((r.name, float(c / o) if o else np.nan)
                  for r, c, o in zip(chosen, change, own, strict=True)))

    names = [n for n in (RGB, TRUE, *models) if n in chosen[0].tracks]
    return KindResult(kind, reference, len(chosen), sum(len(r.seen) for r in chosen),
                      _mean([s for r in chosen for s in r.seen]),
                      _mean([s for r in chosen for s in r.quiet_share]),
                      {name: consistency(name) for name in names})


def _mean(values: Sequence[float]) -> float:
    """Return the mean of the finite values, NaN without any."""
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float('nan')
