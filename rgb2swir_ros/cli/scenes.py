"""``rgb2swir scenes``: a data set of rendered RGB and SWIR frames with boxes."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, remove_other, write_dataset
from rgb2swir_ros.lab.scenes.units import SPLITS
from rgb2swir_ros.lab.scenes.written import display_on
from rgb2swir_ros.ownership import require_apart
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.sizes import format_size, parse_size

EXAMPLE = """example:
  rgb2swir scenes --count 400 --output out/scenes
writes out/scenes/{train,validation,test}/<n>_<weather>/data_<scene>_<place>/croped_data/ with
rgb/rgb_aligned_000000.png beside swir/swir_original_000000.png (16-bit, linear: 65535 is a white
surface that faces the main light), annotations/{train,validation,test}.json (COCO), dataset.yaml
(settings and counts) and contact_sheet.png. All looks of a scene are in one split. Interrupted and
called again, it goes on; called with a larger --count, or without --split, it adds scenes. The
same seed gives the same files, whatever the number of workers; different seeds share no scene.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--count', type=int, default=96,
                        help='frames, rounded up to whole scenes (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of the data set (default 0)')
    parser.add_argument('--size', type=parse_size, default=(256, 320), metavar='WIDTHxHEIGHT',
                        help='(default 320x256)')
    parser.add_argument('--looks', type=int, default=4,
                        help='frames of a scene, each in another light, weather and camera '
                             '(default %(default)s)')
    parser.add_argument('--split', choices=SPLITS,
                        help='render of these frames only those of one split (default: all): what '
                             'only judges needs none to train on')
    parser.add_argument('--sequences', type=int, default=0, metavar='M',
                        help='also so many sequences of a moving camera, with flow (default 0)')
    parser.add_argument('--length', type=int, default=30, metavar='L',
                        help='frames of a sequence (default %(default)s)')
    parser.add_argument('--still', action='store_true',
                        help='sequences in which nothing moves, for judging flicker')
    parser.add_argument('--materials', type=Path, metavar='FILE',
                        help='YAML with materials of your own over the package\'s '
                             '(rgb2swir_ros/lab/scenes/materials.yaml says how)')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1,
                        help='processes (default %(default)s, all cores)')
    parser.add_argument('--output', '-o', type=Path, required=True, metavar='DIR')
    parser.add_argument('--json', action='store_true', help='print the counts as JSON')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the data set; exit with 1 if a scene could not be rendered."""
    if arguments.workers < 1 or arguments.count < 1 or arguments.looks < 1:
        raise UserError(f'--count {arguments.count} --looks {arguments.looks} --workers '
                        f'{arguments.workers}: each must be at least 1')
    spec = DatasetSpec(folder=arguments.output, seed=arguments.seed, size=arguments.size,
                       looks=arguments.looks, scenes=math.ceil(arguments.count / arguments.looks),
                       sequences=arguments.sequences, length=arguments.length,
                       still=arguments.still, materials=arguments.materials, split=arguments.split)
    require_apart([arguments.output], [arguments.materials])
    if arguments.overwrite:
        remove_other(spec)
    try:
        with ProgressDisplay() as display:
            index = write_dataset(spec, arguments.workers, display_on(display), command_of(spec))
    except KeyboardInterrupt:
        print('stopped; what is whole is kept: call again to go on', file=sys.stderr)
        raise
    if arguments.json:
        print(json.dumps(index, indent=2))
    report(index, arguments.output, sys.stderr if arguments.json else sys.stdout)
    return 1 if index['skipped'] else 0


def command_of(spec: DatasetSpec) -> str:
    """Return the command line that writes a specification's data set."""
    words = ['rgb2swir scenes', f'--count {spec.scenes * spec.looks}', f'--seed {spec.seed}',
             f'--size {format_size(spec.size)}', f'--looks {spec.looks}']
    if spec.split is not None:
        words.append(f'--split {spec.split}')
    if spec.sequences:
        words += [f'--sequences {spec.sequences}', f'--length {spec.length}']
        words += ['--still'] * spec.still
    if spec.materials is not None:
        words += [f'--materials {spec.materials}']
    return ' '.join(words)


def report(index: dict[str, Any], folder: Path, stream: Any) -> None:
    """Print what the data set has, one line a split."""
    print(f'{index["frames"]} frames of {index["scenes"]} scenes, {index["sequences"]} sequences, '
          f'dataset.yaml and contact_sheet.png in {folder}', file=stream)
    for split, part in index['splits'].items():
        classes = ', '.join(f'{number} {name}' for name, number in part['classes'].items())
        print(f'  {split}: {part["frames"]} frames of {part["scenes"]} scenes; {classes}',
              file=stream)
    lost = index['boxes_dropped']
    print(f'  without a box: {lost["tiny"]} objects too small, {lost["hidden"]} too hidden, '
          f'{lost["lost"]} lost in fog or night', file=stream)
    if index['skipped']:
        print(f'  {len(index["skipped"])} skipped, listed in dataset.yaml; call again to try them '
              'once more', file=stream)
