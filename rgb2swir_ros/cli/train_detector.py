"""``rgb2swir train detector``: train the detector on true SWIR frames, and measure its mAP."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.marks import is_same_run
from rgb2swir_ros.model_files import MODEL_FILE, WEIGHTS_FILE
from rgb2swir_ros.ownership import require_apart, require_free
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.sizes import format_size, parse_size

EXAMPLE = """example:
  rgb2swir train detector --data out/scenes -o out/detector --work out/train_detector
A run that was killed resumes from its last checkpoint when it is called with the same
arguments.
The judge of frames of 640x512 that ships, which goes on from the one for 320x256:
  rgb2swir train detector --data out/judge640 -o out/judge --work out/train_judge --crop 640x512 \\
    --batch 4 --steps 3200 --min-side 6 --start detector --rate 0.001
"""
LEAST_CROP, MOST_MIN_SIDE = 32, 64  # pixels
MOST_RATE = 0.1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='folder that rgb2swir scenes wrote: trains on its split train')
    parser.add_argument('--output', '-o', type=Path, required=True, metavar='DIR',
                        help='model folder to write: model.yaml and weights.safetensors')
    parser.add_argument('--work', type=Path, default=Path('out/train_detector'), metavar='DIR',
                        help='checkpoint (default %(default)s)')
    length = parser.add_mutually_exclusive_group()
    length.add_argument('--minutes', type=float, default=25.0,
                        help='of training, by the pace of the first steps (default %(default)s)')
    length.add_argument('--steps', type=int, help='of training, in place of --minutes')
    parser.add_argument('--batch', type=int, default=8, help='crops a step (default %(default)s)')
    parser.add_argument('--crop', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='largest size of the crops (default 320x256)')
    parser.add_argument('--min-side', type=float, default=0.0, metavar='PIXELS',
                        help='thinner boxes become ignore regions, here and in evaluations by '
                             'this detector (default: none)')
    parser.add_argument('--start', metavar='MODEL',
                        help='name or folder of a detector of the same classes: go on from its '
                             'weights')
    parser.add_argument('--rate', type=float, default=2.5e-3, metavar='R',
                        help='highest learning rate (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='(default 0)')
    parser.add_argument('--onnx', type=Path, metavar='FILE', help='write an ONNX file, too')
    parser.add_argument('--size', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='input of the ONNX file (default 320x256)')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    parser.add_argument('--overwrite', action='store_true',
                        help='replace what another training wrote to --output')


def run(arguments: argparse.Namespace) -> int:
    """Train, write the model, measure it on the split validation."""
    steps = arguments.steps
    if not 0 < arguments.minutes <= 10_000 or (steps is not None and steps < 1):
        raise UserError(f'--minutes {arguments.minutes:g} --steps {steps}: give a positive length')
    if arguments.batch < 1 or arguments.seed < 0:
        raise UserError(f'--batch {arguments.batch} --seed {arguments.seed}: give at least one '
                        'crop a step and a seed that is not negative')
    if not 0 <= arguments.min_side <= MOST_MIN_SIDE or min(arguments.crop) < LEAST_CROP:
        raise UserError(f'--min-side {arguments.min_side:g} --crop {format_size(arguments.crop)}: '
                        f'give 0 to {MOST_MIN_SIDE} pixels, and crops from '
                        f'{LEAST_CROP}x{LEAST_CROP}')
    if not 0 < arguments.rate <= MOST_RATE:
        raise UserError(f'--rate {arguments.rate:g}: give more than 0, and at most {MOST_RATE:g}')
    if arguments.onnx is not None and arguments.onnx.suffix != '.onnx':
        raise UserError(f"--onnx {arguments.onnx}: the name must end in .onnx")
    try:
        from rgb2swir_ros.lab.detector.onnx import export_onnx
        from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig, train_detector
        from rgb2swir_ros.lab.evaluation.detection import detect_files, evaluate_detections
        from rgb2swir_ros.lab.evaluation.detection_report import table
        from rgb2swir_ros.lab.evaluation.intervals import plain
        from rgb2swir_ros.lab.scenes.annotations import read_annotations, with_min_side
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install 'rgb2swir_ros[runtime,train,eval]'"
                        ) from error
    start = None if arguments.start is None else model_directory(arguments.start)
    config = DetectorTrainingConfig(steps, arguments.minutes, arguments.batch, arguments.rate,
                                    arguments.seed, arguments.crop, arguments.min_side, start)
    require_apart([arguments.output, arguments.work, arguments.onnx],
                  [arguments.data, *([start] if start else [])])
    same = is_same_run(arguments.output, (asdict(config), str(arguments.data)))
    require_free([*(arguments.output / name for name in (MODEL_FILE, WEIGHTS_FILE)),
                  *([arguments.onnx] if arguments.onnx else [])],
                 overwrite=arguments.overwrite or same)
    require_free([arguments.work / 'checkpoint.safetensors'], overwrite=True)
    # before the training, so that errors show early
    held_out = with_min_side(read_annotations(arguments.data, 'validation'), config.min_side)
    detector = train_detector(arguments.data, arguments.work, arguments.output, config,
                              log=timed_log('min'))
    if arguments.onnx:
        export_onnx(arguments.output, arguments.onnx, arguments.size)
    frames = held_out.frames
    found = detect_files(detector, frames, [f.path for f in frames])
    result = evaluate_detections(frames, found, held_out.classes)
    if arguments.json:
        print(json.dumps(plain(result), indent=2))
    else:
        print(table(result, f'{arguments.output} on true SWIR, split validation of '
                            f'{arguments.data}'))
    return 0
