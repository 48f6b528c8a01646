"""Entry of the executable ``hil_node``."""

from __future__ import annotations

import gc
import itertools
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.alone import joined, require_alone
from rgb2swir_ros.hil.live import TopicSource
from rgb2swir_ros.hil.node import BUILD_S, HilNode
from rgb2swir_ros.hil.parts import Parts
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.hil.stepped import SteppedRun
from rgb2swir_ros.hil.wall import WallRun
from rgb2swir_ros.ros.hang_watch import HangWatch
from rgb2swir_ros.ros.throttled_log import one_line
from rgb2swir_ros.sizes import parse_size

SWITCH_S = 0.0005  # Python's threads change turns so often: the pacing thread must not wait
MATCH_S = 60.0
RECEIPT_S = 1.0
SETTLE_S = 0.5  # that a subscriber is seen here does not mean that it sees this publisher


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a scenario.

    :param arguments: the command line; by default the process's.
    :return: 0 after a whole run, 4 after one that broke off, 2 if something given is wrong.
    """
    sys.setswitchinterval(SWITCH_S)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:  # rclpy's own handlers would take the publishers away under the run
        rclpy.init(args=None if arguments is None else list(arguments),
                   signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        return _refuse(one_line(error, 'cannot start ROS 2'))
    node: HilNode | None = None
    try:
        node = HilNode()
        return _run(node, ended)
    except UserError as error:
        return _refuse(str(error))
    finally:
        with HangWatch():
            if node is not None:
                node.close()
            rclpy.try_shutdown()


def _run(node: HilNode, ended: threading.Event) -> int:
    """Run the scenario in a thread while this one serves ROS; write the record.

    :param ended: set by a signal: the run ends as soon as it can.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            conduct(node)
        except BaseException as error:
            failures.append(error)
    thread = threading.Thread(target=work, name='run', daemon=True)
    thread.start()
    with HangWatch() as watch:  # not while the record is written, which may take long
        while thread.is_alive():
            executor.spin_once(timeout_sec=0.05)
            watch.step()
            if ended.is_set() and not node.parts.ending.is_set():
                node.parts.errors.append('interrupted')
                node.parts.ending.set()
    for outputs in node.parts.outputs.values():
        outputs.await_receipt(RECEIPT_S)
    for error in failures:
        if isinstance(error, UserError):
            raise error
        node.parts.errors.append(f'{type(error).__name__}: {error}')
    executor.spin_once(timeout_sec=0.1)  # the events of the last frames
    node.reports.diagnose()
    if node.record_path is not None:
        node.record_path.write_text(json.dumps(asdict(node.result())))
    for text in node.parts.errors:
        print(f'hil_node: {text}', file=sys.stderr)
    return 4 if node.parts.errors else 0


def conduct(node: HilNode) -> None:
    """Start the engine, wait for everybody, and run.

    Somebody else who publishes the bench's topics in the end is an error of the run.

    :raises UserError: if the engine fails, a source has no frame, nobody subscribes, or somebody
        else publishes the bench's topics.
    """
    parts, scenario = node.parts, node.scenario
    parts.client.start()
    wall = WallRun(parts)
    live = [_live(node, wall, camera, section.topic)
            for camera, section in scenario.sources.items() if section.kind == 'topic']
    sizes = {_first_size(parts, camera) for camera in parts.footage}
    sizes |= {_live_size(parts, source) for source in live}
    for size in sizes:
        parts.await_engine(size, BUILD_S)
    _await_subscribers(node)
    require_alone(node, node.topics(), say=node.reports.log, interrupted=parts.ending.is_set)
    gc.collect()
    gc.freeze()  # what is there stays: collections during the run have little to look through
    node.reports.log(f'running {scenario.name}')
    if scenario.stepped:
        SteppedRun(parts).run()
    else:
        wall.run(sizes)
    if text := joined(node, node.topics()):
        parts.errors.append(text)


def _live(node: HilNode, wall: WallRun, camera: str, topic: str) -> TopicSource:
    parts, pacing = node.parts, node.scenario.pacing
    return TopicSource(
        node, topic, parse_size(node.scenario.translator.size),
        round(pacing.max_age_ms * 1e6), arrive=lambda given: wall.arrive(camera, given),
        t0_ns=lambda: parts.t0_ns, complain=parts.clock_errors.append)


def _first_size(parts: Parts, camera: str) -> tuple[int, int]:
    """Return the (height, width) of the first picture of footage, which stays in it.

    :raises UserError: if it has none, or fails.
    """
    frames = parts.footage[camera]
    seen: list[SourceFrame] = []
    try:
        for given in frames:
            seen.append(given)
            if given.rgb is not None:
                parts.footage[camera] = _chained(seen, frames)
                return given.rgb.shape[0], given.rgb.shape[1]
    except UserError as error:
        raise UserError(f'the source of {camera}: {error}') from error
    except Exception as error:  # whatever a source of another package does
        raise UserError(f'the source of {camera} failed: {type(error).__name__}: {error}'
                        ) from error
    raise UserError(f'the source of {camera} has no picture that can be read')


def _chained(seen: list[SourceFrame], frames: Iterator[SourceFrame]) -> Iterator[SourceFrame]:
    yield from itertools.chain(seen, frames)


def _live_size(parts: Parts, source: TopicSource) -> tuple[int, int]:
    """Wait for the first image of a live topic, and return its size as it is translated."""
    deadline = time.monotonic() + MATCH_S
    while source.size is None:
        if time.monotonic() > deadline or parts.ending.wait(0.02):
            raise UserError(f'no image on {source.topic} within {MATCH_S:.0f} s')
    return source.size


def _await_subscribers(node: HilNode) -> None:
    """Wait until every image topic has as many subscribers as are wanted.

    :raises UserError: if they do not come in time.
    """
    deadline = time.monotonic() + MATCH_S
    for outputs in node.parts.outputs.values():
        while outputs.subscribers() < node.wanted_subscribers:
            if time.monotonic() > deadline or node.parts.ending.wait(0.02):
                raise UserError(f'{outputs.topic} has {outputs.subscribers()} subscribers, and '
                                f"not the {node.wanted_subscribers} of parameter 'subscribers'")
    if node.wanted_subscribers:
        time.sleep(SETTLE_S)


def _refuse(text: str) -> int:
    print(f'hil_node: {text}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
