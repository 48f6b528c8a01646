"""Boxes around the objects that a frame shows, from its geometry buffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.lab.scenes.buffer import Buffer
from rgb2swir_ros.lab.scenes.cast import Caster


@dataclass(frozen=True)
class ObjectBox:
    """One object of the frame.

    :param category: one of `rgb2swir_ros.lab.scenes.world.CATEGORIES`.
    :param box: x, y, width, height in pixels of the frame, of what is visible.
    :param area: visible pixels of the frame.
    :param visible: share of its side that faces the camera which is inside the frame and not
        hidden behind other things, in (0, 1].
    :param lost: it does not stand out from what is around it: fog or night hides it.
    """

    category: str
    box: tuple[float, float, float, float]
    area: float
    visible: float
    lost: bool = False


# An object that differs from what is around it by less than this in SWIR tone (a few grey levels
# of 255) is lost in fog or night: nobody could find it.
LEAST_CONTRAST = .015


def find_boxes(caster: Caster, buffer: Buffer, supersample: int,
               swir: np.ndarray | None = None) -> tuple[ObjectBox, ...]:
    """Return the objects with at least one visible pixel.

    :param supersample: pixels of the buffer for each of the frame, along a side.
    :param swir: the frame (H, W), radiance in [0, 1], by which to tell which are lost in it.
    """
    _height, width = buffer.lens.size
    thing = buffer.hits.thing
    rows = np.flatnonzero(thing >= 0)
    order = rows[np.argsort(thing[rows], kind='stable')]
    numbers, starts = np.unique(thing[order], return_index=True)
    found = []
    ends = np.append(starts, len(order))[1:]
    for number, first, last in zip(numbers, starts, ends, strict=True):
        members = order[first:last]
        category = caster.world.things[number].category
        if category is None:
            continue
        y, x = np.divmod(members, width)
        left, top = x.min() / supersample, y.min() / supersample
        box = (float(left), float(top), float((x.max() + 1) / supersample - left),
               float((y.max() + 1) / supersample - top))
        lost = swir is not None and not _stands_out(box, buffer, int(number), supersample, swir)
        found.append(ObjectBox(category, box, len(members) / supersample ** 2,
                               _visible(caster, buffer, int(number)), lost))
    return tuple(found)


def _stands_out(box: tuple[float, float, float, float], buffer: Buffer, number: int,
                supersample: int, swir: np.ndarray) -> bool:
    """Say whether an object's tones, or the spread of them, differ from what is around it."""
    height, width = swir.shape
    x, y, wide, tall = box
    margin = 2 + .25 * max(wide, tall)
    window = (slice(int(max(y - margin, 0)), int(min(y + tall + margin, height)) + 1),
              slice(int(max(x - margin, 0)), int(min(x + wide + margin, width)) + 1))
    own = (buffer.hits.thing.reshape(buffer.lens.size)[::supersample, ::supersample][window]
           == number)
    tone = np.sqrt(swir[window])
    if not own.any() or own.all():
        return True
    inside, outside = tone[own], tone[~own]
    return bool(abs(inside.mean() - outside.mean()) > LEAST_CONTRAST
                or abs(inside.std() - outside.std()) > LEAST_CONTRAST)


def _visible(caster: Caster, buffer: Buffer, number: int) -> float:
    """Return which share of an object's facing triangles, by projected area, can be seen."""
    mesh = caster.world.things[number].mesh
    corners = caster.poses[number].outward(mesh.vertices)[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    middle = corners.mean(axis=1)
    away = middle - buffer.position
    area = np.abs((normal * away).sum(axis=1)) / np.maximum((away ** 2).sum(axis=1), 1e-6) ** 1.5
    pixel, ahead = buffer.lens.project(middle, buffer.position, buffer.axes)
    height, width = buffer.lens.size
    inside = (ahead > .1) & (pixel[:, 0] >= 0) & (pixel[:, 0] < width) & (pixel[:, 1] >= 0) \
        & (pixel[:, 1] < height)
    column = np.clip(pixel[:, 0], 0, width - 1).astype(int)
    row = np.clip(pixel[:, 1], 0, height - 1).astype(int)
    at = row * width + column
    in_front = buffer.hits.distance[at] < np.linalg.norm(away, axis=1) - .05
    hidden = in_front & (buffer.hits.thing[at] != number)
    return float(np.clip((area * (inside & ~hidden)).sum() / max(area.sum(), 1e-12), 1e-3, 1))
