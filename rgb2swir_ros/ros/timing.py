"""Durations of a frame's stages, and rates over a sliding window."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ('decode_ms', 'preprocess_ms', 'transfer_ms', 'inference_ms', 'sensor_ms', 'publish_ms')


class Stopwatch:
    """Milliseconds that the stages of one frame took."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._start = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a block as one of ``STAGES``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.stages[name] += 1e3 * (time.perf_counter() - start)

    def report(self, age_ms: float) -> dict[str, float]:
        """Return the stages, ``total_ms`` since the stopwatch was created, and the frame's age."""
        total = 1e3 * (time.perf_counter() - self._start)
        return {**self.stages, 'total_ms': total, 'age_ms': age_ms}


class Window:
    """Events of the last seconds by a monotonic clock. Thread-safe."""

    def __init__(self, span_s: float = 5.0) -> None:
        self._span_ns = int(span_s * 1e9)
        self._lock = threading.Lock()
        self._events: deque[tuple[int, int, float]] = deque()

    def add(self, now_ns: int, stamp_ns: int = 0, value: float = 0.0) -> None:
        """Add an event.

        :param now_ns: monotonic time of the event.
        :param stamp_ns: the message's stamp; if it goes back (a bag that loops, a simulation that
            restarts), earlier events are dropped.
        :param value: what ``values`` returns.
        """
        with self._lock:
            if self._events and stamp_ns < self._events[-1][1]:
                self._events.clear()
            self._events.append((now_ns, stamp_ns, value))
            self._trim(now_ns)

    def rates(self, now_ns: int) -> tuple[float, float]:
        """Return events per second by arrival and by stamp; 0.0 for fewer than two events."""
        with self._lock:
            self._trim(now_ns)
            if len(self._events) < 2:
                return 0.0, 0.0
            intervals = len(self._events) - 1
            first, last = self._events[0], self._events[-1]
        arrival, stamp = last[0] - first[0], last[1] - first[1]
        # Silence since the last event lowers the rate once it exceeds the mean interval.
        arrival = max(arrival, now_ns - first[0] - arrival // intervals)
        return (intervals * 1e9 / arrival if arrival > 0 else 0.0,
                intervals * 1e9 / stamp if stamp > 0 else 0.0)

    def values(self, now_ns: int) -> list[float]:
        """Return the values of the events, oldest first."""
        with self._lock:
            self._trim(now_ns)
            return [event[2] for event in self._events]

    def _trim(self, now_ns: int) -> None:
        while self._events and self._events[0][0] < now_ns - self._span_ns:
            self._events.popleft()
