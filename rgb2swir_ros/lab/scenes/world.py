"""All that a scene consists of before light falls on it: ground, things, and the camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.mesh import Mesh, rotation
from rgb2swir_ros.lab.scenes.terrain import Terrain

# The classes of the data set, as COCO numbers them here from 1 in this order.
CATEGORIES = ('car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle')


@dataclass(frozen=True)
class Pose:
    """Where something is and which way it looks: p_world = R(heading) p * scale + position."""

    position: np.ndarray
    heading: float
    scale: float = 1.0

    def outward(self, points: np.ndarray) -> np.ndarray:
        """Take points (N, 3) of its own frame to the world."""
        return (points * self.scale) @ rotation(self.heading).T + self.position

    def inward(self, points: np.ndarray) -> np.ndarray:
        """Take points (N, 3) of the world to its own frame."""
        return ((points - self.position) @ rotation(self.heading)) / self.scale


@dataclass(frozen=True)
class Thing:
    """An object on the ground, in road coordinates.

    :param category: one of `CATEGORIES`, or None.
    :param heading: radians from the road's direction, pi comes towards the camera.
    :param speed: metres a second along its heading, for things that follow the road or cross it.
    :param lift: metres above the ground.
    :param family: things of one family share their materials' character (a stand of trees).
    """

    mesh: Mesh
    category: str | None
    d: float
    z: float
    heading: float = 0.0
    scale: float = 1.0
    speed: float = 0.0
    lift: float = 0.0
    family: int = -1

    def pose(self, terrain: Terrain, seconds: float) -> Pose:
        """Return where it is at a time."""
        way = self.speed * seconds
        z, d = self.z + way * np.cos(self.heading), self.d + way * np.sin(self.heading)
        position = np.array([float(terrain.centre(z)) + d,
                             float(terrain.height(d, z)) + self.lift, z])
        return Pose(position, self.heading + float(terrain.tangent(z)), self.scale)


@dataclass(frozen=True)
class Lens:
    """A pinhole camera on a vehicle.

    :param size: (height, width) in pixels.
    :param focal: focal length over image width.
    :param height: metres above the ground; ``d``, ``z``: its place at time 0.
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

    def frame(self, terrain: Terrain, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """Return its position (3,) and its axes (3, 3) at a time: rows right, up, ahead."""
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
        world = local.reshape(-1, 3) @ axes.astype(np.float32)
        return np.ascontiguousarray(world / np.linalg.norm(world, axis=1, keepdims=True),
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
class World:
    """A scene: what the ground and the things are made of is drawn anew for each look."""

    terrain: Terrain
    things: tuple[Thing, ...]
    lens: Lens
    place: str
