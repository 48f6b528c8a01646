"""A helping process's node: it serves ROS until its standard input closes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor


def spin_until_input_ends(node: Any, last_ns: Callable[[], int] | None = None,
                          drain_s: float = 0.0, limit_s: float | None = None) -> None:
    """Spin a node until the standard input closes or ROS is shut down.

    :param last_ns: returns when the last message came, in monotonic nanoseconds.
    :param drain_s: after the end of the input, messages are awaited until none has come for so
        long. A shutdown ends at once.
    :param limit_s: for so long at most; by default ten times as long.
    """
    closed = threading.Event()
    threading.Thread(target=_await_end, args=(closed,), daemon=True).start()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not closed.is_set():  # not spin(): a shutdown from another thread may hang it
            executor.spin_once(timeout_sec=0.1)
        limit = time.monotonic() + (10 * drain_s if limit_s is None else limit_s)
        while (last_ns is not None and time.monotonic() < limit
               and time.monotonic_ns() - last_ns() < drain_s * 1e9):
            executor.spin_once(timeout_sec=0.1)
    except ExternalShutdownException:
        pass  # told to end: what came so far is kept


def _await_end(closed: threading.Event) -> None:
    sys.stdin.read()
    closed.set()
