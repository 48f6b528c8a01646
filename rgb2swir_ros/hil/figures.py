"""The figures of a run that thresholds limit: see `rgb2swir_ros.hil.measures`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from rgb2swir_ros.hil.measures import OF_THE_RUN
from rgb2swir_ros.hil.recovery import recoveries
from rgb2swir_ros.hil.result import (
    DROPPED,
    LATE,
    LEFT,
    LOST,
    MISSED,
    REFUSED,
    SENT,
    Arrival,
    FrameRecord,
    HilRun,
    Incident,
    Observation,
    Responses,
)
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.watchdog import CRASH, HANG, SILENCE

MS = 1e6
NOBODY_COUNTS = math.inf  # a recovery that did not come before the run's end


class Figures:
    """What can be measured of a run.

    :ivar arrived: each frame that was sent and arrived, with its arrival.
    :ivar not_arrived: those that were sent and did not.
    :ivar surplus: arrivals that no frame of the record explains.
    :ivar recoveries: of each fault that has ended, by camera.
    :ivar answers: milliseconds from a frame's time to its response; NaN for one without.
    """

    def __init__(self, scenario: Scenario, run: HilRun, observation: Observation,
                 responses: Responses) -> None:
        """Join what was sent with what arrived and what was answered."""
        self.scenario, self.run = scenario, run
        self.arrived, self.not_arrived, self.surplus = _joined(run.frames, observation.arrivals)
        missing = {id(frame) for frame in self.not_arrived}
        self.recoveries = recoveries(run, lambda frame: id(frame) not in missing)
        self.answers = _answers(self.arrived, responses, run.monotonic_t0_ns,
                                round(scenario.monitor.timeout_ms * MS))

    def value(self, measure: str, phase: str = '', camera: str = '') -> float | None:
        """Return a figure; None if there was nothing to measure.

        :param measure: one of `rgb2swir_ros.hil.measures.MEASURES`.
        :param phase: name of the phase that it is taken over; empty: the whole run.
        :param camera: only of this one; empty: all.
        """
        def chosen(frame: FrameRecord) -> bool:
            return camera in ('', frame.camera) and phase in (
                '', self.scenario.phase_at(frame.time_ns))
        name, _, statistic = measure.rpartition('_')
        if name in _DISTRIBUTIONS:
            return _statistic(_DISTRIBUTIONS[name](self, chosen), statistic)
        if measure in _COUNTS:
            return float(_COUNTS[measure](self, chosen))
        if measure in OF_THE_RUN:
            return float(self.run.events.get(measure, 0)) if not phase and not camera else None
        if measure in _SHARES:
            return _SHARES[measure](self, chosen)
        if measure == 'recovery_frames_max':
            return max((NOBODY_COUNTS if one.frames is None else float(one.frames)
                        for one in self.recoveries if one.counts_frames
                        and camera in ('', one.camera) and phase in ('', one.fault.phase)),
                       default=None)
        return self._of_incidents(measure, phase, camera)

    def pacing_errors_ms(self, chosen: Callable[[FrameRecord], bool]) -> list[float]:
        """Return |departure - due time| of the frames that were sent."""
        return [abs(frame.left_ns - frame.due_ns) / MS for frame in self.run.frames
                if frame.outcome in SENT and chosen(frame)]

    def jitters_ms(self, chosen: Callable[[FrameRecord], bool]) -> list[float]:
        """Return |interval of two departures - that of their due times|, of each camera."""
        last: dict[str, FrameRecord] = {}
        found = []
        for frame in sorted(self.run.frames, key=lambda one: one.left_ns):
            if frame.outcome not in SENT or not chosen(frame):
                continue
            if before := last.get(frame.camera):
                found.append(abs((frame.left_ns - before.left_ns)
                                 - (frame.due_ns - before.due_ns)) / MS)
            last[frame.camera] = frame
        return found

    def arrival_ages_ms(self, chosen: Callable[[FrameRecord], bool]) -> list[float]:
        """Return arrival - the frame's own time; nothing on simulated time."""
        if self.scenario.stepped:
            return []
        return [self.age_ms(frame, arrival.monotonic_ns) for frame, arrival in self.arrived
                if chosen(frame)]

    def age_ms(self, frame: FrameRecord, monotonic_ns: int) -> float:
        """Return how old a frame is at a monotonic time."""
        return (monotonic_ns - self.run.monotonic_t0_ns - frame.time_ns) / MS

    def response_ages_ms(self, chosen: Callable[[FrameRecord], bool]) -> list[float]:
        """Return the response times of the frames that were answered; not on simulated time."""
        if self.scenario.stepped:
            return []
        return [age for frame, age in self.answers if chosen(frame) and not math.isnan(age)]

    def stale(self, chosen: Callable[[FrameRecord], bool]) -> list[FrameRecord]:
        """Return the frames that left in the safe state and are none of the failover source.

        A frame that was due up to the tolerance after the safe state began was on its way.
        """
        found = []
        for frame in self.run.frames:
            if frame.outcome in SENT and not frame.failover and chosen(frame) and any(
                    one.camera in ('', frame.camera)
                    and one.safe_ns + self.run.tolerance_ns < frame.due_ns
                    and (frame.left_ns < one.recovered_ns or not one.recovered_ns)
                    for one in self.run.incidents):
                found.append(frame)
        return found

    def incidents(self, kinds: Iterable[str], phase: str = '',
                  camera: str = '') -> list[Incident]:
        """Return the incidents of some kinds."""
        return [one for one in self.run.incidents if one.kind in kinds
                and camera in ('', one.camera)
                and phase in ('', self.scenario.phase_at(one.time_ns))]

    def _due(self, chosen: Callable[[FrameRecord], bool]) -> list[FrameRecord]:
        """Return the frames of the sources, not those of the failover source."""
        return [frame for frame in self.run.frames if not frame.failover and chosen(frame)]

    def _delivered(self, chosen: Callable[[FrameRecord], bool]) -> float | None:
        """Return the share that left in time of what no fault had lost."""
        due = [frame for frame in self._due(chosen) if not frame.outcome.startswith(LOST)]
        return sum(frame.outcome == LEFT for frame in due) / len(due) if due else None

    def _unanswered(self, chosen: Callable[[FrameRecord], bool]) -> float | None:
        some = [age for frame, age in self.answers if chosen(frame)]
        return float(sum(math.isnan(age) for age in some)) if some else None

    def _of_incidents(self, measure: str, phase: str, camera: str) -> float | None:
        if measure == 'engine_recovery_s_max':
            found = self.incidents((CRASH, HANG), phase)
            return max((NOBODY_COUNTS if one.recovery_s is None else one.recovery_s
                        for one in found), default=None)
        kind = measure.partition('_')[0]
        if kind not in (SILENCE, CRASH, HANG):
            raise KeyError(measure)
        of = camera if kind == SILENCE else ''
        return max((one.detection_ms for one in self.incidents((kind,), phase, of)
                    if one.happened_ns), default=None)


def _outcomes(*names: str) -> Callable[[Figures, Callable[[FrameRecord], bool]], int]:
    return lambda figures, chosen: sum(
        frame.outcome.startswith(names) for frame in figures._due(chosen))


_COUNTS: dict[str, Callable[[Figures, Callable[[FrameRecord], bool]], int]] = {
    'frames_due': lambda figures, chosen: len(figures._due(chosen)),
    'missed': _outcomes(MISSED),
    'late': _outcomes(LATE),
    'dropped': _outcomes(DROPPED, REFUSED),
    'observer_lost': lambda figures, chosen: sum(map(chosen, figures.not_arrived)),
    'stale_frames': lambda figures, chosen: len(figures.stale(chosen)),
}
_SHARES: dict[str, Callable[[Figures, Callable[[FrameRecord], bool]], float | None]] = {
    'delivered_share': Figures._delivered,
    'unanswered': Figures._unanswered,
}
_DISTRIBUTIONS: dict[str, Callable[..., list[float]]] = {
    'pacing_error_ms': Figures.pacing_errors_ms,
    'jitter_ms': Figures.jitters_ms,
    'arrival_ms': Figures.arrival_ages_ms,
    'response_ms': Figures.response_ages_ms,
}


def _statistic(values: Sequence[float], name: str) -> float | None:
    """Return ``max`` or a percentile such as ``p99``; None of nothing."""
    if not values:
        return None
    share = 100.0 if name == 'max' else float(name.removeprefix('p'))
    return float(np.percentile(values, share))


def _joined(frames: Sequence[FrameRecord], arrivals: Sequence[Arrival]) -> tuple[
        list[tuple[FrameRecord, Arrival]], list[FrameRecord], list[Arrival]]:
    """Return pairs of sent and arrived frames, and what is left over of both.

    Of copies with one stamp and the same pixels the first that left is the first that arrived.
    """
    waiting: dict[Any, list[Arrival]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda one: -one.monotonic_ns):
        waiting[arrival.camera, arrival.stamp_ns, arrival.digest].append(arrival)
    pairs, missing = [], []
    for frame in sorted(frames, key=lambda one: (one.left_ns, one.due_ns)):
        if frame.outcome in SENT:
            found = waiting[frame.camera, frame.stamp_ns, frame.digest]
            if found:
                pairs.append((frame, found.pop()))
            else:
                missing.append(frame)
    return pairs, missing, [one for left in waiting.values() for one in left]


def _answers(arrived: Sequence[tuple[FrameRecord, Arrival]], responses: Responses, zero_ns: int,
             timeout_ns: int) -> list[tuple[FrameRecord, float]]:
    """Return each frame that arrived and how old it was when its first response came.

    Two copies of a frame have one stamp, and one response answers both.
    """
    if not responses.topic:
        return []
    first: dict[int, int] = {}
    for stamp, _, monotonic in responses.responses:
        first[stamp] = min(monotonic, first.get(stamp, monotonic))
    found = []
    for frame, arrival in arrived:
        at = first.get(frame.stamp_ns)
        late = at is not None and at - arrival.monotonic_ns > timeout_ns
        found.append((frame, math.nan if at is None or late
                      else (at - zero_ns - frame.time_ns) / MS))
    return found
