"""The client of the engine process. It imports numpy and the standard library, never torch.

The engine runs in a separate process because an inference can hold Python's global interpreter
lock for its whole duration (pytorch#197516), and because a process that hangs can be killed and a
thread cannot.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.channel import Size
from rgb2swir_ros.engines.child import EngineHandle
from rgb2swir_ros.engines.status import (
    EngineCrashed,
    EngineError,
    EngineHung,
    EngineNotReady,
    EngineStatus,
    Inference,
)
from rgb2swir_ros.engines.supervisor import Supervisor
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import SMALLEST_SIDE, format_size

__all__ = ['EngineClient', 'EngineCrashed', 'EngineError', 'EngineHung', 'EngineNotReady',
           'EngineStatus', 'Inference']



class EngineClient(Supervisor):
    """Start, supervise and use an engine process.

    `infer` is for one worker thread; everything else may be called from any thread.
    """

    def __init__(self, model: str, *, backend: str = 'auto', precision: str = 'auto',
                 threads: int = 0, device: str = 'auto', optimization_level: int = 3,
                 cache: str | Path | None = None,
                 heartbeat_timeout_s: float = 10.0, infer_timeout_s: float = 5.0,
                 build_timeout_s: float = 1800.0,
                 log: Callable[[str], None] | None = None) -> None:
        """Store the arguments; `start` starts the process.

        :param model: see `rgb2swir_ros.engines.build.open_engine`, like the six that follow.
        :param heartbeat_timeout_s: a process that is silent for longer is killed and restarted;
            longer silence is allowed while it loads libraries or builds an engine.
        :param infer_timeout_s: limit of one inference; a process past it is killed and restarted.
        :param build_timeout_s: limit of one build; a process past it is killed and restarted, and
            the size has failed.
        :param log: called with single lines: events, and the output of the process.
        """
        super().__init__(
            {'model': str(model), 'backend': backend, 'precision': precision, 'threads': threads,
             'device': device, 'optimization_level': optimization_level,
             'cache': str(cache) if cache else None},
            heartbeat_timeout_s=heartbeat_timeout_s, build_timeout_s=build_timeout_s,
            log=log or (lambda _: None))
        self._infer_timeout_s = infer_timeout_s
        self._numbers = itertools.count(1)
        self._inferring = threading.Lock()

    def __enter__(self) -> EngineClient:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Close."""
        self.close()

    def prepare(self, size: Size) -> None:
        """Request an engine of (height, width); `ready` tells when it is available.

        It is kept while it is used or requested, and freed after a minute without either
        (`rgb2swir_ros.engines.ledger`).

        :raises UserError: if a side is smaller than 16 pixels.
        """
        size = (int(size[0]), int(size[1]))
        if min(size) < SMALLEST_SIDE:
            raise UserError(f'{size[1]}x{size[0]} is too small for an engine: '
                            f'at least {SMALLEST_SIDE} pixels each way')
        with self._changed:
            if size in self._ledger:
                self._ledger.use(size)
                return
            for unwanted in self._ledger.forget_unwanted(room_for=size):
                if self._child is not None:
                    self._child.release(unwanted)
            known = size in self._ledger.failures()
            if self._ledger.request(size):
                self._ask_child(size)
            elif not known and (reason := self._ledger.failures().get(size)):
                self._log(f'the engine for {format_size(size)} failed: {reason}')
            self._refresh()
            self._changed.notify_all()

    def ready(self, size: Size) -> bool:
        """Return whether there is an engine for a frame of (height, width) now."""
        size = (int(size[0]), int(size[1]))
        with self._changed:
            self._ledger.use(size)
            child = self._child
            return child is not None and child.verdict is None and size in child.engines

    def why_failed(self, size: Size) -> str:
        """Return why the engine of (height, width) has failed; empty if it has not."""
        with self._changed:
            return self._ledger.failures().get((int(size[0]), int(size[1])), '')

    def status(self) -> EngineStatus:
        """Return the status at once, also while an engine is built."""
        with self._changed:
            child, detail = self._child, self._detail
            if self._state == 'building':
                detail = f'{detail} ({time.monotonic() - self._since:.0f} s)'
            return EngineStatus(
                self._state, detail, self._restarts,
                None if child is None else time.monotonic() - child.last_heard,
                {} if child is None else dict(child.engines), self._ledger.failures())

    def infer(self, rgb: NDArray[np.uint8]) -> Inference:
        """Translate a frame and wait for the result.

        :param rgb: (H, W, 3), uint8, RGB.
        :raises EngineNotReady: if there is no engine of that size yet.
        :raises EngineCrashed: if the process died before the result, or the engine failed.
        :raises EngineHung: if it took too long; the process has been killed.
        :raises UserError: if ``rgb`` has another shape or type.
        """
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise UserError(f'an engine takes a frame as uint8 (H, W, 3), '
                            f'not {rgb.dtype} {rgb.shape}')
        size = height, width = rgb.shape[0], rgb.shape[1]
        with self._inferring:
            with self._changed:
                self._ledger.use(size)
                child = self._child
                if child is None or child.verdict or size not in child.engines:
                    raise EngineNotReady(f'no engine for {width}x{height} yet: '
                                         f'{self._state}, {self._detail}')
                number = next(self._numbers)
                slot, child.inferring = child.slots[size], size
            started = time.perf_counter_ns()
            slot.rgb[:] = rgb
            child.send(op='infer', id=number, height=height, width=width)
            inference_ms = self._await(child, number)
            radiance = slot.radiance.copy()
            total_ms = (time.perf_counter_ns() - started) / 1e6
        return Inference(radiance, max(total_ms - inference_ms, 0.0), inference_ms)

    def _await(self, child: EngineHandle, number: int) -> float:
        """Wait for one result and return its inference time in ms."""
        with self._changed:
            answered = self._changed.wait_for(
                lambda: number in child.done or number in child.broken
                or child.verdict is not None, self._infer_timeout_s)
            if number in child.done:
                child.inferring = None
                return child.done.pop(number)
            if number in child.broken:
                child.inferring = None
                raise EngineCrashed(child.broken.pop(number))
            if not answered:
                child.verdict = (True, 'an inference took longer than '
                                       f'{self._infer_timeout_s:g} s')
                child.kill()
            hung, text = child.verdict or (False, '')
        raise (EngineHung if hung else EngineCrashed)(text)
