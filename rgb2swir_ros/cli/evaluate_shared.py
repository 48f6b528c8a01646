"""Shared arguments and functions of ``rgb2swir evaluate``: models, bootstrap and report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rgb2swir_ros.engines.base import BACKENDS
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES
from rgb2swir_ros.lab.evaluation.models import GREY, TEACHER_STEPS, Candidate, open_candidates
from rgb2swir_ros.ownership import require_apart, require_free, write_bytes
from rgb2swir_ros.sizes import format_size, parse_size

SCENE_SEED = 9  # of no training set


def add_model_arguments(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Declare the evaluated models, and how they translate."""
    parser.add_argument('--model', action='append', metavar='MODEL', required=required,
                        help=f"name or folder; '{GREY}' is the plain grey-scale conversion; give "
                             'it again for more of them: later ones are compared with the first')
    parser.add_argument('--backend', default='auto', choices=('auto', *BACKENDS),
                        help='of the models; auto compiles only where thousands of frames share '
                             'a size')
    parser.add_argument('--teacher-steps', type=int, default=TEACHER_STEPS, metavar='N',
                        help='denoiser calls of a model that is a teacher (default %(default)s)')


def add_rendering_arguments(parser: argparse.ArgumentParser, *, size: tuple[int, int]) -> None:
    """Declare the scenes that are rendered for a measurement.

    :param size: default (height, width) of the frames.
    """
    parser.add_argument('--scenes', type=int, default=100, metavar='N',
                        help='how many to render (default %(default)s)')
    parser.add_argument('--looks', type=int, default=2, metavar='N',
                        help='frames of each scene (default %(default)s)')
    parser.add_argument('--size', type=parse_size, default=size, metavar='WIDTHxHEIGHT',
                        help=f'of the frames (default {format_size(size)})')
    parser.add_argument('--scene-seed', type=int, default=SCENE_SEED, metavar='N',
                        help='of the scenes, as of rgb2swir scenes (default %(default)s)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1,
                        help='processes that render (default %(default)s)')


def candidates(arguments: argparse.Namespace, frames: int) -> list[Candidate]:
    """Open and return the requested models.

    :param frames: expected number of frames of a size, by which backend auto decides to compile.
    :raises UserError: if there is no such model, it is named twice, or cannot translate yet.
    """
    return open_candidates(arguments.model, frames, backend=arguments.backend,
                           steps=arguments.teacher_steps, seed=arguments.seed)


def add_report_arguments(parser: argparse.ArgumentParser, written: str) -> None:
    """Declare the bootstrap and the report.

    :param written: names the files under ``--output``, for its help.
    """
    parser.add_argument('--resamples', type=int, default=RESAMPLES,
                        help='of the bootstrap (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0,
                        help="of the bootstrap, and of a teacher's noise (default 0)")
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    parser.add_argument('--output', '-o', type=Path, metavar='DIR', help=f'write {written}')
    parser.add_argument('--overwrite', action='store_true',
                        help='replace the report that is there, as far as this tool wrote it')


def check_apart(arguments: argparse.Namespace, inputs: Iterable[Path]) -> None:
    """Check that ``--output`` lies in no model and in none of the other inputs, nor around them.

    :raises UserError: if it does.
    """
    require_apart([arguments.output], [*inputs, *map(Path, arguments.model or ())])


def check_report(arguments: argparse.Namespace, name: str, pictures: Sequence[str],
                 inputs: Iterable[Path]) -> None:
    """Check before the measurement that the report can be written after it.

    :param name: as of `give_report`; ``pictures``: names of the other files under ``--output``.
    :param inputs: inputs of the measurement, besides the models.
    :raises UserError: if a file of the report exists, or the report lies in an input.
    """
    if arguments.output is not None:
        check_apart(arguments, inputs)
        names = ('table.txt', f'{name}.json', *pictures)
        require_free((arguments.output / file for file in names), overwrite=arguments.overwrite)


def give_report(arguments: argparse.Namespace, name: str, text: str,
                figures: dict[str, Any]) -> None:
    """Print the table, or the figures as JSON; with ``--output`` write both.

    :param name: of the file of figures, without ``.json``.
    :param text: the table for the terminal.
    """
    content = json.dumps(figures, indent=2)
    if arguments.output:
        write_bytes(arguments.output / 'table.txt', text.encode())
        write_bytes(arguments.output / f'{name}.json', f'{content}\n'.encode())
    print(content if arguments.json else text)
    if arguments.output:
        print(f'report: {arguments.output}/', file=sys.stderr)


def measure_rendered(arguments: argparse.Namespace,
                     measure: Callable[[Any, list[Candidate], int], Any],
                     ) -> tuple[Any, list[Candidate], dict[str, Any]]:
    """Render the scenes of `add_rendering_arguments` and measure models on them.

    :param measure: given the scenes as they come, the models and the number of frames.
    :return: what it returns, the models, and the facts that a report has of the scenes; those
        that were left out are named on standard error.
    :raises UserError: if an argument is out of range.
    """
    from rgb2swir_ros.lab.evaluation.materials import jobs, rendered
    todo = jobs(arguments.scenes, arguments.looks, arguments.size, arguments.scene_seed)
    frames = len(todo) * arguments.looks
    opened = candidates(arguments, frames)
    print(f'{len(todo)} scenes of seed {arguments.scene_seed}, {frames} frames of '
          f'{format_size(arguments.size)}', file=sys.stderr)
    lost: list[str] = []
    with closing(rendered(todo, arguments.workers, lost)) as scenes:
        found = measure(scenes, opened, frames)
    for line in lost:
        print(f'left out: {line}', file=sys.stderr)
    return found, opened, {
        'scenes': len(todo) - len(lost), 'left_out': lost, 'looks': arguments.looks,
        'scene_seed': arguments.scene_seed, 'size': format_size(arguments.size),
        'seed': arguments.seed}
