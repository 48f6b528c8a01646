"""Ground-truth optical flow between two frames, from their geometry buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rgb2swir_ros.lab.scenes.geometry_buffer import GeometryBuffer
from rgb2swir_ros.lab.scenes.scene import Pose
from rgb2swir_ros.lab.scenes.vectors import row_length

SKY_DISTANCE_M = 1e5  # large enough that only the camera's rotation moves the sky
TOLERANCE = .02       # of the distance, for finding a point again in the next frame


def optical_flow(now: GeometryBuffer, poses: Sequence[Pose], following: GeometryBuffer,
                 moved: Sequence[Pose], supersample: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the forward flow, and which points are visible in the next frame.

    :param now: the buffer; ``poses``: of all objects at its time.
    :param following: the next buffer; ``moved``: the poses at its time.
    :param supersample: pixels of the buffers for each of the frame, along a side; a pixel of the
        frame takes the flow of the buffer's pixel at its centre.
    :return: flow float32 (H, W, 2) in pixels of the frame, right and down, and bool (H, W):
        True where the point is inside the next frame and not occluded there.
    """
    height, width = now.camera.size
    rows = _centres((height, width), supersample)
    hits = now.hits
    distance = np.where(hits.sky, SKY_DISTANCE_M, hits.distance)[rows].astype(np.float64)
    point = now.position + now.direction[rows] * distance[:, None]
    object_index = hits.object_index[rows]
    for number in np.unique(object_index[object_index >= 0]):
        if poses[number] is moved[number] or not _differs(poses[number], moved[number]):
            continue
        own = object_index == number
        point[own] = moved[number].to_world(poses[number].to_local(point[own]))
    pixel, ahead = following.camera.project(point, following.position, following.axes)
    row, column = np.divmod(rows, width)
    start = np.stack([column + .5, row + .5], axis=1)
    inside = (ahead > .05) & (pixel >= 0).all(axis=1) & (pixel[:, 0] < width) \
        & (pixel[:, 1] < height)
    at = np.where(inside, pixel[:, 1], 0).astype(int) * width \
        + np.where(inside, pixel[:, 0], 0).astype(int)
    there = np.where(following.hits.sky, SKY_DISTANCE_M, following.hits.distance)[at]
    distance = row_length(point - following.position)
    same = (following.hits.object_index[at] == object_index) \
        & (np.abs(there - distance) < TOLERANCE * distance + .1)
    small = (height // supersample, width // supersample)
    flow = ((pixel - start) / supersample).astype(np.float32)
    return flow.reshape(*small, 2), (inside & same).reshape(small)


def _differs(a: Pose, b: Pose) -> bool:
    return bool(a.heading != b.heading or (a.position != b.position).any())


def _centres(size: tuple[int, int], supersample: int) -> np.ndarray:
    """Return the index of the buffer's row at the centre of each pixel of the frame."""
    y = np.arange(size[0] // supersample) * supersample + supersample // 2
    x = np.arange(size[1] // supersample) * supersample + supersample // 2
    return (y[:, None] * size[1] + x[None, :]).ravel()
