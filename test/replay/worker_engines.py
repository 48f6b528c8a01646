"""An engine without a network for worker processes, which import it by name."""

from __future__ import annotations

import os

import numpy as np


class Engine:
    """Radiance is the mean of the channels, over 255; a white frame kills the process."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        if rgb.min() == 255:
            os._exit(9)
        return (rgb.astype(np.float32).mean(-1) / 255).astype(np.float32)

    def describe(self) -> dict[str, object]:
        return {'backend': 'mean', 'height': self.size[0], 'width': self.size[1]}


def open_engine(model: str, size: tuple[int, int], **_: object) -> Engine:
    return Engine(size)
