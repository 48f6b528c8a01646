"""``rgb2swir evaluate transfer``: detectors trained on translated frames, tested on true ones."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

import cv2

from rgb2swir_ros.cli.evaluate_shared import (
    add_model_arguments,
    add_report_arguments,
    candidates,
    check_apart,
    check_report,
    give_report,
)
from rgb2swir_ros.cli.shared import given_options
from rgb2swir_ros.engines.processor import waiting_environment
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap, plain
from rgb2swir_ros.lab.evaluation.models import GREY
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.sizes import format_size, parse_size

EXAMPLE = """example:
  rgb2swir evaluate transfer --data out/scenes --model nano --model out/canary --model grey \\
    -o out/transfer
Trains detectors on the split train: on the true SWIR frames, and on what each model makes of the
RGB frames. Tests all on the true SWIR frames of the split test. Each source is compared with the
true frames and with the last model. Killed and called again with the same arguments, it goes on.
Several at once with --train-only share the trainings.
"""
STEPS = 8000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='folder that rgb2swir scenes wrote')
    add_model_arguments(parser, required=True)
    parser.add_argument('--steps', type=int, default=STEPS, metavar='N',
                        help='of each training (default %(default)s)')
    parser.add_argument('--batch', type=int, default=8, help='crops a step (default %(default)s)')
    parser.add_argument('--seeds', type=int, default=2, metavar='N',
                        help='detectors for each source (default %(default)s)')
    parser.add_argument('--first-seed', type=int, default=0, metavar='N',
                        help='of the first of them, the others follow it: further detectors may '
                             'be trained on another machine (default %(default)s)')
    parser.add_argument('--crop', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='largest size of the crops (default 320x256)')
    parser.add_argument('--min-side', type=float, default=0.0, metavar='PIXELS',
                        help='thinner boxes are ignore regions, in training and test '
                             '(default: none)')
    parser.add_argument('--train-only', action='store_true',
                        help='test nothing; several such runs with one --output share the work')
    add_report_arguments(parser, 'translated frames, detectors, table.txt and transfer.json')


def run(arguments: argparse.Namespace) -> int:
    """Translate, train, test, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    if arguments.output is None:
        raise UserError('--output is missing: the detectors and their checkpoints need a folder')
    for name in ('steps', 'batch', 'seeds'):
        if getattr(arguments, name) < 1:
            raise UserError(f'--{name} {getattr(arguments, name)}: give at least 1')
    if arguments.first_seed < 0:
        raise UserError(f'--first-seed {arguments.first_seed}: give 0 or more')
    if not 0 <= arguments.min_side <= 64 or min(arguments.crop) < 32:
        raise UserError(f'--min-side {arguments.min_side:g}, --crop of at least '
                        f'{min(arguments.crop)}: give 0 to 64 pixels, and crops from 32x32')
    data = arguments.data
    if arguments.train_only:  # writes no report: one that is there is in nobody's way
        check_apart(arguments, [data])
    else:
        check_report(arguments, 'transfer', (), [data])
    os.environ.update(waiting_environment())  # before torch is loaded
    cv2.setNumThreads(1)  # batches are made beside torch's threads
    try:
        from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig
        from rgb2swir_ros.lab.evaluation.transfer import (
            TransferSettings,
            train_detectors,
            transfer,
            transfer_table,
        )
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install "
                        "'rgb2swir_ros[runtime,train,eval]'") from error
    training = DetectorTrainingConfig(arguments.steps, batch=arguments.batch, crop=arguments.crop,
                                      min_side=arguments.min_side)
    settings = TransferSettings(data, arguments.output, arguments.seeds, training,
                                arguments.resamples, arguments.first_seed)
    identities = [_identity(name, arguments) for name in arguments.model]
    models = candidates(arguments, 1)
    if arguments.train_only:
        train_detectors(settings, models, identities, timed_log('min'))
        return 0
    results = transfer(settings, models, identities, timed_log('min'))
    text = transfer_table(results, f'detectors of each source: {arguments.seeds}, from seed '
                                   f'{arguments.first_seed}, of {arguments.steps} steps; {data}')
    give_report(arguments, 'transfer', text, {
        'command': _command(arguments), 'data': str(data), 'steps': arguments.steps,
        'batch': arguments.batch, 'seeds': arguments.seeds,
        'first_seed': arguments.first_seed, 'sources': plain(results)})
    return 0


def _command(arguments: argparse.Namespace) -> str:
    """Return the command line that repeats the measurement."""
    words = ['rgb2swir', 'evaluate', 'transfer', '--data', str(arguments.data)]
    words += [word for model in arguments.model for word in ('--model', model)]
    words += ['--crop', format_size(arguments.crop)]
    return shlex.join(words + given_options(arguments, (
        'steps', 'batch', 'seeds', 'first_seed', 'min_side', 'teacher_steps', 'seed',
        'resamples', 'output')))


def _identity(name: str, arguments: argparse.Namespace) -> str:
    """Return what a model's frames depend on."""
    from rgb2swir_ros.model_files import model_hash

    if name == GREY:
        return GREY
    return f'{model_hash(model_directory(name))} {arguments.teacher_steps} {arguments.seed}'
