"""Pacing: what is due leaves at its time, in real time or on simulated time."""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

PRIORITY = 10  # SCHED_FIFO: above everything that is not real time, below what a bench has of it
SPIN_NS = 300_000  # the end of a wait is spun: a sleep ends up to a scheduler's tick too late
Leave = Callable[[Any, int], None]


class Schedule:
    """What is to leave, in order of its due time; at the same time, in order of submission."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Any]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_ns: int, item: Any) -> None:
        """Add an item."""
        heapq.heappush(self._heap, (due_ns, next(self._numbers), item))

    def next_due_ns(self) -> int | None:
        """Return when the first one is due; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def pop(self) -> Any:
        """Remove and return the first one."""
        return heapq.heappop(self._heap)[2]


class Pacer:
    """A thread that lets items leave at their absolute times on the monotonic clock.

    It sleeps until shortly before and spins from there on. Whatever it calls should be short: a
    message that is ready, to be published.

    :ivar realtime: whether the thread has real-time priority, which the system must permit.
    """

    def __init__(self, leave: Leave, on_error: Callable[[BaseException], None]) -> None:
        """Create the thread; `start` starts it.

        :param leave: called with each item and its due time when that has come.
        :param on_error: called with an exception of ``leave``; the thread goes on.
        """
        self._leave, self._on_error = leave, on_error
        self._changed = threading.Condition()
        self._schedule = Schedule()
        self._ending = False
        self.realtime = False
        self._thread = threading.Thread(target=self._run, name='pacing', daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, due_ns: int, item: Any) -> None:
        """Let an item leave at ``due_ns`` (`time.monotonic_ns`); at once if that has passed."""
        with self._changed:
            first = self._schedule.next_due_ns()
            self._schedule.add(due_ns, item)
            if first is None or due_ns < first:
                self._changed.notify()

    def finish(self) -> None:
        """Let everything that is submitted leave at its time, then end the thread."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        self.realtime = _request_realtime()
        while True:
            with self._changed:
                due = self._schedule.next_due_ns()
                if due is None:
                    if self._ending:
                        return
                    self._changed.wait()
                    continue
                left = due - time.monotonic_ns()
                if left > SPIN_NS:
                    self._changed.wait((left - SPIN_NS) / 1e9)
                    continue
                item = self._schedule.pop()
            while time.monotonic_ns() < due:
                pass
            try:
                self._leave(item, due)
            except Exception as error:  # a frame must never end the bench
                self._on_error(error)


def _request_realtime() -> bool:
    """Give the calling thread real-time priority, if this user may; return whether it has it."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (OSError, AttributeError):  # not permitted, or not Linux
        return False
    return True
