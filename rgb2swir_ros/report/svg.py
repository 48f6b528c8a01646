"""Plots as SVG that stands in a page: its colours follow the page's, its text stays text."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.report.model import Histogram, Scatter, Series, Timeline, TimePlot
from rgb2swir_ros.report.plots import import_pyplot
from rgb2swir_ros.report.text import storable

Numbers = NDArray[np.float64]
INK = '#010203'  # stands for the page's colour of text until the SVG is written
# Okabe and Ito's colours, which people with any colour vision tell apart, without yellow
COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00')
DASHES = ('-', '--', '-.', ':')
PHASE_COLOURS = ('#56B4E9', '#E69F00', '#009E73', '#CC79A7')
MOST_POINTS = 1200  # of a line: further ones become the lowest and the highest of each column
MOST_DOTS = 3000
WIDTH, HEIGHT = 8.0, 3.0  # inches
ROW_HEIGHT = .27  # of a time line
LEGEND_ROW = .17
LEGEND_LETTERS, LEGEND_SIGN = 118, 8  # that are as wide as the plot, and of a line's sign


def time_plot(plot: TimePlot, ident: str) -> str:
    """Return a plot over time as an ``<svg>`` element.

    :param ident: unique in the page: begins every id in the SVG.
    :raises UserError: if matplotlib is missing.
    """
    def draw(axes: Any) -> None:
        for k, phase in enumerate(plot.phases):
            axes.axvspan(phase.start, phase.end, alpha=.16, linewidth=0,
                         color=PHASE_COLOURS[k % len(PHASE_COLOURS)])
            axes.annotate(phase.name, ((phase.start + phase.end) / 2, 1), (0, 3), fontsize=8,
                          xycoords=('data', 'axes fraction'), textcoords='offset points',
                          ha='center', color=INK)
        for event in plot.events:
            axes.axvline(event.time, color=INK, linewidth=.8, linestyle=(0, (2, 2)))
            axes.annotate(event.name, (event.time, .98), (2, 0), fontsize=7, rotation=90,
                          xycoords=('data', 'axes fraction'), textcoords='offset points',
                          va='top', color=INK)
        for k, series in enumerate(plot.series):
            x, y = thinned(series)
            axes.plot(x, y, label=series.name, linewidth=1.1, linestyle=_dash(k),
                      color=COLOURS[k % len(COLOURS)],
                      marker='.' if len(x) < 60 else None, markersize=4)
        _limits(axes.axhline, plot.limits)
        axes.set(xlabel=plot.x_title, ylabel=plot.unit)

    return _svg(draw, ident, legend=len(plot.series) + len(plot.limits) > 1)


def timeline(plot: Timeline, ident: str) -> str:
    """Return rows of spans over time as an ``<svg>`` element: see `time_plot`."""
    def draw(axes: Any) -> None:
        for k, (_, spans) in enumerate(plot.rows):
            colour = COLOURS[k % len(COLOURS)]
            for n, span in enumerate(spans):
                axes.broken_barh([(span.start, span.end - span.start)], (k - .36, .72),
                                 facecolors=colour, alpha=.5 if n % 2 else .3, edgecolor=colour,
                                 linewidth=.8)
                axes.annotate(span.name, ((span.start + span.end) / 2, k), ha='center',
                              va='center', fontsize=7, color=INK, annotation_clip=True)
        for event in plot.events:
            axes.axvline(event.time, color=INK, linewidth=.8, linestyle=(0, (2, 2)))
            axes.annotate(event.name, (event.time, .98), (2, 0), fontsize=7, rotation=90,
                          xycoords=('data', 'axes fraction'), textcoords='offset points',
                          va='top', color=INK)
        axes.set(xlabel=plot.x_title, ylim=(max(len(plot.rows), 1) - .5, -.5),
                 yticks=range(len(plot.rows)),
                 yticklabels=[storable(name) for name, _ in plot.rows])

    return _svg(draw, ident, legend=False, height=.8 + ROW_HEIGHT * max(len(plot.rows), 2))


def histogram(plot: Histogram, ident: str) -> str:
    """Return a histogram as an ``<svg>`` element: see `time_plot`."""
    def draw(axes: Any) -> None:
        known = {name: _finite(values) for name, values in plot.values.items()}
        full = [values for values in known.values() if len(values)]
        edges = np.histogram_bin_edges(np.concatenate(full), plot.bins) if full else None
        for k, (name, values) in enumerate(known.items()):
            if edges is not None:
                axes.hist(values, edges, label=name, histtype='stepfilled' if k == 0 else 'step',
                          alpha=.6 if k == 0 else 1, linewidth=1.3, linestyle=_dash(k),
                          color=COLOURS[k % len(COLOURS)])
        _limits(axes.axvline, plot.limits)
        axes.set(xlabel=plot.unit, ylabel='count')

    return _svg(draw, ident, legend=len(plot.values) + len(plot.limits) > 1)


def scatter(plot: Scatter, ident: str) -> str:
    """Return a scatter plot as an ``<svg>`` element: see `time_plot`."""
    def draw(axes: Any) -> None:
        for k, series in enumerate(plot.series):
            x, y = np.asarray(series.x, float), np.asarray(series.y, float)
            step = max(1, -(-len(x) // MOST_DOTS))
            axes.plot(x[::step], y[::step], '.', label=series.name, alpha=.6, markersize=4,
                      color=COLOURS[k % len(COLOURS)])
        axes.set(xlabel=plot.x_title, ylabel=plot.y_title)

    return _svg(draw, ident, legend=len(plot.series) > 1)


def thinned(series: Series) -> tuple[Numbers, Numbers]:
    """Return a line in at most about `MOST_POINTS` points that keep every peak.

    Of each of equal stretches of the x axis its lowest and its highest value stay, in order.
    """
    x, y = np.asarray(series.x, float), np.asarray(series.y, float)
    if len(x) <= MOST_POINTS:
        return x, y
    kept: list[int] = []
    for part in np.array_split(np.arange(len(x)), MOST_POINTS // 2):
        known = part[np.isfinite(y[part])]
        if len(known):
            kept += sorted({int(known[np.argmin(y[known])]), int(known[np.argmax(y[known])])})
        else:
            kept.append(int(part[0]))
    return x[kept], y[kept]


def describe_series(name: str, values: Sequence[float] | Numbers) -> str:
    """Say what a series holds, for somebody who does not see the plot."""
    known = _finite(values)
    if not len(known):
        return f'{name}: no values'
    low, middle, high = np.percentile(known, (0, 50, 100))
    return f'{name}: {len(known)} values from {low:.3g} to {high:.3g}, median {middle:.3g}'


def _finite(values: Any) -> Numbers:
    array = np.asarray(values, float).reshape(-1)
    return array[np.isfinite(array)]


def _dash(k: int) -> str:
    # shifted with every round of both, so that each pair of colour and dash occurs once
    return DASHES[(k + k // math.lcm(len(DASHES), len(COLOURS))) % len(DASHES)]


def _limits(line: Callable[..., Any], limits: Mapping[str, float]) -> None:
    for name, value in limits.items():
        line(value, color='#C62828', linewidth=1.2, linestyle=(0, (5, 2)), label=name)


def _svg(draw: Callable[[Any], None], ident: str, *, legend: bool,
         height: float = HEIGHT) -> str:
    pyplot = import_pyplot()
    style = {'svg.fonttype': 'none', 'svg.hashsalt': ident, 'font.family': 'sans-serif',
             'font.size': 9, 'text.color': INK, 'axes.labelcolor': INK, 'axes.edgecolor': INK,
             'xtick.color': INK, 'ytick.color': INK, 'axes.spines.top': False,
             'axes.spines.right': False, 'axes.formatter.useoffset': False,
             'text.parse_math': False}  # names are a user's: $ is no formula in them
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(figsize=(WIDTH, height), layout='constrained')
        try:
            draw(axes)
            axes.grid(alpha=.25, color=INK, linewidth=.5)
            if legend and (names := axes.get_legend_handles_labels()[1]):
                columns, rows = _legend_shape(names)
                figure.set_size_inches(WIDTH, height + LEGEND_ROW * (rows - 1))
                # beside the plot: a legend inside covers what it names
                figure.legend(loc='outside lower center', fontsize=8, frameon=False,
                              ncols=columns)
            target = io.StringIO()
            figure.savefig(target, format='svg', transparent=True,
                           metadata={'Date': None, 'Creator': None})
        finally:
            pyplot.close(figure)
    return _for_page(target.getvalue(), ident)


def _legend_shape(names: Sequence[str]) -> tuple[int, int]:
    """Return columns and rows of a legend that is no wider than the plot."""
    widest = max(map(len, names)) + LEGEND_SIGN
    columns = max(1, min(4, len(names), LEGEND_LETTERS // widest))
    return columns, -(-len(names) // columns)


def _for_page(text: str, ident: str) -> str:
    """Return matplotlib's SVG file as an element of a page: unique ids, the page's colours."""
    text = text[text.index('<svg'):]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{ident}-', text)
    text = re.sub(r'(url\(|href=")#', rf'\g<1>#{ident}-', text)
    text = text.replace(INK, 'currentColor')
    opening, rest = text.split('>', 1)
    size = re.search(r'viewBox="[^"]*"', opening)
    assert size is not None  # matplotlib's backend writes one
    return (f'<svg {size[0]} xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'aria-hidden="true" focusable="false">{rest}').strip()
