"""A report as one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import write_bytes
from rgb2swir_ros.report import svg
from rgb2swir_ros.report.model import (
    Cell,
    Facts,
    Gallery,
    Histogram,
    Item,
    Report,
    Scatter,
    Table,
    Timeline,
    TimePlot,
    Verdict,
)
from rgb2swir_ros.report.text import cell_text, fact_text, storable

TEMPLATE = Path(__file__).with_name('page.html.j2')
WIDEST = 960  # pixels of an embedded picture
JPEG_QUALITY = 88
# a verdict is never told by its colour alone
SIGNS = {Verdict.PASS: '✓', Verdict.FAIL: '✗', Verdict.INCONCLUSIVE: '?', Verdict.ERROR: '!'}


def write_html(target: Path, report: Report, *, replace: bool = True) -> int:
    """Write a report as one HTML file and return its size in bytes.

    :param replace: as of `rgb2swir_ros.ownership.finished`.
    :raises UserError: if Jinja2 or matplotlib is missing, or the file cannot be written.
    """
    return write_bytes(target, render_html(report).encode(), replace=replace)


def render_html(report: Report) -> str:
    """Return a report as the text of an HTML page.

    :raises UserError: if Jinja2 or, for plots, matplotlib is missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise UserError(f"{error}: the report needs Jinja2, pip install 'rgb2swir_ros[report]'"
                        ) from error
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True)
    environment.filters['cell'] = cell_text
    environment.filters['fact'] = fact_text
    environment.filters['picture'] = embedded_picture
    environment.tests['numeric'] = _is_numeric
    page = environment.from_string(TEMPLATE.read_text(encoding='utf-8'))
    numbers = iter(range(1, 1_000_000))
    sections = [{'ident': f's{k}', 'title': section.title, 'text': section.text,
                 'items': [_item(item, f'i{next(numbers)}') for item in section.items]}
                for k, section in enumerate(report.sections, 1)]
    facts = [_item(one, f'i{next(numbers)}') for one in report.facts]
    return storable(page.render(report=report, sections=sections, facts=facts, signs=SIGNS,
                                counts=_counts(report)))


def embedded_picture(pixels: NDArray[np.uint8]) -> str:
    """Return a picture as a ``data:`` address: JPEG, at most `WIDEST` pixels wide."""
    if pixels.shape[1] > WIDEST:
        height = max(1, round(pixels.shape[0] * WIDEST / pixels.shape[1]))
        pixels = np.asarray(cv2.resize(pixels, (WIDEST, height), interpolation=cv2.INTER_AREA),
                            np.uint8)
    shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, data = cv2.imencode('.jpg', shown, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return 'data:image/jpeg;base64,' + base64.b64encode(data.tobytes()).decode()


def _item(item: Item, ident: str) -> dict[str, Any]:
    """Return what the template needs of an item: its kind, its plot and what the plot says."""
    made: dict[str, Any] = {'ident': ident, 'item': item, 'kind': _kind(item)}
    drawn = _drawn(item, ident)
    if drawn is not None:
        from markupsafe import Markup
        make, says = drawn
        made |= {'kind': 'plot', 'svg': Markup(make()), 'says': says}
    return made


def _kind(item: Item) -> str:
    kinds = {Table: 'table', Gallery: 'gallery', Facts: 'facts'}
    return kinds.get(type(item), 'plot')


def _drawn(item: Item, ident: str) -> tuple[Callable[[], str], list[str]] | None:
    """Return how to draw an item that is a plot, and the plot in words."""
    if isinstance(item, TimePlot):
        return (lambda: svg.time_plot(item, ident)), [
            *(svg.describe_series(s.name, s.y) for s in item.series),
            *(f'{p.name}: from {p.start:.4g} to {p.end:.4g}' for p in item.phases),
            *(f'{e.name}: at {e.time:.4g}' for e in item.events),
            *(f'{name}: {value:.4g}' for name, value in item.limits.items())]
    if isinstance(item, Timeline):
        return (lambda: svg.timeline(item, ident)), [
            *(' '.join(filter(None, (name, span.name))) + f': from {span.start:.4g} to '
              f'{span.end:.4g}' for name, spans in item.rows for span in spans),
            *(f'{e.name}: at {e.time:.4g}' for e in item.events)]
    if isinstance(item, Histogram):
        return (lambda: svg.histogram(item, ident)), [
            *(svg.describe_series(name, values) for name, values in item.values.items()),
            *(f'{name}: {value:.4g}' for name, value in item.limits.items())]
    if isinstance(item, Scatter):
        return (lambda: svg.scatter(item, ident)), [
            f'{svg.describe_series(s.name, s.y)} ({item.y_title})' for s in item.series]
    return None


def _counts(report: Report) -> str:
    """Return how many checks came out how: ``7 pass, 1 fail``."""
    found = [check.verdict for check in report.checks]
    return ', '.join(f'{found.count(v)} {v}' for v in Verdict if v in found)


def _is_numeric(cell: Cell) -> bool:
    return cell is not None and not isinstance(cell, (str, bool))
