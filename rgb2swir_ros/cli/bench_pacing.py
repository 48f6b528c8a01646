"""``rgb2swir bench pacing``: how exactly a fixed latency is kept; whether misses are counted."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from rgb2swir_ros.cli.bench_shared import add_domain_id, domain_id
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.sizes import parse_size

EXAMPLE = """
example:
  rgb2swir bench pacing --frames 4500 --runs 3 --json
  rgb2swir bench pacing --hog 2        # beside two processes that compute as hard as they can

Exit code 1 if the bench's count of misses is not the one of the subscriber outside.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', default='nano', help='name or folder (default: %(default)s)')
    parser.add_argument('--size', default='320x256', help='of the frames (%(default)s)')
    parser.add_argument('--backend', default='auto', help='as in build (%(default)s)')
    parser.add_argument('--rate', type=float, default=15.0, help='frames a second (%(default)s)')
    parser.add_argument('--latency', type=float, default=100.0, metavar='MS',
                        help='from stamp to leaving, milliseconds (%(default)s)')
    parser.add_argument('--frames', type=int, default=4500, help='of each run (%(default)s)')
    parser.add_argument('--runs', type=int, default=3, help='how many (%(default)s)')
    parser.add_argument('--hog', type=int, default=0, metavar='PROCESSES',
                        help='that compute as hard as they can meanwhile (%(default)s)')
    add_domain_id(parser)
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; return 0, or 1 if the counts differ."""
    from rgb2swir_ros.bench.pacing import PacingSettings, measure, report_of, table
    from rgb2swir_ros.ros.available import require_ros

    parse_size(arguments.size)
    for name, least in (('frames', 2), ('runs', 1), ('hog', 0)):
        if getattr(arguments, name) < least:
            raise UserError(f'--{name} must be at least {least}, not {getattr(arguments, name)}')
    if arguments.rate <= 0 or arguments.latency < 0:
        raise UserError('--rate must be above 0 and --latency not below, not '
                        f'{arguments.rate:g} and {arguments.latency:g}')
    require_ros()
    settings = PacingSettings(
        arguments.model, arguments.size, arguments.backend, arguments.rate, arguments.latency,
        arguments.frames, arguments.hog, 0)
    say = (lambda _: None) if arguments.json else timed_log()
    runs = [measure(replace(settings, domain_id=domain_id(arguments)), say)
            for _ in range(arguments.runs)]
    report = report_of(settings, runs)
    print(json.dumps(report) if arguments.json else table(report))
    return 0 if report['counts_equal'] else 1
