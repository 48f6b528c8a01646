"""The layout of RASMD on disk, and of data sets like it.

``<n>_<weather>/data_<k>_<place>/croped_data/rgb/rgb_aligned_000000.jpg`` beside
``.../swir/swir_original_000000.jpg``. A scene is a ``data_<k>_<place>`` folder. Folders of one
name under several weathers count as one scene, because they may show the same place.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rgb2swir_ros.lab.training.data.files import SUFFIXES, Found, PairFiles, match

PREFIXES = ('rgb_aligned_', 'swir_original_')
RAW_PREFIXES = ('rgb_image_', 'swir_image_')  # as the cameras took them: not aligned
SPLIT_FOLDERS = {'train': 'train', 'training': 'train', 'val': 'validation',
                 'valid': 'validation', 'validation': 'validation', 'dev': 'validation',
                 'test': 'test', 'testing': 'test'}


def pictures(root: Path) -> Iterator[Path]:
    """Yield all image files under a folder except hidden ones, in a fixed order."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith('.'):
                yield Path(folder, name)


def given_split(folders: Iterable[str]) -> str:
    """Return the split named by the outermost of a pair's folders that names one, or ''.

    :param folders: names from the data set's root down.
    """
    splits = (SPLIT_FOLDERS.get(folder.lower(), '') for folder in folders)
    return next(filter(None, splits), '')


def find_rasmd(root: Path, prefixes: tuple[str, str] = PREFIXES) -> Found | None:
    """Return the pairs of this layout under a folder, or None.

    :param prefixes: of the names of RGB and SWIR files.
    """
    sides: tuple[list[Path], list[Path]] = ([], [])
    for path in pictures(root):
        for side, prefix in zip(sides, prefixes, strict=True):
            if path.name.startswith(prefix):
                side.append(path)
    if not any(sides):
        return None

    def key(path: Path) -> str:
        number = path.stem.removeprefix(prefixes[0]).removeprefix(prefixes[1])
        number = f'{int(number):012d}' if number.isdecimal() else number
        return f'{_base(path).relative_to(root).as_posix()}/{number}'

    def make(rgb: Path, swir: Path) -> PairFiles:
        parts = _base(rgb).relative_to(root).parts
        scene = next((part for part in parts if part.startswith('data_')), '/'.join(parts))
        return PairFiles(rgb, swir, key(rgb), scene, given_split(parts))

    pairs, skipped = match(*sides, key, make)
    return Found('RASMD', pairs, skipped)


def _base(path: Path) -> Path:
    """Return the common folder of both files of a pair."""
    return path.parents[1] if path.parent.name.lower() in {'rgb', 'swir'} else path.parent
