"""What the processes beside the bench's node share: they serve ROS until their input closes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any


def serve(name: str, line: str, prepare: Callable[[Any], Callable[[], int] | None],
          drain_s: float = 0.0) -> None:
    """Run a node until the standard input closes or ROS is shut down.

    :param name: of the node.
    :param line: printed when ``prepare`` is done.
    :param prepare: given the node, it subscribes; it may return when the last message came, as
        monotonic nanoseconds.
    :param drain_s: after the end, messages are awaited until none has come for so long, for at
        most ten times as long.
    """
    import rclpy
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    rclpy.init(args=[])
    closed = threading.Event()
    threading.Thread(target=_await_end, args=(closed,), daemon=True).start()
    try:
        node = rclpy.create_node(name, start_parameter_services=False)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        last = prepare(node)
        print(line, flush=True)
        try:
            while not closed.is_set():
                executor.spin_once(timeout_sec=0.1)
            limit = time.monotonic() + 10 * drain_s
            while (last is not None and time.monotonic() < limit
                   and time.monotonic_ns() - last() < drain_s * 1e9):
                executor.spin_once(timeout_sec=0.1)
        except ExternalShutdownException:
            pass  # told to end: what came so far is kept
    finally:
        rclpy.try_shutdown()


def _await_end(closed: threading.Event) -> None:
    sys.stdin.read()
    closed.set()
