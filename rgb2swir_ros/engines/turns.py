"""A lock that is granted in the order in which it is asked for."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock with a queue, as a context manager; not to be taken twice by one thread.

    `threading.Lock` may be taken again and again by a thread that releases it in between, while
    another one waits. Here whoever waits is next.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._guard = threading.Lock()
        self._queue: deque[threading.Lock] = deque()  # the first is whose turn it is

    def __enter__(self) -> Turns:
        """Wait for the turn."""
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
        """Hand the turn to who has waited longest."""
        self._leave(self._queue[0])

    def _leave(self, turn: threading.Lock) -> None:
        with self._guard:
            first = self._queue[0] is turn
            self._queue.remove(turn)
            if first and self._queue:
                self._queue[0].release()
