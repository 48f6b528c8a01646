"""Figures as text, and text that every reader of XML and HTML takes."""

from __future__ import annotations

import math
import re

import numpy as np

from rgb2swir_ros.report.model import Cell, Value

# what XML 1.0 cannot hold, not even escaped (section 2.2, Char), and HTML does not want
FORBIDDEN = re.compile('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


def storable(text: str) -> str:
    """Return a text with U+FFFD for what XML cannot hold: control characters, lone surrogates."""
    return FORBIDDEN.sub('\ufffd', text)


def number(value: float, digits: int = 3) -> str:
    """Return a number for a person: ``0.512``, ``12400``, ``1.2e-05``; a dash for NaN."""
    if isinstance(value, (bool, np.bool_)):
        return 'yes' if value else 'no'
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if not math.isfinite(value):
        return '-' if math.isnan(value) else ('∞' if value > 0 else '-∞')
    if value == 0:
        return '0'
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if 1e-4 <= abs(value) < 1e10:
        return f'{value:.{max(places, 0)}f}'
    return f'{value:.{digits - 1}e}'


def cell_text(cell: Cell, digits: int = 3) -> str:
    """Return a cell as text: ``0.512 [0.481, 0.540]``; empty for None."""
    if cell is None:
        return ''
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Value):
        text = number(cell.value, digits)
        if cell.has_interval:
            text += f' [{number(cell.low, digits)}, {number(cell.high, digits)}]'
        return text
    return number(cell, digits)


def fact_text(cell: Cell) -> str:
    """Return a fact as text: of floats at most six digits, without trailing zeros."""
    return f'{cell:.6g}' if isinstance(cell, float) else cell_text(cell, 6)
