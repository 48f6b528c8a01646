"""What the commands of ``rgb2swir evaluate`` have in common: their bootstrap and their report."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES


def add_report_arguments(parser: argparse.ArgumentParser, written: str) -> None:
    """Declare the bootstrap, and where the report goes.

    :param written: names the files under ``--output``, for its help.
    """
    parser.add_argument('--resamples', type=int, default=RESAMPLES,
                        help='of the bootstrap (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help="of the bootstrap, and of a teacher's noise (default 0)")
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    parser.add_argument('--output', '-o', type=Path, metavar='DIR', help=f'write {written}')


def give_report(arguments: argparse.Namespace, name: str, text: str,
                figures: dict[str, Any]) -> None:
    """Print the table, or the figures as JSON; with ``--output`` write both.

    :param name: of the file of figures, without ``.json``.
    :param text: the table, for people.
    """
    content = json.dumps(figures, indent=2)
    if arguments.output:
        write_bytes(arguments.output / 'table.txt', text.encode())
        write_bytes(arguments.output / f'{name}.json', f'{content}\n'.encode())
    print(content if arguments.json else text)
    if arguments.output:
        print(f'report: {arguments.output}/', file=sys.stderr)
