"""``rgb2swir bench scenes``: frames a second of the renderer."""

from __future__ import annotations

import argparse
import json
import os

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import parse_size

EXAMPLE = 'example:\n  rgb2swir bench scenes --count 160 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--count', type=int, default=160, help='frames (default: %(default)s)')
    parser.add_argument('--looks', type=int, default=4, help='frames a scene (%(default)s)')
    parser.add_argument('--size', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='(default 320x256)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1,
                        help='processes (%(default)s)')
    parser.add_argument('--json', action='store_true', help='print a JSON object and nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Render into a folder that is thrown away, and print the rate; return 0."""
    if min(arguments.count, arguments.looks, arguments.workers) < 1:
        raise UserError(f'--count {arguments.count} --looks {arguments.looks} --workers '
                        f'{arguments.workers}: each must be at least 1')
    from rgb2swir_ros.bench.scenes import SERIES, measure

    result = measure(arguments.count, arguments.looks, arguments.size, arguments.workers,
                     shown=not arguments.json)
    print(json.dumps(result) if arguments.json else
          f"{result['frames']} frames of {result['size']} in {result['seconds']:.1f} s by "
          f"{result['workers']} processes, their start included: "
          f"{result['frames_per_second']:.2f} frames/s, "
          f"{result['minutes_for_2000']:.0f} min for {SERIES}")
    return 0
