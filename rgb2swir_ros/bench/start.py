"""``rgb2swir bench start``: from the start of the node's process to its first published frame.

The engine is built beforehand, a camera already sends and a listener already waits, as on a
vehicle whose node is restarted. The time ends when the frame is with the listener.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from rgb2swir_ros.bench import node as bench_node
from rgb2swir_ros.bench import peers
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.transport import local_environment
from rgb2swir_ros.sizes import parse_size

PEERS_S = 3.0  # until camera and listener are up
TARGET_S = 3.0
EXAMPLE = 'example:\n  rgb2swir bench start --size 1920x1080 --starts 5 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.epilog = EXAMPLE
    bench_node.add_node_arguments(parser)
    parser.add_argument('--starts', type=int, default=5, help='measured (%(default)s)')
    parser.add_argument('--seconds', type=float, default=10.0,
                        help='that each start may take (%(default)s)')


def run(arguments: argparse.Namespace) -> int:
    """Build the engine, measure the starts and print; return 0."""
    parse_size(arguments.size)
    peers.choose_domain_id(arguments)
    if arguments.starts < 1 or arguments.seconds < 1:
        raise UserError(f'--starts {arguments.starts} --seconds {arguments.seconds:g}: '
                        'each must be at least 1')
    environment = local_environment(domain_id=arguments.domain_id)
    node = bench_node.start_node(arguments, environment)
    try:
        bench_node.await_engine(node, environment, arguments.build_timeout)
    finally:
        bench_node.end_node(node)
    starts = [measure(arguments, environment) for _ in range(arguments.starts)]
    report = {'model': arguments.model, 'size': arguments.size, 'backend': arguments.backend,
              'starts_s': [round(seconds, 3) for seconds in starts],
              'median_s': round(statistics.median(starts), 3), 'max_s': round(max(starts), 3),
              'target_s': TARGET_S}
    print(json.dumps(report) if arguments.json else
          f'{arguments.size}, model {arguments.model}: first frame {report["median_s"]} s after '
          f'the start of the process (median of {len(starts)}; longest {report["max_s"]} s; '
          f'to be under {TARGET_S:g} s)')
    return 0


def measure(arguments: argparse.Namespace, environment: dict[str, str]) -> float:
    """Start the node once and return the seconds until the listener has its first frame.

    :raises UserError: if none comes in time.
    """
    listener = peers.start(['listener', '--topic', 'camera/swir/image_raw'], environment)
    camera = peers.start(
        ['camera', '--size', arguments.size, '--rate', '30', '--unwatched', '--seconds',
         str(PEERS_S + arguments.seconds)], environment)
    try:
        time.sleep(PEERS_S)
        started = time.time_ns()
        node = bench_node.start_node(arguments, environment)
        try:
            time.sleep(arguments.seconds)
        finally:
            bench_node.end_node(node)
        frames = peers.result(listener, 20, 'the listener')['frames']
    finally:
        peers.stop([camera, listener])
    return first_frame_s(frames, started, arguments.seconds)


def first_frame_s(frames: Sequence[Any], started: int, limit_s: float) -> float:
    """Return the seconds from a start to the first frame's arrival.

    :param frames: (stamp, arrival) in nanoseconds, in order of arrival.
    :param started: in nanoseconds.
    :raises UserError: if there is none.
    """
    if not frames:
        raise UserError(f'no frame came within {limit_s:g} s of the start: give more --seconds, '
                        'or look at what the node said above')
    return float(frames[0][1] - started) / 1e9
