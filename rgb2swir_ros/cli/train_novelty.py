"""``rgb2swir train novelty``: what a model's input has to look like, for its diagnostics."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import require_apart, require_free
from rgb2swir_ros.resources import model_directory

EXAMPLE = """example:
  rgb2swir scenes --count 1200 --looks 1 --output out/scenes
  rgb2swir train novelty --model out/model --data out/scenes
writes novelty.safetensors beside the model's weights. With it the node and a replay's report say
of each frame how far it is from what the model knows. It belongs to these weights alone: fit it
anew after each training.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', required=True, help='name or folder')
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='folder that rgb2swir scenes wrote')
    parser.add_argument('--output', '-o', type=Path, metavar='DIR',
                        help="in place of the model's folder")
    parser.add_argument('--seed', type=int, default=0, help='of the views (default 0)')
    parser.add_argument('--json', action='store_true', help='print the figures as JSON')
    add_overwrite(parser)


def run(arguments: argparse.Namespace) -> int:
    """Fit, write, say how well it does."""
    from rgb2swir_ros.imaging.novelty import NOVELTY_FILE
    from rgb2swir_ros.lab.training.novelty import facts_of, fit_novelty, write_novelty

    if arguments.seed < 0:
        raise UserError(f'--seed {arguments.seed}: give 0 or more')
    folder = model_directory(arguments.model)
    output = arguments.output or folder
    require_apart([output], [arguments.data])
    require_free([output / NOVELTY_FILE], overwrite=arguments.overwrite)
    fit = fit_novelty(folder, arguments.data, seed=arguments.seed)
    output.mkdir(parents=True, exist_ok=True)
    write_novelty(output, fit, folder, f'rgb2swir train novelty --model {folder.name} --data '
                                       f'{arguments.data} --seed {arguments.seed}')
    facts = facts_of(fit)
    print(json.dumps(facts, indent=2) if arguments.json else '\n'.join(
        f'{name}: {value}' for name, value in facts.items()))
    return 0
