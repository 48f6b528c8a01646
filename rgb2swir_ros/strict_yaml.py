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
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f'given twice: {", ".join(twice)}', node.start_mark)
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
    except yaml.YAMLError as error:
        raise UserError(f'{path} is no valid YAML: {error}') from error
