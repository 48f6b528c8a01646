"""``rgb2swir bench transport``: frames that arrive between two processes, by profile."""

from __future__ import annotations

import argparse
import json

from rgb2swir_ros.cli.bench_shared import add_domain_id, domain_id
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import parse_size

EXAMPLE = 'example:\n  rgb2swir bench transport --size 1920x1080 --rate 30 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--size', default='1920x1080', help='frame size (default: %(default)s)')
    parser.add_argument('--rate', type=float, default=30.0, help='frames a second (%(default)s)')
    parser.add_argument('--seconds', type=float, default=8.0,
                        help='how long to send, for each row (%(default)s)')
    parser.add_argument('--profile', default='local', help='local or vehicle (%(default)s)')
    add_domain_id(parser)
    parser.add_argument('--json', action='store_true', help='print a JSON list and nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure every combination and print a row for each; return 0."""
    from rgb2swir_ros.bench.transport import TransportSettings, measure_all

    size = parse_size(arguments.size)
    if arguments.rate <= 0 or arguments.seconds <= 0:
        raise UserError('--rate and --seconds must be above 0, not '
                        f'{arguments.rate:g} and {arguments.seconds:g}')
    settings = TransportSettings(size, arguments.rate, arguments.seconds, arguments.profile,
                                 domain_id(arguments))
    rows = []
    for row in measure_all(settings):
        rows.append(row)
        if arguments.json:
            continue
        if len(rows) == 1:
            print(f'{arguments.size} bgr8 at {arguments.rate:g} Hz, best effort, two processes')
        print(f"{row['transport']:<32} {row['arrived']:>5} of {row['sent']:<5} "
              f"({100 * row['arrived'] / max(row['sent'], 1):5.1f} %)  "
              f"p50 {_ms(row['latency_p50_ms'])}  p99 {_ms(row['latency_p99_ms'])}", flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=2))
    return 0


def _ms(value: float | None) -> str:
    return '      -   ' if value is None else f'{value:7.2f} ms'
