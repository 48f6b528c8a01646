"""Tables of figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def markdown_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table; a row without a column's entry has an empty cell."""
    lines = ['| ' + ' | '.join(columns) + ' |', '|' + ' --- |' * len(columns)]
    return lines + ['| ' + ' | '.join(_text(row.get(key, '')) for key in columns) + ' |'
                    for row in rows]


def _text(value: Any) -> str:
    return f'{value:.3g}' if isinstance(value, float) else str(value)
