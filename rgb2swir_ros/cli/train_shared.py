"""What the trainings of ``rgb2swir train`` share: arguments, outputs, photographs, report."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import is_same_run
from rgb2swir_ros.model_files import MODEL_FILE, WEIGHTS_FILE
from rgb2swir_ros.ownership import require_apart, require_free

if TYPE_CHECKING:
    from rgb2swir_ros.lab.evaluation.probes import PhotographReport

Log = Callable[[str], None]


def add_shared_arguments(parser: argparse.ArgumentParser, work: str) -> None:
    """Declare data, output, work folder and seed; ``work``: the default."""
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


def add_photographs(parser: argparse.ArgumentParser) -> None:
    """Declare the photographs that the trained model is evaluated on."""
    parser.add_argument('--photographs', type=Path, metavar='DIR',
                        help='translate these in the end, and score the boxes of known material '
                             'that their probes.json marks')


def check_photographs(arguments: argparse.Namespace) -> None:
    """Check the photographs before the training.

    :raises UserError: if there is no such folder of photographs, or its probes are damaged.
    """
    from rgb2swir_ros.lab.evaluation.probes import read_probes

    if arguments.photographs is not None:
        if not arguments.photographs.is_dir():
            raise UserError(f'--photographs {arguments.photographs} is no folder')
        read_probes(arguments.photographs)


def check_outputs(arguments: argparse.Namespace, run: object, work: Path) -> None:
    """Check before the training that its outputs can be written after it.

    :param run: the settings; a model that a run of the same settings wrote may be replaced.
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
                 overwrite=True)  # of this training; resuming checks the checkpoint's identity


def photograph_report(
        arguments: argparse.Namespace, work: Path, log: Log,
        translate: Callable[[NDArray[np.uint8]], NDArray[np.float32]] | None = None,
) -> PhotographReport | None:
    """Translate photographs, if requested, at the deployment resolution.

    :param translate: translates a fitted frame; by default the written model, as in
        ``rgb2swir translate``.
    """
    if arguments.photographs is None:
        return None
    from rgb2swir_ros.lab.evaluation.probes import evaluate_photographs
    from rgb2swir_ros.replay.offline import OfflineTranslator, Options

    log(f'translating {arguments.photographs}')
    translator = OfflineTranslator(Options(model=str(arguments.output)))
    return evaluate_photographs(arguments.photographs,
                             lambda rgb: (translate or translator.radiance)(translator.fit(rgb)),
                             work / 'photographs')


def report(arguments: argparse.Namespace, figures: dict[str, Any], held_out: int, sheet: Path,
            photographs: PhotographReport | None) -> int:
    """Print the result of a training."""
    if arguments.json:
        print(json.dumps({'held_out': held_out, **figures,
                          'photographs': photographs and photographs.fields()}))
        return 0
    print(f'wrote {arguments.output} ({arguments.target}); on {held_out} held-out pairs:')
    print(f'  detail {figures["detail"]:.2f} of the true finest octave; '
          'PSNR of square-root radiance in dB:')
    for name, value in figures.items():
        if name != 'detail':
            print(f'  {name:<15} {value:6.2f}')
    print(f'pictures: {sheet}')
    if photographs is not None:
        print(f'photographs: {sheet.parent / "photographs"}')
        print(*(f'  {line}' for line in photographs.lines()), sep='\n')
    return 0
