"""``rgb2swir train``: weights from rendered pairs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from rgb2swir_ros.errors import UserError

if TYPE_CHECKING:
    from rgb2swir_ros.evaluation.probes import PhotographReport
    from rgb2swir_ros.training.data.pairs import PairedDataset
    from rgb2swir_ros.translator import SwirModel

CANARY_EXAMPLE = """example:
  rgb2swir scenes --output out/scenes --count 2000
  rgb2swir train canary --data out/scenes --output out/canary --work out/train_canary
  rgb2swir translate --model out/canary holiday/ holiday_swir/
A direct regression from RGB to SWIR, trained for some minutes: if it fails, the data is wrong.
Killed and called again with the same --work, it goes on from its last checkpoint.
"""
TRANSLATOR_EXAMPLE = """example:
  rgb2swir train translator --data out/scenes --output out/nano --work out/train
Killed and called again with the same --work, it goes on from its last checkpoint.
"""
HELD_OUT, SHEET = 64, 16  # frames that are judged, and that are shown

Log = Callable[[str], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be trained, each with its arguments."""
    from rgb2swir_ros.evaluation.detector.command import configure_detector

    targets = parser.add_subparsers(dest='target', metavar='WHAT', required=True)
    for name, summary, example, declare in (
            ('canary', 'a direct regression, in minutes: does the data teach anything?',
             CANARY_EXAMPLE, _configure_canary),
            ('translator', 'the latent-diffusion translator', TRANSLATOR_EXAMPLE,
             _configure_translator),
            ('detector', 'the small detector that judges SWIR pictures', None,
             configure_detector)):
        target = targets.add_parser(name, help=summary, description=summary, epilog=example,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
        declare(target)


def run(arguments: argparse.Namespace) -> int:
    """Train what was asked for."""
    from rgb2swir_ros.engines.processor import waiting_environment

    # batches are made beside torch's threads
    os.environ.update(waiting_environment())
    cv2.setNumThreads(1)
    if arguments.target == 'detector':
        from rgb2swir_ros.evaluation.detector.command import run_detector
        return int(run_detector(arguments))
    return {'canary': _run_canary, 'translator': _run_translator}[arguments.target](arguments)


def _configure_shared(parser: argparse.ArgumentParser, work: str) -> None:
    parser.add_argument('--data', type=Path, required=True, nargs='+', metavar='DIR',
                        help="pairs, as 'rgb2swir scenes' writes them; of several data sets the "
                             'last third trains on the one with the largest frames')
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='model folder to write: model.yaml and weights.safetensors')
    parser.add_argument('--work', type=Path, default=Path(work), metavar='DIR',
                        help='pairs, checkpoint and contact sheet (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the training (default 0)')
    parser.add_argument('--photographs', type=Path, metavar='DIR',
                        help='translate these in the end, and score the boxes of known material '
                             'that their probes.json marks')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')


def _configure_canary(parser: argparse.ArgumentParser) -> None:
    _configure_shared(parser, 'out/train_canary')
    parser.add_argument('--minutes', type=float, default=20, metavar='X',
                        help='of optimisation, resumed runs added up (default %(default)s)')
    parser.add_argument('--steps', type=int, metavar='N',
                        help='in place of --minutes: the same training on any machine')
    parser.add_argument('--batch', type=int, default=8, metavar='N',
                        help='pairs of 320x256 a step (default %(default)s)')


def _configure_translator(parser: argparse.ArgumentParser) -> None:
    _configure_shared(parser, 'out/train')
    parser.add_argument('--share', type=float, default=1.0, metavar='X',
                        help='share of the full training, for trying things out (default 1)')


def _run_canary(arguments: argparse.Namespace) -> int:
    from rgb2swir_ros.training.batches import open_stores
    from rgb2swir_ros.training.canary import CanaryPlan, train_canary

    _check(arguments)
    plan = CanaryPlan(minutes=arguments.minutes, steps=arguments.steps, batch=arguments.batch)
    log = _log()
    pairs, held_out = _open(arguments, log)
    stores = open_stores(pairs, arguments.work, log)
    model = train_canary(stores, plan, arguments.work, seed=arguments.seed, log=log)
    return _finish(arguments, model, pairs[-1], held_out, log)


def _run_translator(arguments: argparse.Namespace) -> int:
    from rgb2swir_ros.training.batches import open_stores
    from rgb2swir_ros.training.loop import train
    from rgb2swir_ros.training.stages import Preset

    _check(arguments)
    if not 0 < arguments.share <= 1:
        raise UserError(f'--share {arguments.share} is not in (0, 1]')
    log = _log()
    pairs, held_out = _open(arguments, log)
    stores = open_stores(pairs, arguments.work, log)
    model = train(stores, Preset().scaled(arguments.share), arguments.work, seed=arguments.seed,
                  log=log)
    return _finish(arguments, model, pairs[-1], held_out, log)


def _open(arguments: argparse.Namespace, log: Log) -> tuple[list[PairedDataset], PairedDataset]:
    """Return the data sets to train on, and the last one's pairs to judge on."""
    from rgb2swir_ros.training.data.pairs import open_pairs

    pairs = [open_pairs(folder, 'train') for folder in arguments.data]
    held_out = open_pairs(arguments.data[-1], 'validation')
    for dataset in (*pairs, held_out):
        log(dataset.summary())
    return pairs, held_out


def _finish(arguments: argparse.Namespace, model: SwirModel, pairs: PairedDataset,
            held_out: PairedDataset, log: Log) -> int:
    """Save, measure against the plain baselines, translate photographs, print."""
    from rgb2swir_ros.training import judge
    from rgb2swir_ros.translator import Translator

    model.save(arguments.output)
    log('judging on held-out pairs')
    frames = judge.spread(held_out, HELD_OUT)
    judge.contact_sheet(model, frames[:SHEET], arguments.work / 'contact_sheet.png')
    figures = judge.judge(model, frames, judge.fit_lookup(pairs, arguments.seed))
    if isinstance(model, Translator):
        figures |= judge.judge_latent(model, frames)
    photographs = None
    if arguments.photographs is not None:
        log(f'translating {arguments.photographs}')
        photographs = _judge_photographs(arguments)
    if arguments.json:
        print(json.dumps({'held_out': len(frames), **figures,
                          'photographs': photographs and photographs.fields()}))
        return 0
    print(f'wrote {arguments.output} ({model.kind}); on {len(frames)} held-out pairs:')
    print(f'  detail {figures.pop("detail"):.2f} of the true finest octave; PSNR of tone in dB:')
    for name, value in figures.items():
        print(f'  {name:<15} {value:6.2f}')
    print(f'pictures: {arguments.work / "contact_sheet.png"}')
    if photographs is not None:
        print(f'photographs: {arguments.work / "photographs"}')
        print(*(f'  {line}' for line in photographs.lines()), sep='\n')
    return 0


def _judge_photographs(arguments: argparse.Namespace) -> PhotographReport:
    """Translate photographs with the model as it was written, as ``rgb2swir translate`` does."""
    from rgb2swir_ros.evaluation.probes import judge_photographs
    from rgb2swir_ros.replay.offline import OfflineTranslator, Options

    translator = OfflineTranslator(Options(model=str(arguments.output)))
    return judge_photographs(arguments.photographs,
                             lambda rgb: translator.radiance(translator.fit(rgb)),
                             arguments.work / 'photographs')


def _check(arguments: argparse.Namespace) -> None:
    """Refuse before the training what would fail after it.

    :raises UserError: if there is no such folder of photographs, its probes are damaged, or
        a number is wrong.
    """
    from rgb2swir_ros.evaluation.probes import read_probes

    if arguments.photographs is not None:
        if not arguments.photographs.is_dir():
            raise UserError(f'--photographs {arguments.photographs} is no folder')
        read_probes(arguments.photographs)
    if arguments.seed < 0:
        raise UserError(f'--seed {arguments.seed}: give 0 or more')
    if getattr(arguments, 'batch', 1) < 1:
        raise UserError(f'--batch {arguments.batch}: give at least 1')


def _log() -> Log:
    started = time.monotonic()

    def log(line: str) -> None:
        print(f'[{(time.monotonic() - started) / 60:5.1f} min] {line}', file=sys.stderr,
              flush=True)

    return log
