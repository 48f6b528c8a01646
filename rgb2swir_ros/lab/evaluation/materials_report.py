"""The report on materials: a table, and a plot of made over true radiance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rgb2swir_ros.files import finished
from rgb2swir_ros.lab.evaluation.materials import (
    CLEAR_ORDER,
    HELD_ORDER,
    MIN_SHARE,
    ModelResult,
    Patch,
)
from rgb2swir_ros.report.plots import import_pyplot

MOST_ROWS = 24    # materials in the table
MOST_COLOURS = 8  # materials with an own colour in the plot


def materials_table(results: Mapping[str, ModelResult]) -> str:
    """Return the table for the terminal."""
    wide = max(len(name) for name in results)
    lines = [f'{"":<{wide}}  {"order kept [95 %, by scene]":<30}{"error in stops":<24}']
    lines += [f'{name:<{wide}}  {result.order!s:<30}{result.error!s:<24}'.rstrip()
              for name, result in results.items()]
    first = next(iter(results.values()))
    lines += ['', f'order kept: of {first.pairs} pairs of materials in one frame that differ by '
              f'{CLEAR_ORDER} or more in truth, how many', 'the model keeps apart by '
              f'{HELD_ORDER}, the right way round; error: mean |log2 (made / true)| over patches',
              '']
    longest = max((len(n) for n in first.by_material), default=8)
    heads = '  '.join(f'{name[-26:]:<26}' for name in results)
    lines += ['made over true: median (a tenth below, a tenth above)',
              f'{"":<{longest}}  {"patches":>7}  {"true":>5}  {heads}'.rstrip()]
    for material, row in list(first.by_material.items())[:MOST_ROWS]:
        cells = [_cell(result, material) for result in results.values()]
        lines.append(f'{material:<{longest}}  {row.patches:>7}  {row.true:>5.2f}  '
                     + '  '.join(f'{cell:<26}' for cell in cells).rstrip())
    lines += ['', f'patches: a material in a frame, {MIN_SHARE:.1%} of its pixels or more; '
              'true: median radiance, 1 is white']
    return '\n'.join(lines) + '\n'


def _cell(result: ModelResult, material: str) -> str:
    row = result.by_material[material]
    return f'{row.factor:.2f} ({row.low:.2f}, {row.high:.2f})'


def plot_materials(target: Path, patches: Sequence[Patch], names: Sequence[str]) -> None:
    """Plot made over true radiance of every patch, a panel for each model.

    :raises UserError: if matplotlib is missing.
    """
    pyplot = import_pyplot()
    figure, axes = pyplot.subplots(1, len(names), figsize=(5.2 * len(names), 5),
                                   layout='constrained', squeeze=False, sharey=True)
    of = [p.material for p in patches]
    common = sorted(set(of), key=lambda n: (-of.count(n), n))[:MOST_COLOURS]
    for panel, name in zip(axes.flat, names, strict=True):
        for material in (None, *common):
            chosen = [p for p in patches if (p.material if p.material in common else None)
                      == material]
            panel.scatter([p.true for p in chosen],
                          [max(p.made[name], 1e-3) for p in chosen], s=7, alpha=.6,
                          color='lightgrey' if material is None else None,
                          label=material or 'others')
        line = np.array([.02, 1])
        panel.plot(line, line, color='black', linewidth=.8)
        for factor in (.5, 2):  # one stop too dark or too bright
            panel.plot(line, factor * line, color='black', linewidth=.6, linestyle=':')
        panel.set(title=name[-40:], xlabel='true radiance', xscale='log', yscale='log',
                  xlim=(.02, 1), ylim=(.01, 1.2))
    axes.flat[0].set_ylabel('radiance made')
    axes.flat[0].legend(fontsize=8, markerscale=2)
    with finished(target) as temporary:
        figure.savefig(temporary, dpi=100)
    pyplot.close(figure)
