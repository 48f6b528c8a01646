"""Batches of pairs at the sizes that a training needs, prefetched while the network computes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.lab.training.data.augment import Augmentation
from rgb2swir_ros.lab.training.data.pairs import PairedDataset
from rgb2swir_ros.lab.training.data.store import PairStore
from rgb2swir_ros.replay.overlap import ahead
from rgb2swir_ros.sizes import format_size

# (height, width) of the boxes that frames are scaled to fit; LARGE is the deployment resolution
SMALL, LARGE = (256, 320), (512, 640)
MULTIPLE = 32  # heights and widths are multiples of it, as every network here needs
PREFETCHED = 3  # batches, by each worker
CLEAN_SHARE = .2  # share of the batches without augmentation other than mirroring

Arrays = tuple[NDArray[np.uint8], NDArray[np.float32]]
Key = TypeVar('Key')
Item = TypeVar('Item')


class Pairs(Protocol):
    """Pairs of one size, such as `rgb2swir_ros.lab.training.data.store.PairStore`."""

    size: tuple[int, int]  # (height, width)
    identity: Any  # JSON-serialisable; equal for equal pairs

    def batch(self, rng: np.random.Generator, count: int, crop: tuple[int, int] | None,
              augmentation: Augmentation | None = None) -> Arrays:
        """Draw pairs: RGB uint8 (B, H, W, 3), radiance float32 (B, H, W).

        :param crop: (height, width) of crops; None for whole frames.
        """


@dataclass(frozen=True)
class Stores:
    """Pairs at two sizes: scaled to fit `SMALL`, and at their own size up to `LARGE`."""

    small: Pairs
    large: Pairs

    @property
    def identity(self) -> dict[str, Any]:
        """The identity of these pairs, for checkpoints."""
        return {'small': self.small.identity, 'large': self.large.identity}


class MixedStore:
    """Several stores of one size; each batch comes from one of them."""

    def __init__(self, stores: Sequence[PairStore]) -> None:
        """Draw from each store in proportion to its number of pairs."""
        self.stores, self.size = tuple(stores), stores[0].size
        self.identity = [store.identity for store in stores]
        counts = np.array([len(store) for store in stores], float)
        self.shares = counts / counts.sum()

    def batch(self, rng: np.random.Generator, count: int, crop: tuple[int, int] | None,
              augmentation: Augmentation | None = None) -> Arrays:
        """Draw pairs: see `Pairs.batch`."""
        store = self.stores[int(rng.choice(len(self.stores), p=self.shares))]
        return store.batch(rng, count, crop, augmentation)


def open_stores(datasets: Sequence[PairedDataset], work: Path,
                log: Callable[[str], None]) -> Stores:
    """Return the pairs of data sets as stores in ``work``, filled on the first call.

    All pairs of a data set are resized to the shape of its first pair. The large store holds only
    the data sets with the largest frames. If no frame is larger than `SMALL`, both stores are the
    same.

    :raises UserError: if no pair can be read, ``work`` holds other pairs, or the frames of the
        data sets differ in shape when scaled to fit `SMALL`.
    """
    frames = [dataset[0].radiance.shape for dataset in datasets]
    small = [fit_size(frame, SMALL) for frame in frames]
    if len(set(small)) > 1:
        raise UserError('data sets of one training need frames of one shape, these are '
                        + ', '.join(format_size(frame) for frame in frames))
    large = [fit_size(frame, LARGE) for frame in frames]
    most = max(large)

    def store(number: int, size: tuple[int, int]) -> PairStore:
        name = f'pairs_{format_size(size)}' + (f'_{number}' if number else '')
        return _filled(PairStore(work / name, datasets[number], size, log), log)

    everything = MixedStore([store(k, size) for k, size in enumerate(small)])
    if most == small[0]:
        return Stores(everything, everything)
    return Stores(everything, MixedStore([store(k, most) for k, size in enumerate(large)
                                     if size == most]))


def _filled(store: PairStore, log: Callable[[str], None]) -> PairStore:
    missing = len(store.dataset) - len(store)
    if missing:
        log(f'reading {missing} pairs at {format_size(store.size)}')
        store.fill(lambda done, count: log(f'{done}/{count} pairs')
                   if done % 2048 == 0 or done == count else None)
    for item in store.skipped:
        log(f'skipped {item.path}: {item.reason}')
    return store


def draw(stores: Stores, rng: np.random.Generator, count: int, kind: str) -> Arrays:
    """Draw a batch of one kind, augmented, its size a multiple of `MULTIPLE`.

    - ``whole``: whole frames of `SMALL` size, which show where objects are in a frame;
    - ``crop``: crops of that size at the frames' own scale, with textures and edges as cameras
      record them;
    - ``large``: frames at the deployment resolution.

    :param count: pairs of `SMALL` size; a batch of larger ones has fewer, so that the number of
        pixels is about the same.
    """
    store, crop = (stores.small if kind == 'whole' else stores.large), None
    if kind == 'crop':
        crop = (min(SMALL[0], store.size[0]), min(SMALL[1], store.size[1]))
    elif kind == 'large':
        share = SMALL[0] * SMALL[1] / (store.size[0] * store.size[1])
        count = max(round(count * min(share, 1)), 1)
    augmentation = None if rng.random() < CLEAN_SHARE else Augmentation()
    return padded(*store.batch(rng, count, crop, augmentation))


def padded(rgb: NDArray[np.uint8], radiance: NDArray[np.float32]) -> Arrays:
    """Repeat the last row and column until `MULTIPLE` divides the size, as at inference."""
    bottom, right = (-side % MULTIPLE for side in radiance.shape[1:])
    if not (bottom or right):
        return rgb, radiance
    edges = ((0, 0), (0, bottom), (0, right))
    return np.pad(rgb, (*edges, (0, 0)), 'edge'), np.pad(radiance, edges, 'edge')


def to_tensors(rgb: NDArray[np.uint8], radiance: NDArray[Any]) -> tuple[Tensor, Tensor]:
    """Return RGB (B, 3, H, W) in [0, 1] and square-root radiance (B, 1, H, W).

    Both are float32; RGB is in the channels-last memory format.
    """
    x = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    return x, torch.from_numpy(np.asarray(radiance, np.float32))[:, None].sqrt()


def prefetched(make: Callable[[Key], Item], keys: Iterable[Key],
               workers: int = 0) -> Generator[Item, None, None]:
    """Yield ``make(key)`` for each key, in order, computed while the caller works.

    :param keys: may be endless; close the iterator after use.
    :param workers: processes that compute, forked from this one; 0: a thread computes.
    """
    if workers == 0:
        yield from ahead(map(make, keys), PREFETCHED)
        return
    loader: DataLoader[Item] = DataLoader(
        _Made(make), batch_size=None, sampler=keys, num_workers=workers,
        prefetch_factor=PREFETCHED, multiprocessing_context='fork', worker_init_fn=_begin_worker)
    items = iter(loader)
    try:
        yield from items
    finally:
        items._shutdown_workers()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Made(Dataset[Any]):
    """What ``make`` returns for a key, as a data set."""

    make: Callable[[Any], Any]

    def __getitem__(self, key: Any) -> Any:
        return self.make(key)


def _begin_worker(_number: int) -> None:
    """Leave interruptions to the training, and processors to the other workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    cv2.setNumThreads(0)
