"""A report as JSON, records as JSON lines, tables as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.ownership import finished, write_bytes
from rgb2swir_ros.report.model import (
    Facts,
    Gallery,
    Histogram,
    Item,
    Report,
    Scatter,
    Table,
    Timeline,
    TimePlot,
    Value,
)
from rgb2swir_ros.report.text import storable

FORMAT = 1  # of report.json; grows when an entry changes its meaning or goes


def write_report_json(target: Path, report: Report, *, replace: bool = True) -> int:
    """Write a report as JSON and return its size in bytes: see `report_content`.

    :param replace: as of `rgb2swir_ros.ownership.finished`.
    """
    text = json.dumps(report_content(report), indent=1, allow_nan=False, ensure_ascii=False)
    return write_bytes(target, (text + '\n').encode(), replace=replace)


def write_jsonl(target: Path, records: Iterable[Mapping[str, Any]], *,
                replace: bool = True) -> int:
    """Write one line of JSON for each record and return how many there were.

    The file appears under its name when it is whole. NaN becomes null.
    """
    count = 0
    with finished(target, replace=replace) as temporary, \
            temporary.open('w', encoding='utf-8') as file:
        for record in records:
            file.write(json.dumps(plain(record), allow_nan=False, ensure_ascii=False) + '\n')
            count += 1
    return count


def table_csv(table: Table) -> str:
    """Return a table as CSV; two columns with the ends follow a column that has intervals.

    Control characters are replaced: no reader of CSV expects them, and the writer of Python 3.10
    refuses NUL.
    """
    spread = {c.key for c in table.columns
              if any(isinstance(row.get(c.key), Value) for row in table.rows)}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    heads: list[str] = []
    for column in table.columns:
        name = f'{column.title} [{column.unit}]' if column.unit else column.title
        heads += [name, f'{name} low', f'{name} high'] if column.key in spread else [name]
    writer.writerow([storable(head) for head in heads])
    for row in table.rows:
        cells: list[Any] = []
        for column in table.columns:
            cell = plain(row.get(column.key))
            if column.key not in spread:
                cells.append(cell)
            elif isinstance(cell, dict):
                cells += [cell['value'], cell['low'], cell['high']]
            else:
                cells += [cell, None, None]
        writer.writerow(['' if cell is None else storable(cell) if isinstance(cell, str) else cell
                         for cell in cells])
    return out.getvalue()


def report_content(report: Report) -> dict[str, Any]:
    """Return a report for JSON: all but the pixels of pictures and the points of plots.

    Values with an interval are ``{value, low, high}``; what is not finite is null.
    """
    return {
        'format': FORMAT, 'name': report.name, 'title': report.title,
        'verdict': None if report.verdict is None else str(report.verdict),
        'summary': report.summary, 'created': report.created, 'seconds': plain(report.seconds),
        'checks': [plain(check) for check in report.checks],
        'sections': [{'title': section.title, 'text': list(section.text),
                      'items': [_item(item) for item in section.items]}
                     for section in report.sections],
        'facts': [_item(one) for one in report.facts]}


def plain(value: Any) -> Any:
    """Return nested values as JSON has them: numpy's as Python's, what is not finite as None."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        value = {one.name: getattr(value, one.name) for one in fields(value)}
    elif isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _item(item: Item) -> dict[str, Any]:
    made: dict[str, Any] = {'kind': type(item).__name__.lower(), 'title': item.title}
    if item.note:
        made['note'] = item.note
    if isinstance(item, Table):
        made |= {'columns': plain(list(item.columns)), 'rows': plain(list(item.rows))}
    elif isinstance(item, Facts):
        made['entries'] = plain(item.entries)
    elif isinstance(item, TimePlot):
        made |= {'unit': item.unit, 'phases': plain(list(item.phases)),
                 'events': plain(list(item.events)), 'limits': plain(item.limits),
                 'series': {s.name: _summary(s.y) for s in item.series}}
    elif isinstance(item, Timeline):
        made |= {'events': plain(list(item.events)),
                 'rows': [{'name': name, 'spans': plain(list(spans))}
                          for name, spans in item.rows]}
    elif isinstance(item, Histogram):
        made |= {'unit': item.unit, 'limits': plain(item.limits),
                 'values': {name: _summary(values) for name, values in item.values.items()}}
    elif isinstance(item, Scatter):
        made['series'] = {s.name: {'x': _summary(s.x), 'y': _summary(s.y)} for s in item.series}
    elif isinstance(item, Gallery):
        made['rows'] = [{'caption': row.caption, 'pictures': [p.name for p in row.pictures]}
                        for row in item.rows]
    return made


def _summary(values: Any) -> dict[str, Any]:
    array = np.asarray(values, float).reshape(-1)
    known = array[np.isfinite(array)]
    quantiles = np.percentile(known, (0, 50, 95, 99, 100)) if len(known) else [math.nan] * 5
    names = ('min', 'median', 'p95', 'p99', 'max')
    return {'count': len(known), **plain(dict(zip(names, quantiles, strict=True)))}
