"""Rays into a scene: a buffer of what each pixel sees, from which many looks are shaded.

Embree casts; nothing here is drawn at random, so that the buffer holds no sampling noise that a
network could learn to copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.world import Pose, Thing, World

SKY, GROUND = -2, -1


@dataclass(frozen=True)
class Surface:
    """One thing's part: what gets a reflectance of its own in each look."""

    part: Part
    thing: int
    family: int


@dataclass
class Hits:
    """What rays met, one row a ray.

    :ivar distance: (N,) metres, inf for the sky.
    :ivar point: (N, 3) world; of the sky it is meaningless.
    :ivar normal: (N, 3) unit, towards the ray's origin.
    :ivar thing: (N,) index of the thing, `GROUND` or `SKY`.
    :ivar surface: (N,) index into the caster's surfaces; 0 for the sky, to be masked.
    """

    distance: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    thing: np.ndarray
    surface: np.ndarray

    @property
    def sky(self) -> np.ndarray:
        """True (N,) where nothing was met."""
        return self.thing == SKY


class _Layer:
    """Triangles in one Embree scene, with what each belongs to."""

    def __init__(self, pieces: Sequence[tuple[np.ndarray, np.ndarray, int, np.ndarray]]) -> None:
        """Build from (vertices, faces, thing, surface of each face)."""
        self.scene = EmbreeScene()
        vertices, faces, base = [], [], 0
        for points, corners, _, _ in pieces:
            vertices.append(points)
            faces.append(corners + base)
            base += len(points)
        self.thing = np.concatenate([np.full(len(f), t, np.int32) for _, f, t, _ in pieces])
        self.surface = np.concatenate([s for *_, s in pieces]).astype(np.int32)
        self._mesh = TriangleMesh(self.scene, np.ascontiguousarray(np.concatenate(vertices),
                                                                   np.float32),
                                  np.ascontiguousarray(np.concatenate(faces), np.int32))


class Caster:
    """A scene at one time.

    What stands still is built once; `at` adds what moves.
    """

    def __init__(self, world: World) -> None:
        """Build the ground and everything that stands still."""
        self.world = world
        self.surfaces: list[Surface] = []
        terrain = world.terrain
        self.ground_surfaces = len(terrain.names)
        self.surfaces += [Surface(terrain.parts[name], GROUND, -1) for name in terrain.names]
        self._first = []
        for number, thing in enumerate(world.things):
            self._first.append(len(self.surfaces))
            self.surfaces += [Surface(p, number, thing.family) for p in thing.mesh.parts]
        vertices, faces = terrain.mesh(world.lens.z - 30)
        still = [(vertices, faces, GROUND, np.zeros(len(faces), np.int32))]
        still += [self._piece(k, 0.0) for k, t in enumerate(world.things) if not t.speed]
        self._still = _Layer(still)
        self._moving: _Layer | None = None
        self.poses: list[Pose] = []
        self.at(0.0)

    def at(self, seconds: float) -> None:
        """Move what moves to where it is at a time."""
        things = self.world.things
        self.poses = [t.pose(self.world.terrain, seconds if t.speed else 0.0) for t in things]
        moving = [self._piece(k, seconds) for k, t in enumerate(things) if t.speed]
        self._moving = _Layer(moving) if moving else None

    def _piece(self, number: int,
               seconds: float) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
        thing: Thing = self.world.things[number]
        points = thing.pose(self.world.terrain, seconds).outward(thing.mesh.vertices)
        return points, thing.mesh.faces, number, \
            thing.mesh.part.astype(np.int32) + self._first[number]

    def hits(self, origin: np.ndarray, direction: np.ndarray,
             spread: float | np.ndarray) -> Hits:
        """Cast rays.

        :param origin: (3,) or (N, 3); ``direction``: (N, 3) float32 unit vectors.
        :param spread: radians that a pixel spans, for the detail of the ground.
        """
        origins = np.ascontiguousarray(np.broadcast_to(origin, direction.shape), np.float32)
        distance = np.full(len(direction), np.inf, np.float32)
        thing = np.full(len(direction), SKY, np.int32)
        surface = np.zeros(len(direction), np.int32)
        normal = np.zeros_like(direction)
        for layer in (self._still, self._moving):
            if layer is None:
                continue
            met = layer.scene.run(origins, direction, output=True)
            nearer = (met['primID'] >= 0) & (met['tfar'] < distance)
            face = met['primID'][nearer]
            distance[nearer] = met['tfar'][nearer]
            thing[nearer], surface[nearer] = layer.thing[face], layer.surface[face]
            normal[nearer] = met['Ng'][nearer]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        point = origins + direction * np.where(np.isinf(distance), 0, distance)[:, None]
        ground = np.flatnonzero(thing == GROUND)
        if len(ground):
            x, z = point[ground, 0].astype(np.float64), point[ground, 2].astype(np.float64)
            slant = np.maximum(-direction[ground, 1], .02)
            footprint = distance[ground] * np.broadcast_to(spread, len(direction))[ground] \
                / np.sqrt(slant)
            surface[ground] = self.world.terrain.classify(x, z, footprint)
            normal[ground] = self.world.terrain.normals(x, z)
        away = (normal * direction).sum(axis=1) > 0
        away[ground] = False  # a smooth slope's normal may lean away behind its crest
        normal[away] *= -1
        return Hits(distance, point, normal, thing, surface)

    def lit(self, point: np.ndarray, normal: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return which points (N, 3) see the sky in a direction (3,) or (N, 3); bool (N,)."""
        reach = 2e-3 + 2e-4 * np.abs(point).max(axis=1, keepdims=True)
        origins = np.ascontiguousarray(point + normal * reach, np.float32)
        rays = np.ascontiguousarray(np.broadcast_to(direction, origins.shape), np.float32)
        free = np.ones(len(origins), bool)
        for layer in (self._still, self._moving):
            if layer is not None:
                free &= layer.scene.run(origins, rays, query='OCCLUDED') < 0
        return free
