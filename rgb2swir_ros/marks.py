"""Marks by which this tool recognises the files that it wrote and that are unchanged.

A mark holds a fingerprint of the content, so that a file that was edited, truncated or replaced is
not taken for one of this tool. Where the mark is depends on the format:

* PNG: a ``tEXt`` chunk ``Software`` before ``IEND``; mp4: a ``uuid`` box at the end; a JSON
  object: its last entry, ``rgb2swir_ros``; a bag: ``custom_data`` in ``metadata.yaml``;
* any other file: an entry in ``.rgb2swir``, a JSON object of names and fingerprints, beside it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TOOL = 'rgb2swir_ros'
RECORD = '.rgb2swir'
RUN = '(run)'  # entry of the record: the settings of the run that writes to its folder
GROWING = '*'  # in place of a fingerprint: a log that is being written, whatever its content
UNSEALED = '0' * 32  # in place of a fingerprint: a bag that is not complete
EDGE = 2**20  # bytes that are read at either end, since a bag may have 100 GB
PNG_END = struct.pack('>I', 0) + b'IEND' + struct.pack('>I', zlib.crc32(b'IEND'))
BOX = uuid.uuid5(uuid.NAMESPACE_URL, f'urn:{TOOL}').bytes


def is_ours(path: Path) -> bool:
    """Return whether a file or a bag's folder is as this tool wrote it; a link never is."""
    try:
        if path.is_symlink():
            return False
        if path.is_dir():
            return _bag_seal(path) is not None
        return path.is_file() and (_is_sealed(path) or _is_recorded(path))
    except (OSError, ValueError):
        return False


@contextmanager
def marked(file: Path, target: Path) -> Iterator[None]:
    """Mark a complete file, which the block renames to its final name.

    :param target: the final name. If the format has no place for a mark, the record beside it
        gets the fingerprint, and until the block ends it keeps that of an older file as well.
    :raises OSError: if the mark cannot be written.
    """
    if _seal(file, target.suffix.lower()):
        yield
        return
    seal = fingerprint(file)
    record(target, seal, keep=True)
    yield
    record(target, seal)


def record(target: Path, value: str, *, keep: bool = False) -> None:
    """Enter a file into the record of its folder.

    :param value: its fingerprint, or `GROWING`.
    :param keep: whether the fingerprints under that name stay valid.
    :raises OSError: if the record cannot be written.
    """
    path = target.with_name(RECORD)
    with _locked(target.parent):
        known = _read_record(target.parent)
        before = known.get(target.name)
        if before == value:
            return
        if keep and before is not None:
            value = f'{before} {value}'
        part = target.with_name(f'{RECORD}-{os.getpid()}-{os.urandom(4).hex()}')
        try:
            part.write_text(json.dumps({**known, target.name: value}, indent=0, sort_keys=True))
            os.replace(part, path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def record_run(folder: Path, settings: object) -> None:
    """Record which run writes to a folder, so that the same run can resume in it.

    :param settings: of the run; equal runs have equal ``repr(settings)``.
    :raises OSError: if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record(folder / RUN, _run(settings))


def is_same_run(folder: Path, settings: object) -> bool:
    """Return whether the run that wrote to a folder had these settings."""
    try:
        return _read_record(folder).get(RUN) == _run(settings)
    except OSError:
        return False


def _run(settings: object) -> str:
    return hashlib.blake2b(repr(settings).encode(), digest_size=16).hexdigest()


def seal_bag(folder: Path) -> None:
    """Replace `UNSEALED` in the metadata of a bag by its fingerprint.

    :raises OSError: if it cannot be written.
    """
    path = folder / 'metadata.yaml'
    text = path.read_text()
    seal = _bag_fingerprint(folder, text)
    path.write_text(text.replace(f'{TOOL}: {_quoted(text)}', f'{TOOL}: "{seal}"'))


def fingerprint(path: Path, length: int | None = None) -> str:
    """Return a hash of the number, beginning and end of a file's first ``length`` bytes."""
    size = path.stat().st_size if length is None else length
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with path.open('rb') as stream:
        digest.update(stream.read(min(size, EDGE)))
        if size > EDGE:
            stream.seek(max(size - EDGE, EDGE))
            digest.update(stream.read(size - stream.tell()))
    return digest.hexdigest()


def _png_tail(seal: str) -> bytes:
    chunk = b'tEXtSoftware\0' + f'{TOOL} {seal}'.encode()
    return (struct.pack('>I', len(chunk) - 4) + chunk + struct.pack('>I', zlib.crc32(chunk))
            + PNG_END)


def _mp4_tail(seal: str) -> bytes:
    content = BOX + seal.encode()
    return struct.pack('>I', len(content) + 8) + b'uuid' + content


def _json_tail(seal: str) -> bytes:
    return f',\n "{TOOL}": "{seal}"\n}}\n'.encode()


TAILS: dict[str, Callable[[str], bytes]] = {
    '.png': _png_tail, '.mp4': _mp4_tail, '.json': _json_tail}


def _is_sealed(path: Path) -> bool:
    """Return whether a file ends with a mark that fits the content before it."""
    tail = TAILS.get(path.suffix.lower())
    if tail is None:
        return False
    length = path.stat().st_size - len(tail(UNSEALED))
    if length < 0:
        return False
    with path.open('rb') as stream:
        stream.seek(length)
        return stream.read() == tail(fingerprint(path, length))


def _seal(path: Path, suffix: str) -> bool:
    """Write the mark into a file; return False if its format has no place for one."""
    if suffix not in TAILS:
        return False
    with path.open('r+b') as stream:
        end = _body(stream.read(EDGE if suffix == '.mp4' else -1), suffix,
                    path.stat().st_size)
        if end is None:
            return False
        stream.truncate(end)
        tail = TAILS[suffix](fingerprint(path))
        stream.seek(end)
        stream.write(tail)
    return True


def _body(data: bytes, suffix: str, size: int) -> int | None:
    """Return the number of bytes before the mark; None if the content is of another format."""
    if suffix == '.mp4':
        return size if data[4:8] == b'ftyp' else None
    if suffix == '.png':
        return size - len(PNG_END) if data.endswith(PNG_END) else None
    text = data.rstrip()
    inside = text[1:-1].strip()
    if text[:1] != b'{' or text[-1:] != b'}' or not inside:
        return None
    return len(text[:-1].rstrip())


def _is_recorded(path: Path) -> bool:
    known = _read_record(path.parent).get(path.name, '').split()
    return GROWING in known or (bool(known) and fingerprint(path) in known)


def _read_record(folder: Path) -> dict[str, str]:
    try:
        known = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        known = None
    if not isinstance(known, dict):
        raise OSError(errno.EEXIST, f"'{folder / RECORD}' is there and not of this tool")
    return known


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder's record, where the file system has locks."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _quoted(text: str) -> str:
    """Return the mark in a bag's metadata as it is written, with quotes; '' if there is none."""
    found = re.search(rf'\b{TOOL}: (["\']?[0-9a-f]{{32}}["\']?)', text)
    return found[1] if found else ''


def _bag_fingerprint(folder: Path, text: str) -> str:
    """Return the hash of a bag's files; of its metadata, ``text`` without the mark is hashed."""
    digest = hashlib.blake2b(text.replace(_quoted(text), '').encode(), digest_size=16)
    for path in sorted(folder.iterdir()):
        if path.name != 'metadata.yaml':
            digest.update(f'{path.name} {fingerprint(path)}'.encode())
    return digest.hexdigest()


def _bag_seal(folder: Path) -> str | None:
    """Return the mark of a bag, if it has one and every file is unchanged."""
    path = folder / 'metadata.yaml'
    if not path.is_file() or not all(p.is_file() and not p.is_symlink()
                                     for p in folder.iterdir()):
        return None
    text = path.read_text()
    seal = _quoted(text).strip('"\'')
    return seal if seal and seal == _bag_fingerprint(folder, text) else None
