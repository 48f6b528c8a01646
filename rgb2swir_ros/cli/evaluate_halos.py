"""``rgb2swir evaluate halos``: halos around tree crowns, on scenes rendered for it."""

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
from rgb2swir_ros.lab.evaluation.intervals import check_bootstrap

EXAMPLE = """example:
  rgb2swir evaluate halos --model nano --model out/variant -o out/halos
Renders scenes of a separate seed, and measures the sky along tree crowns and the crowns along the
sky: an error in a ring of four pixels that is not there farther away is a halo.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = EXAMPLE
    add_model_arguments(parser, required=True)
    add_rendering_arguments(parser, size=(512, 640))
    add_report_arguments(parser, 'table.txt and halos.json')


def run(arguments: argparse.Namespace) -> int:
    """Render, translate, report."""
    check_bootstrap(arguments.resamples, arguments.seed)
    if arguments.workers < 1:
        raise UserError(f'--workers {arguments.workers}: give at least 1')
    check_report(arguments, 'halos', (), [])
    os.environ.update(waiting_environment())  # before torch is loaded
    try:
        from rgb2swir_ros.lab.evaluation.halos import halo_table, measure, summarise
    except ImportError as error:
        raise UserError(f"{error}: this needs pip install "
                        "'rgb2swir_ros[runtime,replay,train,eval]'") from error
    (sky, crown), models, facts = measure_rendered(arguments, measure)
    results = {m.name: summarise(sky, crown, m.name, resamples=arguments.resamples,
                                 seed=arguments.seed) for m in models}
    figures = {
        **facts, 'rings': {'sky': len(sky), 'crown': len(crown)},
        'models': {name: result.as_json() for name, result in results.items()}}
    give_report(arguments, 'halos', halo_table(results, (len(sky), len(crown))), figures)
    return 0
