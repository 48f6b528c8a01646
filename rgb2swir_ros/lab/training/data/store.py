"""Pairs of one size in memory-mapped files, for fast random access in trainings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.lib.format import open_memmap

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import finished, write_json
from rgb2swir_ros.lab.training.data.augment import Augmentation, augment
from rgb2swir_ros.lab.training.data.files import Skipped
from rgb2swir_ros.lab.training.data.pairs import PairedDataset
from rgb2swir_ros.sizes import format_size

MISSING, STORED, UNUSABLE = 0, 1, 2
CHUNK = 256  # pairs between two flushes


class PairStore:
    """Pairs of a data set, all of one size.

    ``rgb`` is uint8 (N, H, W, 3), ``radiance`` uint16 (N, H, W) with 65535 for 1.0. ``usable``
    holds the indices of the pairs that could be read, ``skipped`` the files that could not,
    ``identity`` the identity of the pairs, which copies of their files share.
    """

    def __init__(self, folder: Path, dataset: PairedDataset, size: tuple[int, int],
                 log: Callable[[str], None] = lambda _line: None) -> None:
        """Open the store's files, or create empty ones.

        :param folder: of this store alone; takes 5 bytes a pixel.
        :param size: (height, width); pairs of another size are scaled to cover it and
            centre-cropped.
        :param log: is told when all files are read, which takes minutes for a hundred gigabytes.
        :raises UserError: if the folder holds other pairs, cannot be written, or the disk is full.
        """
        self.dataset, self.size = dataset, size
        count = len(dataset)
        index = folder / 'store.json'
        stamps = _stamps(dataset)
        known = json.loads(index.read_text()) if index.exists() else {}
        # hundreds of gigabytes are not read again at each start
        untouched = known.get('stamps') == stamps
        if not untouched:
            log(f'reading the files of {count} pairs, to know them again')
        content = known['files'] if untouched else dataset.content
        self.identity = {'pairs': count, 'size': format_size(size), 'files': content}
        if not known:
            _create(folder, self.identity | {'stamps': stamps}, count, size)
        elif not self.identity.items() <= known.items():
            raise UserError(f"'{folder}' holds other pairs, or of another size: delete it or give "
                            'another folder')
        elif not untouched:
            write_json(index, self.identity | {'stamps': stamps})
        self.rgb, self.radiance, self.state = (
            open_memmap(folder / f'{name}.npy', mode='r+')
            for name in ('rgb', 'radiance', 'state'))
        self.skipped: list[Skipped] = []
        self.usable = np.flatnonzero(self.state == STORED)

    def fill(self, progress: Callable[[int, int], None], threads: int | None = None) -> None:
        """Read the missing pairs; ``progress`` receives (done, count).

        May be interrupted at any time and called again. Pairs that cannot be decoded are listed in
        ``skipped`` and read again on the next call.

        :raises UserError: if no pair can be used.
        """
        count = len(self.dataset)
        todo = np.flatnonzero(self.state != STORED)
        done = count - len(todo)
        self.skipped = []
        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            for first in range(0, len(todo), CHUNK):
                chunk = [int(index) for index in todo[first:first + CHUNK]]
                states = list(pool.map(self._store, chunk))
                self.rgb.flush()
                self.radiance.flush()
                self.state[chunk] = states  # last, so that marked pairs are on disk
                self.state.flush()
                done += len(chunk)
                progress(done, count)
        self.usable = np.flatnonzero(self.state == STORED)
        self.skipped.sort(key=lambda item: item.path)
        if len(self.usable) == 0:
            raise UserError(f'none of {count} pairs can be decoded; the first: '
                            f'{self.skipped[0].path}: {self.skipped[0].reason}')

    def __len__(self) -> int:
        return len(self.usable)

    def pair(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return usable pair ``index``: uint8 (H, W, 3) and radiance float32 (H, W)."""
        place = self.usable[index]
        return self.rgb[place], self.radiance[place].astype(np.float32) / np.float32(65535)

    def batch(self, rng: np.random.Generator, count: int, crop: tuple[int, int] | None,
              augmentation: Augmentation | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Draw a batch of randomly mirrored and cropped pairs.

        :param crop: (height, width) of the crop, or None for whole frames.
        :param augmentation: its geometry replaces mirroring and cropping; None: no augmentation.
        :return: RGB uint8 (B, H, W, 3) and radiance float32 (B, H, W).
        """
        if len(self.usable) == 0:
            raise ValueError('the store is empty: fill it first')
        height, width = crop or self.size
        rgb = np.empty((count, height, width, 3), np.uint8)
        radiance = np.empty((count, height, width), np.float32)
        for k, index in enumerate(rng.integers(0, len(self.usable), count)):
            picture, frame = self.pair(int(index))
            if augmentation is not None:
                rgb[k], radiance[k] = augment(picture, frame, augmentation, rng, (height, width))
                continue
            top = int(rng.integers(0, self.size[0] - height + 1))
            left = int(rng.integers(0, self.size[1] - width + 1))
            flip = slice(None, None, -1 if rng.random() < .5 else 1)
            window = (slice(top, top + height), slice(left, left + width))
            rgb[k], radiance[k] = picture[window][:, flip], frame[window][:, flip]
        return rgb, radiance

    def _store(self, index: int) -> int:
        try:
            pair = self.dataset[index]
        except UserError as error:
            self.skipped.append(Skipped(self.dataset.files[index].rgb, str(error)))
            return UNUSABLE
        self.rgb[index] = cover(pair.rgb, self.size)
        frame = cover(pair.radiance, self.size)
        self.radiance[index] = np.rint(frame * np.float32(65535)).astype(np.uint16)
        return STORED


def cover(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image (H, W[, C]) scaled to cover a size, aspect kept, and centre-cropped."""
    height, width = picture.shape[:2]
    if (height, width) == size:
        return picture
    scale = max(size[0] / height, size[1] / width)
    scaled = (max(round(width * scale), size[1]), max(round(height * scale), size[0]))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(picture, scaled, interpolation=how))
    top, left = (scaled[1] - size[0]) // 2, (scaled[0] - size[1]) // 2
    return resized[top:top + size[0], left:left + size[1]]


def _stamps(dataset: PairedDataset) -> str:
    """Return a hash of the pairs' names, file sizes and times, and of the SWIR coding.

    It tells at once that nothing was touched. Files that were copied or rendered anew have other
    times: whether they are the same their content says.
    """
    digest = hashlib.blake2b(repr(dataset.coding).encode(), digest_size=16)
    for pair in dataset.files:
        stats = [path.stat() for path in (pair.rgb, pair.swir)]
        digest.update(repr((pair.name, [(s.st_size, s.st_mtime_ns) for s in stats])).encode())
    return digest.hexdigest()


def _create(folder: Path, about: dict[str, Any], count: int, size: tuple[int, int]) -> None:
    """Create the files with reserved space: a full disk would later kill the process (SIGBUS)."""
    for name, dtype, shape in (('rgb', np.uint8, (count, *size, 3)),
                               ('radiance', np.uint16, (count, *size)),
                               ('state', np.uint8, (count,))):
        with finished(folder / f'{name}.npy') as part:
            array = open_memmap(part, mode='w+', dtype=dtype, shape=shape)
            with part.open('r+b') as stream:
                os.posix_fallocate(stream.fileno(), 0, part.stat().st_size)
            del array
    write_json(folder / 'store.json', about)
