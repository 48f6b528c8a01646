"""The rule for output files: nothing that this tool did not write is removed or replaced.

Every verb calls `require_apart` and `require_free` before its work begins. It writes through
`finished` or `place_folder`, which check the rule again when they rename.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.marks import RECORD, is_ours, marked

NAMED = 3  # number of names listed in an error
HIDDEN = '.rgb2swir-'  # prefix of incomplete files; short, since a name has at most 255 bytes
# the errors of file systems without hard links
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK,
            errno.EXDEV, errno.EINVAL)


def require_free(targets: Iterable[Path], *, overwrite: bool) -> None:
    """Check before the work begins that every target can be written.

    :param targets: files, and folders that are bags.
    :param overwrite: whether what this tool wrote may be replaced.
    :raises UserError: if a target exists (with ``overwrite``: exists and is not as this tool wrote
        it), or if a parent of it is a file. The text counts them and names a few.
    """
    there = [target for target in targets if not _is_free(target)]
    for target in {target.parent: target for target in there}.values():
        _require_folder(target)
    there = [target for target in there if os.path.lexists(target)]
    foreign = [target for target in there if not is_ours(target)]
    if foreign and overwrite:
        raise UserError(f"{_named(foreign)}, not as this tool wrote it, and --overwrite replaces "
                        'nothing else: name another output, or move it away')
    if there and not overwrite:
        raise UserError(f'{_named(there)} already: '
                        + ('name another output' if foreign else
                           'give --overwrite to replace it, or name another output'))


def clear_results(targets: Collection[Path], *, overwrite: bool) -> None:
    """Remove the results of an earlier run, and nothing else.

    :raises UserError: as `require_free`.
    """
    require_free(targets, overwrite=overwrite)
    for path in targets:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def require_apart(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Check that no output is, contains or lies in an input; links are resolved.

    A storage file of a bag counts as the bag's folder, if that has a ``metadata.yaml``.

    :param outputs: files and folders to be written; ``None`` is ignored, as in ``inputs``.
    :raises UserError: naming both.
    """
    given = [(path, _whole_input(path)) for path in inputs if path is not None]
    for output in (path for path in outputs if path is not None):
        for named, source in given:
            if not os.path.exists(source):
                continue
            if _contains(source, output):
                same = _contains(output, source)
                raise UserError(f"the output '{output}' {'is' if same else 'lies in'} the input "
                                f"'{named}': name another output")
            if _contains(output, source):
                raise UserError(f"the output '{output}' contains the input '{named}': name "
                                'another output')


@contextmanager
def finished(target: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside the target; it is renamed to the target on success.

    If the block raises, the temporary file is removed and the target stays as it was.

    :param replace: whether a target that is as this tool wrote it may be replaced. Any other
        target never is.
    :raises OutputError: if the folder or the file cannot be written, or the target exists and may
        not be replaced.
    """
    temporary = target.with_name(f'{HIDDEN}{os.getpid()}-{os.urandom(4).hex()}{target.suffix}')
    try:
        _require_placeable(target, replace)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with marked(temporary, target):
            _place(temporary, target, replace)
    except OutputError as error:
        if error.path == temporary:  # a writer that knows only the temporary name
            raise OutputError(target, error.reason, error.more) from error
        raise
    except OSError as error:
        raise OutputError(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def place_folder(made: Path, target: Path, *, replace: bool) -> None:
    """Rename a complete folder in a workspace to the target beside that.

    An empty folder at the target is replaced. A bag that this tool wrote is first moved aside and
    checked again under its hidden name, and only then removed.

    :raises OutputError: if anything else is at the target.
    :raises OSError: if it cannot be renamed.
    """
    _require_placeable(target, replace)
    old = made.with_name(f'{HIDDEN}old')
    if not _is_free(target):
        os.rename(target, old)
        if not is_ours(old):
            os.rename(old, target)
            raise _taken(target)
    try:
        os.rename(made, target)  # fails if a non-empty folder or a file has appeared
    except OSError:
        if old.exists():
            os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def workspace(beside: Path) -> Iterator[Path]:
    """Yield a hidden folder beside a path and remove it afterwards; `sweep` does after a kill.

    :raises OSError: if it cannot be made.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    folder = beside.with_name(f'{HIDDEN}{os.getpid()}-{os.urandom(4).hex()}')
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)  # held as long as this process runs
        (folder / RECORD).write_text('{}')
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove the workspaces that killed runs left in a folder, but not those in use."""
    for path in folder.glob(f'{HIDDEN}*'):
        if path.is_symlink() or not (path / RECORD).is_file():
            continue
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(handle)


def write_bytes(target: Path, data: bytes, *, replace: bool = True) -> int:
    """Write a file and return its size in bytes, the mark included.

    :param replace: as of `finished`.
    :raises OutputError: if it cannot be written.
    """
    with finished(target, replace=replace) as temporary:
        temporary.write_bytes(data)
    return target.stat().st_size


def write_json(target: Path, value: Any, *, replace: bool = True) -> int:
    """Write a JSON file and return its size in bytes.

    :param replace: as of `finished`.
    :raises OutputError: if it cannot be written.
    """
    return write_bytes(target, (json.dumps(value, indent=1) + '\n').encode(), replace=replace)


def _named(paths: Sequence[Path]) -> str:
    """Return some paths and a verb: ``'a' exists``, ``12 outputs exist ('a', 'b', 'c', ...)``."""
    if len(paths) == 1:
        return f"'{paths[0]}' exists"
    more = ', ...' if len(paths) > NAMED else ''
    names = ', '.join(f"'{path}'" for path in paths[:NAMED])
    return f'{len(paths)} outputs exist ({names}{more})'


def _is_free(path: Path) -> bool:
    """Return whether a path does not exist or is an empty folder."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        # a name that is too long is reported when that output is written
        return error.errno == errno.ENAMETOOLONG
    with suppress(OSError):
        return found.st_mode & 0o170000 == 0o040000 and not os.listdir(path)
    return False


def _require_folder(target: Path) -> None:
    """Check that no parent of a target is a file.

    :raises OutputError: naming the file.
    """
    parent = next((p for p in target.absolute().parents if os.path.lexists(p)), None)
    if parent is not None and not parent.is_dir():
        raise OutputError(target, f"'{parent}' is no folder")


def _taken(target: Path) -> OutputError:
    return OutputError(target, 'something that this tool did not write, or that was changed '
                       'since, is there: name another output, or move it away')


def _require_placeable(target: Path, replace: bool) -> None:
    """Check that a target does not exist or may be replaced.

    :raises OutputError: if it exists and may not be replaced.
    :raises OSError: if its name is impossible.
    """
    _require_folder(target)
    with suppress(FileNotFoundError):
        os.lstat(target)
        if target.is_dir() and _is_free(target):
            return
        if not is_ours(target):
            raise _taken(target)
        if not replace:
            raise OutputError(target, 'it exists already')


def _place(temporary: Path, target: Path, replace: bool) -> None:
    """Rename a file, without a race in which another file could be lost."""
    try:
        os.link(temporary, target)  # fails if the target exists
        return
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
    _require_placeable(target, replace)
    os.replace(temporary, target)


def _whole_input(path: Path) -> Path:
    return path.parent if (path.is_file() and path.suffix.lower() in ('.mcap', '.db3')
                           and (path.parent / 'metadata.yaml').is_file()) else path


def _contains(outer: Path, inner: Path) -> bool:
    """Return whether a path is another one or a folder above it; links are resolved."""
    inside = inner.resolve()
    for path in (inside, *inside.parents):
        if path == outer.resolve():
            return True
        with suppress(OSError):
            if os.path.samefile(path, outer):
                return True
    return False
