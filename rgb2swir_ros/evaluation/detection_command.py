"""``rgb2swir evaluate detection``: mAP of a detector on true or on translated SWIR frames."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.evaluation.annotations import SPLITS, mirrored, read_annotations
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.resources import model_directory

EXAMPLE = """example:
  rgb2swir evaluate detection --data out/scenes --detector out/detector -o out/detection
on true SWIR frames gives the ceiling; with --images DIR, pictures that lie in DIR where the SWIR
or RGB pictures lie in --data, it gives what a translator reaches. 16-bit pictures are linear,
8-bit ones have gamma 2.2. An ONNX detector of your own must look as described in
rgb2swir_ros/evaluation/detector/onnx.py.
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
    parser.add_argument('--resamples', type=int, default=200,
                        help='of the bootstrap (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the bootstrap (default 0)')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    parser.add_argument('--output', '-o', type=Path, metavar='DIR',
                        help='write table.txt, detection.json, curves.png and boxes.png')


def run(arguments: argparse.Namespace) -> int:
    """Detect, judge, report."""
    if arguments.resamples < 20 or arguments.seed < 0:
        raise UserError(f'--resamples {arguments.resamples} --seed {arguments.seed}: give at '
                        'least 20 resamples and a seed that is not negative')
    try:
        from rgb2swir_ros.evaluation.accumulate import match
        from rgb2swir_ros.evaluation.detection import detect_files, evaluate_detections
        from rgb2swir_ros.evaluation.detection_report import (
            contact_sheet,
            plot_curves,
            table,
            working_score,
        )
        from rgb2swir_ros.evaluation.detector.decode import relabel
        from rgb2swir_ros.evaluation.detector.model import Judge
        from rgb2swir_ros.evaluation.detector.onnx import open_detector
    except ImportError as error:
        raise UserError(f"{error}: judging needs pip install 'rgb2swir_ros[runtime,eval]'"
                        ) from error
    annotated = read_annotations(arguments.data, arguments.split)
    frames, classes = annotated.frames, annotated.classes
    pictures = ([f.path for f in frames] if arguments.images is None
                else mirrored(frames, arguments.images))
    path = Path(arguments.detector)
    detector: Judge = open_detector(path if path.suffix == '.onnx'
                                    else model_directory(arguments.detector))
    if not set(classes) & set(detector.classes):
        raise UserError(f"{arguments.detector} finds {', '.join(detector.classes)}, the data has "
                        f"{', '.join(classes)}: no class is common")
    unknown = [c for c in classes if c not in detector.classes]
    if unknown:
        print(f"{arguments.detector} does not know {', '.join(unknown)}: all of them count as "
              'missed', file=sys.stderr)
    found = [relabel(d, detector.classes, classes)
             for d in detect_files(detector, frames, pictures)]
    if dropped := getattr(detector, 'dropped', 0):
        print(f'{dropped} detections with labels that have no class were dropped', file=sys.stderr)
    result = evaluate_detections(frames, found, classes, resamples=arguments.resamples,
                                 seed=arguments.seed)
    what = 'true SWIR' if arguments.images is None else str(arguments.images)
    text = table(result, f'{arguments.detector} on {what}, split {arguments.split} of '
                         f'{arguments.data}')
    figures = json.dumps({'detector': str(arguments.detector), 'data': str(arguments.data),
                          'split': arguments.split, 'shown': what, 'seed': arguments.seed,
                          **result.as_json()}, indent=2)
    if arguments.output:
        matches = match(frames, found, len(classes))
        plot_curves(arguments.output / 'curves.png', matches, classes)
        contact_sheet(arguments.output / 'boxes.png', frames, pictures, found, classes,
                      working_score(matches))
        for name, content in (('table.txt', text), ('detection.json', figures + '\n')):
            write_bytes(arguments.output / name, content.encode())
    print(figures if arguments.json else text)
    if arguments.output:
        print(f'report: {arguments.output}/', file=sys.stderr)
    return 0
