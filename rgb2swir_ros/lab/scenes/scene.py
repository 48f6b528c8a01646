"""A scene: ground, objects and camera, without light and materials' reflectances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.mesh import Mesh, rotation
from rgb2swir_ros.lab.scenes.terrain import Terrain
from rgb2swir_ros.lab.scenes.vectors import row_length

# The classes of the data set; their COCO category ids count from 1 in this order.
CATEGORIES = ('car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle')


@dataclass(frozen=True)
class Pose:
    """Position and heading of an object: p_world = R(heading) p * scale + position."""

    position: np.ndarray
    heading: float
    scale: float = 1.0

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Return points (N, 3) of object coordinates in world coordinates."""
        return (points * self.scale) @ rotation(self.heading).T + self.position

    def to_local(self, points: np.ndarray) -> np.ndarray:
        """Return points (N, 3) of world coordinates in object coordinates."""
        return ((points - self.position) @ rotation(self.heading)) / self.scale


@dataclass(frozen=True)
class SceneObject:
    """An object on the ground, in road coordinates.

    :param category: one of `CATEGORIES`, or None.
    :param heading: radians from the road's direction; pi faces the camera.
    :param speed: metres a second along its heading.
    :param lift: metres above the ground.
    :param material_group: objects of one group have similar reflectances (a stand of trees); -1
        for none.
    """

    mesh: Mesh
    category: str | None
    d: float
    z: float
    heading: float = 0.0
    scale: float = 1.0
    speed: float = 0.0
    lift: float = 0.0
    material_group: int = -1

    def pose(self, terrain: Terrain, seconds: float) -> Pose:
        """Return its pose at a time."""
        distance = self.speed * seconds
        z = self.z + distance * np.cos(self.heading)
        d = self.d + distance * np.sin(self.heading)
        position = np.array([float(terrain.centre(z)) + d,
                             float(terrain.height(d, z)) + self.lift, z])
        return Pose(position, self.heading + float(terrain.tangent(z)), self.scale)


@dataclass(frozen=True)
class PinholeCamera:
    """A pinhole camera on a vehicle.

    :param size: (height, width) in pixels.
    :param focal: focal length over image width.
    :param height: metres above the ground; ``d``, ``z``: its road coordinates at time 0.
    :param pitch: radians, positive looks up; ``yaw``: to the right; ``roll``: clockwise.
    :param speed: metres a second along the road.
    """

    size: tuple[int, int]
    focal: float
    height: float
    d: float
    z: float
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    speed: float = 0.0

    def position_and_axes(self, terrain: Terrain, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Return its position (3,) and its axes (3, 3) at a time; rows point right, up, ahead."""
        z = self.z + self.speed * seconds
        position = np.array([float(terrain.centre(z)) + self.d,
                             float(terrain.height(self.d, z)) + self.height, z])
        heading = self.yaw + float(terrain.tangent(z))
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        pitched = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])  # rows right, up, ahead
        rolled = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return position, rolled @ pitched @ rotation(heading).T

    def rays(self, axes: np.ndarray) -> np.ndarray:
        """Return the unit direction (H*W, 3) float32 of every pixel's centre."""
        height, width = self.size
        pixels = self.focal * width
        x = (np.arange(width, dtype=np.float32) + .5 - width / 2) / pixels
        y = (height / 2 - np.arange(height, dtype=np.float32) - .5) / pixels
        local = np.stack(np.broadcast_arrays(x[None, :], y[:, None], np.float32(1)), axis=-1)
        scene = local.reshape(-1, 3) @ axes.astype(np.float32)
        return np.ascontiguousarray(scene / row_length(scene)[:, None],
                                    dtype=np.float32)

    def project(self, points: np.ndarray, position: np.ndarray,
                axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return pixel coordinates (N, 2), with (0, 0) the corner, and the depth (N,) ahead."""
        local = (points - position) @ axes.T
        ahead = local[:, 2]
        scale = self.focal * self.size[1] / np.where(np.abs(ahead) < 1e-6, 1e-6, ahead)
        return np.stack([self.size[1] / 2 + local[:, 0] * scale,
                         self.size[0] / 2 - local[:, 1] * scale], axis=1), ahead


@dataclass(frozen=True)
class Scene:
    """Geometry and objects of one scene; reflectances are drawn anew for each rendering.

    :param place: a key of `rgb2swir_ros.lab.scenes.places.PLACES`, or ``'clutter'``.
    """

    terrain: Terrain
    objects: tuple[SceneObject, ...]
    camera: PinholeCamera
    place: str
