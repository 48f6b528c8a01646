#!/usr/bin/env python3
"""Evaluate a model on real photographs in which boxes of known material are marked.

Usage: python benchmark/photographs.py FOLDER [--model nano] [--output out/photographs]

FOLDER holds photographs and ``probes.json``; no such photographs ship with the package. What is
counted, and what probes are, is told in ``rgb2swir_ros/lab/evaluation/probes.py``. Translates them
as ``rgb2swir translate`` does, writes 16-bit linear pictures, and prints how many pairs of
materials come out in the right order and how sharp the pictures are against their source.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.probes import evaluate_photographs
from rgb2swir_ros.replay.offline import OfflineTranslator, Options


def main() -> int:
    """Translate, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--model', default='nano', help='name or folder (default %(default)s)')
    parser.add_argument('--output', type=Path, default=Path('out/photographs'))
    parser.add_argument('--json', action='store_true', help='print all figures as JSON')
    add_overwrite(parser)
    arguments = parser.parse_args()
    translator = OfflineTranslator(Options(model=arguments.model))
    try:
        report = evaluate_photographs(
            arguments.folder, lambda rgb: translator.radiance(translator.fit(rgb)),
            arguments.output, overwrite=arguments.overwrite)
    except UserError as error:
        parser.error(str(error))
    if arguments.json:
        print(json.dumps(report.fields()))
        return 0
    for name, value in report.sharpness.items():
        print(f'{name}: sharpness {value:.2f}')
    print(*report.lines(), sep='\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
