"""Pairs in two folders with equal file names, as in KAIST, RANUS and plain recordings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.data.files import Found, PairFiles, match
from rgb2swir_ros.lab.training.data.rasmd import given_split, pictures

RGB_NAMES = ('rgb', 'visible', 'vis', 'color', 'colour', 'left_rgb')
SWIR_NAMES = ('swir', 'nir', 'lwir', 'ir', 'infrared', 'thermal')


@dataclass(frozen=True)
class PairedFolders:
    """Two folders; a pair is two files of one stem at the same place under each.

    :param rgb: colour pictures.
    :param swir: single-band pictures.
    """

    rgb: Path
    swir: Path

    def find(self, base: Path | None = None) -> Found:
        """Return the pairs.

        :param base: names and scenes are given relative to it.
        :raises UserError: if one of the two is no folder.
        """
        for folder in (self.rgb, self.swir):
            if not folder.is_dir():
                raise UserError(f"'{folder}' is no folder")
        parent = self.rgb.parent
        prefix = parent.relative_to(base).as_posix() if base and parent != base else ''

        def key(path: Path) -> str:
            root = self.rgb if path.is_relative_to(self.rgb) else self.swir
            return path.relative_to(root).with_suffix('').as_posix()

        def make(rgb: Path, swir: Path) -> PairFiles:
            name = f'{prefix}/{key(rgb)}'.lstrip('/')
            return PairFiles(rgb, swir, name, scene_of(name), given_split(name.split('/')[:-1]))

        pairs, skipped = match(pictures(self.rgb), pictures(self.swir), key, make)
        return Found('folders', pairs, skipped)


def scene_of(name: str) -> str:
    """Return a pair's scene: its name without the last number, a frame number or time.

    ``set00/V003/I00042`` gives ``set00/V003/I``, ``drive2_0042_left`` gives ``drive2_left``.
    """
    return re.sub(r'[_\-.]*\d+(\.\d+)?(?=[^\d/]*$)', '', name).rstrip('/')


def find_folders(root: Path) -> Found | None:
    """Return the pairs of all paired folders under a folder (``rgb`` beside ``swir``), or None."""
    found: Found | None = None
    for rgb in sorted(p for p in root.rglob('*')
                      if p.name.lower() in RGB_NAMES and p.is_dir()):
        beside = {p.name.lower(): p for p in rgb.parent.iterdir() if p.is_dir()}
        name = next((name for name in SWIR_NAMES if name in beside), None)
        if name is None:
            continue
        more = PairedFolders(rgb, beside[name]).find(root)
        if found is None:
            found = more
        else:
            found.pairs += more.pairs
            found.skipped += more.skipped
    return found
