"""Keep one engine process running: start, watch, kill, restart. No torch in here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from rgb2swir_ros.engines.channel import Message, Size
from rgb2swir_ros.engines.child import EngineHandle
from rgb2swir_ros.engines.deadlines import Deadlines
from rgb2swir_ros.engines.ledger import Ledger
from rgb2swir_ros.engines.restarts import HEALTHY_S, ProcessEnd, RestartPolicy
from rgb2swir_ros.sizes import format_size


class Supervisor:
    """A thread that runs engine processes, one after the other, until `close`."""

    def __init__(self, arguments: dict[str, Any], *, heartbeat_timeout_s: float,
                 build_timeout_s: float, log: Callable[[str], None]) -> None:
        """Keep the arguments; `start` starts.

        :param arguments: of the process: see `rgb2swir_ros.engines.child.EngineHandle`.
        :param heartbeat_timeout_s: a process that is silent for longer is killed and restarted;
            see `rgb2swir_ros.engines.deadlines`.
        :param build_timeout_s: so is one that builds an engine for longer; that size has failed.
        :param log: called with each line about what happens, and that the process prints.
        """
        self._arguments = arguments
        self._deadlines = Deadlines(heartbeat_timeout_s, build_timeout_s)
        self._log = log
        self._changed = threading.Condition()  # guards all that follows
        self._ledger = Ledger()
        self._child: EngineHandle | None = None
        self._thread: threading.Thread | None = None
        self._supervised = False
        self._closing = False
        self._policy = RestartPolicy()
        self._restarts = 0
        self._state, self._detail, self._since = 'stopped', '', time.monotonic()

    @property
    def pid(self) -> int | None:
        """The process's number, or None while there is no process."""
        with self._changed:
            return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the process in the background; again after it failed or was closed.

        What has failed gets another chance.
        """
        with self._changed:
            self._changed.wait_for(lambda: not (self._supervised and self._closing))
            failed = self._ledger.failures()
            if failed:
                self._ledger.clear_failures()
            if self._supervised:
                for size in failed:
                    self._ask_child(size)
                self._refresh()
                self._changed.notify_all()
                return
            self._supervised, self._closing = True, False
            self._policy.reset()
            self._set('starting', 'starting the engine process')
            self._thread = threading.Thread(target=self._supervise, name='engine-supervisor',
                                            daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the process and forget it; `start` starts a new one."""
        with self._changed:
            self._closing = True
            if self._child is not None:
                self._child.kill()
            self._changed.notify_all()
            if self._thread is not threading.current_thread():  # a log that closes
                self._changed.wait_for(lambda: not self._supervised)
            self._set('stopped', '')

    def _supervise(self) -> None:
        """Start processes until one fails for good or the client is closed.

        The thread lives as long as its child: the kernel ends a child with the thread that
        started it.
        """
        try:
            while self._run_next():
                pass
        except BaseException as error:
            self._stop(f'{type(error).__name__} while supervising the engine: {error}')
            raise

    def _run_next(self) -> bool:
        """Run one process to its end; return whether there is to be another, after a pause."""
        try:
            end = self._run_child()
        except OSError as error:
            end = ProcessEnd(f'no engine process can be started: {error}')
        with self._changed:
            if self._closing:
                return self._stop('')
            pause = self._policy.count(end)
            last = self._policy.why_last(end)
            reason = last or end.reason
            idle = not last and not self._ledger.standing() and self._ledger.failures()
            if last:
                self._stop(reason)
            elif idle:
                self._set('failed', str(self._ledger))
            else:
                self._restarts += 1
                self._set('restarting', reason)
        if last:
            self._log(f'the engine failed: {reason}')
            return False
        if not idle:
            self._log(f'{reason}; restarting the engine in {pause:g} s')
        return self._pause(pause, reason)

    def _pause(self, seconds: float, reason: str) -> bool:
        """Wait before the next process, and until there is work for it; return whether to go on.

        Where every size has failed, no process is needed until there is another one.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)
            self._changed.wait_for(lambda: self._closing or self._ledger.standing()
                                   or not self._ledger.failures())
            if self._closing:
                return self._stop('')
            self._set('starting', f'restarting after: {reason}')
        return True

    def _stop(self, reason: str) -> bool:
        """Stop supervising: closed if there is no reason, failed if there is; return False."""
        with self._changed:
            self._supervised = False
            self._set('failed' if reason else 'stopped', reason)
        return False

    def _run_child(self) -> ProcessEnd:
        """Run one process to its end and return what that was."""
        child = EngineHandle(self._arguments, self._log)
        try:
            return self._follow(child)
        finally:
            child.end()

    def _follow(self, child: EngineHandle) -> ProcessEnd:
        """Listen to a process until it is over; return what `_run_child` returns."""
        with self._changed:
            self._child = child
            if self._closing:
                child.kill()
            for size in self._ledger.standing():
                self._ask_child(size)
        fatal = None
        while fatal is None and child.verdict is None:
            received, message = child.receive(self._deadlines.next(child) - time.monotonic())
            with self._changed:
                if not received:
                    self._check_deadlines(child)
                elif message is None:
                    break
                elif message['op'] == 'failed' and 'height' not in message:
                    fatal = str(message['text'])
                else:
                    self._handle(child, message)
                    self._update_sizes(child)
        return self._conclude(child, fatal)

    def _conclude(self, child: EngineHandle, fatal: str | None) -> ProcessEnd:
        """End a process that is given up; count the failure against the size it worked on."""
        died = child.end()
        with self._changed:
            _, reason = child.verdict = child.verdict or (False, fatal or died)
            if child.engines and time.monotonic() - child.born > HEALTHY_S:
                self._policy.reset()
            if fatal is None and not child.attributed and not self._closing:
                for size in self._ledger.standing():
                    if size == child.inferring or (child.building and size == child.building[0]):
                        child.attributed = True
                        self._stumble(size, reason)
            self._child = None
            self._changed.notify_all()
        return ProcessEnd(reason, fatal is not None, child.attributed)

    def _check_deadlines(self, child: EngineHandle) -> None:
        """Give the process up if a deadline has passed."""
        overdue = self._deadlines.overdue(child, self._detail)
        if overdue is None:
            return
        if overdue.size is not None:
            self._give_up(overdue.size, overdue.text)
            child.attributed = True
        child.verdict = child.verdict or (True, overdue.text)

    def _handle(self, child: EngineHandle, message: Message) -> None:
        """Handle a message of the process."""
        operation = message['op']
        size = message.get('height', 0), message.get('width', 0)
        if operation == 'started':
            child.started = True
            self._refresh()
        elif operation == 'building':
            child.building = size, time.monotonic()
            self._refresh()
        elif operation == 'progress':
            if child.building or not child.started:
                self._set(self._state, message['text'])
        elif operation == 'ready':
            child.building = None
            if child.asked.get(size) == message['number']:  # not released meanwhile
                child.engines[size] = message['engine']
            self._refresh()
        elif operation == 'failed':
            child.building = None
            if child.asked.get(size) == message['number']:
                child.forget(size)
                if message['again']:
                    self._stumble(size, message['text'])
                else:
                    self._give_up(size, message['text'])
            self._refresh()
        elif operation == 'done':
            child.done[message['id']] = message['inference_ms']
            self._ledger.succeed(size)
            self._policy.reset()
            self._changed.notify_all()
        elif operation == 'broken':
            child.forget(size)
            child.broken[message['id']] = message['text']
            self._stumble(size, message['text'])
            self._refresh()

    def _update_sizes(self, child: EngineHandle) -> None:
        """Release engines that are unused, and request again those that failed a while ago."""
        dropped = self._ledger.forget_unwanted()
        for size in dropped:
            child.release(size)
        again = [size for size in self._ledger.due() if size not in child.asked]
        for size in again:
            self._ask_child(size)
        if dropped or again:
            self._refresh()

    def _ask_child(self, size: Size) -> None:
        """Request an engine from the process, if there is one."""
        if self._child is None or self._child.verdict is not None:
            return
        try:
            self._child.prepare(size)
        except OSError as error:
            self._stumble(size, f'no memory for its frames: {error}')

    def _stumble(self, size: Size, reason: str) -> None:
        """Note a failure of a size that may pass."""
        if self._ledger.stumble(size, reason):
            self._log(f'the engine for {format_size(size)} failed '
                      f'{self._ledger.failures()[size]}')
        else:
            self._log(f'the engine for {format_size(size)} failed, to be tried again: {reason}')

    def _give_up(self, size: Size, reason: str) -> None:
        """Note a failure of a size that trying again would not mend."""
        self._ledger.fail(size, reason)
        self._log(f'the engine for {format_size(size)} failed: {reason}')

    def _refresh(self) -> None:
        """Set the state that follows from the engines requested and ready."""
        child, failures = self._child, str(self._ledger)
        if child is None:
            if self._supervised and failures and not self._ledger.standing():
                self._set('failed', failures)
            return
        if not child.started:
            return
        ready = f'{len(child.engines)} engine(s) ready in process {child.pid}'
        missing = [size for size in self._ledger.standing() if size not in child.engines]
        if missing:
            size = child.building[0] if child.building else missing[0]
            self._set('building', f'building {format_size(size)}')
        elif failures and not child.engines:
            self._set('failed', failures)
        else:
            self._set('ready', f'{ready}; {failures}' if failures else ready)

    def _set(self, state: str, detail: str) -> None:
        if (state, detail) != (self._state, self._detail):
            self._state, self._detail, self._since = state, detail, time.monotonic()
        self._changed.notify_all()
