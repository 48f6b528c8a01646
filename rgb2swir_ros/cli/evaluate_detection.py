"""``rgb2swir evaluate detection``: mAP of a detector on true or on translated SWIR frames."""

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
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap, plain
from rgb2swir_ros.lab.scenes.annotations import (
    SPLITS,
    AnnotatedSet,
    find_counterparts,
    read_annotations,
    rgb_paths,
    with_min_side,
)
from rgb2swir_ros.resources import model_directory

if TYPE_CHECKING:
    from rgb2swir_ros.lab.detector.model import DetectorModel

EXAMPLE = """example:
  rgb2swir evaluate detection --data out/scenes --detector out/detector -o out/detection
  rgb2swir evaluate detection --data out/scenes --detector out/detector --model nano --model grey
on true SWIR frames gives the ceiling; with --model, each model translates the RGB frames and is
compared with it, and later models with the first, also by the objects that look otherwise in SWIR
than in grey-scale (their radiance over their surroundings' differs by two or more). --images DIR
evaluates pictures that were translated before, under the same relative paths in DIR as SWIR or
RGB pictures have in --data.
16-bit pictures are linear, 8-bit ones have gamma 2.2. The format of ONNX detectors is described
in rgb2swir_ros/lab/detector/onnx.py.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='folder that rgb2swir scenes wrote')
    parser.add_argument('--split', choices=SPLITS, default='test', help='(default %(default)s)')
    parser.add_argument('--detector', default='detector', metavar='MODEL',
                        help='folder, FILE.onnx or name of a model that ships '
                             '(default %(default)s)')
    parser.add_argument('--images', type=Path, metavar='DIR',
                        help='translated pictures (default: the true SWIR frames)')
    add_model_arguments(parser, required=False)
    add_report_arguments(
        parser, 'table.txt, detection.json, boxes.png and, without --model, curves.png')


def run(arguments: argparse.Namespace) -> int:
    """Detect, evaluate, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    if arguments.images is not None and arguments.model:
        raise UserError('--images and --model: give one of them, pictures that are there or '
                        'models that make them')
    check_report(arguments, 'detection', ('boxes.png', 'curves.png'),
                 [path for path in (arguments.data, arguments.images, Path(arguments.detector))
                  if path is not None])
    os.environ.update(waiting_environment())  # before torch is loaded
    try:
        from rgb2swir_ros.lab.detector.onnx import open_detector
    except ImportError as error:
        raise UserError(f"{error}: evaluation needs pip install 'rgb2swir_ros[runtime,eval]'"
                        ) from error
    annotated = read_annotations(arguments.data, arguments.split)
    pictures = _pictures(arguments, annotated)
    path = Path(arguments.detector)
    detector: DetectorModel = open_detector(path if path.suffix == '.onnx'
                                    else model_directory(arguments.detector))
    if not set(annotated.classes) & set(detector.classes):
        raise UserError(f"{arguments.detector} finds {', '.join(detector.classes)}, the data has "
                        f"{', '.join(annotated.classes)}: no class is common")
    unknown = [c for c in annotated.classes if c not in detector.classes]
    if unknown:
        print(f"{arguments.detector} does not know {', '.join(unknown)}: all of them count as "
              'missed', file=sys.stderr)
    if detector.min_side:
        annotated = with_min_side(annotated, detector.min_side)
        print(f'boxes thinner than {detector.min_side:g} pixels neither count nor harm: '
              f'{arguments.detector} was trained so', file=sys.stderr)
    print(f'{len(annotated.frames)} frames of the split {arguments.split}', file=sys.stderr)
    work = _compare_models if arguments.model else _evaluate_pictures
    text, figures = work(arguments, annotated, pictures, detector)
    if dropped := getattr(detector, 'dropped', 0):
        print(f'{dropped} detections with labels that have no class were dropped', file=sys.stderr)
    figures = {'detector': str(arguments.detector), 'data': str(arguments.data),
               'split': arguments.split, 'seed': arguments.seed, **figures}
    give_report(arguments, 'detection', text, figures)
    return 0


def _pictures(arguments: argparse.Namespace, annotated: AnnotatedSet) -> list[Path]:
    """Return the pictures of the frames: RGB for models, translated ones, or the true ones."""
    if arguments.model:
        return rgb_paths(arguments.data, annotated.frames)
    if arguments.images is not None:
        return find_counterparts(annotated.frames, arguments.images)
    return [f.path for f in annotated.frames]


def _evaluate_pictures(arguments: argparse.Namespace, annotated: AnnotatedSet,
                       pictures: list[Path],
                       detector: DetectorModel) -> tuple[str, dict[str, Any]]:
    """Evaluate the true frames, or pictures in their place; return table and figures."""
    from rgb2swir_ros.lab.detector.decode import relabel
    from rgb2swir_ros.lab.evaluation.accumulate import match
    from rgb2swir_ros.lab.evaluation.detection import detect_files, evaluate_detections
    from rgb2swir_ros.lab.evaluation.detection_report import (
        contact_sheet,
        plot_curves,
        table,
        working_score,
    )

    frames, classes = annotated.frames, annotated.classes
    found = [relabel(d, detector.classes, classes)
             for d in detect_files(detector, frames, pictures)]
    result = evaluate_detections(frames, found, classes, resamples=arguments.resamples,
                                 seed=arguments.seed)
    what = 'true SWIR' if arguments.images is None else str(arguments.images)
    if arguments.output:
        matches = match(frames, found, len(classes))
        plot_curves(arguments.output / 'curves.png', matches, classes)
        contact_sheet(arguments.output / 'boxes.png', frames, pictures, found, classes,
                      working_score(matches))
    text = table(result, f'{arguments.detector} on {what}, split {arguments.split} of '
                         f'{arguments.data}')
    return text, {'shown': what, **plain(result)}


def _compare_models(arguments: argparse.Namespace, annotated: AnnotatedSet, pictures: list[Path],
                    detector: DetectorModel) -> tuple[str, dict[str, Any]]:
    """Evaluate the output of models for the RGB frames; return table and figures."""
    from rgb2swir_ros.lab.evaluation.accumulate import match
    from rgb2swir_ros.lab.evaluation.comparison import compare, find_objects
    from rgb2swir_ros.lab.evaluation.comparison_report import comparison_table, model_sheet
    from rgb2swir_ros.lab.evaluation.contrast import find_differing
    from rgb2swir_ros.lab.evaluation.detection_report import working_score

    models = candidates(arguments, len(annotated.frames))
    columns = find_objects(annotated, pictures, detector, models)
    result = compare(annotated, columns, models, resamples=arguments.resamples,
                     seed=arguments.seed, differing=find_differing(annotated.frames, pictures))
    if arguments.output:
        matches = match(annotated.frames, columns[0].found, len(annotated.classes))
        model_sheet(arguments.output / 'boxes.png', annotated, pictures, columns,
                    working_score(matches))
    text = comparison_table(result, f'{arguments.detector} on split {arguments.split} of '
                                    f'{arguments.data}')
    return text, plain(result)
