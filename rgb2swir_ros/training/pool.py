"""A pool of generated pairs on disk, made by several processes, resumable."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.scenes.pairs import make_pair


class PairPool:
    """Pairs of one size: ``rgb`` uint8 (N, H, W, 3) and ``radiance`` float16 (N, H, W)."""

    def __init__(self, folder: Path, count: int, size: tuple[int, int], first_seed: int,
                 supersample: int = 1) -> None:
        """Open the pool's files, or make them, still empty.

        :param first_seed: pair i has the seed ``first_seed + i``: pools with ranges that do not
            overlap share no scene.
        :param supersample: see `rgb2swir_ros.scenes.pairs.make_pair`.
        :raises UserError: if the folder holds a pool of another shape.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.count, self.size, self.first_seed = count, size, first_seed
        self.supersample = supersample
        self.rgb = _open(folder / 'rgb.npy', np.uint8, (count, *size, 3))
        self.radiance = _open(folder / 'radiance.npy', np.float16, (count, *size))
        self.done = _open(folder / f'done_{first_seed}_{supersample}.npy', np.bool_, (count,))

    def fill(self, progress: Callable[[int, int], None]) -> None:
        """Generate what is missing; ``progress`` gets (done, count) as it goes."""
        missing = np.flatnonzero(~self.done)
        if len(missing) == 0:
            return
        jobs = [(int(i), self.first_seed + int(i), self.size, self.supersample) for i in missing]
        finished = self.count - len(jobs)
        context = multiprocessing.get_context('spawn')
        with context.Pool() as workers:
            for index, rgb, radiance in workers.imap_unordered(_make, jobs, chunksize=4):
                self.rgb[index], self.radiance[index] = rgb, radiance
                self.done[index] = True
                finished += 1
                progress(finished, self.count)
        self.rgb.flush()
        self.radiance.flush()
        self.done.flush()

    def batch(self, rng: np.random.Generator, count: int,
              crop: tuple[int, int] | None) -> tuple[np.ndarray, np.ndarray]:
        """Draw a batch, each pair mirrored or not, cropped at one place or whole.

        :param crop: (height, width) of the crop, or None for whole frames.
        :return: RGB uint8 (B, H, W, 3) and radiance float32 (B, H, W).
        """
        height, width = crop or self.size
        rgb = np.empty((count, height, width, 3), np.uint8)
        radiance = np.empty((count, height, width), np.float32)
        for k, index in enumerate(rng.integers(0, self.count, count)):
            top = int(rng.integers(0, self.size[0] - height + 1))
            left = int(rng.integers(0, self.size[1] - width + 1))
            flip = slice(None, None, -1 if rng.random() < .5 else 1)
            window = (slice(top, top + height), slice(left, left + width))
            rgb[k] = self.rgb[index][window][:, flip]
            radiance[k] = self.radiance[index][window][:, flip]
        return rgb, radiance


Job = tuple[int, int, tuple[int, int], int]


def _make(job: Job) -> tuple[int, np.ndarray, np.ndarray]:
    index, seed, size, supersample = job
    rgb, radiance = make_pair(seed, size, supersample)
    return index, rgb, radiance.astype(np.float16)


def _open(path: Path, dtype: type, shape: tuple[int, ...]) -> np.memmap:
    if not path.exists():
        return open_memmap(path, mode='w+', dtype=dtype, shape=shape)
    array = open_memmap(path, mode='r+')
    if array.shape != shape or array.dtype != dtype:
        raise UserError(f'{path} holds {array.shape} {array.dtype}, not {shape}: it belongs to '
                        'another training; give another --work folder')
    return array
