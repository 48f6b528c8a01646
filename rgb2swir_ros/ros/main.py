"""Entry of the executable ``translator_node``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.node import TranslatorNode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until it is told to end.

    :param arguments: the command line; by default the process's.
    :return: 0 after Ctrl-C, SIGTERM or a finished ``build_only``; 1 if a build failed; 2 after a
        wrong parameter, with one line that says which.
    """
    # rclpy's own handlers end the executor; Python's would interrupt the clean-up, since
    # `ros2 launch` and a terminal may send the signal twice.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        rclpy.init(args=None if arguments is None else list(arguments))
    except Exception as error:  # wrong --ros-args, unreadable parameter files
        return _refuse(str(error).splitlines()[0])
    node: TranslatorNode | None = None
    try:
        node = TranslatorNode()
        return _run(node)
    except UserError as error:
        return _refuse(str(error))
    except ExternalShutdownException:
        return 0
    except Exception:
        if rclpy.ok():
            raise
        return 0  # told to end while starting
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()


def _run(node: TranslatorNode) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if node.settings.build_only:
        node.build_target()
    if node.settings.autostart or node.settings.build_only:
        node.autostart()
    if not node.settings.build_only:
        executor.spin()
        return 0
    while (built := node.built()) is None:
        executor.spin_once(timeout_sec=0.2)
    if not built:
        print(f'translator_node: {node.engine().detail}', file=sys.stderr)
    return 0 if built else 1


def _refuse(text: str) -> int:
    print(f'translator_node: {text}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
