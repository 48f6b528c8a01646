"""What a run is made of, whichever clock it runs on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from rgb2swir_ros.engines.client import (
    EngineClient,
    EngineCrashed,
    EngineHung,
    EngineNotReady,
)
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.injection import FaultFailed, Injector
from rgb2swir_ros.hil.ledger import Ledger
from rgb2swir_ros.hil.outputs import CameraOutputs, Ready
from rgb2swir_ros.hil.pipeline import Job, Outgoing, Pipeline, failover_radiance
from rgb2swir_ros.hil.result import DROPPED, HELD, LATE, LEFT, MISSED, FrameRecord
from rgb2swir_ros.hil.scenario import Scenario
from rgb2swir_ros.hil.sections import PlannedFault
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.hil.watchdog import CRASH, HANG, Watchdog
from rgb2swir_ros.sizes import format_size

ENGINE_POLL_S = 0.05


class Reports(Protocol):
    """Where a run reports while it runs; the node publishes it."""

    def frame(self, record: FrameRecord) -> None:
        """A frame has left."""

    def faults(self, time_ns: int, active: list[PlannedFault]) -> None:
        """The active faults have changed."""

    def clock(self, time_ns: int) -> None:
        """Simulated time has advanced to ``time_ns`` after the first frame."""

    def log(self, text: str) -> None:
        """Something happened."""


@dataclass
class Parts:
    """The parts of a run.

    :param footage: of each camera whose source is footage: its frames.
    :param failover: the frames of the failover source, without an end; None if there is none.
    :param t0_ns: stamp of the first frame; set when the run starts.
    :param realtime: whether the pacing thread has had real-time priority.
    :param timings: milliseconds that each step of each frame took, by name.
    :param errors: why the run cannot be whole, in words.
    """

    scenario: Scenario
    client: EngineClient
    injector: Injector
    pipeline: Pipeline
    ledger: Ledger
    watchdog: Watchdog
    outputs: dict[str, CameraOutputs]
    footage: dict[str, Iterator[SourceFrame]]
    failover: Iterator[SourceFrame] | None
    reports: Reports
    t0_ns: int = 0
    zero_ns: int = 0
    errors: list[str] = field(default_factory=list)
    clock_errors: list[str] = field(default_factory=list)
    overload: list[str] = field(default_factory=list)
    realtime: bool = False
    happened: dict[str, int] = field(default_factory=dict)
    timings: dict[str, list[float]] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    _left: deque[FrameRecord] = field(default_factory=deque)

    def await_engine(self, size: tuple[int, int], timeout_s: float) -> None:
        """Wait until there is an engine for frames of (height, width).

        :raises UserError: if it fails, or takes too long.
        """
        deadline = time.monotonic() + timeout_s
        self.client.prepare(size)
        while not self.client.ready(size):
            failed = self.client.why_failed(size) or (
                status.detail if (status := self.client.status()).state == 'failed' else '')
            if failed:
                raise UserError(f'the engine for {format_size(size)} failed: {failed}')
            if time.monotonic() > deadline:
                raise UserError(f'no engine for {format_size(size)} after {timeout_s:.0f} s: '
                                f'{self.client.status().detail}')
            if self.ending.wait(ENGINE_POLL_S):
                raise UserError('interrupted before the engine was ready')

    def radiance(self, job: Job) -> np.ndarray | None:
        """Return what the engine makes of a frame; None, noted in the ledger, if it makes nothing.

        A crash or a stall is reported to the watchdog.
        """
        if job.failover:
            return failover_radiance(job.frame.pixels)
        size = (job.frame.pixels.shape[0], job.frame.pixels.shape[1])
        began = time.monotonic_ns()
        outcome = DROPPED + 'engine_not_ready'
        try:
            if self.client.ready(size):
                inference = self.client.infer(job.frame.pixels)
                self.note('inference_ms', inference.inference_ms)
                self.note('transfer_ms', inference.transfer_ms)
                self.watchdog.engine_back()
                return inference.radiance
            self.client.prepare(size)
        except EngineNotReady:
            pass
        except (EngineHung, EngineCrashed) as error:
            outcome = DROPPED + 'engine_failed'
            kind = HANG if isinstance(error, EngineHung) else CRASH
            self.engine_failed(kind, self.happened.pop(kind, began), str(error))
        self.pipeline.drop(job, outcome)
        return None

    def note(self, name: str, milliseconds: float) -> None:
        """Note how long a step of one frame took; of one thread each."""
        self.timings.setdefault(name, []).append(milliseconds)

    def engine_failed(self, kind: str, happened_ns: int, detail: str) -> None:
        """Tell the watchdog."""
        if not self.ending.is_set():
            self.watchdog.engine_failed(kind, happened_ns, time.monotonic_ns(), detail)

    def prepare(self, out: Outgoing) -> Ready:
        """Fill a frame's messages."""
        return self.outputs[out.frame.camera].prepare(out, self.t0_ns)

    def leave(self, ready: Ready, now: Callable[[], int]) -> None:
        """Send a frame, or note why not.

        In the safe state nothing but the failover source's frames is sent, and those only then.

        :param now: the clock that due times are of.
        """
        out, frame = ready.out, ready.out.frame
        safe = self.watchdog.safe(frame.camera)
        if safe != out.failover:
            self.ledger.lost(frame, HELD if safe else DROPPED + 'failover_over', out.due_ns)
            return
        tolerance = round(self.scenario.pacing.tolerance_ms * 1e6)
        if now() - out.due_ns > tolerance:
            self.ledger.lost(frame, MISSED, out.due_ns)
            return
        self.outputs[frame.camera].publish(ready)
        left = now()
        record = FrameRecord(
            frame.camera, frame.index, frame.time_ns, LATE if left - out.due_ns > tolerance
            else LEFT, out.due_ns, left, ready.stamp_ns, ready.digest, frame.faults, out.failover)
        self.ledger.add(record)
        if not out.failover:
            self.watchdog.sent(frame.camera, left)
        self._left.append(record)

    def report_frames(self) -> None:
        """Report the frames that have left: apart, since the next frame may be due by now."""
        while self._left:
            self.reports.frame(self._left.popleft())

    def fail(self, error: BaseException, what: str) -> None:
        """Note an error that ends the run, and end it."""
        text = str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {error}'
        self.errors.append(text if isinstance(error, FaultFailed) else f'{what}: {text}')
        self.reports.log(self.errors[-1])
        self.ending.set()


def summary_of_engine(client: EngineClient, timings: dict[str, list[float]]) -> dict[str, Any]:
    """Return what is known of the engines, and how long frames took, for the evidence."""
    status = client.status()
    taken = {name: {f'p{share}': round(float(np.percentile(values, share)), 2)
                    for share in (50, 99)} for name, values in timings.items()}
    return {'state': status.state, 'restarts': status.restarts, 'timings': taken,
            **{format_size(size): {key: str(value) for key, value in engine.items()}
               for size, engine in status.engines.items()}}
