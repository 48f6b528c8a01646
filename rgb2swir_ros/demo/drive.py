"""The demo's own drive as footage: rendered once, then read like any other source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from rgb2swir_ros.replay.frames import Frame
from rgb2swir_ros.scenes.drive import frames as render

RATE_HZ = 15.0
SIZE = (540, 960)
SPEED = 12.0  # metres a second
SEED = 6  # of the scene: a sunny street with trees, houses, cars and shadows


def render_drive(file: Path, seconds: float, on_frame: Callable[[int, int], None]) -> None:
    """Render the drive to a ``.npy`` file of uint8 RGB (frames, H, W, 3).

    :param seconds: how long it is, at RATE_HZ.
    :param on_frame: called with how many of how many frames are done.
    """
    count = max(round(seconds * RATE_HZ), 1)
    store = np.lib.format.open_memmap(file, 'w+', np.uint8, (count, *SIZE, 3))
    for index, rgb in enumerate(render(count, SEED, SIZE, speed=SPEED / RATE_HZ)):
        store[index] = rgb
        on_frame(index + 1, count)
    store.flush()


class DriveSource:
    """The rendered drive."""

    kind = 'drive'
    topic = ''

    def __init__(self, file: Path) -> None:
        """Open what ``render_drive`` wrote."""
        self.path = file
        self._store = np.load(file, mmap_mode='r')
        self.count: int | None = len(self._store)

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as RGB."""
        for index, rgb in enumerate(self._store):
            yield Frame(round(index * 1e9 / RATE_HZ), 'camera', '', np.asarray(rgb),
                        f'frame {index}')
