"""The true optical flow between two frames of a sequence, from their geometry buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rgb2swir_ros.lab.scenes.buffer import Buffer
from rgb2swir_ros.lab.scenes.world import Pose

FAR = 1e5      # metres: where the sky is, for the camera's turns
TOLERANCE = .02  # of the distance, when a point is looked for in the next frame


def optical_flow(now: Buffer, poses: Sequence[Pose], following: Buffer, moved: Sequence[Pose],
                 supersample: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each point of a frame is in the next one.

    :param now: the buffer; ``poses`` of all things at its time.
    :param following: the next buffer; ``moved``: the poses at its time.
    :param supersample: pixels of the buffers for each of the frame, along a side: every
        frame's pixel takes the flow of the buffer's pixel at its middle.
    :return: flow float32 (H, W, 2) in pixels of the frame, right and down, and bool (H, W):
        True where the point is inside the next frame and nothing hides it there.
    """
    height, width = now.lens.size
    rows = _middles((height, width), supersample)
    hits = now.hits
    distance = np.where(hits.sky, FAR, hits.distance)[rows].astype(np.float64)
    point = now.position + now.direction[rows] * distance[:, None]
    thing = hits.thing[rows]
    for number in np.unique(thing[thing >= 0]):
        if poses[number] is moved[number] or not _differs(poses[number], moved[number]):
            continue
        own = thing == number
        point[own] = moved[number].outward(poses[number].inward(point[own]))
    pixel, ahead = following.lens.project(point, following.position, following.axes)
    row, column = np.divmod(rows, width)
    start = np.stack([column + .5, row + .5], axis=1)
    inside = (ahead > .05) & (pixel >= 0).all(axis=1) & (pixel[:, 0] < width) \
        & (pixel[:, 1] < height)
    at = np.where(inside, pixel[:, 1], 0).astype(int) * width \
        + np.where(inside, pixel[:, 0], 0).astype(int)
    there = np.where(following.hits.sky, FAR, following.hits.distance)[at]
    way = np.linalg.norm(point - following.position, axis=1)
    same = (following.hits.thing[at] == thing) & (np.abs(there - way) < TOLERANCE * way + .1)
    small = (height // supersample, width // supersample)
    flow = ((pixel - start) / supersample).astype(np.float32)
    return flow.reshape(*small, 2), (inside & same).reshape(small)


def _differs(a: Pose, b: Pose) -> bool:
    return bool(a.heading != b.heading or (a.position != b.position).any())


def _middles(size: tuple[int, int], supersample: int) -> np.ndarray:
    """Return the buffer's rows (index) at the middle of each pixel of the frame."""
    y = np.arange(size[0] // supersample) * supersample + supersample // 2
    x = np.arange(size[1] // supersample) * supersample + supersample // 2
    return (y[:, None] * size[1] + x[None, :]).ravel()
