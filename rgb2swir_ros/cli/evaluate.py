"""``rgb2swir evaluate WHAT``: find the measurement, hand over the arguments."""

from __future__ import annotations

import argparse

from rgb2swir_ros.cli.main import configure_choice, run_choice

MEASUREMENTS = {
    'detection': 'COCO mAP of a detector on true SWIR frames, and on what models make',
    'materials': 'how bright each material comes out, on scenes rendered for this',
    'temporal': 'change from frame to frame on still scenes, drives and videos: flicker',
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rgb2swir evaluate``."""
    configure_choice(parser, MEASUREMENTS, 'Judge true or translated SWIR frames',
                     'rgb2swir evaluate detection --data out/scenes --detector out/detector')


def run(arguments: argparse.Namespace) -> int:
    """Run one measurement and return its exit code."""
    name = arguments.what
    return run_choice(f'rgb2swir evaluate {name}', f'rgb2swir_ros.lab.evaluation.{name}_command',
                      MEASUREMENTS[name], arguments.arguments)
