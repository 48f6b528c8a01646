"""``rgb2swir demo``: a camera, the translator and a recorder over real ROS 2."""

from __future__ import annotations

import argparse
from pathlib import Path

from rgb2swir_ros.cli.shared import add_model_and_size, add_overwrite
from rgb2swir_ros.cli.signals import ended_as_by_ctrl_c
from rgb2swir_ros.engines.base import BACKENDS
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.progress import timed_log
from rgb2swir_ros.sizes import parse_size

INPUT_SECONDS = 20.0
DRIVE_SECONDS = 6.0
EXAMPLE = f"""
Without --input it films a short rendered drive that comes with the package. Bags are sent with
their own messages and stamps at their recorded pace; videos and pictures as bgr8 images stamped
when they are sent. Longer inputs are cut to {INPUT_SECONDS:g} s. The first run compiles the
engine, about a minute.

example:
  rgb2swir demo --input drive.mp4 --output out/demo

Exit code: 0 every frame is accounted for, 1 the counts do not add up or the input broke off,
2 wrong arguments, or a process failed (its last words are shown).
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--input', type=Path, metavar='PATH',
                        help='bag (folder, .mcap, .db3), video, folder of pictures, or picture')
    parser.add_argument('--output', type=Path, default=Path('out/demo'), metavar='FOLDER',
                        help='where the results go (default %(default)s)')
    parser.add_argument('--seconds', type=float,
                        help=f'of footage at most (default {INPUT_SECONDS:g}; the built-in drive '
                             f'{DRIVE_SECONDS:g})')
    add_model_and_size(parser)
    parser.add_argument('--backend', default='auto',
                        choices=('auto', *BACKENDS))
    parser.add_argument('--rate', default='recorded', metavar='HZ',
                        help="frames a second, or 'recorded' (default)")
    parser.add_argument('--topic', help='image topic, for a bag that has several')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its table."""
    try:
        from rgb2swir_ros.demo.filming import DemoOptions
        from rgb2swir_ros.demo.run import run_demo
    except ImportError as error:
        raise UserError(f'{error}: the demo needs numpy, OpenCV, av, rosbags and mcap; in a '
                        'virtual environment run '
                        "pip install 'rgb2swir_ros[runtime,replay]'") from error
    default = DRIVE_SECONDS if arguments.input is None else INPUT_SECONDS
    seconds = default if arguments.seconds is None else arguments.seconds
    if not 0 < seconds <= 3600:
        raise UserError(f'--seconds {seconds:g}: give more than 0, at most 3600')
    options = DemoOptions(
        input=arguments.input, seconds=seconds, model=arguments.model,
        box=parse_size(arguments.size), backend=arguments.backend,
        rate_hz=_rate(arguments.rate), topic=arguments.topic)
    with ended_as_by_ctrl_c():
        result = run_demo(options, arguments.output, timed_log(), overwrite=arguments.overwrite)
    print(result.table)
    print(f'results: {arguments.output}/ (swir_bag opens in Foxglove, swir.mp4 in a browser)')
    return 0 if result.ok else 1


def _rate(text: str) -> float:
    """Return Hz, 0 for the recorded pace."""
    if text == 'recorded':
        return 0.0
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= 1000:
        raise UserError(f"--rate {text}: give frames a second up to 1000, or 'recorded'")
    return rate
