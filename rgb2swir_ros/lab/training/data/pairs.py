"""Open paired RGB and SWIR frames of any known layout, split by scene."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.units import SHARES, SPLITS
from rgb2swir_ros.lab.training.data.files import (
    Found,
    PairFiles,
    Skipped,
    SwirCoding,
    UnreadableError,
    check,
    content_hash,
    read_rgb,
    read_swir,
)
from rgb2swir_ros.lab.training.data.folders import PairedFolders, find_folders
from rgb2swir_ros.lab.training.data.rasmd import find_rasmd
from rgb2swir_ros.lab.training.data.rendered import find_rendered

LAYOUTS = """rendered scenes (dataset.yaml), RASMD (rgb_aligned_* beside swir_original_*), or two \
folders of equal file names (rgb beside swir, visible beside lwir, ...)"""
SHOWN = 5


@dataclass(frozen=True)
class Pair:
    """An RGB image and the registered SWIR frame of the same scene.

    :param rgb: uint8 (H, W, 3).
    :param radiance: float32 (H, W) in [0, 1], linear.
    """

    rgb: np.ndarray
    radiance: np.ndarray
    name: str
    scene: str


class PairedDataset:
    """The usable pairs of one split, and what was skipped."""

    def __init__(self, found: Found, coding: SwirCoding, split: str) -> None:
        """Keep the pairs with two complete files of one size, according to their headers.

        Nothing is decoded: a file with damaged contents raises an error when it is read.

        :param found: the pairs of this split.
        """
        self.layout, self.note, self.coding, self.split = (
            found.layout, found.note, coding, split)
        self.skipped = list(found.skipped)
        self.files: list[PairFiles] = []
        for pair in found.pairs:
            problem = check(pair)
            if problem:
                self.skipped.append(problem)
            else:
                self.files.append(pair)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Pair:
        """Read a pair.

        :raises UserError: naming the file, if one of the two cannot be decoded.
        """
        files = self.files[index]
        path = files.rgb
        try:
            rgb = read_rgb(path)
            path = files.swir
            radiance = read_swir(path, self.coding)
        except UnreadableError as error:
            raise UserError(f"'{path}' {error}") from error
        return Pair(rgb, radiance, files.name, files.scene)

    @cached_property
    def content(self) -> str:
        """A hash of what the files hold, of the pairs' names and of the SWIR coding.

        :raises UserError: if a file cannot be read any more.
        """
        about = repr((self.coding, [pair.name for pair in self.files]))
        files = [path for pair in self.files for path in (pair.rgb, pair.swir)]
        return hashlib.sha256(f'{about} {content_hash(files)}'.encode()).hexdigest()

    @property
    def scenes(self) -> list[str]:
        """The names of its scenes, sorted."""
        return sorted({pair.scene for pair in self.files})

    def summary(self) -> str:
        """Return the numbers of pairs and skipped files with reasons, for log lines."""
        head = (f'{self.layout}, {self.split}: {len(self)} pairs of {len(self.scenes)} scenes; '
                f'{self.coding.describe()}')
        lines = [head] + [self.note] * bool(self.note)
        if self.skipped:
            lines += [f'{len(self.skipped)} files skipped:', *reasons(self.skipped)]
        return '\n'.join(lines)


def reasons(skipped: list[Skipped]) -> list[str]:
    """Return the first skipped files with their reasons, a line each."""
    lines = [f'  {item.path}: {item.reason}' for item in skipped[:SHOWN]]
    return lines + [f'  ... and {len(skipped) - SHOWN} more'] * (len(skipped) > SHOWN)


def open_pairs(path: Path | PairedFolders, split: str = 'train', seed: int = 0, *,
               coding: SwirCoding | None = None) -> PairedDataset:
    """Open a data set and detect its layout.

    :param path: a folder, or two folders.
    :param split: 'train', 'validation', 'test' or 'all'. A data set's own splits are kept; a pair
        in none of them is skipped, except for 'all'. Without own splits, each scene is assigned by
        a hash of ``seed`` and its name (.80, .08, .12), so that adding scenes does not change the
        split of others; a data set of a single scene is split along its order.
    :param coding: the conversion of SWIR values to radiance; by default gamma 2.2 for 8 bits,
        linear for more.
    :raises UserError: if there is no data set, no usable pair, or no pair in the split.
    """
    if split not in (*SPLITS, 'all'):
        raise UserError(f"'{split}' is no split: give {', '.join(SPLITS)} or all")
    return _choose(path, find_pairs(path, seed), split, coding or SwirCoding())


def open_training(paths: Sequence[Path | PairedFolders],
                  seed: int = 0) -> tuple[list[PairedDataset], PairedDataset]:
    """Open the pairs for a training and for its validation.

    :return: the split ``train`` of each data set, and ``validation`` of the last.
    :raises UserError: as `open_pairs`, and if a frame is in ``train`` of one data set and in
        ``validation`` or ``test`` of another.
    """
    found = [find_pairs(path, seed) for path in paths]
    _refuse_shared(paths, found)
    coding = SwirCoding()
    return ([_choose(path, one, 'train', coding) for path, one in zip(paths, found, strict=True)],
            _choose(paths[-1], found[-1], 'validation', coding))


def _refuse_shared(paths: Sequence[Path | PairedFolders], found: Sequence[Found]) -> None:
    """Check that no file is in ``train`` of one data set and in another split of another."""
    if len(paths) < 2:
        return
    seen: dict[Path, tuple[bool, int]] = {}
    for number, one in enumerate(found):
        for pair in filter(lambda pair: pair.split, one.pairs):
            trains = pair.split == SPLITS[0]
            for file in (pair.rgb.resolve(), pair.swir.resolve()):
                before, other = seen.setdefault(file, (trains, number))
                if before != trains:
                    first, second = ((other, number) if before else (number, other))
                    raise UserError(
                        f"'{file}' is in train of '{_name(paths[first])}' and not in that of "
                        f"'{_name(paths[second])}': give data sets that share no frame")


def _choose(path: Path | PairedFolders, found: Found, split: str,
            coding: SwirCoding) -> PairedDataset:
    """Return the usable pairs of a split."""
    chosen = replace(found, pairs=[p for p in found.pairs if split in {'all', p.split}],
                     skipped=[*found.skipped, *(() if split == 'all' else _outside(found))])
    if not chosen.pairs:
        raise UserError(_no_pair(path, found, split))
    dataset = PairedDataset(chosen, coding, split)
    if not len(dataset):
        raise UserError(f"none of the {len(chosen.pairs)} pairs of '{_name(path)}' in {split} can "
                        'be used:\n' + '\n'.join(reasons(dataset.skipped)))
    return dataset


def _outside(found: Found) -> list[Skipped]:
    """Return the pairs that are in no split, as skipped files."""
    return [Skipped(pair.rgb, "in none of the data set's own splits") for pair in found.pairs
            if not pair.split]


def _no_pair(path: Path | PairedFolders, found: Found, split: str) -> str:
    """Return the error message for a split without a pair."""
    shares = Counter(pair.split for pair in found.pairs)
    has = ', '.join(f'{shares[name]} in {name}' for name in SPLITS)
    outside = _outside(found)
    text = (f"no pair of '{_name(path)}' is in {split} ({has}; "
            f'{len({p.scene for p in found.pairs})} scenes): ')
    if outside:
        return text + (f'{len(outside)} pairs are in none of its own splits; put them into a '
                       f'folder {split}, or rename the folder that reads as a split:\n'
                       + '\n'.join(reasons(outside)))
    return text + 'give another seed, or more scenes'


def _find(path: Path | PairedFolders) -> Found:
    if isinstance(path, PairedFolders):
        return path.find()
    if not path.is_dir():
        raise UserError(f"'{path}' is no folder of paired frames")
    found = find_rendered(path) or find_rasmd(path) or find_folders(path)
    if found is None:
        raise UserError(f"'{path}' has no paired frames: looked for {LAYOUTS}")
    return found


def find_pairs(path: Path | PairedFolders, seed: int) -> Found:
    """Return the pairs of a data set with their splits, unchecked.

    :param path: a folder, or two folders; ``seed``: as of `open_pairs`.
    :return: the pairs; those outside the data set's own splits have the split ''.

    :raises UserError: if there is no data set, or no pair.
    """
    found = _find(path)
    if not found.pairs:
        raise UserError(f"'{_name(path)}' has no whole pair ({found.layout}):\n"
                        + '\n'.join(reasons(found.skipped)))
    if any(pair.split for pair in found.pairs):
        return replace(found, note=found.note or 'its own splits are kept')
    scenes = {pair.scene for pair in found.pairs}
    if len(scenes) > 1:
        pairs = [replace(p, split=hashed_split(p.scene, seed)) for p in found.pairs]
        return replace(found, pairs=pairs, note=f'split by scene (seed {seed})')
    total = len(found.pairs)
    pairs = [replace(p, split=_cut((k + .5) / total)) for k, p in enumerate(found.pairs)]
    return replace(found, pairs=pairs, note='a single scene, split along its order: neighbouring '
                                            'frames at the cuts look alike')


def hashed_split(scene: str, seed: int) -> str:
    """Return the split of a scene by a hash that does not depend on the machine."""
    digest = hashlib.blake2b(f'{seed}/{scene}'.encode(), digest_size=8).digest()
    return _cut(int.from_bytes(digest, 'big') / 2 ** 64)


def _cut(place: float) -> str:
    if place < SHARES[0]:
        return SPLITS[0]
    return SPLITS[1] if place < SHARES[0] + SHARES[1] else SPLITS[2]


def _name(path: Path | PairedFolders) -> str:
    return f'{path.rgb} + {path.swir}' if isinstance(path, PairedFolders) else str(path)
