"""``rgb2swir bench WHAT``: find the benchmark, hand over the arguments."""

from __future__ import annotations

import argparse

from rgb2swir_ros.cli.main import configure_choice, run_choice
from rgb2swir_ros.cli.signals import ended_as_by_ctrl_c

# Imported only when asked for: the transport's needs no torch, the engine's no ROS.
BENCHMARKS = {
    'engine': 'median and 95th percentile of one inference, against one convolution',
    'roofline': 'operations and bytes of each model, and the times predicted from them',
    'transport': 'frames that arrive between two processes, by transport profile',
    'node': 'the whole node on loopback: latency, rate and load',
    'start': 'from the start of the node to its first frame, its engine built before',
    'scenes': 'frames a second of the renderer',
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rgb2swir bench``."""
    configure_choice(parser, BENCHMARKS, 'Measure a part or the whole',
                     'rgb2swir bench engine --model nano --size 640x512 --json')


def run(arguments: argparse.Namespace) -> int:
    """Run one benchmark and return its exit code."""
    name = arguments.what
    with ended_as_by_ctrl_c():
        return run_choice(f'rgb2swir bench {name}', f'rgb2swir_ros.bench.{name}',
                          BENCHMARKS[name], arguments.arguments)
