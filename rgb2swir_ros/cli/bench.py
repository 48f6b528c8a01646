"""``rgb2swir bench WHAT``: the benchmarks, each with its arguments."""

from __future__ import annotations

import argparse

from rgb2swir_ros.cli import (
    bench_engine,
    bench_node,
    bench_pacing,
    bench_roofline,
    bench_scenes,
    bench_start,
    bench_transport,
)
from rgb2swir_ros.cli.signals import ended_as_by_ctrl_c

# Each loads what it measures when it runs: the transport's needs no torch, the engine's no ROS.
BENCHMARKS = {
    'engine': (bench_engine, 'median and 95th percentile of one inference, against one '
                             'convolution'),
    'roofline': (bench_roofline, 'operations and bytes of each model, and the times predicted '
                                 'from them'),
    'transport': (bench_transport, 'frames that arrive between two processes, by transport '
                                   'profile'),
    'node': (bench_node, 'the whole node on loopback: latency, rate and load'),
    'start': (bench_start, 'from the start of the node to its first frame, its engine built '
                           'before'),
    'pacing': (bench_pacing, "how exactly the bench's frames leave at stamp + latency"),
    'scenes': (bench_scenes, 'frames a second of the renderer'),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the benchmarks."""
    parser.epilog = 'example:\n  rgb2swir bench engine --model nano --size 640x512 --json'
    benchmarks = parser.add_subparsers(dest='what', metavar='WHAT', required=True)
    for name, (module, summary) in BENCHMARKS.items():
        module.configure(benchmarks.add_parser(
            name, help=summary, description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter))


def run(arguments: argparse.Namespace) -> int:
    """Run one benchmark and return its exit code."""
    with ended_as_by_ctrl_c():
        return BENCHMARKS[arguments.what][0].run(arguments)
