"""``rgb2swir evaluate pairs``: models against SWIR frames of the same views, real or rendered."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rgb2swir_ros.cli.evaluate_shared import (
    add_model_arguments,
    add_report_arguments,
    candidates,
    check_report,
    give_report,
)
from rgb2swir_ros.engines.processor import waiting_environment
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap
from rgb2swir_ros.resources import model_directory

if TYPE_CHECKING:
    from rgb2swir_ros.lab.evaluation.pairs.evaluation import Judgement, Predict
    from rgb2swir_ros.lab.evaluation.pairs.frames import PairFrames

EXAMPLE = """example:
  rgb2swir evaluate pairs --data RASMD/ --model nano --model my_model -o out/pairs
  rgb2swir evaluate pairs --data drive/ --model nano --frames 50-100 --boxes boxes.json --rate 10
  rgb2swir evaluate pairs --data raw_drive/ --model nano --align -o out/aligned
Exposure and tone curve of a real SWIR frame are unknown: the order of brightness judges, of
everything and of what is coarse, with edges, and PSNR and SSIM after one monotone curve a scene.
Three rows that know no material stand beside the models. Later models, and these rows, are
compared with the first model.
Layouts: rendered scenes, RASMD, two folders (rgb/ beside swir/, or --data RGB SWIR). Frames beside
a folder mask/ with pictures of their names count where these are white; a file set.json beside the
folders, {"horizon": 0.6}, says where the horizon is. A rig whose SWIR frames are not aligned needs
--homography FILE, or --align, which fits one.
Marked boxes: {"frames": {"NAME": {"road": [x0, y0, x1, y1], ...}}, "darker_than": {"NAME":
[["road", "tree"], ...]}}, in shares of width and height.
"""
SHOWN = 6


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_model_arguments(parser, required=True)
    parser.add_argument('--data', type=Path, required=True, nargs='+', metavar='DIR',
                        help='folder of pairs; or two folders, of RGB and of SWIR frames')
    parser.add_argument('--split', default='', choices=('train', 'validation', 'test', 'all'),
                        help='(default: test of rendered scenes, all of other data)')
    parser.add_argument('--split-seed', type=int, default=0, metavar='N',
                        help='the --seed of the training that split the same data (default 0)')
    parser.add_argument('--frames', type=_range, metavar='A-B',
                        help='only frames numbered A to B in each scene, as in their file names')
    parser.add_argument('--every', type=int, default=1, metavar='N',
                        help='only every N-th of them (default %(default)s)')
    parser.add_argument('--rate', type=float, metavar='HZ',
                        help='frames a second, by their numbers: one drive is resampled in blocks '
                             'of five seconds')
    parser.add_argument('--swir-gamma', type=float, default=2.2, metavar='G',
                        help='of 8-bit SWIR frames; 1 for raw ones (default %(default)s)')
    parser.add_argument('--full-scale', type=float, metavar='V',
                        help='value of a white SWIR pixel (default: of its type; 4095 for 12 bits '
                             'stored in 16)')
    parser.add_argument('--horizon', type=float, metavar='SHARE',
                        help='of the height (default: as set.json says, or 0.5)')
    parser.add_argument('--masks', type=Path, metavar='DIR',
                        help='pictures that are white where a frame counts, of the RGB names')
    parser.add_argument('--boxes', type=Path, metavar='FILE', help='marked boxes, JSON')
    rig = parser.add_mutually_exclusive_group()
    rig.add_argument('--homography', type=Path, metavar='FILE',
                     help='maps SWIR pixels to RGB pixels; JSON as --align writes it')
    rig.add_argument('--align', action='store_true',
                     help="fit a homography to matches between the first model's output and the "
                          'SWIR frames; it is refused if it is poor')
    parser.add_argument('--detector', default='detector', metavar='MODEL',
                        help='whose features give the Frechet distance (default %(default)s)')
    add_report_arguments(parser, 'table.txt, pairs.json, sheet.png and, with --align, '
                                 'homography.json')


def run(arguments: argparse.Namespace) -> int:
    """Translate, judge, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    _check(arguments)
    given = (*arguments.data, arguments.masks, arguments.boxes, arguments.homography)
    check_report(arguments, 'pairs', ('sheet.png', 'homography.json'),
                 [path for path in given if path is not None])
    os.environ.update(waiting_environment())  # before torch is loaded
    try:
        from rgb2swir_ros.lab.detector.model import load_detector
        from rgb2swir_ros.lab.evaluation.pairs.boxes import read_boxes
        from rgb2swir_ros.lab.evaluation.pairs.report import pairs_table, write_sheet
        from rgb2swir_ros.lab.evaluation.pairs.summary import summarise
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install 'rgb2swir_ros[runtime,replay,train]'"
                        ) from error
    boxes = read_boxes(arguments.boxes) if arguments.boxes else None
    network = load_detector(model_directory(arguments.detector)).network
    frames = _frames(arguments)
    _announce(frames)
    models = candidates(arguments, len(frames))
    rows: dict[str, Predict] = {model.name: model.radiance for model in models}
    alignment = _align(arguments, frames, rows[models[0].name])
    judged = _judge(arguments, frames, rows, boxes, network)
    if boxes and not any(row.in_order for f in judged.frames for row in f.rows.values()):
        raise UserError(f'--boxes {arguments.boxes}: no judged frame has a marked pair; its '
                        f'frames are {", ".join(sorted(boxes.frames)[:3])}, ..., the judged ones '
                        f'{judged.frames[0].name}, ...')
    first = models[0].name
    result = summarise(judged, first, rate=arguments.rate, resamples=arguments.resamples,
                       seed=arguments.seed)
    figures: dict[str, Any] = {
        'data': [str(p) for p in arguments.data], 'layout': frames.layout, 'split': frames.split,
        'skipped': [f'{s.path}: {s.reason}' for s in frames.skipped], 'seed': arguments.seed,
        'first': first, **alignment, **result.as_json(), 'by_frame': _by_frame(judged)}
    if arguments.output and judged.shown:
        write_sheet(arguments.output / 'sheet.png', judged.shown)
    give_report(arguments, 'pairs', pairs_table(result, first), figures)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Check the arguments that argparse does not."""
    if len(arguments.data) > 2:
        raise UserError(f'--data names {len(arguments.data)} folders: give one folder of pairs, '
                        'or one of RGB and one of SWIR frames')
    if arguments.every < 1:
        raise UserError(f'--every {arguments.every}: give at least 1')
    for name, low, high in (('rate', 1e-3, 1e4), ('swir_gamma', .1, 10), ('full_scale', 1e-6, 1e9),
                            ('horizon', 1e-3, .999)):
        value = getattr(arguments, name)
        if value is not None and not low <= value <= high:
            raise UserError(f"--{name.replace('_', '-')} {value:g}: give {low:g} to {high:g}")


def _range(text: str) -> tuple[int, int]:
    """Return ``0-49`` as (0, 49)."""
    first, _, last = text.partition('-')
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"'{text}' is no range of frames: give two numbers, as "
                                         'in 0-49')
    return int(first), int(last)


def _frames(arguments: argparse.Namespace) -> PairFrames:
    """Find the pairs, and their geometry where it is given."""
    from rgb2swir_ros.lab.evaluation.pairs.frames import FrameOptions, PairFrames
    from rgb2swir_ros.lab.evaluation.pairs.rig import read_rig
    from rgb2swir_ros.lab.training.data.files import SwirCoding
    from rgb2swir_ros.lab.training.data.folders import PairedFolders

    rig = read_rig(arguments.homography) if arguments.homography else None
    data = arguments.data
    options = FrameOptions(arguments.split, arguments.frames, arguments.every, arguments.horizon,
                           arguments.masks, SwirCoding(arguments.swir_gamma, arguments.full_scale),
                           arguments.split_seed)
    frames = PairFrames(PairedFolders(*data) if len(data) == 2 else data[0], options,
                        aligned=rig is None and not arguments.align)
    frames.rig = rig
    return frames


def _announce(frames: PairFrames) -> None:
    from rgb2swir_ros.lab.training.data.pairs import reasons

    print(f'{frames.layout}, {frames.split}: {len(frames)} pairs are judged', file=sys.stderr)
    if frames.skipped:
        print(f'{len(frames.skipped)} files skipped:', *reasons(frames.skipped), sep='\n',
              file=sys.stderr)


def _align(arguments: argparse.Namespace, frames: PairFrames,
           translate: Predict) -> dict[str, Any]:
    """Fit the rig's homography if requested; return what the report says of it."""
    from rgb2swir_ros.files import write_json
    from rgb2swir_ros.lab.evaluation.pairs.align import fit_rig

    if not arguments.align:
        return {}
    fitted = fit_rig(frames, translate)
    print(fitted.describe(), file=sys.stderr)
    frames.rig = fitted.rig
    if arguments.output:
        write_json(arguments.output / 'homography.json', fitted.entries())
    return {'alignment': fitted.entries()}


def _judge(arguments: argparse.Namespace, frames: PairFrames, models: dict[str, Predict],
           boxes: Any, network: Any) -> Judgement:
    """Judge every scene by the models and by the rows that know no material."""
    from rgb2swir_ros.lab.evaluation.pairs.evaluation import Judge
    from rgb2swir_ros.lab.evaluation.pairs.frechet import MIN_FRAMES
    from rgb2swir_ros.lab.evaluation.pairs.references import (
        COLOUR_ROW,
        GRADIENT,
        GREY,
        apply_colour_row,
        fit_colour_row,
        grey_scale,
        vertical_gradient,
    )
    from rgb2swir_ros.progress import ProgressDisplay

    rows: dict[str, Predict] = {GRADIENT: vertical_gradient, GREY: grey_scale}
    if frames.others:
        print(f'{COLOUR_ROW}: fitted on {len(frames.others)} frames that are not judged',
              file=sys.stderr)
        fit = fit_colour_row((f.rgb, f.truth, f.mask) for f in frames.fitting())
        rows[COLOUR_ROW] = lambda rgb: apply_colour_row(fit, rgb)
    else:
        print(f'no row of {COLOUR_ROW}: every frame is judged, none is left to fit it on '
              '(--frames, --split)', file=sys.stderr)
    clash = sorted(set(rows) & set(models))
    if clash:
        raise UserError(f"--model {clash[0]}: a row of the table has this name; give the model's "
                        f'folder as ./{clash[0]}')
    step = max(-(-len(frames) // SHOWN), 1)
    shown = [pair.name for pair in frames.judged[::step]] if arguments.output else []
    with ProgressDisplay(len(frames)) as progress:
        judge = Judge({**rows, **models}, boxes=boxes, shown=shown, advance=progress.advance,
                      network=network if len(frames) >= MIN_FRAMES else None)
        for count, scene in frames.scenes():
            judge.scene(scene, count)
    return judge.result


def _by_frame(judged: Judgement) -> dict[str, Any]:
    """Return every frame's figures, by frame and row."""
    from dataclasses import asdict

    from rgb2swir_ros.lab.evaluation.intervals import plain

    return {frame.name: {name: plain({**asdict(row.scores), 'psnr': row.psnr, 'ssim': row.ssim})
                         for name, row in frame.rows.items()} for frame in judged.frames}
