"""Small data sets on disk, in the layouts that are read."""

from pathlib import Path

import cv2
import numpy as np

SIZE = (32, 48)


def picture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth colour picture, which JPEG keeps nearly as it is."""
    small = np.random.default_rng(seed).uniform(20, 235, (3, 4, 3)).astype(np.float32)
    return cv2.resize(small, size[::-1]).astype(np.uint8)


def put(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return path


def rasmd(root: Path, scenes: int = 12, frames: int = 3, first: int = 0) -> Path:
    """RASMD as on disk: JPG, SWIR grey or in three channels."""
    for scene in range(first, first + scenes):
        weather = ('1_sunny', '2_rain')[scene % 2]
        base = root / weather / f'data_{scene}_town' / 'croped_data'
        for index in range(frames):
            rgb = picture(scene * 100 + index)
            swir = rgb[..., 1] if index % 2 else np.repeat(rgb[..., 1:2], 3, axis=2)
            put(base / 'rgb' / f'rgb_aligned_{index:06d}.jpg', rgb)
            put(base / 'swir' / f'swir_original_{index:06d}.jpg', swir)
    return root


def twins(root: Path, names: tuple[str, str] = ('rgb', 'swir'), count: int = 20,
          stem: str = '{:04d}') -> Path:
    """Two plain folders of equal stems."""
    for index in range(count):
        rgb = picture(index)
        put(root / names[0] / f'{stem.format(index)}.jpg', rgb)
        put(root / names[1] / f'{stem.format(index)}.png', rgb[..., 1])
    return root
