"""``rgb2swir bench start``: from the start of the node's process to its first published frame."""

from __future__ import annotations

import argparse
import json

from rgb2swir_ros.cli.bench_shared import add_node_arguments, node_settings
from rgb2swir_ros.errors import UserError

EXAMPLE = 'example:\n  rgb2swir bench start --size 1920x1080 --starts 5 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_node_arguments(parser)
    parser.add_argument('--starts', type=int, default=5, help='measured (%(default)s)')
    parser.add_argument('--seconds', type=float, default=10.0,
                        help='that each start may take (%(default)s)')


def run(arguments: argparse.Namespace) -> int:
    """Build the engine, measure the starts and print; return 0."""
    from rgb2swir_ros.bench.start import measure_starts

    settings = node_settings(arguments)
    if arguments.starts < 1 or arguments.seconds < 1:
        raise UserError(f'--starts {arguments.starts} --seconds {arguments.seconds:g}: '
                        'each must be at least 1')
    report = measure_starts(settings, arguments.starts, arguments.seconds)
    print(json.dumps(report) if arguments.json else
          f'{report["size"]}, model {report["model"]}: first frame {report["median_s"]} s after '
          f'the start of the process (median of {arguments.starts}; longest {report["max_s"]} s; '
          f'to be under {report["target_s"]:g} s)')
    return 0
