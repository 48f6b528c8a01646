"""Write a data set of rendered frames with boxes.

Writing resumes after an interruption, and the files do not depend on the number of workers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes, write_json, write_picture
from rgb2swir_ros.lab.scenes.coco import count, to_coco
from rgb2swir_ros.lab.scenes.contact_sheet import contact_sheet
from rgb2swir_ros.lab.scenes.labelling import RULE
from rgb2swir_ros.lab.scenes.materials import MaterialTable
from rgb2swir_ros.lab.scenes.units import (
    RENDERER,
    SPLITS,
    Unit,
    changed_files,
    read_complete,
    split_of,
    write_unit,
)
from rgb2swir_ros.lab.scenes.written import DatasetProgress
from rgb2swir_ros.marks import RECORD, is_ours
from rgb2swir_ros.ownership import require_free
from rgb2swir_ros.pool import map_unordered
from rgb2swir_ros.sizes import format_size

FORMAT = 'rgb2swir scenes 1'
# Version of the renderer's pictures: raised when the pictures of a seed change, so that no data
# set mixes two versions.
PICTURES = 5
INDEX = 'dataset.yaml'
# Scene k of data set S has seed S million + k, so data sets of different seeds share no scene.
# Seeds of sequences start in the middle of the million, so no sequence shows a frame's scene.
SEEDS, SEQUENCE_SEEDS = 1_000_000, 500_000
GIVE_UP_AFTER = 8  # failures before the first success


@dataclass(frozen=True)
class DatasetSpec:
    """What a data set consists of.

    :param seed: of the data set; data sets of different seeds share no scene.
    :param size: (height, width).
    :param looks: frames of each scene.
    :param scenes: number of scenes, those already written included.
    :param sequences: number of sequences, of ``length`` frames each.
    :param still: camera and objects of the sequences do not move.
    :param renderer: name of the module that renders.
    :param materials: a user's file of materials over the package's, or None.
    :param split: the only one of `SPLITS` whose scenes are written, None for all.
    """

    folder: Path
    seed: int
    size: tuple[int, int]
    looks: int
    scenes: int
    sequences: int = 0
    length: int = 0
    still: bool = False
    renderer: str = RENDERER
    materials: Path | None = None
    split: str | None = None

    def units(self) -> list[Unit]:
        """Return the scenes, then the sequences.

        :raises UserError: if a figure is out of range, the materials make no sense, or none of
            the scenes is in the split.
        """
        MaterialTable.load(self.materials)
        if min(self.seed, self.sequences) < 0 or min(self.scenes, self.looks) < 1 or (
                max(self.scenes, self.sequences) > SEQUENCE_SEEDS):
            raise UserError(
                f'{self.scenes} scenes of {self.looks} looks, {self.sequences} sequences, seed '
                f'{self.seed}: give 1 to {SEQUENCE_SEEDS} scenes of at least one look, and no '
                'negative number')
        if self.sequences and self.length < 2:
            raise UserError(f'{self.length} frames are no sequence: give at least 2')
        first = self.seed * SEEDS
        chosen = [seed for seed in range(first, first + self.scenes)
                  if self.split in (None, split_of(seed))]
        if not chosen:
            raise UserError(f'none of {self.scenes} scenes is in the split {self.split}: give '
                            'more of them')
        return [*(Unit(self.folder, seed, self.size, looks=self.looks, renderer=self.renderer,
                       materials=self.materials) for seed in chosen),
                *(Unit(self.folder, first + SEQUENCE_SEEDS + k, self.size, length=self.length,
                       still=self.still, renderer=self.renderer,
                       materials=self.materials) for k in range(self.sequences))]

    def settings(self) -> dict[str, Any]:
        """Return the settings that all runs on one folder must share."""
        shared: dict[str, Any] = {'format': FORMAT, 'seed': self.seed,
                                  'size': format_size(self.size), 'looks': self.looks,
                                  'pictures': PICTURES, 'materials': self._materials()}
        if self.sequences:
            shared |= {'length': self.length, 'still': self.still}
        return shared

    def _materials(self) -> str:
        if self.materials is None:
            return 'of the package'
        return f'sha256 {hashlib.sha256(self.materials.read_bytes()).hexdigest()[:16]}'


def write_dataset(spec: DatasetSpec, workers: int, show: Callable[[DatasetProgress], None],
                  command: str = '') -> dict[str, Any]:
    """Write the missing units, then annotations, index and contact sheet.

    :param workers: number of rendering processes; the files do not depend on it.
    :param show: receives the progress after each unit.
    :param command: command line, for the index.
    :return: the index: settings, counts, and ``skipped``, the scenes that could not be rendered.
    :raises UserError: if the folder holds another data set or is being written by another run, a
        file cannot be written, or no scene can be rendered.
    """
    units = spec.units()
    _require_own(spec.folder)
    with _locked(spec.folder):
        index = _open_index(spec, command)
        progress = DatasetProgress(sum(_frames(unit) for unit in units))
        missing = [unit for unit in units if read_complete(unit) is None]
        if changed := [path for unit in missing for path in changed_files(unit)]:
            raise UserError(f"{len(changed)} files of the data set were changed or damaged since "
                            f"they were written, '{changed[0]}' first: remove them, and they are "
                            'made again')
        progress.done = progress.kept = progress.total - sum(map(_frames, missing))
        show(progress)
        # closing it on an interruption ends the workers before the folder is unlocked
        with closing(map_unordered(write_unit, missing, workers)) as results:
            for result in results:
                progress.news = ''
                if result.failure:
                    _note_failure(progress, result.job, result.failure)
                else:
                    progress.done += _frames(result.job)
                show(progress)
        return _write_summary(spec, index, progress)


def _require_own(folder: Path) -> None:
    """Refuse a folder that holds something, but no data set."""
    if folder.is_dir() and not os.path.lexists(folder / INDEX):
        others = sorted({path.name for path in folder.iterdir()} - {'.lock', RECORD})
        if others:
            raise UserError(f"'{folder}' holds no data set, but {', '.join(others[:3])}: give "
                            'another folder')


def remove_other(spec: DatasetSpec) -> None:
    """Remove the data set in the folder if it has other settings; what else is there stays.

    :raises UserError: if its index is not as this tool wrote it, or another run writes to it.
    """
    index = spec.folder / INDEX
    if not os.path.lexists(index):
        return
    require_free([index], overwrite=True)
    with _locked(spec.folder):
        try:
            _check_settings(spec, _read_index(index))
        except UserError:
            files = [path for path in spec.folder.rglob('*') if path.is_file() and path != index]
            # the index last, since without it the folder is not recognised as a data set
            for path in (*filter(is_ours, files), index):
                path.unlink()
            _remove_empty(spec.folder)


def _remove_empty(folder: Path) -> None:
    """Remove the folders below that hold nothing, or only this tool's record of what was."""
    for path in sorted((p for p in folder.rglob('*') if p.is_dir() and not p.is_symlink()),
                       reverse=True):
        if [entry.name for entry in path.iterdir()] == [RECORD]:
            (path / RECORD).unlink()
        with suppress(OSError):
            path.rmdir()


def _frames(unit: Unit) -> int:
    return unit.looks or unit.length


def _note_failure(progress: DatasetProgress, unit: Unit, failure: str) -> None:
    kind = 'sequence' if unit.length else 'scene'
    progress.failed.append({'kind': kind, 'seed': unit.seed, 'reason': failure})
    progress.news = f'{kind} {unit.seed} skipped: {failure}'
    if len(progress.failed) >= GIVE_UP_AFTER and not progress.done:
        raise UserError(f'none of the first {GIVE_UP_AFTER} scenes could be rendered; the last: '
                        f'{kind} {unit.seed}: {failure}')


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder against a second run.

    :raises UserError: if it is locked or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / '.lock', os.O_CREAT | os.O_RDWR)
    except OSError as error:
        raise UserError(f"'{folder}' cannot be written: {error.strerror or error}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UserError(f"another run is writing to '{folder}': wait for it, or give another "
                        'folder') from error
    finally:
        os.close(handle)


def _open_index(spec: DatasetSpec, command: str) -> dict[str, Any]:
    """Check that the folder has this data set's settings; write the index as incomplete."""
    path = spec.folder / INDEX
    settings = spec.settings()
    known: dict[str, Any] = {}
    if path.exists():
        known = _read_index(path)
        _check_settings(spec, known)
    kept: dict[str, Any] = {key: known[key] for key in ('length', 'still') if key in known}
    index = {**kept, **settings, 'command': command, 'complete': False}
    write_bytes(path, yaml.safe_dump(index, sort_keys=False).encode())
    return index


def _read_index(path: Path) -> dict[str, Any]:
    try:
        known = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"'{path}' cannot be read: {error}") from error
    if not isinstance(known, dict):
        raise UserError(f"'{path}' is no index of a data set: give another folder")
    return known


def _check_settings(spec: DatasetSpec, known: dict[str, Any]) -> None:
    """Refuse a data set of other settings."""
    for key, value in spec.settings().items():
        # an index without a version of its pictures is older than all that have one
        there = known.get(key, value if key in {'length', 'still', 'materials'} else None)
        if there != value:
            raise UserError(f"'{spec.folder}' holds a data set with {key} {there}, not {value}: "
                            f'give another folder, the same {key}, or --overwrite')


def _write_summary(spec: DatasetSpec, index: dict[str, Any],
                   progress: DatasetProgress) -> dict[str, Any]:
    """Write annotations, sheet and index of all units in the folder."""
    scenes, sequences = (
        [manifest for seed in sorted(_seeds(spec.folder, kind))
         if (manifest := read_complete(Unit(spec.folder, seed, spec.size, length=length)))]
        for kind, length in (('scene', 0), ('sequence', 1)))
    about = f'rendered RGB and SWIR frames, seed {spec.seed}'
    for split in SPLITS:
        write_json(spec.folder / 'annotations' / f'{split}.json', to_coco(
            (m for m in scenes if m['split'] == split), spec.size, f'{about}, {split}'))
    if sequences:
        write_json(spec.folder / 'annotations' / 'sequences.json',
                   to_coco(sequences, spec.size, f'{about}, sequences'))
        write_json(spec.folder / 'sequences' / 'index.json', [
            {key: value for key, value in m.items() if key != 'files'} for m in sequences])
    if scenes:
        write_picture(spec.folder / 'contact_sheet.png', contact_sheet(spec.folder, scenes))
    index |= {
        'complete': not progress.failed,
        'swir': {'encoding': 'linear', 'bits': 16, 'white': 65535,
                 'unit': 'radiance; 1.0 is a white surface under the main light at the RGB '
                         "frame's exposure"},
        'scenes': len(scenes), 'frames': sum(len(m['frames']) for m in scenes),
        'sequences': len(sequences), **count(scenes), 'rule': RULE, 'skipped': progress.failed}
    write_bytes(spec.folder / INDEX,
                yaml.safe_dump(index, sort_keys=False, allow_unicode=True).encode())
    return index


def _seeds(folder: Path, kind: str) -> list[int]:
    names = (path.stem.removeprefix(f'{kind}_')
             for path in (folder / 'manifests').glob(f'{kind}_*.json'))
    return [int(name) for name in names if name.isdecimal()]
