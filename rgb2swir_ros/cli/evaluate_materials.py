"""``rgb2swir evaluate materials``: the brightness of each material, on scenes rendered for it."""

from __future__ import annotations

import argparse
import os

from rgb2swir_ros.cli.evaluate_shared import (
    add_model_arguments,
    add_rendering_arguments,
    add_report_arguments,
    check_report,
    give_report,
    measure_rendered,
)
from rgb2swir_ros.engines.processor import waiting_environment
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap, plain

EXAMPLE = """example:
  rgb2swir evaluate materials --model nano --model grey -o out/materials
Renders scenes of a separate seed, and compares each material's mean radiance in each frame with
the models' output. Data sets for training must have another seed.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_model_arguments(parser, required=True)
    add_rendering_arguments(parser, size=(256, 320))
    add_report_arguments(parser, 'table.txt, materials.json and materials.png')


def run(arguments: argparse.Namespace) -> int:
    """Render, translate, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    if arguments.workers < 1:
        raise UserError(f'--workers {arguments.workers}: give at least 1')
    check_report(arguments, 'materials', ('materials.png',), [])
    os.environ.update(waiting_environment())  # before torch is loaded
    try:
        from rgb2swir_ros.lab.evaluation.materials import measure, summarise
        from rgb2swir_ros.lab.evaluation.materials_report import materials_table, plot_materials
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install "
                        "'rgb2swir_ros[runtime,replay,train,eval]'") from error
    patches, models, facts = measure_rendered(arguments, measure)
    results = {m.name: summarise(patches, m.name, resamples=arguments.resamples,
                                 seed=arguments.seed) for m in models}
    text = materials_table(results)
    figures = {
        **facts, 'patches': len(patches),
        'models': {name: plain(result) for name, result in results.items()}}
    if arguments.output:
        plot_materials(arguments.output / 'materials.png', patches, [m.name for m in models])
    give_report(arguments, 'materials', text, figures)
    return 0
