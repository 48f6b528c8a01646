"""The outputs that `translate` makes from its inputs, determined before any work."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from rgb2swir_ros.marks import RECORD
from rgb2swir_ros.ownership import require_apart, require_free
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.pictures import MAC_FOLDER, is_picture, is_shadow, natural_key
from rgb2swir_ros.replay.storage.recording import files_of, is_recording, is_storage
from rgb2swir_ros.replay.video import is_video

SHADOW = 'left by a Mac beside the file itself'
SUFFIX = {'picture': '.png', 'video': '.mp4', 'bag': ''}


@dataclass(frozen=True)
class Job:
    """One output to make: a picture, a video or a bag."""

    kind: str
    source: Path
    target: Path


@dataclass
class JobList:
    """All jobs, the files that are left out with reasons, and the outputs that were renamed."""

    jobs: list[Job] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    renamed: list[Job] = field(default_factory=list)
    overwrite: bool = False


def list_jobs(source: Path, target: Path, *, overwrite: bool = False) -> JobList:
    """Map a picture, video, bag or folder to its outputs.

    A folder's tree is mirrored: ``a/b.jpg`` becomes ``a/b.png``, ``a/c.avi`` becomes ``a/c.mp4``.
    If two inputs would have the same output, the later one in natural order keeps its whole name:
    ``b.jpg`` becomes ``b.png`` and ``b.png`` becomes ``b.png.png``. For a single file the target
    may be a file of the right suffix or a folder.

    :param overwrite: whether outputs that are as this tool wrote them may be replaced.
    :raises FootageError: if there is nothing to translate.
    :raises UserError: if an output exists, lies in an input or contains one.
    """
    if not os.path.exists(source):
        raise FootageError(f"there is no file or folder '{source}'")
    if is_recording(source):
        if is_storage(target):
            raise FootageError(f"'{target}': a bag is written as a folder; drop the suffix")
        job_list = JobList([Job('bag', source, target)], skipped=_beside_bag(source))
    elif source.is_dir():
        require_apart([target], [source])
        job_list = _list_folder(source, target)
    else:
        kind = _kind(source)
        if not kind:
            raise FootageError(f"'{source}' is neither picture, video nor bag by its name")
        job_list = JobList([Job(kind, source, _single_target(kind, source, target))])
    require_apart((job.target for job in job_list.jobs
                   if not source.is_dir() or job.kind == 'bag'), [source])
    _protect_inputs(job_list)
    require_free((job.target for job in job_list.jobs), overwrite=overwrite)
    job_list.overwrite = overwrite
    return job_list


def _kind(path: Path) -> str:
    if is_shadow(path):
        return ''
    return 'picture' if is_picture(path) else 'video' if is_video(path) else ''


def _beside_bag(source: Path) -> list[tuple[Path, str]]:
    """Return the files in a bag's folder that are no part of the bag."""
    if not source.is_dir():
        return []
    own = set(files_of(source))
    return [(path.relative_to(source), _why_skipped(path) or (
        'beside a bag: translate it by itself' if _kind(path) else ''))
        for path in sorted(source.rglob('*'), key=natural_key)
        if not path.is_dir() and path not in own and path.name != RECORD]


def _single_target(kind: str, source: Path, target: Path) -> Path:
    suffix = SUFFIX[kind]
    if target.suffix.lower() == suffix and not target.is_dir():
        return target
    if target.suffix and not target.is_dir():
        raise FootageError(f"'{target}': a {kind} is written as {suffix}; give OUT that suffix, "
                           'or name a folder')
    return target / f'{source.stem}{suffix}'


def _list_folder(source: Path, target: Path) -> JobList:
    job_list = JobList()
    taken: set[Path] = set()
    for path in _walk(source, job_list):
        kind = _kind(path)
        if not kind:
            job_list.skipped.append((path.relative_to(source), _why_skipped(path)))
            continue
        folder = target / path.relative_to(source).parent
        names = [f'{path.stem}{SUFFIX[kind]}', f'{path.name}{SUFFIX[kind]}']
        names += [f'{path.name}.{n}{SUFFIX[kind]}' for n in range(2, len(taken) + 3)]
        job = next(Job(kind, path, folder / name) for name in names if folder / name not in taken)
        taken.add(job.target)
        job_list.jobs.append(job)
        if job.target.name != names[0]:
            job_list.renamed.append(job)
    if not job_list.jobs:
        raise FootageError(f"the folder '{source}' holds no picture and no video")
    return job_list


def _walk(source: Path, job_list: JobList) -> list[Path]:
    """Return all files below the source in natural order, but not this tool's records."""
    files = []
    for folder, folders, names in os.walk(source):
        kept = []
        for name in folders:
            path = Path(folder, name)
            if name == MAC_FOLDER:
                job_list.skipped.append((path.relative_to(source), SHADOW))
            elif path.is_symlink():  # may be a cycle
                job_list.skipped.append((path.relative_to(source), 'link to a folder'))
            else:
                kept.append(name)
        folders[:] = kept
        files += [Path(folder, name) for name in names if name != RECORD]
    return sorted(files, key=natural_key)


def _why_skipped(path: Path) -> str:
    if not path.is_file():
        return 'no regular file'
    if is_shadow(path):
        return SHADOW
    return 'bag: translate it by itself' if is_storage(path) else ''


def _protect_inputs(job_list: JobList) -> None:
    inputs = {job.source.resolve() for job in job_list.jobs}
    for job in job_list.jobs:
        if job.target.resolve() in inputs:
            raise FootageError(f"'{job.target}' would replace an input: name another output")
        if os.path.isdir(job.target) and job.kind != 'bag':
            raise FootageError(f"'{job.target}' should become a {job.kind}, but is a folder")
