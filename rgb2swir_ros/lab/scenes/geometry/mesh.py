"""Triangles with named parts: the form in which every object enters a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Part:
    """What one part of an object is made of; the reflectance itself is drawn anew for each look.

    :param name: unique in its mesh, such as ``'body'``.
    :param material: an entry of the materials table, such as ``'car_paint'`` or ``'leaf'``.
    :param texture: a name of `rgb2swir_ros.lab.scenes.textures.library`, or ``''`` for none.
    :param texels: texels a metre of the texture.
    :param contrast: deviation of the logarithm of brightness that the texture brings.
    :param gloss: mirrored share of the light at normal incidence (Fresnel raises it at grazing
        angles), 0 for matt.
    :param leafy: thin tissue, lit from both sides, that lets light through.
    :param lamp: what it sends out when lamps are on: ``''``, ``'head'``, ``'tail'``, ``'street'``,
        ``'window'``, ``'signal'``.
    """

    name: str
    material: str
    texture: str = ''
    texels: float = 60.0
    contrast: float = .1
    gloss: float = 0.0
    leafy: bool = False
    lamp: str = ''


@dataclass(frozen=True)
class Mesh:
    """An object's triangles in its own frame: x right, y up, z ahead, in metres.

    The origin lies on the ground below its middle; it looks along +z.

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
        """Return the mesh scaled, turned about y (radians), moved.

        :param heading: 0 looks along +z, pi/2 along +x.
        """
        turned = (self.vertices * np.float32(scale)) @ rotation(heading).T
        return replace(self, vertices=(turned + np.asarray(position)).astype(np.float32))


def rotation(heading: float) -> np.ndarray:
    """Return the (3, 3) rotation about y that turns +z to (sin heading, 0, cos heading)."""
    c, s = np.cos(heading), np.sin(heading)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
