"""The node's side of the engine process: numpy and the standard library, never torch.

The engine lives in a process of its own because an inference holds Python's lock for all of its
run, and because a process that hangs can be killed, a thread cannot.
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

from rgb2swir_ros.engines.channel import Message, Size
from rgb2swir_ros.engines.child import Child
from rgb2swir_ros.engines.status import (
    EngineCrashed,
    EngineError,
    EngineHung,
    EngineNotReady,
    EngineStatus,
    Inference,
)
from rgb2swir_ros.errors import UserError

__all__ = ['EngineClient', 'EngineCrashed', 'EngineError', 'EngineHung', 'EngineNotReady',
           'EngineStatus', 'Inference']

START_TIMEOUT_S = 60.0  # importing torch from a cold and slow disk gives no heartbeat
CRASHES_IN_A_ROW = 5
HEALTHY_S = 60.0  # an engine that was ready for so long is no part of a row of crashes
FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 10.0
SMALLEST_SIDE = 16


class EngineClient:
    """Start, supervise and use an engine process.

    `infer` is for one worker thread; everything else may be called from any thread.
    """

    def __init__(self, model: str, *, backend: str = 'auto', precision: str = 'auto',
                 threads: int = 0, device: str = 'auto', optimization_level: int = 3,
                 cache: str | Path | None = None,
                 heartbeat_timeout_s: float = 10.0, infer_timeout_s: float = 5.0,
                 build_timeout_s: float = 1800.0,
                 log: Callable[[str], None] | None = None) -> None:
        """Keep the arguments; `start` starts.

        :param model: see `rgb2swir_ros.engines.build.open_engine`, like the six that follow.
        :param heartbeat_timeout_s: a process silent for longer is killed and restarted.
        :param infer_timeout_s: so is one whose inference takes longer,
        :param build_timeout_s: or whose engine takes longer to build.
        :param log: told in single lines what happens and what the process prints.
        """
        self._arguments = {'model': str(model), 'backend': backend, 'precision': precision,
                           'threads': threads, 'device': device,
                           'optimization_level': optimization_level,
                           'cache': str(cache) if cache else None}
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._infer_timeout_s = infer_timeout_s
        self._build_timeout_s = build_timeout_s
        self._log = log or (lambda _: None)
        self._changed = threading.Condition()  # guards all that follows
        self._wanted: list[Size] = []
        self._child: Child | None = None
        self._supervisor: threading.Thread | None = None
        self._supervised = False
        self._closing = False
        self._failures = 0
        self._restarts = 0
        self._state, self._detail, self._since = 'stopped', '', time.monotonic()
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

    @property
    def pid(self) -> int | None:
        """The process's number, or None while there is no process."""
        with self._changed:
            return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the process in the background; again after it failed or was closed."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._supervised and self._closing))
            if self._supervised:
                return
            self._supervised, self._closing, self._failures = True, False, 0
            self._set('starting', 'starting the engine process')
            self._supervisor = threading.Thread(target=self._supervise, name='engine-supervisor',
                                                daemon=True)
            self._supervisor.start()

    def prepare(self, size: Size) -> None:
        """Ask for an engine of (height, width); `ready` says when it is there.

        :raises UserError: if a side is smaller than 16 pixels.
        """
        size = (int(size[0]), int(size[1]))
        if min(size) < SMALLEST_SIDE:
            raise UserError(f'{size[1]}x{size[0]} is too small for an engine: '
                            f'at least {SMALLEST_SIDE} pixels each way')
        with self._changed:
            if size in self._wanted:
                return
            self._wanted.append(size)
            if self._child is not None and self._child.verdict is None:
                self._child.prepare(size)
                self._refresh()

    def ready(self, size: Size) -> bool:
        """Say whether `infer` would take a frame of (height, width) now."""
        with self._changed:
            child = self._child
            return child is not None and child.verdict is None and tuple(size) in child.engines

    def status(self) -> EngineStatus:
        """Return the state of things; takes no time, also while an engine is built."""
        with self._changed:
            child, detail = self._child, self._detail
            if self._state == 'building':
                detail = f'{detail} ({time.monotonic() - self._since:.0f} s)'
            return EngineStatus(
                self._state, detail, self._restarts,
                None if child is None else time.monotonic() - child.last_heard,
                {} if child is None else dict(child.engines))

    def infer(self, rgb: NDArray[np.uint8]) -> Inference:
        """Translate a frame and wait for it.

        :param rgb: (H, W, 3), uint8, RGB.
        :raises EngineNotReady: if there is no engine of that size yet.
        :raises EngineCrashed: if the process died before it was done.
        :raises EngineHung: if it took too long; it has been killed.
        :raises UserError: if this is no such array.
        """
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise UserError(f'an engine takes a frame as uint8 (H, W, 3), '
                            f'not {rgb.dtype} {rgb.shape}')
        height, width = rgb.shape[:2]
        with self._inferring:
            with self._changed:
                child = self._child
                if child is None or child.verdict or (height, width) not in child.engines:
                    raise EngineNotReady(f'no engine for {width}x{height} yet: '
                                         f'{self._state}, {self._detail}')
                number = next(self._numbers)
            slot = child.slots[height, width]
            started = time.perf_counter_ns()
            slot.rgb[:] = rgb
            child.tell(op='infer', id=number, height=height, width=width)
            inference_ms = self._await(child, number)
            radiance = slot.radiance.copy()
            total_ms = (time.perf_counter_ns() - started) / 1e6
        return Inference(radiance, max(total_ms - inference_ms, 0.0), inference_ms)

    def close(self) -> None:
        """End the process and forget it; `start` starts a new one."""
        with self._changed:
            self._closing = True
            if self._child is not None:
                self._child.kill()
            self._changed.notify_all()
            if self._supervisor is not threading.current_thread():  # a log that closes
                self._changed.wait_for(lambda: not self._supervised)
            self._set('stopped', '')

    def _await(self, child: Child, number: int) -> float:
        """Wait for one answer and return its inference time in ms."""
        with self._changed:
            answered = self._changed.wait_for(
                lambda: number in child.done or child.verdict is not None, self._infer_timeout_s)
            if number in child.done:
                return child.done.pop(number)
            if not answered:
                child.verdict = (True, 'an inference took longer than '
                                       f'{self._infer_timeout_s:g} s')
                child.kill()
            hung, text = child.verdict or (False, '')
        raise (EngineHung if hung else EngineCrashed)(text)

    def _supervise(self) -> None:
        """Start processes until one fails for good or the client is closed.

        The thread lives as long as its child: the kernel ends a child with the thread that
        started it.
        """
        try:
            while self._another():
                pass
        except BaseException as error:
            self._fail(f'{type(error).__name__} while supervising the engine: {error}')
            raise

    def _another(self) -> bool:
        """Run one process to its end; return whether there is to be another, after a pause."""
        try:
            fatal, reason = self._run_child()
        except OSError as error:
            fatal, reason = False, f'no engine process can be started: {error}'
        with self._changed:
            if self._closing:
                return self._fail('')
            self._failures += 1
            last = fatal or self._failures >= CRASHES_IN_A_ROW
            if last and not fatal:
                reason = f'{self._failures} failures in a row, the last: {reason}'
            pause = min(FIRST_BACKOFF_S * 2 ** (self._failures - 1), LONGEST_BACKOFF_S)
            if last:
                self._fail(reason)
            else:
                self._restarts += 1
                self._set('restarting', reason)
        self._log(f'the engine failed: {reason}' if last
                  else f'{reason}; restarting the engine in {pause:g} s')
        if last:
            return False
        with self._changed:
            if self._changed.wait_for(lambda: self._closing, pause):
                return self._fail('')
            self._set('starting', f'restarting after: {reason}')
        return True

    def _fail(self, reason: str) -> bool:
        """Stop supervising: closed if there is no reason, failed if there is; return False."""
        with self._changed:
            self._supervised = False
            self._set('failed' if reason else 'stopped', reason)
        return False

    def _run_child(self) -> tuple[bool, str]:
        """Run one process to its end; return whether another is pointless, and why it ended."""
        child = Child(self._arguments, self._log)
        try:
            return self._attend(child)
        finally:
            child.end()

    def _attend(self, child: Child) -> tuple[bool, str]:
        """Listen to a process until it is over; return what `_run_child` returns."""
        with self._changed:
            self._child = child
            if self._closing:
                child.kill()
            for size in self._wanted:
                child.prepare(size)
        fatal = None
        while fatal is None and child.verdict is None:
            heard, message = child.hear(self._deadline(child) - time.monotonic())
            if not heard:
                self._judge(child)
            elif message is None:
                break
            elif message['op'] == 'failed':
                fatal = str(message['text'])
            else:
                with self._changed:
                    self._take(child, message)
        return self._bury(child, fatal)

    def _bury(self, child: Child, fatal: str | None) -> tuple[bool, str]:
        """End a process that is given up and tell who waits for it."""
        died = child.end()
        with self._changed:
            if fatal is None and child.verdict is None:
                child.verdict = (False, died)
            _, reason = child.verdict or (False, fatal or died)
            child.verdict = child.verdict or (False, reason)
            if child.engines and time.monotonic() - child.born > HEALTHY_S:
                self._failures = 0
            self._child = None
            self._changed.notify_all()
        return fatal is not None, reason

    def _deadline(self, child: Child) -> float:
        """Return when the process has been silent, or building, for too long."""
        silence = self._heartbeat_timeout_s
        if not child.started:
            silence = max(silence, START_TIMEOUT_S)
        with self._changed:
            pending = [asked for size, asked in child.asked.items() if size not in child.engines]
        return min([child.last_heard + silence, *(p + self._build_timeout_s for p in pending)])

    def _judge(self, child: Child) -> None:
        """Give the process up if its deadline has passed."""
        now = time.monotonic()
        if now < self._deadline(child):
            return
        silent = now - child.last_heard
        with self._changed:
            if silent >= self._heartbeat_timeout_s:
                text = f'the engine process gave no sign of life for {silent:.1f} s'
            else:
                text = f'building took longer than {self._build_timeout_s:g} s ({self._detail})'
            child.verdict = child.verdict or (True, text)

    def _take(self, child: Child, message: Message) -> None:
        """Note what the process says."""
        operation = message['op']
        if operation == 'started':
            child.started = True
            self._refresh()
        elif operation == 'progress':
            self._set(self._state, message['text'])
        elif operation == 'ready':
            child.engines[message['height'], message['width']] = message['engine']
            self._refresh()
        elif operation == 'done':
            child.done[message['id']] = message['inference_ms']
            self._failures = 0
            self._changed.notify_all()

    def _refresh(self) -> None:
        """Set the state that follows from what is asked for and what is there."""
        child = self._child
        if child is None or not child.started:
            return
        missing = [size for size in self._wanted if size not in child.engines]
        if missing:
            self._set('building', f'building {missing[0][1]}x{missing[0][0]}')
        else:
            self._set('ready', f'{len(child.engines)} engine(s) ready in process {child.pid}')

    def _set(self, state: str, detail: str) -> None:
        if (state, detail) != (self._state, self._detail):
            self._state, self._detail, self._since = state, detail, time.monotonic()
        self._changed.notify_all()
