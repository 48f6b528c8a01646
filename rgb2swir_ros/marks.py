"""Marks by which this tool knows again what it wrote, and that nobody has changed it since.

A mark holds a fingerprint of the content, so that a file which somebody edited, cut, or replaced
under its name is not taken for ours. It stands where the format has a place for it:

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
GROWING = '*'  # in place of a fingerprint: a log that is being written, ours whatever is in it
UNSEALED = '0' * 32  # what stands in a bag's metadata.yaml before the bag is whole
EDGE = 2**20  # bytes at either end that are read: a bag of 100 GB must not be read to be known
PNG_END = struct.pack('>I', 0) + b'IEND' + struct.pack('>I', zlib.crc32(b'IEND'))
BOX = uuid.uuid5(uuid.NAMESPACE_URL, f'urn:{TOOL}').bytes


def is_ours(path: Path) -> bool:
    """Say whether a file or a bag's folder is as this tool wrote it. A link never is."""
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
    """Mark a whole file; in the block it gets its final name, or does not.

    :param target: the final name. The record beside it knows the file by that, and until the
        block ends an older file of that name, too.
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
    :param keep: what is known by that name stays known.
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
    """Note which run writes to a folder, so that the same run may go on in it.

    :param settings: whose ``repr`` is the same for the same run.
    :raises OSError: if it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record(folder / RUN, _run(settings))


def is_same_run(folder: Path, settings: object) -> bool:
    """Say whether the run that wrote to a folder had these settings."""
    try:
        return _read_record(folder).get(RUN) == _run(settings)
    except OSError:
        return False


def _run(settings: object) -> str:
    return hashlib.blake2b(repr(settings).encode(), digest_size=16).hexdigest()


def seal_bag(folder: Path) -> None:
    """Put the fingerprint of a bag in the place of `UNSEALED` in its metadata.

    :raises OSError: if it cannot be written.
    """
    path = folder / 'metadata.yaml'
    text = path.read_text()
    seal = _bag_fingerprint(folder, text)
    path.write_text(text.replace(f'{TOOL}: {_quoted(text)}', f'{TOOL}: "{seal}"'))


def fingerprint(path: Path, length: int | None = None) -> str:
    """Return a hash of a file's first ``length`` bytes: their number, beginning and end."""
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
    """Say whether a file ends as `_seal` leaves it, and nothing before that has changed."""
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
    """Put the mark into a file; return False where its format has no place for one."""
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
    """Return how many bytes stand before the mark; None if the content is not of the format."""
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
    """Keep other processes from the folder's record; file systems without locks do without."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _quoted(text: str) -> str:
    """Return the mark's value as it stands in a bag's metadata, quotes included; '' if none."""
    found = re.search(rf'\b{TOOL}: (["\']?[0-9a-f]{{32}}["\']?)', text)
    return found[1] if found else ''


def _bag_fingerprint(folder: Path, text: str) -> str:
    """Return the hash of a bag's files, ``text`` standing for its metadata without the mark."""
    digest = hashlib.blake2b(text.replace(_quoted(text), '').encode(), digest_size=16)
    for path in sorted(folder.iterdir()):
        if path.name != 'metadata.yaml':
            digest.update(f'{path.name} {fingerprint(path)}'.encode())
    return digest.hexdigest()


def _bag_seal(folder: Path) -> str | None:
    """Return the mark of a bag if it has one and every file is as it was written."""
    path = folder / 'metadata.yaml'
    if not path.is_file() or not all(p.is_file() and not p.is_symlink()
                                     for p in folder.iterdir()):
        return None
    text = path.read_text()
    seal = _quoted(text).strip('"\'')
    return seal if seal and seal == _bag_fingerprint(folder, text) else None
