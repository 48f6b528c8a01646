"""``rgb2swir bench scenes``: how fast frames are rendered and written."""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, write_dataset
from rgb2swir_ros.lab.scenes.written import DatasetProgress, display_on
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.sizes import format_size, parse_size

EXAMPLE = 'example:\n  rgb2swir bench scenes --count 160 --json'
SERIES = 2000  # frames whose time is foretold


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.epilog = EXAMPLE
    parser.add_argument('--count', type=int, default=160, help='frames (default: %(default)s)')
    parser.add_argument('--looks', type=int, default=4, help='frames a scene (%(default)s)')
    parser.add_argument('--size', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='(default 320x256)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1,
                        help='processes (%(default)s)')
    parser.add_argument('--json', action='store_true', help='print a JSON object and nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Render into a folder that is thrown away, and print the rate."""
    if min(arguments.count, arguments.looks, arguments.workers) < 1:
        raise UserError(f'--count {arguments.count} --looks {arguments.looks} --workers '
                        f'{arguments.workers}: each must be at least 1')
    result = measure(arguments)
    if arguments.json:
        print(json.dumps(result))
    else:
        print(f"{result['frames']} frames of {result['size']} in {result['seconds']:.1f} s by "
              f"{result['workers']} processes, their start included: "
              f"{result['frames_per_second']:.2f} frames/s, "
              f"{result['minutes_for_2000']:.0f} min for {SERIES}")
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Time the writing of a data set; the start of the workers counts.

    :raises UserError: if a scene could not be rendered.
    """
    def silent(_: DatasetProgress) -> None:
        """Show nothing beside a JSON object."""

    with tempfile.TemporaryDirectory() as folder, (
            nullcontext() if arguments.json else ProgressDisplay()) as display:
        spec = DatasetSpec(folder=Path(folder), seed=0, size=arguments.size, looks=arguments.looks,
                           scenes=math.ceil(arguments.count / arguments.looks))
        start = time.monotonic()
        index = write_dataset(spec, arguments.workers,
                              silent if display is None else display_on(display), '')
        seconds = time.monotonic() - start
    if index['skipped']:
        raise UserError(f"{len(index['skipped'])} scenes failed: {index['skipped'][0]}")
    rate = index['frames'] / seconds
    return {'size': format_size(arguments.size), 'frames': index['frames'],
            'looks': arguments.looks, 'workers': arguments.workers, 'seconds': seconds,
            'frames_per_second': rate, 'minutes_for_2000': SERIES / rate / 60}
