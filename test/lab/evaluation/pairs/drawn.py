"""Small synthetic frames whose figures are known by construction."""

import cv2
import numpy as np


def texture(seed: int = 0, size: tuple[int, int] = (192, 256)) -> np.ndarray:
    """Draw rectangles of random brightness, float32 (H, W) in (0, 1)."""
    rng = np.random.default_rng(seed)
    plane = np.full(size, .3, np.float32)
    for _ in range(150):
        x, y = int(rng.integers(size[1])), int(rng.integers(size[0]))
        cv2.rectangle(plane, (x, y), (x + 18, y + 12), float(rng.uniform(.05, .95)), -1)
    return plane


def everywhere(plane: np.ndarray) -> np.ndarray:
    """Return a mask of all pixels."""
    return np.ones(plane.shape, bool)
