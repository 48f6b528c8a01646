"""A recording as a whole: a single file, or a folder with metadata.yaml and one or more files."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from rgb2swir_ros.replay.storage.base import (
    Attachment,
    Connection,
    Message,
    Storage,
    Unreadable,
    Wanted,
    merged,
    reason,
)
from rgb2swir_ros.replay.storage.mcap_file import McapFile
from rgb2swir_ros.replay.storage.mcap_records import MAGIC as MCAP_MAGIC
from rgb2swir_ros.replay.storage.metadata import (
    METADATA,
    listed_files,
    read_metadata,
    time_range,
    told_connections,
    with_announced,
)
from rgb2swir_ros.replay.storage.ros1_file import Ros1File
from rgb2swir_ros.replay.storage.sqlite_file import SqliteFile

STORAGES = ('.mcap', '.db3', '.bag', '.mcap.zstd', '.db3.zstd', '.bag.active', '.mcap.active')
SIDECARS = ('-wal', '-shm', '-journal')
_ZSTD = b'\x28\xb5\x2f\xfd'
_KINDS: dict[bytes, type[McapFile] | type[SqliteFile] | type[Ros1File]] = {
    MCAP_MAGIC: McapFile, b'SQLite format 3\0': SqliteFile, b'#ROSBAG': Ros1File}


def is_storage(path: Path) -> bool:
    """Return whether a file has the name of a recording; ``._x.mcap`` is macOS metadata."""
    return path.name.lower().endswith(STORAGES) and not path.name.startswith('._')


def storages(folder: Path) -> list[Path]:
    """Return the storage files in a folder, sorted by name."""
    return sorted(p for p in folder.iterdir() if is_storage(p) and p.is_file())


def is_recording(path: Path) -> bool:
    """Return whether a path is a recording: a storage file, or a folder with one.

    A ``metadata.yaml`` counts only if rosbag2 wrote it, since image data sets have such files too.
    """
    if path.is_dir():
        return read_metadata(path) is not None or bool(storages(path))
    return is_storage(path)


def files_of(path: Path) -> list[Path]:
    """Return all files of a recording in a folder, with metadata and journals."""
    about = read_metadata(path)
    parts = storages(path) if about is None else [path / name for name in listed_files(about)]
    beside = [Path(f'{part}{end}') for part in parts for end in SIDECARS]
    return [*parts, *beside, *([] if about is None else [path / METADATA])]


@dataclass
class _Part:
    """One file of a recording, with its storage once that is open."""

    path: Path
    storage: Storage | None = None
    unpacked: tempfile.TemporaryDirectory[str] | None = None


class Recording:
    """Messages of a ROS 2 recording (mcap, sqlite3, split, compressed) or of a ROS 1 bag.

    :ivar connections: the connections of all parts.
    :ivar faults: what cannot be read, a short text each; complete when :meth:`messages` has
        ended.
    """

    def __init__(self, path: Path) -> None:
        """Open it, and read its connections.

        :raises FootageError: if nothing in it can be read.
        """
        self.path = path
        self.about = about = read_metadata(path) if path.is_dir() else None
        self._parts = [_Part(part) for part in self._find(about)]
        self._missing: list[str] = []
        told = told_connections(about)
        found: list[Connection] = []
        for part in list(self._parts):
            if not part.path.is_file():
                self._drop(part, f"its file '{part.path.name}' is missing")
                continue
            if told and len(self._parts) > 1 and _is_packed(part.path):
                continue  # such parts are unpacked one at a time, in `messages`
            try:
                found += self._open(part).connections
            except Unreadable as error:
                if len(self._parts) == 1:
                    raise
                self._drop(part, str(error))
        if not self._parts:
            raise Unreadable(f"the bag '{path}' cannot be read: {'; '.join(self._missing)}")
        self.connections = with_announced(merged(found), told)
        self.faults = list(self._missing)
        for part in self._parts:
            self._add_faults(part)

    def messages(self, wanted: Wanted,
                 past: Callable[[int], bool] | None = None) -> Iterator[Message]:
        """Yield the messages of some connections, part by part in the order of record times.

        Messages that were compressed one by one are decompressed.

        :param past: called with each record time; when it returns True, the rest of the part is
            not read, if the part is in the order of time.
        """
        known = {connection: connection for connection in self.connections}
        self.faults = list(self._missing)
        for part in self._parts:
            try:
                storage = self._open(part)
            except Unreadable as error:
                self._add(str(error))
                continue
            for message in storage.messages(wanted):
                if past is not None and storage.in_time_order and past(message.log_ns):
                    break
                data = message.data
                if data[:4] == _ZSTD:
                    try:
                        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
                    except zstandard.ZstdError as error:
                        self._add(f'a message of {message.connection.topic} cannot be unpacked: '
                                  f'{reason(error)}')
                        continue
                yield message._replace(
                    data=data, connection=known.get(message.connection, message.connection))
            self._add_faults(part)
            if part.unpacked is not None and len(self._parts) > 1:
                part.storage = None
                part.unpacked.cleanup()
                part.unpacked = None

    def start_ns(self) -> int | None:
        """Return the earliest record time in nanoseconds; None if there is no message."""
        told = time_range(self.about)
        if told is not None:
            return told[0]
        return min((message.log_ns for message in itertools.islice(
            self.messages(lambda _: True), 1)), default=None)

    def duration_ns(self) -> int | None:
        """Return how long it is by its metadata, None if they do not say so."""
        told = time_range(self.about)
        return None if told is None else told[1]

    def attachments(self) -> Iterator[Attachment]:
        """Yield the attachments of all parts.

        :raises Exception: of any kind, if one is malformed.
        """
        for part in self._parts:
            if isinstance(storage := self._open(part), McapFile):
                yield from storage.attachments()

    def metadata(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the name and entries of each metadata record of all parts, except rosbag2's.

        :raises Exception: of any kind, if one is malformed.
        """
        for part in self._parts:
            if isinstance(storage := self._open(part), McapFile):
                yield from (one for one in storage.metadata() if one[0] != 'rosbag2')

    def custom_data(self) -> dict[str, str]:
        """Return the entries that a user added to the metadata."""
        found = (self.about or {}).get('custom_data')
        return {str(key): str(value) for key, value in found.items()} if isinstance(
            found, dict) else {}

    def _find(self, about: dict[str, Any] | None) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        if about is not None and (listed := listed_files(about)):
            return [self.path / name for name in listed]
        found = storages(self.path)
        if not found:
            raise Unreadable(f"the bag '{self.path}' has no file of messages: its {METADATA} "
                             'lists none')
        if len(found) > 1:
            names = ', '.join(p.name for p in found)
            raise Unreadable(f"the folder '{self.path}' has no {METADATA} of a bag and several "
                             f'storage files ({names}): name one of them, or run '
                             '`ros2 bag reindex`')
        return found

    def _drop(self, part: _Part, why: str) -> None:
        self._parts.remove(part)
        self._missing.append(why)

    def _open(self, part: _Part) -> Storage:
        if part.storage is None:
            path, fault = part.path, ''
            try:
                if _is_packed(path):
                    part.unpacked = tempfile.TemporaryDirectory(prefix='rgb2swir-bag-')
                    path, fault = _unpack(path, Path(part.unpacked.name))
                part.storage = _open_file(path)
            except Unreadable as error:
                if path == part.path:
                    raise
                told = str(error).replace(str(path), str(part.path))
                raise Unreadable(f'{told}; {fault}' if fault else told) from error
            except OSError as error:
                raise Unreadable(f"the bag '{part.path}' cannot be read: "
                                 f'{error.strerror or error}') from error
            if fault and fault not in self._missing:
                self._missing.append(fault)
        return part.storage

    def _add_faults(self, part: _Part) -> None:
        name = f'{part.path.name}: ' if len(self._parts) > 1 else ''
        for fault in [] if part.storage is None else part.storage.faults:
            self._add(f'{name}{fault}')

    def _add(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)


def _open_file(path: Path) -> Storage:
    """Open a storage file by its first bytes, or by its name if these are unknown.

    :raises Unreadable: if it is no recording.
    """
    with path.open('rb') as stream:
        head = stream.read(16)
    for magic, kind in _KINDS.items():
        if head.startswith(magic):
            return kind(path)
    name = path.name.lower()
    if name.endswith('.db3'):
        return SqliteFile(path)
    return Ros1File(path) if '.bag' in name else McapFile(path)


def _is_packed(path: Path) -> bool:
    with path.open('rb') as stream:
        return stream.read(4) == _ZSTD


def _unpack(path: Path, folder: Path) -> tuple[Path, str]:
    """Decompress a file as far as possible; return the new path, and the fault or ''."""
    target = folder / (path.stem if path.suffix.lower() == '.zstd' else path.name)
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    try:
        with path.open('rb') as packed, target.open('wb') as unpacked:
            while piece := packed.read(1 << 18):
                while piece:
                    if unpacker.eof:
                        unpacker = zstandard.ZstdDecompressor().decompressobj()
                    unpacked.write(unpacker.decompress(piece))
                    piece = unpacker.unused_data if unpacker.eof else b''
    except zstandard.ZstdError as error:
        return target, f"'{path.name}' cannot be unpacked to its end: {reason(error)}"
    except OSError as error:
        raise Unreadable(f"the bag '{path}' cannot be unpacked to {tempfile.gettempdir()}: "
                         f'{error.strerror or error} (TMPDIR names another place)') from error
    return target, '' if unpacker.eof else f"'{path.name}' was cut off"
