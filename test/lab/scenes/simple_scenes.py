"""Simple scenes and plain daylight for tests of the renderer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.mesh import Mesh, Part
from rgb2swir_ros.lab.scenes.light import Light, draw_light
from rgb2swir_ros.lab.scenes.scene import PinholeCamera, Scene, SceneObject
from rgb2swir_ros.lab.scenes.terrain import Terrain

BOX_FACES = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                      [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]], np.int32)


def plain(name: str, material: str) -> Part:
    """Return a part without texture."""
    return Part(name, material, contrast=0.0)


def flat_terrain(material: str = 'asphalt', **changes) -> Terrain:
    """Return level ground, all road."""
    part = plain('road', material)
    names = ('road', 'repair', 'kerb', 'walk', 'verge_left', 'verge_right', 'spots', 'field_0',
             'field_1', 'field_2', 'field_3', 'line', 'edge_line')
    terrain = Terrain(edges=(-900.0, 900.0), walk=0.0, kerb=0.0, bend=(0.0, 100.0, 0.0),
                      climb=(0.0, 100.0, 0.0), hills=0.0, hills_scale=100.0, bank=(0.0, 0.0),
                      flat=10.0, verge=1.0, spots=0.0, repairs=0.0,
                      parts={name: replace(part, name=name) for name in names})
    return replace(terrain, **changes)


def box_mesh(width: float, height: float, depth: float, part: Part) -> Mesh:
    """Return a box that stands on the ground."""
    points = np.array([[x, y, z] for x in (-.5, .5) for y in (0, 1) for z in (-.5, .5)])
    return Mesh((points * (width, height, depth)).astype(np.float32), BOX_FACES,
                np.zeros(12, np.uint8), (part,))


def box(x: float, z: float, *, size: tuple[float, float, float] = (2.0, 1.5, 4.0),
        material: str = 'concrete', category: str | None = 'car', **fields) -> SceneObject:
    """Return a box on the ground at (x, z)."""
    return SceneObject(box_mesh(*size, plain('body', material)), category, x, z, **fields)


def simple_scene(*objects: SceneObject, terrain: Terrain | None = None,
                 size: tuple[int, int] = (96, 128), **camera) -> Scene:
    """Return a scene with a camera 1.5 m above the ground that looks ahead."""
    values = {'focal': 1.0, 'height': 1.5, 'd': 0.0, 'z': 0.0, **camera}
    return Scene(terrain or flat_terrain(), objects, PinholeCamera(size, **values), 'test')


def noon(*, sky_colour: tuple[float, ...] = (.10, .14, .18, .012, .008), **changes) -> Light:
    """Return clear noon, the sun in the zenith, without haze and clouds.

    :param sky_colour: radiance of the even sky, which gives its irradiance, too.
    """
    light = draw_light(np.random.default_rng(0), 'clear')
    sky = np.array(sky_colour, np.float32)
    none = np.zeros(5, np.float32)
    dome = replace(light.dome, zenith=sky, horizon=sky, glow=none, disc=none, polarised=0.0,
                   clouds=replace(light.dome.clouds, kind='none', cover=0.0))
    fields = {'sun_direction': np.array([0, 1, 0], np.float32), 'sun': 1 - sky, 'sky': sky,
              'dome': dome, 'extinction': none, 'air': none, 'wetness': 0.0, 'snow': 0.0,
              'lamps': {}, 'own_beam': none, **changes}
    return replace(light, **fields)
