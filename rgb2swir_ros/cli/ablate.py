"""``rgb2swir ablate``: what each part of the method earns, in one table."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from rgb2swir_ros.cli.shared import given_options
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap
from rgb2swir_ros.ownership import require_apart, require_free
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.sizes import format_size, parse_size

if TYPE_CHECKING:
    from rgb2swir_ros.lab.ablation.command import Request
    from rgb2swir_ros.lab.ablation.real import RealPairs

EXAMPLE = """example:
  rgb2swir scenes --count 4000 --seed 0 --output out/scenes320
  rgb2swir scenes --count 2000 --seed 1 --size 640x512 --output out/scenes640
  rgb2swir ablate --data out/scenes320 out/scenes640 --output out/ablation
Trains every row on the same pairs in the same order, from the same seed and in the same share of
the presets' steps, and judges all rows on the split test of the last of --data, or of --judge-on.
Killed and called again with the same --output, it goes on; a row that is there is not trained
again. Several calls with one --output share the work. With --train-only nothing is judged yet;
called later without it, the rows are judged. The figures are in OUTPUT/rows/ROW/row.json; rgb2swir
ablate --pages DIR writes ablation.md and ablation.json from them.
"""
RESAMPLES = 200
OWN = {'plan.json', 'models', 'work', 'rows', 'judge', 'presets', 'locks', '.rgb2swir'}


class _ListRows(argparse.Action):
    """Print the rows and end, as ``--help`` does: without the arguments that a run needs."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rgb2swir_ros.lab.ablation.rows import ROWS
        print(*(f'{row.name:<24}{row.title}' for row in ROWS), sep='\n')
        parser.exit()


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--data', type=Path, required=True, nargs='+', metavar='DIR',
                        help="pairs, as 'rgb2swir scenes' writes them; the last are judged on")
    parser.add_argument('--output', '-o', type=Path, required=True, metavar='DIR',
                        help='models, checkpoints and figures of all rows')
    parser.add_argument('--only', nargs='+', default=[], metavar='ROW',
                        help='these rows alone (default: all); --list names them')
    parser.add_argument('--list', action=_ListRows, nargs=0, help='print the rows and end')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--share', type=float, metavar='X',
                        help="of the presets' steps, for every row (default .25)")
    length.add_argument('--minutes', type=float, metavar='M',
                        help='choose that share, once, so that the trainings of the chosen rows '
                             'take one run about so long')
    parser.add_argument('--batch-share', type=float, default=1.0, metavar='X',
                        help="of the presets' batches, for every row: in little time, many steps "
                             "of small batches learn more; rates go with the batches' root "
                             '(default 1)')
    parser.add_argument('--preset', default='nano', metavar='NAME|FILE.yaml',
                        help='of the U-Net (default %(default)s)')
    parser.add_argument('--dit-preset', default='nano_dit', metavar='NAME|FILE.yaml',
                        help='of the DiT (default %(default)s)')
    parser.add_argument('--train-only', action='store_true', help='judge nothing')
    parser.add_argument('--detector', default='detector', metavar='MODEL',
                        help='the judge: a folder, or a detector that ships (default '
                             '%(default)s)')
    parser.add_argument('--judge-on', type=Path, metavar='DIR',
                        help="the data set whose split 'test' is judged (default: the last of "
                             '--data)')
    parser.add_argument('--frames', type=int, default=240, metavar='N',
                        help='of the split test, at most (default %(default)s)')
    parser.add_argument('--scenes', type=int, default=100, metavar='N',
                        help='to render for the order of materials (default %(default)s)')
    parser.add_argument('--sequences', type=int, default=8, metavar='N',
                        help='to render for steadiness, still and moving ones each '
                             '(default %(default)s)')
    parser.add_argument('--rendered-size', type=parse_size, default=(256, 320),
                        metavar='WIDTHxHEIGHT', help='of those (default 320x256)')
    parser.add_argument('--inception', type=Path, metavar='FILE',
                        help='TorchScript file of Inception-v3: adds the true FID')
    parser.add_argument('--pairs', type=Path, nargs='+', metavar='DIR',
                        help='real pairs, as evaluate pairs takes them: adds rank correlations')
    parser.add_argument('--homography', type=Path, metavar='FILE',
                        help='of their rig, if they are not aligned')
    parser.add_argument('--rate', type=float, metavar='HZ',
                        help='of their frames: a drive is resampled in blocks of five seconds')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='only every N-th of their frames (default %(default)s)')
    parser.add_argument('--resamples', type=int, default=RESAMPLES,
                        help='of the bootstrap (default %(default)s)')
    parser.add_argument('--threads', type=int, default=0, metavar='N',
                        help='of the processor, for training (default: all)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1,
                        help='processes that render (default %(default)s)')
    parser.add_argument('--pages', type=Path, metavar='DIR',
                        help='write ablation.md, ablation.json and their pictures there, from '
                             'the rows that are judged')
    parser.add_argument('--transfer', type=Path, nargs='+', default=[], metavar='FILE',
                        help="transfer.json of 'rgb2swir evaluate transfer', for those pages; "
                             'of more than one run, if their seeds differ')
    parser.add_argument('--join', type=Path, metavar='FILE',
                        help='ablation.json of an earlier run with the same settings, its '
                             'pictures beside it: rows that are not judged here come from there')


def run(arguments: argparse.Namespace) -> int:
    """Train, judge, report; exit with 1 if a row failed."""
    from rgb2swir_ros.engines.processor import waiting_environment

    os.environ.update(waiting_environment())  # before torch is loaded
    cv2.setNumThreads(1)  # batches are made beside torch's threads
    try:
        from rgb2swir_ros.lab.ablation.command import ablate
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install "
                        "'rgb2swir_ros[runtime,replay,train,eval]'") from error
    failures = ablate(_request(arguments), timed_log('min'))
    for name, reason in failures.items():
        print(f'failed: {name}: {reason}', file=sys.stderr)
    return 1 if failures else 0


def _request(arguments: argparse.Namespace) -> Request:
    """Return the checked request.

    :raises UserError: naming what is wrong.
    """
    from rgb2swir_ros.lab.ablation.command import FIGURES_FILE, PAGE_FILE, Request
    from rgb2swir_ros.lab.ablation.joined import read_earlier
    from rgb2swir_ros.lab.ablation.page import SCATTER, SHEET
    from rgb2swir_ros.lab.ablation.plan import Budget
    from rgb2swir_ros.lab.ablation.rows import chosen_rows

    check_bootstrap(arguments.resamples, 0)
    for name in ('scenes', 'sequences', 'threads'):
        if getattr(arguments, name) < 0:
            raise UserError(f'--{name} {getattr(arguments, name)}: give 0 or more')
    for name in ('workers', 'frames', 'every'):
        if getattr(arguments, name) < 1:
            raise UserError(f'--{name} {getattr(arguments, name)}: give at least 1')
    if not 0 < arguments.batch_share <= 1:
        raise UserError(f'--batch-share {arguments.batch_share:g} is not in (0, 1]')
    if arguments.inception is not None and not arguments.inception.is_file():
        raise UserError(f'--inception {arguments.inception}: there is no such file')
    if arguments.transfer and arguments.pages is None:
        raise UserError('--transfer: give --pages, too, which show it')
    if arguments.join is not None:
        if arguments.pages is None:
            raise UserError('--join: give --pages, too, which show its rows')
        read_earlier(arguments.join)
    require_apart([arguments.output, arguments.pages],
                  [*arguments.data, arguments.judge_on])
    _require_own(arguments.output)
    if arguments.pages is not None:
        if arguments.train_only:
            raise UserError('--pages and --train-only: give one, pages show what is judged')
        require_free([arguments.pages / name for name in (
            PAGE_FILE, FIGURES_FILE, SCATTER, SHEET)], overwrite=True)
    return Request(
        data=arguments.data, output=arguments.output, rows=chosen_rows(arguments.only),
        budget=Budget(arguments.share, arguments.minutes),
        real=_real_pairs(arguments), presets=(arguments.preset, arguments.dit_preset),
        detector=None if arguments.train_only else model_directory(arguments.detector),
        frames=arguments.frames, scenes=arguments.scenes, sequences=arguments.sequences,
        rendered_size=arguments.rendered_size, inception=arguments.inception,
        resamples=arguments.resamples, threads=arguments.threads, workers=arguments.workers,
        pages=arguments.pages, transfer=_transfers(arguments.transfer),
        joined=arguments.join, command=_command(arguments),
        batch_share=arguments.batch_share, judged_on=arguments.judge_on)


def _real_pairs(arguments: argparse.Namespace) -> RealPairs | None:
    """Return the real pairs, if any are given; all that can be wrong with them shows here.

    :raises UserError: naming what is wrong.
    """
    from rgb2swir_ros.lab.ablation.real import RealPairs

    if arguments.pairs is None:
        return None
    if len(arguments.pairs) > 2:
        raise UserError(f'--pairs names {len(arguments.pairs)} folders: give one folder of pairs, '
                        'or one of RGB and one of SWIR frames')
    if arguments.rate is not None and not 1e-3 <= arguments.rate <= 1e4:
        raise UserError(f'--rate {arguments.rate:g}: give .001 to 10000')
    pairs = RealPairs(tuple(arguments.pairs), arguments.homography, arguments.rate,
                      arguments.every)
    pairs.open()
    return pairs


def _transfers(files: Sequence[Path]) -> tuple[dict[str, Any], ...]:
    """Return the figures of each run of ``evaluate transfer``.

    :raises UserError: if a file holds none, or two are of the same seed.
    """
    from rgb2swir_ros.lab.ablation.page import detector_seeds

    found: list[dict[str, Any]] = []
    of_seed: dict[int, Path] = {}
    for file in files:
        run = _transfer(file)
        for seed in detector_seeds(run):
            if seed in of_seed:
                raise UserError(f'--transfer {of_seed[seed]} {file}: both have detectors of seed '
                                f'{seed}, give one of them')
            of_seed[seed] = file
        found.append(run)
    return tuple(found)


def _transfer(file: Path) -> dict[str, Any]:
    """Return the figures of a run of ``evaluate transfer``.

    :raises UserError: if the file holds none.
    """
    from rgb2swir_ros.lab.ablation.page import transfer_section

    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f'cannot read --transfer {file}: {error}') from error
    try:  # before hours of judging, not after them
        transfer_section([found])
        return dict(found)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise UserError(f"--transfer {file}: give the transfer.json that 'rgb2swir evaluate "
                        f"transfer' of this version wrote ({error!r})") from error


def _require_own(folder: Path) -> None:
    """Refuse a folder that holds something else.

    :raises UserError: naming it.
    """
    if folder.is_dir():
        others = sorted({path.name for path in folder.iterdir()} - OWN)
        if others:
            raise UserError(f"'{folder}' holds {', '.join(others[:3])}, which is of no ablation: "
                            'give another --output')


def _command(arguments: argparse.Namespace) -> str:
    """Return the command line that repeats the ablation."""
    words = ['rgb2swir', 'ablate', '--data', *map(str, arguments.data), '--output',
             str(arguments.output)]
    words += given_options(arguments, ('share', 'minutes', 'judge_on', 'inception', 'homography',
                                       'rate'))
    if arguments.pairs is not None:
        words += ['--pairs', *map(str, arguments.pairs), '--every', str(arguments.every)]
    words += given_options(arguments, ('batch_share', 'preset', 'dit_preset', 'detector', 'frames',
                                       'scenes', 'sequences', 'resamples'))
    words += ['--rendered-size', format_size(arguments.rendered_size)]
    if arguments.transfer:
        words += ['--transfer', *map(str, arguments.transfer)]
    words += given_options(arguments, ('join', 'pages'))
    return shlex.join(words)
