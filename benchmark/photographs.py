#!/usr/bin/env python3
"""Judge a model on real photographs in which boxes of known material are marked.

Usage: python benchmark/photographs.py FOLDER [--model nano] [--output out/photographs]

FOLDER holds photographs and ``probes.json``::

    {"images": {"a.jpg": {"sky": [x0, y0, x1, y1], "tree": [...]}},
     "darker_than": [["sky", "tree"]]}

with boxes as fractions of width and height. No such photographs ship with the package. Translates
them (16-bit linear) and prints two figures:

- pairs: how many (a, b) of ``darker_than`` hold, b at least 1.15 times as bright as a in the same
  picture, in linear light; the same for the plain grey-scale conversion;
- sharpness: energy of the finest octave (0.7 px) over that of the next coarser two (from 1.4 to
  5.6 px) in the SWIR picture, divided by the same of the grey-scale source at that size, where
  the source has edges. 1 is as sharp as the source whatever the contrast.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

MARGIN = 1.15
SUFFIXES = {'.jpg', '.jpeg', '.png', '.tif', '.tiff'}


def linear_grey(photograph: np.ndarray) -> np.ndarray:
    """Return a BGR picture's grey-scale conversion as linear light (gamma 2.2)."""
    return (cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY) / 255.0) ** 2.2


def mean_in(picture: np.ndarray, box: list[float]) -> float:
    """Return the mean of a box given in fractions of width and height."""
    height, width = picture.shape
    x0, y0, x1, y1 = box
    rows = slice(int(y0 * height), int(y1 * height))
    return float(picture[rows, int(x0 * width):int(x1 * width)].mean())


def octave_ratio(picture: np.ndarray, mask: np.ndarray) -> float:
    """Return the root of the finest octave's energy over the coarser two's, inside a mask."""
    scales = [picture, *(cv2.GaussianBlur(picture, (0, 0), s) for s in (.7, 1.4, 2.8, 5.6))]
    energy = [float(np.square(a - b)[mask].mean())
              for a, b in itertools.pairwise(scales)]
    return float(np.sqrt(energy[0] / (energy[2] + energy[3])))


def sharpness(photograph: np.ndarray, swir: np.ndarray) -> float:
    """Return how sharp a linear SWIR picture in [0, 1] is, against its BGR source."""
    tone = (np.clip(swir, 0, 1) ** (1 / 2.2)).astype(np.float32)
    grey = cv2.cvtColor(photograph, cv2.COLOR_BGR2GRAY).astype(np.float32) / 255
    grey = cv2.resize(grey, tone.shape[::-1], interpolation=cv2.INTER_AREA)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    edges = (steep > np.percentile(steep, 95)).astype(np.uint8)
    mask = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    return octave_ratio(tone, mask) / octave_ratio(grey, mask)


def main() -> int:
    """Translate, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--model', default='nano')
    parser.add_argument('--output', type=Path, default=Path('out/photographs'))
    arguments = parser.parse_args()
    probes = json.loads((arguments.folder / 'probes.json').read_text())
    held = grey_held = total = 0
    ratios = []
    for path in sorted(p for p in arguments.folder.rglob('*') if p.suffix.lower() in SUFFIXES):
        name = path.relative_to(arguments.folder)
        target = (arguments.output / name).with_suffix('.png')
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, '-m', 'rgb2swir_ros.cli.main', 'translate', str(path),
                        str(target), '--model', arguments.model, '--linear16'],
                       check=True, capture_output=True)
        photograph = cv2.imread(str(path))
        swir = cv2.imread(str(target), cv2.IMREAD_UNCHANGED) / 65535.0
        ratios.append(sharpness(photograph, swir))
        print(f'{name}: sharpness {ratios[-1]:.2f}')
        boxes = probes['images'].get(str(name), {})
        grey = linear_grey(photograph)
        for dark, bright in probes['darker_than']:
            if dark in boxes and bright in boxes:
                total += 1
                low, high = (mean_in(swir, boxes[key]) for key in (dark, bright))
                grey_low, grey_high = (mean_in(grey, boxes[key]) for key in (dark, bright))
                held += high >= MARGIN * low
                grey_held += grey_high >= MARGIN * grey_low
                if high < MARGIN * low:
                    print(f'  broken: {bright} {high:.3f} is not {MARGIN} times {dark} {low:.3f}')
    if not ratios:
        print(f'no photographs in {arguments.folder}', file=sys.stderr)
        return 1
    print(f'{held} of {total} pairs hold (grey-scale conversion: {grey_held}); sharpness median '
          f'{np.median(ratios):.2f}, lowest {min(ratios):.2f}, highest {max(ratios):.2f}, '
          f'{len(ratios)} photographs')
    return 0


if __name__ == '__main__':
    sys.exit(main())
