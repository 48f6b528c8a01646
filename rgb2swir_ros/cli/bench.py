"""``rgb2swir bench WHAT``: find the benchmark, hand over the arguments."""

from __future__ import annotations

import argparse
import importlib

from rgb2swir_ros.cli.main import Parser

# Imported only when asked for: the transport's needs no torch, the engine's no ROS.
BENCHMARKS = {
    'engine': 'median and 95th percentile of one inference, against one convolution',
    'transport': 'frames that arrive between two processes, by transport profile',
    'node': 'the whole node on loopback: latency, rate and load',
    'scenes': 'frames a second of the renderer',
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rgb2swir bench``."""
    parser.description = 'Measure a part or the whole:\n\n' + '\n'.join(
        f'  {name:<10} {text}' for name, text in BENCHMARKS.items())
    parser.epilog = ('rgb2swir bench WHAT --help says more.\n\nexample:\n'
                     '  rgb2swir bench engine --model nano --size 640x512 --json')
    parser.add_argument('benchmark', choices=BENCHMARKS, metavar='WHAT')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run one benchmark and return its exit code."""
    name = arguments.benchmark
    module = importlib.import_module(f'rgb2swir_ros.bench.{name}')
    parser = Parser(prog=f'rgb2swir bench {name}', description=BENCHMARKS[name],
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    module.configure(parser)
    return int(module.run(parser.parse_args(arguments.arguments)))
