"""``rgb2swir train autoencoder | teacher | student``: the three trainings of a translator."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from rgb2swir_ros.cli.train_shared import (
    add_photographs,
    add_shared_arguments,
    check_outputs,
    check_photographs,
    photograph_report,
    report,
)
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import timed_log

EXAMPLE = """example, the whole way to a translator:
  rgb2swir train autoencoder --data out/scenes --output out/autoencoder
  rgb2swir train teacher --data out/scenes --autoencoder out/autoencoder --output out/teacher
  rgb2swir train student --data out/scenes --teacher out/teacher --output out/nano
  rgb2swir translate --model out/nano holiday/ holiday_swir/
in an hour each:        ... --minutes 60
on four GPUs:           torchrun --nproc-per-node 4 -m rgb2swir_ros.cli.main train ...
to watch it:            tensorboard --logdir out/train
Interrupted or killed and called again with the same arguments, it goes on from its last
checkpoint. The output folder's training.yaml says how the weights were made and how good they are.
"""
PHOTOGRAPH_STEPS = 50  # denoiser calls of a teacher for a photograph


def configure(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the arguments of one of the three trainings."""
    parser.epilog = EXAMPLE
    add_shared_arguments(parser, 'out/train')
    parser.add_argument('--preset', default='nano', metavar='NAME|FILE.yaml',
                        help='shape, stages and weights of the losses (default %(default)s)')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--share', type=float, default=1.0, metavar='X',
                        help="of the preset's steps, for trying things out (default 1)")
    length.add_argument('--minutes', type=float, metavar='X',
                        help="about so long, by the pace of each stage's first steps, in place of "
                             "the preset's steps")
    if what == 'teacher':
        parser.add_argument('--autoencoder', type=Path, required=True, metavar='DIR',
                            dest='start', help="output of 'rgb2swir train autoencoder'")
    if what == 'student':
        parser.add_argument('--teacher', type=Path, required=True, metavar='DIR', dest='start',
                            help="output of 'rgb2swir train teacher', or a student to train on")
        parser.add_argument('--steps', type=int, default=1, choices=(1, 2, 4),
                            help='denoiser calls for a frame (default %(default)s)')
    if what != 'autoencoder':  # which needs the SWIR picture that a photograph lacks
        add_photographs(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, write the model and its record, validate it."""
    try:
        from rgb2swir_ros.lab.training.command import Request, train_translator
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install 'rgb2swir_ros[runtime,train]'"
                        ) from error

    request = Request(
        arguments.target, arguments.data, arguments.output, arguments.work, arguments.preset,
        arguments.seed, arguments.share, arguments.minutes, getattr(arguments, 'start', None),
        getattr(arguments, 'steps', 1))
    if arguments.target != 'autoencoder':
        check_photographs(arguments)
    check_outputs(arguments, request, request.folder)
    log = timed_log('min')
    result = train_translator(request, log)
    if result is None:
        return 0
    photographs = None
    if arguments.target == 'teacher':
        from rgb2swir_ros.lab.training.validation import sample_sqrt_radiance

        photographs = photograph_report(
            arguments, request.folder, log,
            lambda rgb: np.square(sample_sqrt_radiance(result.translator, rgb, PHOTOGRAPH_STEPS)))
    elif arguments.target == 'student':
        photographs = photograph_report(arguments, request.folder, log)
    return report(arguments, result.figures, result.held_out, result.sheet, photographs)
