"""Ray casting with Embree: first hits and occlusion.

Nothing here is random, so rendered frames hold no Monte Carlo noise that a network could learn to
copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from rgb2swir_ros.lab.scenes.geometry.mesh import Part, rotation
from rgb2swir_ros.lab.scenes.scene import Pose, Scene, SceneObject
from rgb2swir_ros.lab.scenes.textures import in_gap
from rgb2swir_ros.lab.scenes.vectors import row_dot, row_length

SKY, GROUND = -2, -1
GAPS = 4         # a ray passes through so many gaps between leaves at most
STEP = .01       # metres from a gap to where the ray goes on
LEAST_GAP = 2.0  # pixels that a gap is wide at least; less would flicker in a drive


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
        self._poses: tuple[np.ndarray, np.ndarray, np.ndarray]
        for number, item in enumerate(scene.objects):
            self._first.append(len(self.surfaces))
            self.surfaces += [Surface(p, number, item.material_group) for p in item.mesh.parts]
        fills = [s.part.fill for s in self.surfaces]
        self._quantile = np.array([NormalDist().inv_cdf(f) if f < 1 else np.inf for f in fills],
                                  np.float32)
        self._texels = np.array([s.part.texels for s in self.surfaces], np.float32)
        vertices, faces = terrain.mesh(scene.camera.z - 30)
        still = [(vertices, faces, GROUND, np.zeros(len(faces), np.int32))]
        self.poses: list[Pose] = [t.pose(terrain, 0.0) for t in scene.objects]
        still += [self._piece(k) for k, t in enumerate(scene.objects) if not t.speed]
        self._still = _Layer(still)
        self._moving: _Layer | None = None
        self.at(0.0)

    def at(self, seconds: float) -> None:
        """Move the moving objects to their poses at a time, in seconds."""
        objects = self.scene.objects
        self.poses = [t.pose(self.scene.terrain, seconds) if t.speed else pose
                      for t, pose in zip(objects, self.poses, strict=True)]
        self._poses = (np.array([rotation(p.heading) for p in self.poses], np.float32),
                       np.array([p.position for p in self.poses], np.float32),
                       np.array([p.scale for p in self.poses], np.float32))
        moving = [self._piece(k) for k, t in enumerate(objects) if t.speed]
        self._moving = _Layer(moving) if moving else None

    def _piece(self, number: int) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
        item: SceneObject = self.scene.objects[number]
        points = self.poses[number].to_world(item.mesh.vertices)
        return points, item.mesh.faces, number, \
            item.mesh.part.astype(np.int32) + self._first[number]

    def hits(self, origin: np.ndarray, direction: np.ndarray,
             spread: float | np.ndarray) -> RayHits:
        """Return the first hits of rays.

        :param origin: (3,) or (N, 3); ``direction``: (N, 3) float32 unit vectors.
        :param spread: radians that a pixel spans; sets the level of detail of the ground.
        """
        origins = np.ascontiguousarray(np.broadcast_to(origin, direction.shape), np.float32)
        distance, object_index, surface, normal = self._nearest(origins, direction)
        self._pass_gaps(origins, direction, spread, distance, object_index, surface, normal)
        normal /= np.maximum(row_length(normal)[:, None], 1e-12)
        point = origins + direction * np.where(np.isinf(distance), 0, distance)[:, None]
        ground = np.flatnonzero(object_index == GROUND)
        if len(ground):
            x, z = point[ground, 0].astype(np.float64), point[ground, 2].astype(np.float64)
            slant = np.maximum(-direction[ground, 1], .02)
            footprint = distance[ground] * np.broadcast_to(spread, len(direction))[ground] \
                / np.sqrt(slant)
            surface[ground] = self.scene.terrain.classify(x, z, footprint)
            normal[ground] = self.scene.terrain.normals(x, z)
        away = row_dot(normal, direction) > 0
        away[ground] = False  # smoothed normals of the ground may face away behind a crest
        normal[away] *= -1
        return RayHits(distance, point, normal, object_index, surface)

    def _nearest(self, origins: np.ndarray, direction: np.ndarray
                 ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return distance, object index, surface and normal of the nearest triangles."""
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
        return distance, object_index, surface, normal

    def _pass_gaps(self, origins: np.ndarray, direction: np.ndarray, spread: float | np.ndarray,
                   distance: np.ndarray, object_index: np.ndarray, surface: np.ndarray,
                   normal: np.ndarray) -> None:
        """Let rays pass through the gaps between leaves; changes the last four in place."""
        spreads = np.broadcast_to(spread, len(direction))
        rows = np.arange(len(direction))
        for _ in range(GAPS):
            rows = rows[np.isfinite(self._quantile[surface[rows]])]
            point = origins[rows] + direction[rows] * distance[rows, None]
            gap = self._in_gap(point, normal[rows], object_index[rows], surface[rows],
                               distance[rows] * spreads[rows])
            rows = rows[gap]
            if len(rows) == 0:
                return
            further, object_index[rows], surface[rows], normal[rows] = self._nearest(
                np.ascontiguousarray(point[gap] + STEP * direction[rows]), direction[rows])
            distance[rows] += STEP + further

    def _in_gap(self, point: np.ndarray, normal: np.ndarray, object_index: np.ndarray,
                surface: np.ndarray, footprint: np.ndarray) -> np.ndarray:
        """Return which points (N, 3) on leaves lie between them.

        :param footprint: (N,) metres that a pixel covers there.
        """
        u, v = on_plane(*self.to_objects(point, normal, object_index))
        texels = self._texels[surface]
        return in_gap(self._quantile[surface], u * texels, v * texels,
                      LEAST_GAP * footprint * texels)

    def to_objects(self, point: np.ndarray, normal: np.ndarray, object_index: np.ndarray
                   ) -> tuple[np.ndarray, np.ndarray]:
        """Return points and normals (N, 3) in coordinates of their objects, which may move.

        Those of the ground and the sky stay as they are.
        """
        local, turned = point.astype(np.float32), normal.astype(np.float32)
        rows = np.flatnonzero(object_index >= 0)
        if len(rows):
            turns, places, scales = (values[object_index[rows]] for values in self._poses)
            moved = (local[rows] - places) / scales[:, None]
            local[rows] = np.einsum('ni,nij->nj', moved, turns)
            turned[rows] = np.einsum('ni,nij->nj', turned[rows], turns)
        return local, turned

    def lit(self, point: np.ndarray, normal: np.ndarray, direction: np.ndarray,
            footprint: np.ndarray | None = None) -> np.ndarray:
        """Return which points (N, 3) see the sky in a direction (3,) or (N, 3); bool (N,).

        :param footprint: (N,) metres that a pixel covers there: light comes through gaps of no
            less than that between leaves. Leaves have no gaps when not given.
        """
        size = np.abs(point)
        reach = 2e-3 + 2e-4 * np.maximum(np.maximum(size[:, 0], size[:, 1]), size[:, 2])
        origins = np.ascontiguousarray(point + normal * reach[:, None], np.float32)
        rays = np.ascontiguousarray(np.broadcast_to(direction, origins.shape), np.float32)
        free = self._still.embree_scene.run(origins, rays, query='OCCLUDED') < 0
        left = np.flatnonzero(free)
        if self._moving is not None and len(left):
            free[left] = self._moving.embree_scene.run(origins[left], rays[left],
                                                       query='OCCLUDED') < 0
        rows = np.flatnonzero(~free)
        if footprint is not None and len(rows) and np.isfinite(self._quantile).any():
            distance, *met = self._nearest(origins[rows], rays[rows])
            # the spread makes up the footprint again at each distance
            self._pass_gaps(origins[rows], rays[rows], footprint[rows] / np.maximum(distance, .01),
                            distance, *met)
            free[rows] = np.isinf(distance)
        return free


def on_plane(point: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates (N,), twice, of points (N, 3) on the planes that their normals face."""
    axis = np.abs(normal).argmax(axis=1)
    return (np.where(axis == 0, point[:, 2], point[:, 0]).astype(np.float32),
            np.where(axis == 1, point[:, 2], point[:, 1]).astype(np.float32))
