"""A run in real time: feeders, one translating thread, one pacing thread, one that watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from rgb2swir_ros.hil.clocks import ClockGuard, read_clocks
from rgb2swir_ros.hil.host_faults import HostFaults
from rgb2swir_ros.hil.outputs import Ready
from rgb2swir_ros.hil.pacing import Pacer, Schedule
from rgb2swir_ros.hil.parts import Parts
from rgb2swir_ros.hil.pipeline import Job, failover_job
from rgb2swir_ros.hil.result import MISSED
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.hil.watchdog import CRASH
from rgb2swir_ros.replay.overlap import ahead

LEAD_NS = 300_000_000  # between the start and the first frame
AHEAD = 8  # frames that are read before their time
TICK_S = 0.005
DOWN_TICKS = 10
OVERSLEPT_NS = 50_000_000  # a tick that comes so much too late shows an overloaded machine
OVERSLEPT_SHARE = 0.005
CLOCK_EVERY_NS = 500_000_000
FORGOTTEN_SHARE = 0.1  # of the usual time, whenever a frame gives way
USUAL_SHARE = 0.2  # of the newest frame in the usual time that a frame takes


class WallRun:
    """The threads of a run on the wall clock. `run` blocks until it is over."""

    def __init__(self, parts: Parts) -> None:
        """Prepare the threads."""
        self._parts = parts
        self._sizes: set[tuple[int, int]] = set()
        self._queue, self._queued = Schedule(), threading.Condition()
        self._working = True
        self._usual_ns = self._down_ticks = 0
        self._pacer = Pacer(self._leave, lambda error: parts.fail(error, 'a frame'))
        self._host = HostFaults(parts.injector, lambda: parts.client.pid, parts.happened)
        self._active: list[str] = []
        self._ticks = self._overslept = 0
        self._longest = 0
        self._slots: dict[str, int] = {}

    def run(self, sizes: set[tuple[int, int]]) -> None:
        """Run until every source has ended or the duration is over, and all has left.

        :param sizes: (height, width) of the engines that must be there.
        """
        parts, self._sizes = self._parts, sizes
        wall, now = read_clocks()
        parts.zero_ns, parts.t0_ns = now + LEAD_NS, wall + LEAD_NS
        feeders = [threading.Thread(target=self._feed, args=(camera, frames), daemon=True,
                                    name=f'feed {camera}')
                   for camera, frames in parts.footage.items()]
        worker = threading.Thread(target=self._work, name='translate', daemon=True)
        ticker = threading.Thread(target=self._tick, name='watch', daemon=True)
        self._pacer.start()
        for thread in (worker, ticker, *feeders):
            thread.start()
        live = len(parts.outputs) > len(parts.footage)
        end_ns = parts.zero_ns + parts.scenario.duration_ns
        while time.monotonic_ns() < end_ns and not parts.ending.is_set() and (
                live or any(thread.is_alive() for thread in feeders)):
            parts.ending.wait(min(0.05, max(0.0, (end_ns - time.monotonic_ns()) / 1e9)))
        for thread in feeders:
            thread.join()
        with self._queued:
            self._working = False
            self._queued.notify()
        worker.join()
        self._pacer.finish()
        parts.realtime = self._pacer.realtime
        parts.ending.set()
        ticker.join()
        parts.report_frames()
        self._host.end()
        self._judge_load()

    def arrive(self, camera: str, given: SourceFrame) -> None:
        """Take a frame at its time: from a feeder, or from a live topic."""
        parts = self._parts
        if given.time_ns >= parts.scenario.duration_ns or parts.ending.is_set():
            return  # of a live topic, after the end
        now = time.monotonic_ns()
        due = parts.zero_ns + given.time_ns + parts.scenario.pacing.latency_ns
        for job in parts.pipeline.admit(camera, given, due):
            parts.watchdog.input(camera, now, given.time_ns)
            self._put(job)

    def _put(self, job: Job) -> None:
        with self._queued:
            self._queue.add(job.due_ns, job)
            self._queued.notify()

    def _feed(self, camera: str, frames: Iterator[SourceFrame]) -> None:
        """Let the frames of footage arrive at their times."""
        parts = self._parts
        waiting = ahead(frames, AHEAD)
        try:
            for given in waiting:
                if given.time_ns >= parts.scenario.duration_ns:
                    break
                left = (parts.zero_ns + given.time_ns - time.monotonic_ns()) / 1e9
                if parts.ending.wait(max(left, 0)):
                    break
                self.arrive(camera, given)
        except Exception as error:
            parts.fail(error, f'the source of {camera}')
        finally:
            parts.watchdog.stop(camera)
            waiting.close()

    def _work(self) -> None:
        """Translate what is queued, the frame that is due first first.

        A machine that is too slow would finish each frame a little too late. So a frame that
        cannot be ready in time, by what the last ones took, gives way to the next one, if a fresh
        one can.
        """
        latency = self._parts.scenario.pacing.latency_ns
        while True:
            with self._queued:
                while not len(self._queue):
                    if not self._working:
                        return
                    self._queued.wait()
                job = self._queue.pop()
            began = time.monotonic_ns()
            needed = self._usual_ns if self._usual_ns < latency else 0
            if began + needed > job.due_ns:
                self._parts.pipeline.drop(job, MISSED)
                # what nobody tries again is never known to have become faster
                self._usual_ns -= round(self._usual_ns * FORGOTTEN_SHARE)
                continue
            try:
                self._translate(job)
            except Exception as error:
                self._parts.fail(error, 'a frame')
            took = time.monotonic_ns() - began
            self._parts.note('frame_ms', took / 1e6)
            self._usual_ns += round((took - self._usual_ns) * USUAL_SHARE)

    def _translate(self, job: Job) -> None:
        parts = self._parts
        radiance = parts.radiance(job)
        if radiance is None:
            return
        for out in parts.pipeline.develop(job, radiance):
            ready = parts.prepare(out)
            if time.monotonic_ns() > out.due_ns:
                parts.ledger.lost(out.frame, MISSED, out.due_ns)
            else:
                self._pacer.submit(out.due_ns, ready)

    def _leave(self, ready: Ready, due_ns: int) -> None:
        self._parts.leave(ready, time.monotonic_ns)

    def _tick(self) -> None:
        """Watch inputs, engine and clocks, and begin and end the machine's faults."""
        parts, guard = self._parts, ClockGuard()
        before = clock_at = time.monotonic_ns()
        while not parts.ending.wait(TICK_S):
            now = time.monotonic_ns()
            self._note_load(now - before)
            before = now
            try:
                self._watch(now)
            except Exception as error:
                parts.fail(error, 'the watchdog')
            if now - clock_at > CLOCK_EVERY_NS:
                clock_at = now
                if jump := guard.jump():
                    parts.clock_errors.append(jump)

    def _watch(self, now: int) -> None:
        parts = self._parts
        time_ns = now - parts.zero_ns
        parts.watchdog.check(now)
        parts.report_frames()
        if all(parts.client.ready(size) for size in self._sizes):
            parts.watchdog.engine_back()
            self._down_ticks = 0
        elif not parts.watchdog.engine_is_down() and time_ns >= 0:
            self._see_engine_down()
        self._host.update(time_ns)
        active = parts.injector.active(time_ns)
        if [fault.name for fault in active] != self._active:
            self._active = [fault.name for fault in active]
            parts.reports.faults(time_ns, active)
        if parts.failover is not None:
            for camera in parts.outputs:
                self._fail_over(camera, parts.failover, time_ns)

    def _see_engine_down(self) -> None:
        """Report an engine that is gone while no frame was in it.

        The frame that was in it knows better whether it has crashed or was killed as hung, and
        gets the time to say so.
        """
        status = self._parts.client.status()
        gone = status.state in ('restarting', 'starting', 'failed')
        self._down_ticks = self._down_ticks + 1 if gone else 0
        if self._down_ticks >= DOWN_TICKS:
            happened = self._parts.happened.pop(CRASH, 0)
            self._parts.engine_failed(CRASH, happened, status.detail)

    def _fail_over(self, camera: str, frames: Iterator[SourceFrame], time_ns: int) -> None:
        """In the safe state, put a frame of the failover source into each slot of the period."""
        parts = self._parts
        period = parts.scenario.pacing.period_ns
        slot = time_ns // period
        if not parts.watchdog.safe(camera) or slot < 0:
            self._slots[camera] = slot
            return
        if slot > self._slots.get(camera, slot - 1) and time_ns < parts.scenario.duration_ns:
            self._slots[camera] = slot
            due = parts.zero_ns + slot * period + parts.scenario.pacing.latency_ns
            self._put(failover_job(camera, frames, slot * period, due))

    def _note_load(self, passed_ns: int) -> None:
        """Note a tick; what a fault of the machine causes says nothing about the bench."""
        if not len(self._host):
            self._ticks += 1
            late = passed_ns - TICK_S * 1e9
            self._overslept += late > OVERSLEPT_NS
            self._longest = max(self._longest, round(late))

    def _judge_load(self) -> None:
        if self._overslept > max(2, OVERSLEPT_SHARE * self._ticks):
            self._parts.overload.append(
                f'the bench itself was held up {self._overslept} times for more than '
                f'{OVERSLEPT_NS / 1e6:.0f} ms (the longest {self._longest / 1e6:.0f} ms) while no '
                'fault loaded the machine: its processors are too busy')
