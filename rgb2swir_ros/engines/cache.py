"""The cache of built engines on disk: private, and written atomically.

A compiled engine is code. So only its user may write to the folder, and an engine is loaded only
if every field of its manifest is the requested one and its file has the manifest's SHA-256.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rgb2swir_ros.engines.base import ProgressCallback
from rgb2swir_ros.engines.manifest import (
    MANIFEST,
    Fields,
    damage,
    difference,
    differing,
    read_manifest,
    shortened,
    versioned,
    write_manifest,
)
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.resources import cache_directory

ENGINE_STEM = 'engine'  # every backend's file is ``engine.`` and an extension
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
SMALLEST_ROOM = 4 * 2**20  # bytes: no engine is smaller
# Fields that are part of the folder's name; engines that differ only in others share the name.
NAMING = ('model', 'height', 'width', 'batch', 'backend', 'device', 'precision', 'threads')


@dataclass(frozen=True)
class Entry:
    """A built engine.

    :param file: the engine's file, whose hash has been checked.
    :param facts: what the build recorded (parity, build time).
    :param from_cache: whether it was built by an earlier call.
    """

    file: Path
    facts: Fields
    from_cache: bool


class EngineCache:
    """The folder that holds built engines, one folder per key."""

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """Create the folder if it is missing, with mode 0700.

        :param folder: by default `rgb2swir_ros.resources.cache_directory`.
        :raises UserError: if it cannot be created, is no folder, belongs to another user, or
            others can write to it.
        """
        self.folder = cache_directory(folder)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
        except (OSError, ValueError) as error:
            reason = ('it is a file' if isinstance(error, FileExistsError)
                      else getattr(error, 'strerror', None) or error)
            raise UserError(f'cannot use {self.folder} for engines ({reason}): set '
                            'RGB2SWIR_CACHE to a folder of yours') from error
        if found.st_uid != os.geteuid():
            raise UserError(f'{self.folder} belongs to user {found.st_uid}, not to you: engines '
                            'are code, set RGB2SWIR_CACHE to a folder of yours')
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UserError(f'others can write to {self.folder}, and engines are code: '
                            f'run chmod 700 {self.folder}')

    def path(self, fields: Fields) -> Path:
        """Return the folder of the engine with these fields, built or not."""
        text = json.dumps(versioned(fields), sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        return self.folder / f'{_slug(fields)}-{key}'

    def find(self, fields: Fields, progress: ProgressCallback | None = None) -> Entry | None:
        """Return the engine with these fields if it is in the cache and intact.

        :param progress: called with one line that states why a cached engine is not used.
        """
        progress = progress or _ignore_progress
        folder = self.path(fields)
        if not folder.exists():
            if changes := self._nearest_difference(fields):
                progress(f'no engine fits: {changes}; rebuilding')
            return None
        manifest, problem = read_manifest(folder)
        if manifest is not None:
            problem = (difference(manifest['fields'], versioned(fields))
                       or damage(folder / manifest['file'], manifest['sha256']))
        if manifest is None or problem:
            progress(f'the engine in {folder} is not used: {problem}; rebuilding')
            return None
        return Entry(folder / manifest['file'], manifest['facts'], from_cache=True)

    def get(self, fields: Fields, build: Callable[[Path], tuple[Path, Fields]],
            progress: ProgressCallback | None = None, *, instead_of: Entry | None = None) -> Entry:
        """Return the engine with these fields; build it if it is not in the cache.

        Two processes never build the same engine at the same time: the second waits. A killed
        build leaves no incomplete engine.

        :param build: called with an empty folder; returns the engine's file in it, and facts.
        :param instead_of: an intact engine that cannot be loaded; it is replaced when the new one
            is complete.
        :raises UserError: if the folder cannot be written.
        :raises Exception: whatever ``build`` raises.
        """
        progress = progress or _ignore_progress
        target = self.path(fields)
        with self._locked(target.name, progress), self._written():
            found = self.find(fields, progress)
            if found and not _same(found, instead_of):
                return found
            _require_replaceable(target)
            for remains in self.folder.glob(f'.building-{target.name}-*'):
                shutil.rmtree(remains, ignore_errors=True)  # of a build that was killed
            scratch = Path(tempfile.mkdtemp(prefix=f'.building-{target.name}-', dir=self.folder))
            try:
                file, facts = build(scratch)
                write_manifest(scratch, fields, file, facts)
                _remove_engine(target)
                for path in scratch.iterdir():  # files that a compiler may have left
                    if not _is_ours(path):
                        shutil.rmtree(path) if path.is_dir() else path.unlink()
                scratch.rename(target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return Entry(target / file.name, facts, from_cache=False)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Turn an error of writing to the folder into a `UserError`.

        Compilers report a full disk in many ways, so after any failure with no space left, the
        full disk is reported.
        """
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            reason = _file_system_reason(error, self.folder)
            if reason is None:
                raise
            raise UserError(f'cannot write to {self.folder} ({reason}): fix that, or set '
                            'RGB2SWIR_CACHE to another folder of yours') from error

    @contextmanager
    def _locked(self, name: str, progress: ProgressCallback) -> Iterator[None]:
        try:
            handle = os.open(self.folder / f'.{name}.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
                             0o600)
        except OSError as error:
            raise UserError(f'cannot write to {self.folder} ({error.strerror}): set '
                            'RGB2SWIR_CACHE to a folder of yours') from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress('waiting for another process that builds the same engine')
                fcntl.flock(handle, fcntl.LOCK_EX)
            except OSError as error:  # some network file systems have no locks
                raise UserError(f'cannot lock files in {self.folder} ({error.strerror}): set '
                                'RGB2SWIR_CACHE to a folder on a local disk') from error
            yield
        finally:
            os.close(handle)  # releases the lock; the file stays, because removing it would race

    def _nearest_difference(self, fields: Fields) -> str:
        """Return how the most similar engine of the same name differs; empty if there is none."""
        wanted = versioned(fields)
        manifests = (read_manifest(path)[0] for path in self.folder.glob(f'{_slug(fields)}-*'))
        found = [manifest['fields'] for manifest in manifests if manifest is not None]
        nearest = min(found, key=lambda other: len(differing(other, wanted)), default=wanted)
        return ', '.join(
            f'{name} changed from {shortened(nearest.get(name))} to {shortened(wanted.get(name))}'
            for name in differing(nearest, wanted))


def _same(found: Entry, other: Entry | None) -> bool:
    """Return whether two entries are of the same build."""
    return other is not None and (found.file, found.facts) == (other.file, other.facts)


def _is_ours(path: Path) -> bool:
    """Return whether a path in an engine's folder belongs to the engine."""
    return path.name == MANIFEST or path.stem == ENGINE_STEM


def _require_replaceable(folder: Path) -> None:
    """Check before a build that an engine's folder can be replaced.

    :raises UserError: if it holds other files, or cannot be written to.
    """
    try:
        foreign = [path.name for path in folder.iterdir() if not _is_ours(path)]
        if not foreign and os.access(folder, os.W_OK | os.X_OK):
            return
        problem = f"it holds '{foreign[0]}'" if foreign else os.strerror(errno.EACCES)
    except FileNotFoundError:
        return
    except OSError as error:
        problem = str(error.strerror)
    raise UserError(f'{folder}, an engine that can no longer be used, cannot be replaced '
                    f'({problem}): move it away, or set RGB2SWIR_CACHE to another folder of yours')


def _remove_engine(folder: Path) -> None:
    """Remove an engine's folder that `_require_replaceable` has checked."""
    if folder.exists():
        for path in filter(_is_ours, folder.iterdir()):
            path.unlink()
        folder.rmdir()


def _file_system_reason(error: BaseException | None, folder: Path) -> str | None:
    """Return the reason if an error, or one of its causes, is an error of writing to a folder."""
    full = _is_full(folder)
    while error is not None:
        if isinstance(error, OSError) and (
                error.errno in FULL or Path(str(error.filename)).is_relative_to(folder)):
            return error.strerror
        error = error.__cause__ or error.__context__
    return os.strerror(errno.ENOSPC) if full else None


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < SMALLEST_ROOM
    except OSError:
        return False


def _ignore_progress(_: str) -> None:
    """Ignore a line of progress."""


def _slug(fields: Fields) -> str:
    """Return the readable part of a folder's name."""
    values = '-'.join(str(fields.get(key, '')) for key in NAMING)
    return ''.join(c if c.isalnum() or c in '-_.' else '_' for c in values)[:100]
