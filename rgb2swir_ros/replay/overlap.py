"""Overlap reading, computing and writing: one thread reads ahead, one writes behind."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar('T')
_END = object()


def ahead(items: Iterable[T], depth: int = 2,
          filled: threading.Event | None = None) -> Generator[T, None, None]:
    """Yield the items in order, while a thread makes the next ones.

    An exception of the iterable is raised after the items before it. If the consumer stops
    early, the thread ends as well.

    :param depth: largest number of finished items that wait.
    :param filled: set when that many items wait, or all of them.
    """
    ready: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: Any, error: BaseException | None = None) -> None:
        if filled is not None and (item is _END or ready.full()):
            filled.set()
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put((item, error), timeout=0.1)
                return

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
            put(_END)
        except BaseException as error:  # raised again in the consumer
            put(_END, error)

    thread = threading.Thread(target=work, name='read-ahead', daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()


class Behind:
    """Runs calls in order in one thread, with a bounded queue.

    Use it as a context manager: leaving it waits for all calls. A call's exception is raised by
    a later :meth:`put` or on leaving.
    """

    def __init__(self, depth: int = 2) -> None:
        """Start the thread; the queue holds at most ``depth`` calls."""
        self._depth = depth
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='write-behind')
        self._pending: deque[Future[Any]] = deque()

    def put(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Queue a call; wait while the queue is full."""
        while len(self._pending) >= self._depth:
            self._pending.popleft().result()
        self._pending.append(self._pool.submit(call, *arguments))

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._pool.shutdown(wait=True)
        if kind is None:
            while self._pending:
                self._pending.popleft().result()
