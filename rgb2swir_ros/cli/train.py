"""``rgb2swir train``: first weights from generated pairs."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from rgb2swir_ros.errors import UserError

EXAMPLE = """example:
  rgb2swir train --output out/nano --work out/train
Killed and called again with the same --work, it goes on from its last checkpoint.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--output', type=Path, required=True, metavar='DIR',
                        help='model folder to write: model.yaml and weights.safetensors')
    parser.add_argument('--work', type=Path, default=Path('out/train'), metavar='DIR',
                        help='pairs, checkpoint and contact sheet (default %(default)s)')
    parser.add_argument('--share', type=float, default=1.0, metavar='X',
                        help='share of the full training, for trying things out (default 1)')
    parser.add_argument('--seed', type=int, default=0, help='of data and training (default 0)')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')


def run(arguments: argparse.Namespace) -> int:
    """Train, write the model, judge it on pairs that it has not seen."""
    if not 0 < arguments.share <= 1:
        raise UserError(f'--share {arguments.share} is not in (0, 1]')
    import sys

    from rgb2swir_ros.training.judge import contact_sheet, judge
    from rgb2swir_ros.training.loop import held_out, train
    from rgb2swir_ros.training.stages import Preset

    started = time.monotonic()

    def log(line: str) -> None:
        print(f'[{(time.monotonic() - started) / 60:5.1f} min] {line}', file=sys.stderr,
              flush=True)

    preset = Preset().scaled(arguments.share)
    translator = train(preset, arguments.work, seed=arguments.seed, log=log)
    translator.save(arguments.output)
    pool = held_out(preset, arguments.work, log)
    contact_sheet(translator, pool, arguments.work / 'contact_sheet.png')
    figures = judge(translator, pool)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(f'wrote {arguments.output}; PSNR in dB of tone on {pool.count} held-out pairs:')
        for name, value in figures.items():
            print(f'  {name:<15} {value:6.2f}')
        print(f'pictures: {arguments.work / "contact_sheet.png"}')
    return 0
