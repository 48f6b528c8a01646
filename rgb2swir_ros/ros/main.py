"""Entry of the executable ``translator_node``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.hang_watch import HangWatch
from rgb2swir_ros.ros.node import TranslatorNode
from rgb2swir_ros.ros.throttled_log import one_line
from rgb2swir_ros.ros.transport import security_problem

try:
    from rclpy._rclpy_pybind11 import RCLError
except ImportError:  # a private module, whose place may change
    RCLError = RuntimeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until a signal or, with ``build_only``, the end of the build.

    :param arguments: the command line; by default the process's.
    :return: 0 after Ctrl-C, SIGTERM or a finished ``build_only``; 1 if a build failed; 2 after a
        wrong parameter, which is named in one line on stderr. A node that hangs ends with 1, too.
    """
    # rclpy's handlers end the executor. Python's handler would interrupt the clean-up, because
    # `ros2 launch` and a terminal may send the signal twice.
    signal.signal(signal.SIGINT, lambda *_: None)
    _terminate_on_hangup()
    try:
        rclpy.init(args=None if arguments is None else list(arguments))
    except Exception as error:  # wrong --ros-args, unreadable parameter files, no keystore
        return _refuse(_enforced() or one_line(error, 'cannot start ROS 2'))
    with HangWatch(0) as watch, contextlib.ExitStack() as ending:
        ending.callback(rclpy.try_shutdown)
        try:
            node = _create()
            ending.callback(node.close)
            watch.limit(node.settings.hang_timeout_s)
            return _run(node, watch)
        except UserError as error:
            return _refuse(str(error))
        except ExternalShutdownException:
            return 0
        except Exception:
            if rclpy.ok():
                raise
            return 0  # a signal during the start


def _create() -> TranslatorNode:
    try:
        return TranslatorNode()
    except RCLError as error:  # a domain or a security setting that the middleware refuses
        if not rclpy.ok():
            raise
        raise UserError(_enforced() or one_line(error, 'cannot create the node')) from None


def _enforced() -> str:
    """Return the problem with enforced security, if any: rcl's own text lacks the cause."""
    return security_problem() if os.environ.get('ROS_SECURITY_STRATEGY') == 'Enforce' else ''


def _terminate_on_hangup() -> None:
    """Make SIGHUP end the node in good order, unless it is ignored (``nohup``).

    By default it kills the process, which then leaves 128 MB of shared memory behind.
    """
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def _run(node: TranslatorNode, watch: HangWatch) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if node.settings.build_only:
        node.build_target()
    if node.settings.autostart or node.settings.build_only:
        node.autostart()
    if not node.settings.build_only:
        while True:
            spin_once(executor, node)  # the node's timer wakes it each second
            watch.step()
    while (built := node.built()) is None:
        spin_once(executor, node, timeout_s=0.2)
        watch.step()
    if not built:
        print(f'translator_node: {node.engine().detail}', file=sys.stderr)
    return 0 if built else 1


def spin_once(executor: Executor, node: TranslatorNode, timeout_s: float | None = None) -> None:
    """Run a callback; an exception is logged and counted, and does not end the node.

    :raises ExternalShutdownException: after a signal.
    """
    try:
        executor.spin_once(timeout_sec=timeout_s)
    except ExternalShutdownException:
        raise
    except Exception as error:
        if not rclpy.ok():
            raise ExternalShutdownException() from None
        node.note_error(error, 'a callback failed')
        time.sleep(0.01)  # limits the rate of errors if the executor itself fails
    if not rclpy.ok():
        raise ExternalShutdownException()


def _refuse(text: str) -> int:
    print(f'translator_node: {text}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
