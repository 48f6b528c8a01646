"""``rgb2swir bench roofline``: operations and bytes of each model, and the times they take."""

from __future__ import annotations

import argparse
import json

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import parse_size

SIZES = ('640x512', '1280x1024')
EXAMPLE = ('example:\n  rgb2swir bench roofline\n'
           '  rgb2swir bench roofline --model nano --size 640x512 --json')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', nargs='+', default=(),
                        help='names or folders of models, or presets (default: all)')
    parser.add_argument('--size', nargs='+', default=SIZES, metavar='WIDTHxHEIGHT',
                        help=f'of a frame (default: {" ".join(SIZES)})')
    parser.add_argument('--batch', type=int, default=1, help='frames a call (default: 1)')
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Count, predict and print; return 0."""
    if arguments.batch < 1:
        raise UserError(f'batch {arguments.batch}: give at least 1')
    sizes = [parse_size(text) for text in arguments.size]
    from rgb2swir_ros.bench.roofline import predict_all, table

    report = predict_all(arguments.model, sizes, arguments.batch)
    print(json.dumps(report) if arguments.json else table(report))
    return 0
