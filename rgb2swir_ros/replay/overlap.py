"""Overlap reading, computing and writing with one thread on either side."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar('T')
_END = object()


def ahead(items: Iterable[T], depth: int = 2,
          filled: threading.Event | None = None) -> Iterator[T]:
    """Yield the items in order while a thread already makes the next ones.

    An exception of the iterable is raised where it happened, after the items before it. When the
    consumer stops early, the thread ends too.

    :param depth: how many finished items may wait.
    :param filled: set once so many wait, or all there are.
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
    """Run calls in order in one thread, a few at most waiting.

    Use it as a context manager: leaving it waits for all calls. A call's exception is raised by
    a later :meth:`put` or on leaving.
    """

    def __init__(self, depth: int = 2) -> None:
        """Start with at most ``depth`` calls waiting."""
        self._depth = depth
        self._pool = ThreadPoolExecutor(1, thread_name_prefix='write-behind')
        self._pending: deque[Future[Any]] = deque()

    def put(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Queue a call; wait while too many are queued."""
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
