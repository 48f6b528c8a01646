"""``rgb2swir bench engine``: median and 95th percentile of one inference."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rgb2swir_ros.sizes import parse_size

EXAMPLE = 'example:\n  rgb2swir bench engine --model nano --size 640x512 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', default='nano', help='name or folder (default: nano)')
    parser.add_argument('--size', default='640x512', metavar='WIDTHxHEIGHT',
                        help='of a frame, in pixels (default: 640x512)')
    parser.add_argument('--backend', default='auto',
                        help='auto, eager, inductor, openvino or tensorrt')
    parser.add_argument('--precision', default='auto', help='auto, bfloat16 or float32')
    parser.add_argument('--threads', type=int, default=0, help='processor cores (0: all)')
    parser.add_argument('--runs', type=int, default=60, help='inferences measured (default: 60)')
    parser.add_argument('--cache', default=None, help='folder of built engines')
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; return 0."""
    from rgb2swir_ros.bench.engine import measure

    result = measure(
        arguments.model, parse_size(arguments.size), backend=arguments.backend,
        precision=arguments.precision, threads=arguments.threads, runs=arguments.runs,
        cache=arguments.cache, progress=lambda text: print(text, file=sys.stderr))
    if arguments.json:
        print(json.dumps(result))
    else:
        print_table(result)
    return 0


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    from rgb2swir_ros.bench.engine import REFERENCE_CHANNELS as channels

    rows = [
        ('engine', f'{result["model"]}, {result["backend"]} {result["precision"]}, '
                   f'threads {result["threads"]}'),
        ('frame', result['size']),
        ('median', f'{result["median_ms"]:.1f} ms ({1000 / result["median_ms"]:.1f} a second)'),
        ('95th percentile', f'{result["p95_ms"]:.1f} ms'),
        ('reference', f'{result["reference_ms"]:.1f} ms for one '
                      f'{channels}->{channels} 3x3 convolution'),
        ('ratio', f'{result["reference_ratio"]:.2f} of those'),
        ('floor', f'{result["floor_ratio"]:.2f} times its operations as one matrix product'),
        ('work', f'{result["gflop"]:.1f} GFLOP, {result["parameters"] / 1e6:.2f} M parameters'),
        ('parity', f'mean {result["parity"]["mean_255"]:.3f}/255, 99.9th percentile '
                   f'{result["parity"]["tail_255"]:.2f}/255 off float32'),
        ('device', result['device']),
    ]
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print('\n'.join(f'{name:<16} {text}' for name, text in rows))
        return
    table = Table(show_header=False)
    for name, text in rows:
        table.add_row(name, text)
    Console().print(table)
