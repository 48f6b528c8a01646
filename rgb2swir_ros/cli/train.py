"""``rgb2swir train``: weights from pairs of RGB and SWIR frames."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.cli.main import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import is_same_run, record_run
from rgb2swir_ros.model_files import MODEL_FILE, WEIGHTS_FILE
from rgb2swir_ros.ownership import require_apart, require_free

if TYPE_CHECKING:
    from rgb2swir_ros.lab.evaluation.probes import PhotographReport

CANARY_EXAMPLE = """example:
  rgb2swir scenes --output out/scenes --count 2000
  rgb2swir train canary --data out/scenes --output out/canary --work out/train_canary
  rgb2swir translate --model out/canary holiday/ holiday_swir/
A direct regression from RGB to SWIR, trained for some minutes: if it fails, the data is wrong.
Killed and called again with the same --work, it goes on from its last checkpoint.
"""
TRANSLATOR_EXAMPLE = """example, the whole way to a translator:
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
TRANSLATOR_PARTS = {
    'autoencoder': "the translator's first part: SWIR to a latent and back",
    'teacher': "the translator's second part: from noise to the latent, in many steps",
    'student': "the translator's last part: the same in one, two or four steps",
}
PHOTOGRAPH_STEPS = 50  # of a teacher on photographs, where only quality counts

Log = Callable[[str], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare what can be trained, each with its arguments."""
    from rgb2swir_ros.cli.train_detector import configure_detector

    targets = parser.add_subparsers(dest='target', metavar='WHAT', required=True)

    def add(name: str, summary: str, example: str | None) -> argparse.ArgumentParser:
        return targets.add_parser(name, help=summary, description=summary, epilog=example,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)

    _configure_canary(add('canary', 'a direct regression, in minutes: does the data teach '
                                    'anything?', CANARY_EXAMPLE))
    for name, summary in TRANSLATOR_PARTS.items():
        _configure_translator(add(name, summary, TRANSLATOR_EXAMPLE), name)
    configure_detector(add('detector', 'the small detector that judges SWIR pictures', None))


def run(arguments: argparse.Namespace) -> int:
    """Train what was asked for."""
    from rgb2swir_ros.engines.processor import waiting_environment

    # batches are made beside torch's threads
    os.environ.update(waiting_environment())
    cv2.setNumThreads(1)
    if arguments.target == 'detector':
        from rgb2swir_ros.cli.train_detector import run_detector
        return int(run_detector(arguments))
    return _run_canary(arguments) if arguments.target == 'canary' else _run_translator(arguments)


def _configure_shared(parser: argparse.ArgumentParser, work: str) -> None:
    parser.add_argument('--data', type=Path, required=True, nargs='+', metavar='DIR',
                        help="pairs, as 'rgb2swir scenes' writes them; of several data sets large "
                             'frames come from the one with the largest')
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='model folder to write: model.yaml and weights.safetensors')
    parser.add_argument('--work', type=Path, default=Path(work), metavar='DIR',
                        help='pairs, checkpoints and contact sheets (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the training (default 0)')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    add_overwrite(parser)


def _configure_photographs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--photographs', type=Path, metavar='DIR',
                        help='translate these in the end, and score the boxes of known material '
                             'that their probes.json marks')


def _configure_canary(parser: argparse.ArgumentParser) -> None:
    _configure_shared(parser, 'out/train_canary')
    _configure_photographs(parser)
    parser.add_argument('--minutes', type=float, default=20, metavar='X',
                        help='of optimisation, resumed runs added up (default %(default)s)')
    parser.add_argument('--steps', type=int, metavar='N',
                        help='in place of --minutes: the same training on any machine')
    parser.add_argument('--batch', type=int, default=8, metavar='N',
                        help='pairs of 320x256 a step (default %(default)s)')


def _configure_translator(parser: argparse.ArgumentParser, what: str) -> None:
    _configure_shared(parser, 'out/train')
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
        _configure_photographs(parser)


def _run_canary(arguments: argparse.Namespace) -> int:
    from rgb2swir_ros.lab.training import judge
    from rgb2swir_ros.lab.training.batches import open_stores
    from rgb2swir_ros.lab.training.canary import CanaryPlan, train_canary
    from rgb2swir_ros.lab.training.command import HELD_OUT, SHEET
    from rgb2swir_ros.lab.training.data.pairs import open_training

    _check_photographs(arguments)
    if arguments.seed < 0:
        raise UserError(f'--seed {arguments.seed}: give 0 or more')
    if arguments.batch < 1:
        raise UserError(f'--batch {arguments.batch}: give at least 1')
    plan = CanaryPlan(minutes=arguments.minutes, steps=arguments.steps, batch=arguments.batch)
    _check_outputs(arguments, _canary_run(arguments), arguments.work)
    log = _log()
    pairs, held_out = open_training(arguments.data)
    for dataset in (*pairs, held_out):
        log(dataset.summary())
    stores = open_stores(pairs, arguments.work, log)
    model = train_canary(stores, plan, arguments.work, seed=arguments.seed, log=log)
    record_run(arguments.output, _canary_run(arguments))
    model.save(arguments.output)
    log('judging on held-out pairs')
    frames, predict = judge.spread(held_out, HELD_OUT), judge.predictor(model)
    sheet = arguments.work / 'contact_sheet.png'
    judge.contact_sheet(predict, frames[:SHEET], sheet)
    figures = judge.judge(predict, frames, judge.fit_lookup(pairs[-1], arguments.seed))
    return _report(arguments, figures, len(frames), sheet,
                   _judge_photographs(arguments, arguments.work, log))


def _run_translator(arguments: argparse.Namespace) -> int:
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
        _check_photographs(arguments)
    _check_outputs(arguments, request, request.folder)
    log = _log()
    result = train_translator(request, log)
    if result is None:
        return 0
    photographs = None
    if arguments.target == 'teacher':
        from rgb2swir_ros.lab.training.judge import sample_tone

        photographs = _judge_photographs(
            arguments, request.folder, log,
            lambda rgb: np.square(sample_tone(result.translator, rgb, PHOTOGRAPH_STEPS)))
    elif arguments.target == 'student':
        photographs = _judge_photographs(arguments, request.folder, log)
    return _report(arguments, result.figures, result.held_out, result.sheet, photographs)


def _report(arguments: argparse.Namespace, figures: dict[str, Any], held_out: int, sheet: Path,
            photographs: PhotographReport | None) -> int:
    """Print what came of a training."""
    if arguments.json:
        print(json.dumps({'held_out': held_out, **figures,
                          'photographs': photographs and photographs.fields()}))
        return 0
    print(f'wrote {arguments.output} ({arguments.target}); on {held_out} held-out pairs:')
    print(f'  detail {figures["detail"]:.2f} of the true finest octave; PSNR of tone in dB:')
    for name, value in figures.items():
        if name != 'detail':
            print(f'  {name:<15} {value:6.2f}')
    print(f'pictures: {sheet}')
    if photographs is not None:
        print(f'photographs: {sheet.parent / "photographs"}')
        print(*(f'  {line}' for line in photographs.lines()), sep='\n')
    return 0


def _judge_photographs(
        arguments: argparse.Namespace, work: Path, log: Log,
        translate: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None,
) -> PhotographReport | None:
    """Translate photographs, if they are asked for, at the size that frames have in use.

    :param translate: of a fitted frame; by default the model as it was written does it, as for
        ``rgb2swir translate``.
    """
    if arguments.photographs is None:
        return None
    from rgb2swir_ros.lab.evaluation.probes import judge_photographs
    from rgb2swir_ros.replay.offline import OfflineTranslator, Options

    log(f'translating {arguments.photographs}')
    translator = OfflineTranslator(Options(model=str(arguments.output)))
    return judge_photographs(arguments.photographs,
                             lambda rgb: (translate or translator.radiance)(translator.fit(rgb)),
                             work / 'photographs')


def _canary_run(arguments: argparse.Namespace) -> object:
    """Return what makes a canary's training another one."""
    return [getattr(arguments, name) for name in ('target', 'data', 'work', 'seed', 'minutes',
                                                  'steps', 'batch')]


def _check_outputs(arguments: argparse.Namespace, run: object, work: Path) -> None:
    """Refuse before the training what could not be written after it.

    :param run: the settings; the model that the same run wrote is its own, and it goes on.
    :param work: folder of the training's own files.
    :raises UserError: if a model exists, or an output lies in an input or contains one.
    """
    from rgb2swir_ros.lab.evaluation.probes import pictures_of

    photographs = getattr(arguments, 'photographs', None)
    require_apart([arguments.output, arguments.work],
                  [*arguments.data, getattr(arguments, 'start', None), photographs])
    names = (MODEL_FILE, WEIGHTS_FILE, 'training.yaml')
    require_free((arguments.output / name for name in names),
                 overwrite=arguments.overwrite or is_same_run(arguments.output, run))
    require_free([work / 'checkpoint.safetensors', work / 'contact_sheet.png',
                  *(pictures_of(photographs, work / 'photographs') if photographs else ())],
                 overwrite=True)  # of this training, which goes on, or it says so


def _check_photographs(arguments: argparse.Namespace) -> None:
    """Refuse before the training what would fail after it.

    :raises UserError: if there is no such folder of photographs, or its probes are damaged.
    """
    from rgb2swir_ros.lab.evaluation.probes import read_probes

    if arguments.photographs is not None:
        if not arguments.photographs.is_dir():
            raise UserError(f'--photographs {arguments.photographs} is no folder')
        read_probes(arguments.photographs)


def _log() -> Log:
    started = time.monotonic()

    def log(line: str) -> None:
        print(f'[{(time.monotonic() - started) / 60:5.1f} min] {line}', file=sys.stderr,
              flush=True)

    return log
