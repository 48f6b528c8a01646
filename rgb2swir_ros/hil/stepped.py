"""A run on simulated time: it advances when every due frame has left, and is twice the same."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.outputs import Ready
from rgb2swir_ros.hil.pacing import Schedule
from rgb2swir_ros.hil.parts import Parts
from rgb2swir_ros.hil.pipeline import Job, failover_job
from rgb2swir_ros.hil.source import SourceFrame

T0_NS = 10**9  # a stamp of 0 means that there is none


class SteppedRun:
    """A run in one thread. `run` blocks until it is over."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts; times are those since the first frame."""
        self._parts = parts
        self._schedule = Schedule()
        self._now = 0
        self._active: list[str] = []

    def run(self) -> None:
        """Run until every source has ended or the duration is over, and all has left."""
        parts = self._parts
        parts.t0_ns, parts.zero_ns = T0_NS, 0
        try:
            for camera, given in self._merged():
                if given.time_ns >= parts.scenario.duration_ns or parts.ending.is_set():
                    break
                self._advance(given.time_ns)
                self._take(camera, given)
            for camera in parts.outputs:
                parts.watchdog.stop(camera)
            last = parts.scenario.duration_ns + parts.scenario.pacing.latency_ns
            while (due := self._schedule.next_due_ns()) is not None:
                last = max(last, due)
                self._advance(due)
            self._advance(last)
        except Exception as error:
            parts.fail(error, 'the run')
        parts.ending.set()

    def _merged(self) -> Iterator[tuple[str, SourceFrame]]:
        """Yield the frames of all cameras in order of time, then of the cameras."""
        def of(rank: int, camera: str, frames: Iterator[SourceFrame]) -> Iterator[
                tuple[int, int, str, SourceFrame]]:
            for given in frames:
                yield given.time_ns, rank, camera, given
        sources = [of(rank, camera, frames)
                   for rank, (camera, frames) in enumerate(self._parts.footage.items())]
        for _, _, camera, given in heapq.merge(*sources, key=lambda one: one[:2]):
            yield camera, given

    def _take(self, camera: str, given: SourceFrame) -> None:
        """Send a frame on its way as far as the schedule."""
        parts = self._parts
        due = given.time_ns + parts.scenario.pacing.latency_ns
        jobs = parts.pipeline.admit(camera, given, due)
        for job in jobs:
            parts.watchdog.input(camera, self._now, given.time_ns)
            self._develop(job)
        if parts.failover is not None and parts.watchdog.safe(camera):
            self._develop(failover_job(camera, parts.failover, given.time_ns, due))

    def _develop(self, job: Job) -> None:
        parts = self._parts
        radiance = parts.radiance(job)
        if radiance is None:
            raise UserError('the engine failed, so that the run would not be the same again: '
                            f'{parts.client.status().detail}')
        for out in parts.pipeline.develop(job, radiance):
            self._schedule.add(out.due_ns, parts.prepare(out))

    def _advance(self, to_ns: int) -> None:
        """Let everything leave that is due by then, each at its own time."""
        while (due := self._schedule.next_due_ns()) is not None and due <= to_ns:
            self._step(due)
            ready: Ready = self._schedule.pop()
            self._parts.leave(ready, lambda: self._now)
            self._parts.report_frames()
        self._step(to_ns)

    def _step(self, to_ns: int) -> None:
        """Set the time; it never goes back, also for what is due before it is submitted."""
        parts = self._parts
        while (silent := parts.watchdog.next_silence_ns()) is not None and silent < to_ns:
            parts.watchdog.check(silent + 1)
        self._now = max(self._now, to_ns)
        parts.watchdog.check(self._now)
        parts.reports.clock(self._now)
        active = parts.injector.active(self._now)
        if [fault.name for fault in active] != self._active:
            self._active = [fault.name for fault in active]
            parts.reports.faults(self._now, active)
