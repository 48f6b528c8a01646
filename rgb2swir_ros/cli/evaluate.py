"""``rgb2swir evaluate WHAT``: the measurements, each with its arguments."""

from __future__ import annotations

import argparse

from rgb2swir_ros.cli import (
    evaluate_detection,
    evaluate_halos,
    evaluate_materials,
    evaluate_pairs,
    evaluate_temporal,
    evaluate_transfer,
)

MEASUREMENTS = {
    'detection': (evaluate_detection, 'COCO mAP of a detector on true SWIR frames, and on what '
                                      'models make'),
    'halos': (evaluate_halos, 'halos around tree crowns, on scenes rendered for this'),
    'materials': (evaluate_materials, 'how bright each material comes out, on scenes rendered for '
                                      'this'),
    'pairs': (evaluate_pairs, 'models against real or rendered SWIR frames of the same views'),
    'temporal': (evaluate_temporal, 'change from frame to frame on still scenes, drives and '
                                    'videos: flicker'),
    'transfer': (evaluate_transfer, 'detectors trained on translated frames, tested on true '
                                    'ones'),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the measurements."""
    parser.epilog = ('example:\n  rgb2swir evaluate detection --data out/scenes '
                     '--detector out/detector')
    measurements = parser.add_subparsers(dest='what', metavar='WHAT', required=True)
    for name, (module, summary) in MEASUREMENTS.items():
        module.configure(measurements.add_parser(
            name, help=summary, description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter))


def run(arguments: argparse.Namespace) -> int:
    """Run one measurement and return its exit code."""
    return MEASUREMENTS[arguments.what][0].run(arguments)
