"""Reader and validation of YAML files of materials, for `rgb2swir_ros.lab.scenes.materials`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.bands import BANDS
from rgb2swir_ros.strict_yaml import read_strict_yaml

# Rows of a spread and their lengths: one figure for each quantity before it, then its own.
SPREAD_ROWS = {'brightness': 1, 'warmth': 2, 'green': 3, 'swir': 4, 'split': 5}
SOURCES = ('measured', 'assumed')


@dataclass(frozen=True)
class Spread:
    """Variation within a material: the rows of a lower triangular factor."""

    rows: tuple[tuple[float, ...], ...]
    spectra: tuple[str, ...] = ()

    def factor(self) -> np.ndarray:
        """Return the factor (5, 5); each row ends on the diagonal."""
        factor = np.zeros((len(SPREAD_ROWS), len(SPREAD_ROWS)))
        for index, row in enumerate(self.rows):
            factor[index, :len(row)] = row
        return factor


@dataclass(frozen=True)
class MaterialEntry:
    """A material as written; its spread is its own or the name of a shared one."""

    reflectance: tuple[float, ...]
    source: str
    origin: str
    spread: Spread | str
    spectra: tuple[str, ...] = ()


@dataclass(frozen=True)
class MaterialFile:
    """The content of a file; each entry is valid by itself."""

    materials: dict[str, MaterialEntry] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)
    palettes: dict[str, dict[str, float]] = field(default_factory=dict)

    def updated(self, other: MaterialFile) -> MaterialFile:
        """Return this table with another's entries over it.

        A material that is named like a palette of the other replaces it, and the reverse.
        """
        materials = {k: v for k, v in self.materials.items() if k not in other.palettes}
        palettes = {k: v for k, v in self.palettes.items() if k not in other.materials}
        return MaterialFile(materials | other.materials, self.spreads | other.spreads,
                            palettes | other.palettes)

    def check_references(self, path: Path) -> None:
        """Refuse spreads and palette members that no entry defines.

        :raises UserError: naming the one that uses it.
        """
        for name, entry in self.materials.items():
            if isinstance(entry.spread, str) and entry.spread not in self.spreads:
                raise UserError(f"{path}: material '{name}' has spread '{entry.spread}', which is "
                                f"not under spreads: known are {', '.join(self.spreads)}")
        for name, shares in self.palettes.items():
            for member in shares:
                if member not in self.materials:
                    raise UserError(f"{path}: palette '{name}' has a member '{member}', which is "
                                    f"not under materials: known are {', '.join(self.materials)}")


def read_material_file(path: Path) -> MaterialFile:
    """Read a file of materials, spreads and palettes.

    :raises UserError: naming file, entry and value, where anything is missing, unknown or out of
        range.
    """
    content = read_strict_yaml(path, 'the materials of')
    top = _mapping(content, str(path), {'bands', 'materials', 'spreads', 'palettes'})
    if 'bands' in top and tuple(top['bands'] or ()) != BANDS:
        raise UserError(f'{path}: bands are {top["bands"]}, but must be {list(BANDS)}, '
                        'in this order')
    table = MaterialFile(
        {str(k): _material(v, f"{path}: material '{k}'")
         for k, v in _mapping(top.get('materials') or {}, f'{path}: materials').items()},
        {str(k): _spread(v, f"{path}: spread '{k}'")
         for k, v in _mapping(top.get('spreads') or {}, f'{path}: spreads').items()},
        {str(k): _palette(v, f"{path}: palette '{k}'")
         for k, v in _mapping(top.get('palettes') or {}, f'{path}: palettes').items()})
    both = sorted(set(table.materials) & set(table.palettes))
    if both:
        raise UserError(f"{path}: '{both[0]}' is both a material and a palette: rename one")
    return table


def _mapping(value: Any, where: str, keys: set[str] | None = None) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise UserError(f'{where}: must be a mapping of names to values, not {value!r}')
    unknown = sorted(str(key) for key in value if keys is not None and key not in keys)
    if unknown:
        raise UserError(f"{where}: unknown key '{unknown[0]}': known are "
                        f"{', '.join(sorted(keys or ()))}")
    return value


def _numbers(value: Any, where: str) -> tuple[float, ...]:
    good = isinstance(value, list) and all(
        isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v)
        for v in value)
    if not good:
        raise UserError(f'{where}: must be a list of finite numbers, not {value!r}')
    return tuple(float(v) for v in value)


def _patterns(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise UserError(f"{where}: must be a list of patterns such as 'urban/asphalt *', "
                        f'not {value!r}')
    return tuple(value)


def _material(value: Any, where: str) -> MaterialEntry:
    entry = _mapping(value, where, {'reflectance', 'source', 'from', 'spread', 'spectra'})
    for key in ('reflectance', 'source', 'from'):
        if key not in entry:
            raise UserError(f"{where}: has no '{key}'")
    reflectance = _numbers(entry['reflectance'], f'{where}: reflectance')
    if len(reflectance) != len(BANDS):
        raise UserError(f'{where}: reflectance has {len(reflectance)} values, but must have one '
                        f'for each band: {", ".join(BANDS)}')
    for band, share in zip(BANDS, reflectance, strict=True):
        if not 0 <= share <= 1:
            raise UserError(f'{where}: reflectance in {band} is {share:g}, but must be in [0, 1]')
    if entry['source'] not in SOURCES:
        raise UserError(f"{where}: source is {entry['source']!r}, but must be one of "
                        f"{', '.join(SOURCES)}")
    spread = entry.get('spread', 'plain')
    if not isinstance(spread, str):
        spread = _spread(spread, f'{where}: spread')
    return MaterialEntry(reflectance, entry['source'], str(entry['from']), spread,
                         _patterns(entry.get('spectra', []), f'{where}: spectra'))


def _spread(value: Any, where: str) -> Spread:
    rows = _mapping(value, where, {*SPREAD_ROWS, 'spectra'})
    figures = []
    for name, longest in SPREAD_ROWS.items():
        given = rows.get(name, 0)
        # a plain number is the quantity's own deviation, going with no other quantity
        row = ((*[0.0] * (longest - 1), *_numbers([given], f'{where}: {name}'))
               if not isinstance(given, list) else _numbers(given, f'{where}: {name}'))
        if len(row) != longest:
            raise UserError(f'{where}: {name} has {len(row)} figures, but must be one number or '
                            f'a list of {longest}')
        if row[-1] < 0:
            raise UserError(f'{where}: own deviation of {name} is {row[-1]:g}, but must not be '
                            'negative')
        figures.append(row)
    return Spread(tuple(figures), _patterns(rows.get('spectra', []), f'{where}: spectra'))


def _palette(value: Any, where: str) -> dict[str, float]:
    shares = _mapping(value, where)
    if not shares:
        raise UserError(f'{where}: has no members')
    for member, share in shares.items():
        weight = _numbers([share], f"{where}: weight of '{member}'")[0]
        if weight <= 0:
            raise UserError(f"{where}: weight of '{member}' is {weight:g}, but must be positive")
    return {str(member): float(share) for member, share in shares.items()}
