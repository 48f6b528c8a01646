"""``rgb2swir train canary``: a direct regression, to find out what the data teaches."""

from __future__ import annotations

import argparse

from rgb2swir_ros.cli.train_shared import (
    add_photographs,
    add_shared_arguments,
    check_outputs,
    check_photographs,
    photograph_report,
    report,
)
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import record_run
from rgb2swir_ros.progress import timed_log

EXAMPLE = """example:
  rgb2swir scenes --output out/scenes --count 2000
  rgb2swir train canary --data out/scenes --output out/canary --work out/train_canary
  rgb2swir translate --model out/canary holiday/ holiday_swir/
A direct regression from RGB to SWIR, trained for some minutes: if it fails, the data is wrong.
Killed and called again with the same --work, it goes on from its last checkpoint.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_shared_arguments(parser, 'out/train_canary')
    add_photographs(parser)
    parser.add_argument('--minutes', type=float, default=20, metavar='X',
                        help='of optimisation, resumed runs added up (default %(default)s)')
    parser.add_argument('--steps', type=int, metavar='N',
                        help='in place of --minutes: the same training on any machine')
    parser.add_argument('--batch', type=int, default=8, metavar='N',
                        help='pairs of 320x256 a step (default %(default)s)')


def run(arguments: argparse.Namespace) -> int:
    """Train, write the model, validate it on held-out pairs and on photographs."""
    from rgb2swir_ros.lab.training import validation
    from rgb2swir_ros.lab.training.batches import open_stores
    from rgb2swir_ros.lab.training.canary import CanaryConfig, train_canary
    from rgb2swir_ros.lab.training.command import HELD_OUT, SHEET
    from rgb2swir_ros.lab.training.data.pairs import open_training

    check_photographs(arguments)
    if arguments.seed < 0:
        raise UserError(f'--seed {arguments.seed}: give 0 or more')
    if arguments.batch < 1:
        raise UserError(f'--batch {arguments.batch}: give at least 1')
    config = CanaryConfig(minutes=arguments.minutes, steps=arguments.steps, batch=arguments.batch)
    check_outputs(arguments, _settings(arguments), arguments.work)
    log = timed_log('min')
    pairs, held_out = open_training(arguments.data)
    for dataset in (*pairs, held_out):
        log(dataset.summary())
    stores = open_stores(pairs, arguments.work, log)
    model = train_canary(stores, config, arguments.work, seed=arguments.seed, log=log)
    record_run(arguments.output, _settings(arguments))
    model.save(arguments.output)
    log('validating on held-out pairs')
    frames, predict = validation.spread(held_out, HELD_OUT), validation.predictor(model)
    sheet = arguments.work / 'contact_sheet.png'
    validation.contact_sheet(predict, frames[:SHEET], sheet)
    lookup = validation.fit_lookup(pairs[-1], arguments.seed)
    figures = validation.validate(predict, frames, lookup)
    return report(arguments, figures, len(frames), sheet,
                  photograph_report(arguments, arguments.work, log))


def _settings(arguments: argparse.Namespace) -> object:
    """Return the settings by which a run of this training is recognised."""
    return [getattr(arguments, name) for name in ('target', 'data', 'work', 'seed', 'minutes',
                                                  'steps', 'batch')]
