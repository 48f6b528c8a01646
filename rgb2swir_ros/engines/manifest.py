"""The manifest beside a built engine: what the engine depends on, and its file's SHA-256."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST = 'manifest.json'

Fields = dict[str, Any]


def versioned(fields: Fields) -> Fields:
    """Return the fields of a manifest, with the version of its format."""
    return {**fields, 'engine_format': FORMAT}


def write_manifest(folder: Path, fields: Fields, file: Path, facts: Fields) -> None:
    """Write the manifest of an engine's file into a folder.

    :param fields: what the engine depends on.
    :param facts: what the build recorded.
    """
    manifest = {'fields': versioned(fields), 'file': file.name,
                'sha256': file_sha256(file), 'facts': facts}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + '\n')


def read_manifest(folder: Path) -> tuple[Fields | None, str]:
    """Return a complete manifest, or None and the reason."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        return None, f'its manifest cannot be read ({type(error).__name__})'
    kinds = {'fields': dict, 'file': str, 'sha256': str, 'facts': dict}
    if not isinstance(manifest, dict) or any(
            not isinstance(manifest.get(key), kind) for key, kind in kinds.items()):
        return None, 'its manifest is incomplete'
    if manifest['file'] != Path(manifest['file']).name:
        return None, f"its manifest names a file elsewhere, '{manifest['file']}'"
    return manifest, ''


def differing(found: Fields, wanted: Fields) -> list[str]:
    """Return the names of the fields that differ, sorted."""
    return sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))


def difference(found: Fields, wanted: Fields) -> str:
    """Return the first difference in one line; empty if there is none."""
    names = differing(found, wanted)
    if not names:
        return ''
    name = names[0]
    more = f' (and {len(names) - 1} more)' if len(names) > 1 else ''
    return f'{name} is {shortened(found.get(name))}, wanted {shortened(wanted.get(name))}{more}'


def shortened(value: Any) -> str:
    """Return a value as a short text; a hash is shortened to its beginning."""
    text = repr(value)
    return text if len(text) <= 50 else f"{text[:14]}...'"


def damage(file: Path, sha256: str) -> str:
    """Return why a file is not the one that was written; empty if it is."""
    try:
        return '' if file_sha256(file) == sha256 else f"{file.name} has another hash than written"
    except OSError as error:
        return f'{file.name} cannot be read ({error.strerror})'


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as a hexadecimal string."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
