"""Strict reading of hand-written YAML: a duplicate key is an error."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.checked import LocatedMapping
from rgb2swir_ros.errors import UserError


class StrictLoader(yaml.SafeLoader):
    """Rejects duplicate keys, of which YAML would silently keep the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping's entries."""
        seen: list[Any] = []
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'given twice: {name}', key.start_mark)
            seen.append(name)
        return super().construct_mapping(node, deep)


class LocatingLoader(StrictLoader):
    """Makes mappings that know the line of each of their keys."""

    def located(self, node: Any) -> Iterator[LocatedMapping]:
        """Return a mapping, filled after those that it may contain."""
        lines: dict[Any, int] = {}
        mapping = LocatedMapping({}, lines, node.start_mark.line + 1)
        yield mapping
        mapping.update(self.construct_mapping(node))
        lines.update({self.construct_object(key, deep=True): key.start_mark.line + 1
                      for key, _ in node.value})


LocatingLoader.add_constructor('tag:yaml.org,2002:map', LocatingLoader.located)


def read_strict_yaml(path: Path, what: str, *, located: bool = False) -> Any:
    """Return the content of a YAML file.

    :param what: what the file is, for errors: ``the preset``.
    :param located: whether its mappings are `LocatedMapping`.
    :raises UserError: if it cannot be read, is no YAML, or gives a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding='utf-8'),
                         LocatingLoader if located else StrictLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'cannot read {what} {path}: {error}') from error
    except yaml.MarkedYAMLError as error:
        raise UserError(f'{path}{_told(error)}') from error
    except yaml.YAMLError as error:  # a character that YAML does not have
        raise UserError(f'{path} is no valid YAML: {" ".join(str(error).split())}') from error


def _told(error: yaml.MarkedYAMLError) -> str:
    """Return the line of a mistake and what it is, in one line."""
    mark = error.problem_mark or error.context_mark
    line = f', line {mark.line + 1}:' if mark else ''
    context = ''
    if error.context:
        began = error.context_mark
        context = f' ({error.context}' + (f', from line {began.line + 1} on)' if began else ')')
    return f'{line} is no valid YAML: {error.problem or "cannot be read"}{context}'
