"""Classes that other packages bring, by entry point."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from rgb2swir_ros.errors import UserError

Kind = TypeVar('Kind')


def plugins(group: str, ours: dict[str, type[Kind]], base: type[Kind]) -> dict[str, type[Kind]]:
    """Return classes by name: this package's own, then those of other packages.

    :param group: of the entry points; the entry's name is the class's in a scenario.
    :param base: what each must be derived from.
    :raises UserError: if one cannot be loaded, is none, or takes a name of ours.
    """
    found = dict(ours)
    for entry in entries_of(group):
        where = f"entry point '{entry.name} = {entry.value}' of {group}"
        try:
            kind = entry.load()
        except Exception as error:  # whatever another package does when it is imported
            raise UserError(f'{where} cannot be loaded: {type(error).__name__}: {error}'
                            ) from error
        if not isinstance(kind, type) or not issubclass(kind, base):
            raise UserError(f'{where} is no class derived from {base.__module__}.{base.__name__}')
        if entry.name in ours:
            raise UserError(f"{where}: the name '{entry.name}' is taken: choose another one")
        found[entry.name] = kind
    return found


@functools.cache
def entries_of(group: str) -> tuple[EntryPoint, ...]:
    """Return a group's entry points: reading every package's metadata takes a while."""
    return tuple(entry_points(group=group))
