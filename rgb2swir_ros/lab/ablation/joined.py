"""Rows that an earlier run judged, on the page beside those that are judged here.

Trainings take longer than many a machine lives. So a page may grow row by row: what the earlier
one says of rows that are not judged here is taken over, if both were judged alike.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.page import detector_seeds
from rgb2swir_ros.lab.ablation.rows import Row
from rgb2swir_ros.lab.ablation.summary import COMPARED, correlated

SAME = ('share', 'batch_share', 'detector', 'min_side', 'frames')
# of a command: what may be called otherwise here
PLACES = {'--data', '--output', '--judge-on', '--pages', '--transfer', '--join'}
# of these it counts whether they are given, not what they are called
GIVEN = {'--pairs', '--inception', '--homography'}
# by which the figures of true SWIR may differ: the same frames and detector on another processor
ROUNDING = 5e-4


def read_earlier(file: Path) -> dict[str, Any]:
    """Return the figures of an earlier page.

    :raises UserError: if the file does not hold them.
    """
    try:
        found = json.loads(file.read_text())
        [(row['row'], row['map']['map']['to_true'], row['frechet']) for row in found['rows']]
        [(one['row'], one['to'], one['kind']) for one in found['compared']]
        shlex.split(found['command'])
        [found['true'][key] for key in ('objects', 'map')]
        [found[key] for key in SAME]
        [detector_seeds(run) for run in found.get('transfer', [])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f'--join {file}: give the ablation.json of an earlier run '
                        f'({type(error).__name__}: {error})') from error
    return dict(found)


def join(summary: Mapping[str, Any], earlier: Mapping[str, Any], order: Sequence[Row],
         file: Path) -> dict[str, Any]:
    """Return a summary with the rows of both; what is judged here replaces what was.

    Rows of two runs are not compared with each other: that needs their detections.

    :param order: of the table.
    :param file: of the earlier figures, for messages.
    :raises UserError: if the two were not judged alike, with what differs.
    """
    if different := _differing(summary, earlier):
        raise UserError(f'--join {file}: its rows were judged otherwise, they would not compare: '
                        + '; '.join(different))
    here = {row['row'] for row in summary['rows']}
    taken = [row for row in earlier['rows'] if row['row'] not in here]
    places = {row.name: place for place, row in enumerate(order)}
    rows = sorted([*summary['rows'], *taken],
                  key=lambda row: places.get(row['row'], len(places)))
    names = {row['row'] for row in taken}
    compared = sorted([*(one for one in earlier['compared'] if {one['row'], one['to']} <= names),
                       *summary['compared']], key=_place)
    machines = dict.fromkeys([*earlier['machine'].split('; '), summary['machine']])
    return {**summary, **_transfer(summary, earlier), 'machine': '; '.join(machines),
            'rows': rows, 'compared': compared,
            'joined': [row['row'] for row in rows if row['row'] in names],
            'frechet_and_map': correlated(rows)}


def _transfer(summary: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the runs of ``evaluate transfer`` of both; those of here replace their seeds."""
    here = summary.get('transfer', [])
    seeds = {seed for run in here for seed in detector_seeds(run)}
    runs = [*(run for run in earlier.get('transfer', []) if not seeds & {*detector_seeds(run)}),
            *here]
    return {'transfer': sorted(runs, key=lambda run: run['first_seed'])} if runs else {}


def _place(one: Mapping[str, Any]) -> int:
    pair = one['kind'], one['row'], one['to']
    return COMPARED.index(pair) if pair in COMPARED else len(COMPARED)


def _differing(summary: Mapping[str, Any], earlier: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing by which rows were judged otherwise."""
    lines = [f'{key} {earlier[key]} there, {summary[key]} here' for key in SAME
             if earlier[key] != summary[key]]
    there, here = (_settings(one['command']) for one in (earlier, summary))
    lines += [f'{key} {there.get(key, "is not given")} there, {here.get(key, "is not given")} here'
              for key in sorted({*there, *here}) if there.get(key) != here.get(key)
              and (key in GIVEN or (key in there and key in here))
              and key.removeprefix('--').replace('-', '_') not in SAME]
    for key, value in _flat(earlier['true']).items():
        other = _flat(summary['true']).get(key)
        if other is None or not math.isclose(value, other, rel_tol=0, abs_tol=ROUNDING):
            lines.append(f'{key} of true SWIR {value:g} there, {other} here')
            break
    return lines


def _settings(command: str) -> dict[str, str]:
    """Return the options of a command line that figures depend on, without what is a place."""
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for word in shlex.split(command):
        if word.startswith('--'):
            words = found.setdefault(word, [])
        else:
            words.append(word)
    return {name: 'is given' if name in GIVEN else ' '.join(words)
            for name, words in found.items() if name not in PLACES}


def _flat(value: Any, name: str = '') -> dict[str, float]:
    """Return the numbers of nested objects by the path of their names."""
    if isinstance(value, Mapping):
        return {path: number for key, one in value.items()
                for path, number in _flat(one, f'{name} {key}'.strip()).items()}
    return {name: float(value)} if isinstance(value, int | float) else {}
