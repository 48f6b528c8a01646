"""``rgb2swir scenes``: generated pairs as files, to look at or to train something else on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.scenes.pairs import make_pair
from rgb2swir_ros.sizes import parse_size

EXAMPLE = """example:
  rgb2swir scenes --count 24 --output out/scenes
writes rgb/000000.png beside swir/000000.png (16-bit, linear: 65535 is a white surface that faces
the main light) and contact_sheet.png. The same seed gives the same pairs; those that are there
already are kept, so an interrupted run goes on.
"""
SHEET_PAIRS, SHEET_COLUMNS = 24, 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--count', type=int, default=24, help='pairs (default %(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the first pair (default 0)')
    parser.add_argument('--size', type=parse_size, default=(320, 480), metavar='WIDTHxHEIGHT',
                        help='(default 480x320)')
    parser.add_argument('--output', '-o', type=Path, required=True, metavar='DIR')


def run(arguments: argparse.Namespace) -> int:
    """Write the pairs and a contact sheet of the first ones."""
    if arguments.count < 1 or arguments.seed < 0:
        raise UserError(f'--count {arguments.count} --seed {arguments.seed}: give at least one '
                        'pair and a seed that is not negative')
    tiles = []
    for name in ('rgb', 'swir'):
        (arguments.output / name).mkdir(parents=True, exist_ok=True)
    for index in range(arguments.count):
        rgb_path, swir_path = (arguments.output / name / f'{arguments.seed + index:06d}.png'
                               for name in ('rgb', 'swir'))
        sheet = index < SHEET_PAIRS
        if sheet or not (rgb_path.exists() and swir_path.exists()):
            rgb, radiance = make_pair(arguments.seed + index, arguments.size)
            _write(rgb_path, rgb[..., ::-1])
            _write(swir_path, (radiance * 65535 + .5).astype(np.uint16))
        if sheet:
            grey = (255 * radiance ** (1 / 2.2)).astype(np.uint8)
            tiles.append(np.hstack([rgb[..., ::-1], cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)]))
        print(f'\r{index + 1}/{arguments.count} pairs', end='', file=sys.stderr, flush=True)
    print(file=sys.stderr)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % SHEET_COLUMNS)
    rows = [np.hstack(tiles[k:k + SHEET_COLUMNS]) for k in range(0, len(tiles), SHEET_COLUMNS)]
    _write(arguments.output / 'contact_sheet.png', np.vstack(rows))
    print(f'{arguments.count} pairs and contact_sheet.png in {arguments.output}')
    return 0


def _write(path: Path, image: np.ndarray) -> None:
    part = path.with_suffix('.part.png')  # a picture appears whole or not at all
    if not cv2.imwrite(str(part), image):
        raise UserError(f'cannot write {path}: is the folder writable, the disk full?')
    part.replace(path)
