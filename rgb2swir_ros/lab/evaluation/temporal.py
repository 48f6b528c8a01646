"""How steady an output is: what changes from frame to frame beyond what moved.

All in tone, the square root of radiance. A blank output would be perfectly steady; so each figure
comes with the output's mean gradient over that of the reference, which shows a blurred one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import (
    RESAMPLES,
    Figure,
    group_weights,
    plain,
    ratio_of_sums,
)
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.sequences import FOOTAGE, MOVING, STILL, Clip, Moment
from rgb2swir_ros.lab.evaluation.warp import Tone, gradient, warp_residual
from rgb2swir_ros.lab.training.lookup import grey_tone
from rgb2swir_ros.progress import ProgressDisplay

RGB, TRUE = 'RGB grey-scale', 'true SWIR'
# what an output is measured against
REFERENCE = {STILL: RGB, MOVING: TRUE, FOOTAGE: RGB}
# RGB hardly changes where its residual, averaged over QUIET_WINDOW pixels square so that noise
# does not choose the pixels, stays below 3 of 255 levels
QUIET, QUIET_WINDOW = 3 / 255, 9
SLICE_HEIGHT = 0.6  # of the frame, from above: road and traffic


@dataclass
class Track:
    """What one kind of picture did in a clip.

    :param change: of each step to the next frame: mean |warped next - now| over seen pixels.
    :param quiet: the same where the RGB hardly changes; of footage alone.
    :param gradients: of each frame; see `gradient`.
    :param rows: of each frame, one row of pixels (W,), always the same one.
    """

    change: list[float] = field(default_factory=list)
    quiet: list[float] = field(default_factory=list)
    gradients: list[float] = field(default_factory=list)
    rows: list[Tone] = field(default_factory=list)


@dataclass
class Record:
    """A clip, measured.

    :param tracks: by name: `RGB`, `TRUE` where there is truth, and each model.
    :param seen: share of the pixels that were compared, of each step.
    :param quiet_share: of those, where the RGB hardly changes; of footage alone.
    """

    name: str
    kind: str
    tracks: dict[str, Track]
    seen: list[float] = field(default_factory=list)
    quiet_share: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Steadiness:
    """How steady one kind of picture is, over all clips of a kind.

    :param change: mean over clips, in tone; ``ratio``: over that of the reference.
    :param gradient: mean gradient over that of the reference.
    :param to_first: the ratio to the first model's change; None for that and for no model.
    :param quiet: change where the RGB hardly changes; ``quiet_ratio``: over the RGB's own there.
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

    :param rows: by name: the reference and whatever it is compared with.
    :param seen: share of the pixels that were compared; ``quiet_share``: of those, where the RGB
        hardly changes.
    """

    kind: str
    reference: str
    clips: int
    steps: int
    seen: float
    quiet_share: float
    rows: dict[str, Steadiness]

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        return dict(plain(asdict(self)))


def measure(clips: Sequence[Clip], models: Sequence[Candidate]) -> list[Record]:
    """Translate every clip by every model and follow what changes; progress on stderr.

    :raises UserError: if a file cannot be read, or a clip has no two frames.
    """
    counts = [clip.count for clip in clips]
    total = None if None in counts else sum(c or 0 for c in counts)
    with ProgressDisplay(total) as progress:
        return [_measure(clip, models, progress) for clip in clips]


def _measure(clip: Clip, models: Sequence[Candidate], progress: ProgressDisplay) -> Record:
    record = Record(clip.name, clip.kind, {})
    before: tuple[Moment, dict[str, Tone]] | None = None
    for moment in clip.moments():
        tones = dict(_tones(moment, models))
        for name, tone in tones.items():
            track = record.tracks.setdefault(name, Track())
            track.gradients.append(gradient(tone))
            track.rows.append(tone[int(SLICE_HEIGHT * len(tone))].copy())
        if before is not None:
            _step(record, before[0], before[1], tones)
        before = moment, tones
        progress.advance()
    if not record.seen:
        raise UserError(f'{clip.name} has no two frames to compare')
    return record


def _tones(moment: Moment, models: Sequence[Candidate]) -> Iterator[tuple[str, Tone]]:
    yield RGB, grey_tone(moment.rgb)
    if moment.true is not None:
        yield TRUE, moment.true
    for model in models:
        yield model.name, np.sqrt(model.radiance(moment.rgb))


def _step(record: Record, moment: Moment, now: Mapping[str, Tone],
          following: Mapping[str, Tone]) -> None:
    """Add what changed from one moment to the next."""
    if moment.seen is None or not moment.seen.any():
        raise UserError(f'{record.name}: frame {len(record.seen)} has no point in common with '
                        'the next one')
    seen = moment.seen
    residuals = {name: warp_residual(now[name], following[name], moment.flow) for name in now}
    record.seen.append(float(seen.mean()))
    for name, residual in residuals.items():
        record.tracks[name].change.append(float(residual[seen].mean()))
    if record.kind != FOOTAGE:
        return
    quiet = seen & (cv2.blur(residuals[RGB], (QUIET_WINDOW, QUIET_WINDOW)) < QUIET)
    record.quiet_share.append(float(quiet.sum() / seen.sum()))
    for name, residual in residuals.items():
        record.tracks[name].quiet.append(float(residual[quiet].mean()) if quiet.any() else np.nan)


def summarise(records: Sequence[Record], kind: str, models: Sequence[str], *,
              resamples: int = RESAMPLES, seed: int = 0) -> KindResult | None:
    """Return the figures of the clips of one kind, or None if there are none.

    A ratio is that of the sums over clips, numerator and denominator of the same resampled clips:
    the frames of a clip are not independent.

    :param models: names, the first being what later ones are compared with.
    """
    chosen = [r for r in records if r.kind == kind]
    if not chosen:
        return None
    weights = group_weights([str(k) for k in range(len(chosen))], resamples, seed)
    reference = REFERENCE[kind]

    def values(name: str, what: str) -> NDArray[np.float64]:
        """Return the mean over each clip (N,) of one of a track's lists."""
        return np.array([_mean(getattr(r.tracks[name], what)) for r in chosen])

    def steadiness(name: str) -> Steadiness:
        change, own = values(name, 'change'), values(reference, 'change')
        calm = np.array([bool(np.isfinite(q)) for q in values(name, 'quiet')])
        quiet, rgb_quiet = (np.where(calm, values(n, 'quiet'), 0.) for n in (name, RGB))
        first = models[0]
        return Steadiness(
            float(change.mean()), ratio_of_sums(change, own, weights),
            float(values(name, 'gradients').sum() / values(reference, 'gradients').sum()),
            ratio_of_sums(change, values(first, 'change'), weights)
            if name in models and name != first else None,
            float(quiet.sum() / calm.sum()) if calm.any() else np.nan,
            ratio_of_sums(quiet, rgb_quiet, weights),
            tuple((r.name, float(c / o) if o else np.nan)
                  for r, c, o in zip(chosen, change, own, strict=True)))

    names = [n for n in (RGB, TRUE, *models) if n in chosen[0].tracks]
    return KindResult(kind, reference, len(chosen), sum(len(r.seen) for r in chosen),
                      _mean([s for r in chosen for s in r.seen]),
                      _mean([s for r in chosen for s in r.quiet_share]),
                      {name: steadiness(name) for name in names})


def _mean(values: Sequence[float]) -> float:
    """Return the mean of what there is; NaN of nothing."""
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float('nan')
