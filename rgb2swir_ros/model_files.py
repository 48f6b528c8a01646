"""A model's folder on disk: its files, and ``model.yaml`` as plain mappings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ownership import write_bytes

MODEL_FILE = 'model.yaml'
WEIGHTS_FILE = 'weights.safetensors'
FORMAT = 1


def read_entries(path: Path) -> dict[str, Any]:
    """Return the entries of a ``model.yaml`` without its ``format``.

    :raises UserError: if it cannot be read or is of another format.
    """
    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'cannot read {path}: {error}') from error
    if not isinstance(entries, dict) or entries.pop('format', None) != FORMAT:
        raise UserError(f"{path} is no model of format {FORMAT} (its first entry must be "
                        f"'format: {FORMAT}')")
    return entries


def write_entries(path: Path, entries: dict[str, Any]) -> None:
    """Write a ``model.yaml``: its format, then the entries, tuples as lists."""
    text = yaml.safe_dump({'format': FORMAT, **_plain(entries)}, sort_keys=False)
    write_bytes(path, text.encode())


def model_hash(folder: Path) -> str:
    """Return the SHA-256 of a model's configuration and weights, as a hexadecimal string.

    :raises UserError: if one of the files is missing.
    """
    digest = hashlib.sha256()
    for name in (MODEL_FILE, WEIGHTS_FILE):
        try:
            digest.update((Path(folder) / name).read_bytes())
        except OSError as error:
            raise UserError(f'cannot read {Path(folder) / name}: {error.strerror}') from error
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Return nested tuples as lists, because YAML's safe dumper has no tuples."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
