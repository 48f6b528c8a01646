"""Bounding boxes of the visible objects, from the geometry buffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.geometry_buffer import GeometryBuffer
from rgb2swir_ros.lab.scenes.raycast import RayCaster


@dataclass(frozen=True)
class ObjectBox:
    """The bounding box of one object.

    :param category: one of `rgb2swir_ros.lab.scenes.scene.CATEGORIES`.
    :param box: x, y, width, height of the visible part, in pixels of the frame.
    :param area: visible pixels of the frame.
    :param visible: share of its camera-facing surface that is inside the frame and not occluded,
        in (0, 1].
    :param lost: its contrast with its surroundings is below `MIN_CONTRAST`, in fog or at night.
    """

    category: str
    box: tuple[float, float, float, float]
    area: float
    visible: float
    lost: bool = False


# Least difference between an object and its surroundings in square-root SWIR radiance, a few grey
# levels of 255. With less contrast the object cannot be found.
MIN_CONTRAST = .015


def find_boxes(caster: RayCaster, buffer: GeometryBuffer, supersample: int,
               swir: np.ndarray | None = None) -> tuple[ObjectBox, ...]:
    """Return the objects with at least one visible pixel.

    :param supersample: pixels of the buffer for each of the frame, along a side.
    :param swir: the frame (H, W), radiance in [0, 1], from which ``lost`` is decided.
    """
    _height, width = buffer.camera.size
    object_index = buffer.hits.object_index
    rows = np.flatnonzero(object_index >= 0)
    order = rows[np.argsort(object_index[rows], kind='stable')]
    numbers, starts = np.unique(object_index[order], return_index=True)
    found = []
    ends = np.append(starts, len(order))[1:]
    for number, first, last in zip(numbers, starts, ends, strict=True):
        members = order[first:last]
        category = caster.scene.objects[number].category
        if category is None:
            continue
        y, x = np.divmod(members, width)
        left, top = x.min() / supersample, y.min() / supersample
        box = (float(left), float(top), float((x.max() + 1) / supersample - left),
               float((y.max() + 1) / supersample - top))
        lost = swir is not None and not _stands_out(box, buffer, int(number), supersample, swir)
        found.append(ObjectBox(category, box, len(members) / supersample ** 2,
                               _visible_share(caster, buffer, int(number)), lost))
    return tuple(found)


def _stands_out(box: tuple[float, float, float, float], buffer: GeometryBuffer, number: int,
                supersample: int, swir: np.ndarray) -> bool:
    """Return whether mean or standard deviation differ from those of the surroundings."""
    height, width = swir.shape
    x, y, wide, tall = box
    margin = 2 + .25 * max(wide, tall)
    window = (slice(int(max(y - margin, 0)), int(min(y + tall + margin, height)) + 1),
              slice(int(max(x - margin, 0)), int(min(x + wide + margin, width)) + 1))
    shown = buffer.hits.object_index.reshape(buffer.camera.size)
    own = shown[::supersample, ::supersample][window] == number
    sqrt_radiance = np.sqrt(swir[window])
    if not own.any() or own.all():
        return True
    inside, outside = sqrt_radiance[own], sqrt_radiance[~own]
    return bool(abs(inside.mean() - outside.mean()) > MIN_CONTRAST
                or abs(inside.std() - outside.std()) > MIN_CONTRAST)


def _visible_share(caster: RayCaster, buffer: GeometryBuffer, number: int) -> float:
    """Return the visible share of an object's triangles, by projected area."""
    mesh = caster.scene.objects[number].mesh
    corners = caster.poses[number].to_world(mesh.vertices)[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middle = corners.mean(axis=1)
    away = middle - buffer.position
    area = np.abs((normal * away).sum(axis=1)) / np.maximum((away ** 2).sum(axis=1), 1e-6) ** 1.5
    pixel, ahead = buffer.camera.project(middle, buffer.position, buffer.axes)
    height, width = buffer.camera.size
    inside = (ahead > .1) & (pixel[:, 0] >= 0) & (pixel[:, 0] < width) & (pixel[:, 1] >= 0) \
        & (pixel[:, 1] < height)
    column = np.clip(pixel[:, 0], 0, width - 1).astype(int)
    row = np.clip(pixel[:, 1], 0, height - 1).astype(int)
    at = row * width + column
    in_front = buffer.hits.distance[at] < np.linalg.norm(away, axis=1) - .05
    hidden = in_front & (buffer.hits.object_index[at] != number)
    return float(np.clip((area * (inside & ~hidden)).sum() / max(area.sum(), 1e-12), 1e-3, 1))
