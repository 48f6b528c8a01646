"""What the processes beside the bench's node share: they serve ROS until their input closes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def serve(name: str, line: str, prepare: Callable[[Any], Callable[[], int] | None],
          drain_s: float = 0.0, limit_s: float | None = None) -> None:
    """Run a node until the standard input closes or ROS is shut down.

    :param name: of the node.
    :param line: printed when ``prepare`` is done.
    :param prepare: given the node, it subscribes; it may return when the last message came, as
        monotonic nanoseconds.
    :param drain_s: after the end, messages are awaited until none has come for so long.
    :param limit_s: for so long at most; by default ten times as long.
    """
    import rclpy

    from rgb2swir_ros.ros.serving import spin_until_input_ends
    rclpy.init(args=[])
    try:
        node = rclpy.create_node(name, start_parameter_services=False)
        last = prepare(node)
        print(line, flush=True)
        spin_until_input_ends(node, last, drain_s, limit_s)
    finally:
        rclpy.try_shutdown()
