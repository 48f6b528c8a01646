"""Build a dataclass from a mapping (of YAML or JSON), and check every entry."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from rgb2swir_ros.errors import UserError

Made = TypeVar('Made')
Range = tuple[float, float]
POSITIVE: Range = (1, math.inf)  # of whole numbers whose field has no range
ANY: Range = (-math.inf, math.inf)


class LocatedMapping(dict[Any, Any]):
    """A mapping read from a file.

    :ivar lines: the line of each key, counted from 1.
    :ivar line: the line that it begins in.
    """

    def __init__(self, entries: dict[Any, Any], lines: dict[Any, int], line: int) -> None:
        super().__init__(entries)
        self.lines, self.line = lines, line


@dataclass(frozen=True)
class Place:
    """Where an entry stands: it is what an error begins with.

    :param file: the file's name.
    :param line: counted from 1; 0 if it is not known.
    :param keys: the way to the entry.
    """

    file: str
    line: int = 0
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        line = f', line {self.line}' if self.line else ''
        return ': '.join((self.file + line, *self.keys))

    def entry(self, mapping: Any, key: Any) -> Place:
        """Return the place of an entry of the mapping that is here."""
        return replace(self.on(mapping, key), keys=(*self.keys, str(key)))

    def item(self, key: Any, number: int, item: Any) -> Place:
        """Return the place of an item of the list that an entry here holds."""
        line = getattr(item, 'line', self.line)
        return replace(self, line=line, keys=(*self.keys, f'{key}[{number}]'))

    def on(self, mapping: Any, key: Any) -> Place:
        """Return this place, on the line of a key."""
        return replace(self, line=getattr(mapping, 'lines', {}).get(key, self.line))


def within(low: float, high: float, default: Any = MISSING) -> Any:
    """Return a dataclass's field whose numbers lie in [low, high]."""
    return field(default=default, metadata={'range': (low, high)})


def known_entries(value: Any, where: str | Place, keys: Iterable[str]) -> dict[str, Any]:
    """Return a mapping all of whose keys are known.

    :param where: names the mapping in errors.
    :raises UserError: if it is no mapping, or naming the first unknown key.
    """
    if not isinstance(value, dict):
        raise UserError(f'{where} must be a mapping, not {value!r}')
    keys = list(keys)
    for key in value:
        if key not in keys:
            if isinstance(where, Place):
                where = where.on(value, key)
            raise UserError(f"{where}: unknown key '{key}' (its value is {value[key]!r}): known "
                            f"are {', '.join(keys)}")
    return value


def build(kind: type[Made], entries: Any, where: str | Place) -> Made:
    """Return a dataclass of whole and other numbers, texts, switches and tuples of them.

    What is missing has its default. Lists stand for tuples, mappings for the dataclasses of
    fields. Whole numbers are above 0 unless the field has a range (`within`). An entry that is a
    dataclass already is taken as it is, as are the entries of a tuple that are.

    :param entries: a mapping of the fields' names.
    :param where: names the mapping in errors; a `Place` names the line, too.
    :raises UserError: naming key and value, if it is no mapping, an entry is unknown, missing or
        of a wrong type, a number is out of range, or the dataclass itself refuses its values.
    """
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in known_entries(entries, where, known).items():
        values[name] = _checked(value, types[name], known[name].metadata.get('range'),
                                where.entry(entries, name) if isinstance(where, Place)
                                else f'{where}: {name}')
    for name, one in known.items():
        if name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise UserError(f"{where}: has no '{name}'")
    try:
        return kind(**values)
    except (UserError, ValueError) as error:
        raise UserError(f'{where}: {error}') from error


def _checked(value: Any, kind: Any, limits: Range | None, where: str | Place) -> Any:
    """Return a value as its field has it."""
    kind = _without_none(kind)
    if get_origin(kind) is dict and isinstance(value, dict):
        return dict(value)
    if is_dataclass(kind) and not is_dataclass(value):
        return build(kind, value, where)  # type: ignore[arg-type]
    items = value if isinstance(value, (list, tuple)) else (value,)
    if items and all(is_dataclass(item) for item in items):
        return tuple(items) if get_origin(kind) is tuple else value
    if not _fits(value, kind, limits):
        hint = _hint(value) if kind in {int, float} and isinstance(value, str) else ''
        raise UserError(f'{where} is {value!r}, but must be {_wanted(kind, limits)}{hint}')
    if get_origin(kind) is tuple:
        return tuple(value)
    return float(value) if kind is float else value


def _without_none(kind: Any) -> Any:
    """Return the type of ``TYPE | None``: what is given is never None."""
    kinds = [one for one in get_args(kind) if one is not type(None)]
    return kinds[0] if len(kinds) == 1 and type(None) in get_args(kind) else kind


def _fits(value: Any, kind: Any, limits: Range | None) -> bool:
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        if not isinstance(value, (list, tuple)):
            return False
        if parts[-1] is Ellipsis:
            parts = parts[:1] * len(value)
        return len(value) == len(parts) and all(
            _fits(item, part, limits) for item, part in zip(value, parts, strict=True))
    if kind not in {int, float}:
        return type(value) is kind
    if type(value) not in {int, kind} or not math.isfinite(value):
        return False
    low, high = limits or (POSITIVE if kind is int else ANY)
    return low <= value <= high


def _hint(text: str) -> str:
    """Return what may be wrong with a text where a number belongs; empty if nothing is known."""
    number = re.fullmatch(r'([-+]?[\d.]+(?:e[-+]?\d+)?)\s*([^\d\s]*)', text.strip(),
                          re.IGNORECASE)
    if number is None:
        return ''
    if number[2]:
        return f' without a unit: write {number[1]}'
    if 'e' in text.lower():
        return ' (YAML takes 1e-3 for text: write 1.0e-3)'
    return ' (YAML takes what is in quotes for text)'


def _plain(number: float) -> str:
    """Return a number in full, if it is a whole one."""
    whole = math.isfinite(number) and number == int(number) and abs(number) < 1e15
    return str(int(number)) if whole else f'{number:g}'


def _wanted(kind: Any, limits: Range | None) -> str:
    """Return a description of the values that a field takes."""
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        count = 'a list' if parts[-1] is Ellipsis else f'a list of {len(parts)}'
        return f'{count}, each {_wanted(parts[0], limits)}'
    named = {bool: 'true or false', dict: 'a mapping', str: 'text'}
    if (plain := get_origin(kind) or kind) in named:
        return named[plain]
    text = 'a whole number' if kind is int else 'a number'
    if limits == ANY:
        return text
    if limits is not None:
        return f'{text} in [{_plain(limits[0])}, {_plain(limits[1])}]'
    return f'{text} above 0' if kind is int else text
