#!/usr/bin/env python3
"""Compare the materials table with the measured spectra that its figures come from.

Usage: python benchmark/spectra.py FOLDER [--entries]

FOLDER holds ``earthlib_band_averages.csv``: a row for each spectrum, with ``material``
(``'urban/asphalt frrkof.003-'``), and reflectances averaged over bands: ``R``, ``G``, ``B``,
``s0900_1350`` and ``s1450_1700`` (weighted with the ASTM G173 sun; earthlib, MIT licence). It does
not ship with the package. For each entry of ``materials.yaml`` that names patterns under
``spectra`` this recomputes the median reflectance and, unless it takes that of others, the joint
spread of its logarithm, prints both beside the table's figures, and exits with 1 where they differ
by more than rounding.

Few spectra say little about how a material's members vary: a group's covariance is therefore drawn
towards the mean covariance of all groups of the table, which counts as PRIOR spectra; so no
factor is singular either. ``--entries`` prints them as they are written in the file.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import sys
from pathlib import Path

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.material_files import read_material_file
from rgb2swir_ros.lab.scenes.materials import BUILT_IN, LOG_BANDS, QUANTITIES

COLUMNS = ('R', 'G', 'B', 's0900_1350', 's1450_1700')
PRIOR = 4.0
TOLERANCE = .0006  # the file gives three digits


def read_rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows of a CSV.

    :raises UserError: if there is none, or one of the columns is missing.
    """
    with path.open(newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    if not rows:
        raise UserError(f'{path} has no rows')
    for column in columns:
        if column not in rows[0]:
            raise UserError(f"{path} has no column '{column}'")
    return rows


def read_spectra(path: Path) -> tuple[list[str], np.ndarray]:
    """Return names and reflectances (N, 5) of the rows, leaving out those with a band at 0."""
    rows = read_rows(path, ('material', *COLUMNS))
    values = np.array([[float(row[column]) for column in COLUMNS] for row in rows])
    whole = values.min(axis=1) > .001
    print(f'{len(rows)} spectra; {int((~whole).sum())} left out: a band of theirs is missing',
          file=sys.stderr)
    return [row['material'] for row, good in zip(rows, whole, strict=True) if good], values[whole]


def of_group(names: list[str], values: np.ndarray, patterns: tuple[str, ...]) -> np.ndarray:
    """Return the reflectances (n, 5) of spectra whose names match any of the patterns."""
    picked = [any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in names]
    for pattern in patterns:
        if not fnmatch.filter(names, pattern):
            raise UserError(f"no spectrum matches '{pattern}'")
    return values[picked]


def covariance(group: np.ndarray) -> np.ndarray:
    """Return the covariance (5, 5) of the quantities of a group's log-reflectances."""
    quantities = np.log(group) @ np.linalg.inv(LOG_BANDS).T
    return np.cov(quantities, rowvar=False)


def factors(groups: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return each group's lower triangular factor (5, 5) of its covariance, shrunk (see above)."""
    own = {name: covariance(group) for name, group in groups.items()}
    shared = np.mean(list(own.values()), axis=0)
    shrunk = {name: ((len(groups[name]) - 1) * own[name] + PRIOR * shared)
              / (len(groups[name]) - 1 + PRIOR) for name in groups}
    return {name: np.linalg.cholesky(matrix) for name, matrix in shrunk.items()}


def entry(name: str, reflectance: np.ndarray, spread: np.ndarray | str) -> str:
    """Return figures as they are written in the file, and a factor or the name of a spread."""
    text = f'{name}:\n  reflectance: [{", ".join(_figure(v) for v in reflectance)}]'
    if isinstance(spread, str):
        return f'{text}\n  spread: {spread}'
    rows = ', '.join(f'{quantity}: [' + ', '.join(_figure(v) for v in spread[i, :i + 1]) + ']'
                     for i, quantity in enumerate(QUANTITIES))
    return f'{text}\n  spread: {{{rows}}}'


def _figure(value: float) -> str:
    # YAML 1.1 takes .5 as a number, but -.5 as a word
    text = f'{value:.3f}' if value < 0 else f'{value:.3f}'.removeprefix('0')
    return '0' if float(text) == 0 else text


def main() -> int:
    """Compare, print, say whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--entries', action='store_true', help='print what the file should say')
    arguments = parser.parse_args()
    try:
        names, values = read_spectra(arguments.folder / 'earthlib_band_averages.csv')
        table = read_material_file(BUILT_IN)
        patterns = {name: entry.spectra for name, entry in table.materials.items()
                    if entry.spectra}
        patterns |= {name: spread.spectra for name, spread in table.spreads.items()
                     if spread.spectra}
        groups = {name: of_group(names, values, words) for name, words in patterns.items()}
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    written = {name: table.materials[name].spread if name in table.materials
               else table.spreads[name] for name in groups}
    measured = factors({name: group for name, group in groups.items()
                        if not isinstance(written[name], str)})
    differing = 0
    for name, group in groups.items():
        median, spread = np.median(group, axis=0), written[name]
        if arguments.entries:
            print(entry(name, median, spread if isinstance(spread, str) else measured[name]))
            continue
        material, apart = table.materials.get(name), 0.0
        if material:  # a shared spread has no reflectance of its own
            apart = float(np.abs(np.array(material.reflectance) - median).max())
        if not isinstance(spread, str):
            apart = max(apart, float(np.abs(spread.factor() - measured[name]).max()))
        differing += apart > TOLERANCE
        print(f'{name:14} {len(group):4d} spectra  median '
              + ' '.join(f'{v:.3f}' for v in median)
              + f'  greatest difference from the table {apart:.4f}'
              + ('  DIFFERS' if apart > TOLERANCE else ''))
    return 1 if differing else 0


if __name__ == '__main__':
    sys.exit(main())
