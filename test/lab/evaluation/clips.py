"""Rendered sequences on disk, cheap: a texture that a camera pans over, in the scenes' format.

Written by the scenes' own writer, so that a change of the format is seen here.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.units import Unit, write_unit

SIZE = (48, 64)
STEP = (3, -2)  # pixels right and down that things move from frame to frame
BRIGHTER = 1.02  # light of a frame over that of the frame before: what no flow explains


@dataclass(frozen=True)
class Frame:
    rgb: np.ndarray
    swir: np.ndarray
    weather: str = 'clear'
    place: str = 'town'
    objects: tuple = ()
    flow: np.ndarray | None = None
    seen: np.ndarray | None = None


def texture(seed: int, size=(160, 200)) -> np.ndarray:
    """Return radiance, smooth enough for shifts by less than a pixel."""
    noise = np.random.default_rng([seed, 1]).random(size).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    low, high = smooth.min(), smooth.max()
    return .1 + .7 * (smooth - low) / (high - low)


def window(picture: np.ndarray, index: int, still: bool) -> np.ndarray:
    """Return what the camera sees of it in a frame: its content moves by `STEP`."""
    right, down = (0, 0) if still else (index * STEP[0], index * STEP[1])
    top, left = 60 - down, 60 - right
    return picture[top:top + SIZE[0], left:left + SIZE[1]]


def camera(radiance: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """Return the RGB frame of grey light: gamma 2.2 and noise, uint8."""
    luma = radiance ** (1 / 2.2) * 255 + noise.normal(0, 2, radiance.shape)
    return cv2.merge([luma.clip(0, 255).round().astype(np.uint8)] * 3)


def render_sequence(seed, size, count, *, rate_hz=15.0, still=False):
    picture = texture(seed)
    rows, columns = np.mgrid[:size[0], :size[1]]
    flow = np.zeros((*size, 2), np.float32) + (0 if still else np.array(STEP, np.float32))
    seen = ((columns + flow[..., 0] < size[1]) & (rows + flow[..., 1] >= 0)
            & (rows + flow[..., 1] < size[0]))
    for index in range(count):
        swir = window(picture, index, still) * (1 if still else BRIGHTER ** index)
        rgb = camera(swir, np.random.default_rng([seed, index, 2]))
        last = index == count - 1
        yield Frame(rgb, swir, flow=None if last else flow, seen=None if last else seen)


def write_sequences(folder: Path, count: int = 3, length: int = 4, *, still: bool = False) -> Path:
    """Write sequences and their index, as ``rgb2swir scenes`` does."""
    module = ModuleType('panned_texture')
    module.render_sequence = render_sequence
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        manifests = [write_unit(Unit(folder, seed, SIZE, length=length, still=still,
                                     renderer=module.__name__)) for seed in range(count)]
    (folder / 'sequences' / 'index.json').write_text(json.dumps(
        [{k: v for k, v in m.items() if k != 'files'} for m in manifests]))
    return folder
