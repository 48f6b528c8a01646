"""``rgb2swir evaluate WHAT``: find the measurement, hand over the arguments."""

from __future__ import annotations

import argparse
import importlib

from rgb2swir_ros.cli.main import Parser

# Imported only when asked for: help needs no torch.
MEASUREMENTS = {
    'detection': 'COCO mAP of a detector on true or on translated SWIR frames',
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rgb2swir evaluate``."""
    parser.description = 'Judge true or translated SWIR frames:\n\n' + '\n'.join(
        f'  {name:<10} {text}' for name, text in MEASUREMENTS.items())
    parser.epilog = ('rgb2swir evaluate WHAT --help says more.\n\nexample:\n'
                     '  rgb2swir evaluate detection --data out/scenes -o out/detection')
    parser.add_argument('measurement', choices=MEASUREMENTS, metavar='WHAT')
    parser.add_argument('arguments', nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Run one measurement and return its exit code."""
    name = arguments.measurement
    module = importlib.import_module(f'rgb2swir_ros.evaluation.{name}_command')
    parser = Parser(prog=f'rgb2swir evaluate {name}', description=MEASUREMENTS[name],
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    module.configure(parser)
    return int(module.run(parser.parse_args(arguments.arguments)))
