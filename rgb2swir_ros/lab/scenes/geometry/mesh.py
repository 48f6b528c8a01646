"""Triangle meshes with named parts, the representation of every object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Part:
    """Material and surface of one part; each rendering draws its reflectance.

    :param name: unique in its mesh, such as ``'body'``.
    :param material: an entry of the materials table, such as ``'car_paint'`` or ``'leaf'``.
    :param texture: a key of `rgb2swir_ros.lab.scenes.textures.texture_library`; ``''`` for none.
    :param texels: of the texture, per metre.
    :param contrast: standard deviation of log brightness by the texture.
    :param gloss: specular reflectance at normal incidence (Fresnel raises it at grazing angles);
        0 for matt.
    :param swir_gloss: its gloss in SWIR over that.
    :param leafy: a thin translucent tissue, lit from both sides.
    :param fill: share of its triangles that is there; the rest are gaps, as between leaves.
    :param lamp: kind of lamp that it is: ``''``, ``'head'``, ``'tail'``, ``'street'``,
        ``'window'``, ``'signal'``.
    """

    name: str
    material: str
    texture: str = ''
    texels: float = 60.0
    contrast: float = .1
    gloss: float = 0.0
    swir_gloss: float = 1.0
    leafy: bool = False
    fill: float = 1.0
    lamp: str = ''


@dataclass(frozen=True)
class Mesh:
    """An object's triangles in object coordinates: x right, y up, z ahead, in metres.

    The origin lies on the ground below its centre; the front faces +z.

    :param vertices: (V, 3) float32.
    :param faces: (F, 3) int32, any winding.
    :param part: (F,) uint8, indices into ``parts``.
    """

    vertices: np.ndarray
    faces: np.ndarray
    part: np.ndarray
    parts: tuple[Part, ...]

    def placed(self, position: Sequence[float] = (0, 0, 0), heading: float = 0.0,
               scale: float = 1.0) -> Mesh:
        """Return the mesh scaled, rotated about y, translated.

        :param heading: radians; 0 faces +z, pi/2 faces +x.
        """
        turned = (self.vertices * np.float32(scale)) @ rotation(heading).T
        return replace(self, vertices=(turned + np.asarray(position)).astype(np.float32))


def rotation(heading: float) -> np.ndarray:
    """Return the (3, 3) rotation about y that turns +z to (sin heading, 0, cos heading)."""
    c, s = np.cos(heading), np.sin(heading)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
