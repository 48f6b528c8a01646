"""``rgb2swir bench node``: the whole node between a camera and a listener, on loopback."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rgb2swir_ros.cli.bench_shared import add_node_arguments, node_settings
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size

EXAMPLE = ('example:\n  rgb2swir bench node --size 1920x1080 --rates 10,30 --json\n'
           '  rgb2swir bench node --idle --seconds 30 --json')


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_node_arguments(parser)
    parser.add_argument('--rates', default='10,30', help='fixed rates in Hz (%(default)s)')
    parser.add_argument('--peak', action=argparse.BooleanOptionalAction, default=True,
                        help='also search the peak throughput at less than 5 %% loss')
    parser.add_argument('--seconds', type=float, default=10.0, help='for each rate (%(default)s)')
    parser.add_argument('--idle', action='store_true',
                        help='measure instead what the node takes while nobody listens')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; return 0."""
    from rgb2swir_ros.bench.node import NodeBench, table

    settings = node_settings(arguments)
    rates, seconds = _rates(arguments.rates), arguments.seconds
    if seconds < 1:
        raise UserError(f'--seconds must be at least 1, not {seconds:g}')
    with NodeBench(settings) as bench:
        bench.await_engine()
        report: dict[str, Any] = {'size': format_size(settings.size), 'model': settings.model}
        if arguments.idle:
            report |= bench.measure_idle(rates[-1], seconds)
        else:
            report['fixed_rates'] = [bench.measure(rate, seconds) for rate in rates]
            if arguments.peak:
                report['peak'] = bench.find_peak(seconds)
    print(json.dumps(report, indent=2) if arguments.json else table(report))
    return 0


def _rates(text: str) -> list[float]:
    try:
        rates = [float(word) for word in text.split(',')]
    except ValueError:
        rates = []
    if not rates or min(rates) <= 0 or max(rates) > 1000:
        raise UserError(f"--rates '{text}' are no rates: give them in Hz, like 10,30")
    return rates
