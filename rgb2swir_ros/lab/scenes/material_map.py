"""Material of each pixel of a rendered frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.geometry_buffer import GeometryBuffer
from rgb2swir_ros.lab.scenes.raycast import RayCaster

SKY = 'sky'
MIXED = -1


@dataclass(frozen=True)
class MaterialMap:
    """Materials by pixel.

    :param names: of the table's materials (or palettes) and `SKY`, each once.
    :param index: int16 (H, W) into ``names``, `MIXED` where a pixel covers several.
    """

    names: tuple[str, ...]
    index: np.ndarray

    def mask(self, name: str) -> np.ndarray:
        """Return True (H, W) where a pixel shows this material alone; all False if unknown."""
        if name not in self.names:
            return np.zeros(self.index.shape, bool)
        return np.asarray(self.index == self.names.index(name))


def material_map(caster: RayCaster, buffer: GeometryBuffer, supersample: int) -> MaterialMap:
    """Return the material map of a frame.

    The map knows the surfaces only, not the snow or water on them.

    :param supersample: pixels of the buffer for each of the frame, along a side.
    """
    named = [surface.part.material for surface in caster.surfaces]
    names = (*sorted(set(named)), SKY)
    of_surface = np.array([names.index(name) for name in named], np.int16)
    hits, (height, width) = buffer.hits, buffer.camera.size
    fine = np.where(hits.sky, len(names) - 1, of_surface[hits.surface]).astype(np.int16)
    cells = fine.reshape(height // supersample, supersample, width // supersample, supersample)
    rays = cells.swapaxes(1, 2).reshape(height // supersample, width // supersample, -1)
    pure = (rays == rays[..., :1]).all(axis=-1)
    return MaterialMap(names, np.where(pure, rays[..., 0], MIXED).astype(np.int16))
