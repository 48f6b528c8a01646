"""Ray casting with Embree: first hits and occlusion.

Nothing here is random, so rendered frames hold no Monte Carlo noise that a network could learn to
copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.scene import Pose, Scene, SceneObject

SKY, GROUND = -2, -1


@dataclass(frozen=True)
class Surface:
    """One part of one object; each rendering draws its reflectance.

    :param object_index: of the object, or `GROUND`.
    :param material_group: see `rgb2swir_ros.lab.scenes.scene.SceneObject`.
    """

    part: Part
    object_index: int
    material_group: int


@dataclass
class RayHits:
    """First hits, one row a ray.

    :ivar distance: (N,) metres, inf for the sky.
    :ivar point: (N, 3) in the world; undefined for the sky.
    :ivar normal: (N, 3) unit, towards the ray's origin.
    :ivar object_index: (N,) index of the object, `GROUND` or `SKY`.
    :ivar surface: (N,) index into `RayCaster.surfaces`; 0 for the sky, to be masked.
    """

    distance: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    object_index: np.ndarray
    surface: np.ndarray

    @property
    def sky(self) -> np.ndarray:
        """True (N,) where the ray hits nothing."""
        return self.object_index == SKY


class _Layer:
    """Triangles in one Embree scene, with the object and surface of each."""

    def __init__(self, pieces: Sequence[tuple[np.ndarray, np.ndarray, int, np.ndarray]]) -> None:
        """Build from (vertices, faces, object index, surface of each face)."""
        self.embree_scene = EmbreeScene()
        vertices, faces, base = [], [], 0
        for points, corners, _, _ in pieces:
            vertices.append(points)
            faces.append(corners + base)
            base += len(points)
        self.object_index = np.concatenate([np.full(len(f), t, np.int32) for _, f, t, _ in pieces])
        self.surface = np.concatenate([s for *_, s in pieces]).astype(np.int32)
        self._mesh = TriangleMesh(self.embree_scene, np.ascontiguousarray(np.concatenate(vertices),
                                                                          np.float32),
                                  np.ascontiguousarray(np.concatenate(faces), np.int32))


class RayCaster:
    """Casts rays into a scene at one time.

    Static objects are built once; `at` rebuilds the moving ones.
    """

    def __init__(self, scene: Scene) -> None:
        """Build the ground, the static objects, and the moving ones at time 0."""
        self.scene = scene
        self.surfaces: list[Surface] = []
        terrain = scene.terrain
        self.ground_surfaces = len(terrain.names)
        self.surfaces += [Surface(terrain.parts[name], GROUND, -1) for name in terrain.names]
        self._first = []
        for number, item in enumerate(scene.objects):
            self._first.append(len(self.surfaces))
            self.surfaces += [Surface(p, number, item.material_group) for p in item.mesh.parts]
        vertices, faces = terrain.mesh(scene.camera.z - 30)
        still = [(vertices, faces, GROUND, np.zeros(len(faces), np.int32))]
        still += [self._piece(k, 0.0) for k, t in enumerate(scene.objects) if not t.speed]
        self._still = _Layer(still)
        self._moving: _Layer | None = None
        self.poses: list[Pose] = []
        self.at(0.0)

    def at(self, seconds: float) -> None:
        """Move the moving objects to their poses at a time, in seconds."""
        objects = self.scene.objects
        self.poses = [t.pose(self.scene.terrain, seconds if t.speed else 0.0) for t in objects]
        moving = [self._piece(k, seconds) for k, t in enumerate(objects) if t.speed]
        self._moving = _Layer(moving) if moving else None

    def _piece(self, number: int,
               seconds: float) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
        item: SceneObject = self.scene.objects[number]
        points = item.pose(self.scene.terrain, seconds).to_world(item.mesh.vertices)
        return points, item.mesh.faces, number, \
            item.mesh.part.astype(np.int32) + self._first[number]

    def hits(self, origin: np.ndarray, direction: np.ndarray,
             spread: float | np.ndarray) -> RayHits:
        """Return the first hits of rays.

        :param origin: (3,) or (N, 3); ``direction``: (N, 3) float32 unit vectors.
        :param spread: radians that a pixel spans; sets the level of detail of the ground.
        """
        origins = np.ascontiguousarray(np.broadcast_to(origin, direction.shape), np.float32)
        distance = np.full(len(direction), np.inf, np.float32)
        object_index = np.full(len(direction), SKY, np.int32)
        surface = np.zeros(len(direction), np.int32)
        normal = np.zeros_like(direction)
        for layer in (self._still, self._moving):
            if layer is None:
                continue
            met = layer.embree_scene.run(origins, direction, output=True)
            nearer = (met['primID'] >= 0) & (met['tfar'] < distance)
            face = met['primID'][nearer]
            distance[nearer] = met['tfar'][nearer]
            object_index[nearer], surface[nearer] = layer.object_index[face], layer.surface[face]
            normal[nearer] = met['Ng'][nearer]
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        point = origins + direction * np.where(np.isinf(distance), 0, distance)[:, None]
        ground = np.flatnonzero(object_index == GROUND)
        if len(ground):
            x, z = point[ground, 0].astype(np.float64), point[ground, 2].astype(np.float64)
            slant = np.maximum(-direction[ground, 1], .02)
            footprint = distance[ground] * np.broadcast_to(spread, len(direction))[ground] \
                / np.sqrt(slant)
            surface[ground] = self.scene.terrain.classify(x, z, footprint)
            normal[ground] = self.scene.terrain.normals(x, z)
        away = (normal * direction).sum(axis=1) > 0
        away[ground] = False  # smoothed normals of the ground may face away behind a crest
        normal[away] *= -1
        return RayHits(distance, point, normal, object_index, surface)

    def lit(self, point: np.ndarray, normal: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return which points (N, 3) see the sky in a direction (3,) or (N, 3); bool (N,)."""
        reach = 2e-3 + 2e-4 * np.abs(point).max(axis=1, keepdims=True)
        origins = np.ascontiguousarray(point + normal * reach, np.float32)
        rays = np.ascontiguousarray(np.broadcast_to(direction, origins.shape), np.float32)
        free = np.ones(len(origins), bool)
        for layer in (self._still, self._moving):
            if layer is not None:
                free &= layer.embree_scene.run(origins, rays, query='OCCLUDED') < 0
        return free
