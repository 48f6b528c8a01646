#!/usr/bin/env python3
"""How well a model tells frames of roads from others: share that passes, AUROC, time of a frame.

Usage: python benchmark/novelty.py --known NAME=PATH ... --strange NAME=PATH ... [--model nano]

Each PATH is a picture, a folder of them (with all folders in it), a video or a bag; of each at
most --most frames count, evenly spaced. Frames of the known ones, upside down, are one more kind
of strange ones. All known frames together are compared with each kind of strange ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.imaging.novelty import Novelty
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.lab.training.novelty import auroc
from rgb2swir_ros.replay.frames import decode
from rgb2swir_ros.replay.pictures import is_picture, natural_key, read_picture
from rgb2swir_ros.replay.source import open_source
from rgb2swir_ros.resources import model_directory

BOX = (512, 640)
ROUNDS = 200  # timed calls
UPSIDE_DOWN = 'upside down'


def frames_of(path: Path, most: int) -> list[NDArray[np.uint8]]:
    """Return at most so many frames, evenly spaced, scaled to fit `BOX` as the node does."""
    if path.is_dir() and (pictures := sorted(filter(is_picture, path.rglob('*')),
                                             key=natural_key)):
        chosen = [pictures[k] for k in spaced(len(pictures), most)]
        found = [read_picture(one) for one in chosen]
    else:
        source = open_source(path)
        count = source.count or sum(1 for _ in source.frames())
        wanted = set(spaced(count, most))
        found = [decode(f) for k, f in enumerate(source.frames()) if k in wanted]
    return [resize(rgb, fit_size(rgb.shape[:2], BOX)) for rgb in found]


def spaced(count: int, most: int) -> list[int]:
    """Return at most so many indices below a count."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most))})


def named(text: str) -> tuple[str, Path]:
    """Return name and path of ``NAME=PATH``."""
    name, found, path = text.partition('=')
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=PATH")
    return name, Path(path)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--known', type=named, action='append', required=True)
    parser.add_argument('--strange', type=named, action='append', default=[])
    parser.add_argument('--model', default='nano')
    parser.add_argument('--most', type=int, default=40)
    parser.add_argument('--json', action='store_true')
    arguments = parser.parse_args()
    names = [name for name, _ in arguments.known + arguments.strange] + [UPSIDE_DOWN]
    if len(set(names)) < len(names):
        parser.error(f'two of the names {", ".join(names)} are alike: each needs its own')
    try:
        novelty = Novelty(model_directory(arguments.model))
        known = {name: frames_of(path, arguments.most) for name, path in arguments.known}
        strange = {name: frames_of(path, arguments.most) for name, path in arguments.strange}
    except UserError as error:
        parser.error(str(error))
    strange[UPSIDE_DOWN] = [np.ascontiguousarray(rgb[::-1]) for frames in known.values()
                            for rgb in frames]
    scores = {name: np.array([novelty(rgb) for rgb in frames])
              for name, frames in (known | strange).items()}
    roads = np.concatenate([scores[name] for name in known])
    result = {
        'known': {name: {'frames': len(scores[name]), 'pass': float((scores[name] <= 0).mean())}
                  for name in known},
        'all known': {'frames': len(roads), 'pass': float((roads <= 0).mean())},
        'strange': {name: {'frames': len(scores[name]),
                           'caught': float((scores[name] > 0).mean()),
                           'auroc': auroc(roads, scores[name])} for name in strange},
        'ms': {f'{rgb.shape[1]}x{rgb.shape[0]}': timed(novelty, rgb)
               for rgb in [frames[0] for frames in known.values()]}}
    if arguments.json:
        print(json.dumps(result, indent=2))
        return 0
    for name, one in (*result['known'].items(), ('all known', result['all known'])):
        print(f"{name:<24}{one['frames']:>5} frames, {one['pass']:.3f} pass")
    for name, one in result['strange'].items():
        print(f"{name:<24}{one['frames']:>5} frames, {one['caught']:.3f} caught, "
              f"AUROC {one['auroc']:.4f}")
    print(', '.join(f'{size}: {ms:.2f} ms' for size, ms in result['ms'].items()))
    return 0


def timed(novelty: Novelty, rgb: NDArray[np.uint8]) -> float:
    """Return the median time of a frame in milliseconds."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        novelty(rgb)
        seconds.append(time.perf_counter() - begun)
    return 1e3 * float(np.median(seconds))


if __name__ == '__main__':
    sys.exit(main())
