"""The geometry buffer (G-buffer): what all renderings of one view have in common."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.lab.scenes.raycast import GROUND, RayCaster, RayHits, on_plane
from rgb2swir_ros.lab.scenes.scene import PinholeCamera
from rgb2swir_ros.lab.scenes.textures import mip_pyramid, sample_textures
from rgb2swir_ros.lab.scenes.vectors import row_dot

GRASS_STRETCH = .4   # of the texture of grass on the ground, along v: blades stand upright
COARSE_TEXELS = 3.0  # a metre: dirt, moisture and wear vary over metres


def _sky_directions() -> tuple[np.ndarray, np.ndarray]:
    """Return ten directions (10, 3) that sample the sky, and the weight (10,) of each.

    They are the same for every pixel: random ones would leave noise. A level surface under a
    uniform sky of radiance 1 gets irradiance 1.
    """
    rings = ((np.radians(20), 5, np.sin(np.radians(40))),
             (np.radians(55), 4, np.sin(np.radians(75)) - np.sin(np.radians(40))),
             (np.radians(90), 1, 1 - np.sin(np.radians(75))))
    directions, shares = [], []
    for elevation, count, room in rings:
        for k in range(count):
            azimuth = 2 * np.pi * (k + .3 * count) / count
            directions.append([np.cos(elevation) * np.sin(azimuth), np.sin(elevation),
                               np.cos(elevation) * np.cos(azimuth)])
            shares.append(room / count)
    unit, weight = np.array(directions, np.float32), np.array(shares, np.float32)
    return unit, weight / (weight * unit[:, 1]).sum()


SKY_DIRECTIONS, SKY_SHARES = _sky_directions()


@dataclass
class GeometryBuffer:
    """What each pixel sees, row by row; N = height * width.

    :ivar direction: (N, 3) unit, from the camera.
    :ivar hits: the first hits of the camera's rays.
    :ivar fine: (N,) value of the part's texture; standard deviation about 1 at short distance.
    :ivar coarse: (N,) texture value that varies over metres; ``cell`` (N,) a number in [0, 1),
        constant over the size of a window, that decides which windows are lit.
    :ivar open_sky: (N, 10) float32, 1 where a direction of `SKY_DIRECTIONS` is not occluded.
    """

    camera: PinholeCamera
    position: np.ndarray
    axes: np.ndarray
    direction: np.ndarray
    hits: RayHits
    fine: np.ndarray
    coarse: np.ndarray
    cell: np.ndarray
    open_sky: np.ndarray


def make_geometry_buffer(caster: RayCaster, camera: PinholeCamera,
                         seconds: float = 0.0) -> GeometryBuffer:
    """Cast one frame.

    :param seconds: time of the camera; the caster must be at the same time (`RayCaster.at`).
    """
    position, axes = camera.position_and_axes(caster.scene.terrain, seconds)
    direction = camera.rays(axes)
    spread = 1 / (camera.focal * camera.size[1])
    hits = caster.hits(position, direction, spread)
    fine, coarse, cell = _reliefs(caster, hits, direction, spread)
    return GeometryBuffer(camera, position, axes, direction, hits, fine, coarse, cell,
                          _open_sky(caster, hits, camera.size, spread))


def _reliefs(caster: RayCaster, hits: RayHits, direction: np.ndarray,
             spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    names = mip_pyramid()[0]
    parts = [s.part for s in caster.surfaces]
    index = np.array([names.index(p.texture) if p.texture else -1 for p in parts])[hits.surface]
    texels = np.array([p.texels for p in parts], np.float32)[hits.surface]
    local, normal = caster.to_objects(hits.point, hits.normal, hits.object_index)
    u, v = on_plane(local, normal)
    cosine = np.maximum(np.abs(row_dot(hits.normal, direction)), .05)
    footprint = np.where(hits.sky, 0, hits.distance) * spread / np.sqrt(cosine)
    upright = np.array([p.texture == 'foliage' for p in parts])[hits.surface] \
        & is_ground(hits)
    v = np.where(upright, GRASS_STRETCH * v, v).astype(np.float32)
    index = np.where(hits.sky, -1, index)
    grain = np.where(hits.sky, -1, names.index('speckle'))
    fine = sample_textures(index, u * texels, v * texels, footprint * texels)
    fine += .5 * sample_textures(grain, u * texels * 4, v * texels * 4, footprint * texels * 4)
    worn = np.where(hits.sky, -1, names.index('worn'))
    coarse = sample_textures(worn, u * COARSE_TEXELS + 91, v * COARSE_TEXELS,
                             footprint * COARSE_TEXELS)
    cells = np.floor(local / np.array([1.9, 2.9, 1.9])) @ np.array([.7548, .5698, .3247])
    return fine, coarse, ((cells + hits.object_index * .6180) % 1).astype(np.float32)


def _open_sky(caster: RayCaster, hits: RayHits, size: tuple[int, int],
              spread: float) -> np.ndarray:
    """Return which directions of the sky each pixel sees, cast at every second row and column.

    Each pixel takes the values of the most similar of the four nearest cast pixels (joint
    nearest-neighbour upsampling), which keeps edges in place.
    """
    height, width = size
    footprint = np.where(hits.sky, 0, hits.distance) * spread
    grid = np.zeros(size, bool)
    grid[::2, ::2] = True
    chosen = np.flatnonzero(grid.ravel() & ~hits.sky)
    small = np.ones((-(-height // 2) * -(-width // 2), len(SKY_DIRECTIONS)), np.float32)
    to_small = np.full(height * width, -1)
    to_small[grid.ravel()] = np.arange(grid.sum())
    leafy = np.array([s.part.leafy for s in caster.surfaces])[hits.surface[chosen]]
    for k, toward in enumerate(SKY_DIRECTIONS):
        cosine = hits.normal[chosen] @ toward
        seen = (cosine > 0) | leafy  # leaves are lit on their far side, too
        rows = chosen[seen]
        side = np.where(cosine[seen, None] < 0, -1, 1) * hits.normal[rows]
        small[to_small[rows], k] = caster.lit(hits.point[rows], side, toward,
                                                  footprint[rows])
    rows_small, columns_small = -(-height // 2), -(-width // 2)
    y, x = np.divmod(np.arange(height * width), width)
    best = np.zeros(height * width, np.int64)
    least = np.full(height * width, np.inf, np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            row = np.minimum((y + dy) // 2, rows_small - 1)
            column = np.minimum((x + dx) // 2, columns_small - 1)
            source = np.minimum(row * 2, height - 1) * width + np.minimum(column * 2, width - 1)
            turned = hits.normal - hits.normal[source]
            away = np.abs(np.nan_to_num(hits.point - hits.point[source]))
            cost = row_dot(turned, turned) \
                + 2.0 * (hits.object_index != hits.object_index[source]) \
                + (away[:, 0] + away[:, 1] + away[:, 2]) * .2
            better = cost < least
            best[better] = (row * columns_small + column)[better]
            least[better] = cost[better]
    result = small[best].reshape(height, width, -1)
    # blur within objects softens the edges of these ten hard shadows
    soft = cv2.blur(result, (5, 5))
    same = (cv2.blur(hits.object_index.reshape(size).astype(np.float32), (5, 5))
            == hits.object_index.reshape(size))[..., None]
    return np.where(same, soft, result).reshape(height * width, -1)


def is_ground(hits: RayHits) -> np.ndarray:
    """Return True (N,) where the ground is hit."""
    return hits.object_index == GROUND
