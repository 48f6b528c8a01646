"""A fair lock: it is granted in the order of the requests."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A first-in, first-out lock, as a context manager. It is not reentrant.

    `threading.Lock` is not fair: a thread that releases it may acquire it again while another
    thread waits.
    """

    def __init__(self) -> None:
        """Start unlocked."""
        self._guard = threading.Lock()
        self._queue: deque[threading.Lock] = deque()  # the first one's owner holds the lock

    def __enter__(self) -> FairLock:
        """Acquire the lock."""
        turn = threading.Lock()
        with self._guard:
            if self._queue:
                turn.acquire()
            self._queue.append(turn)
        try:
            turn.acquire()
        except BaseException:  # Ctrl-C
            self._leave(turn)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Release the lock to the thread that has waited longest."""
        self._leave(self._queue[0])

    def _leave(self, turn: threading.Lock) -> None:
        with self._guard:
            first = self._queue[0] is turn
            self._queue.remove(turn)
            if first and self._queue:
                self._queue[0].release()
