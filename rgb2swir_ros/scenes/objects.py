"""Painters of upright objects: each knows the silhouette and the parts of one kind."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from rgb2swir_ros.scenes.canvas import Canvas, flat_texture, polygon
from rgb2swir_ros.scenes.layout import Thing
from rgb2swir_ros.scenes.materials import Material

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def paint(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    """Paint one object.

    :param box: its outline in pixels; ``distance``: metres.
    """
    PAINTERS[thing.kind](canvas, thing, box, distance)


class _Part:
    """Paint parts of one object given in its own unit square: x to the right, y down."""

    def __init__(self, canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
        self.canvas, self.thing, self.box, self.distance = canvas, thing, box, distance

    def __call__(self, part: str | Material, points: list[tuple[float, float]], *,
                 lit: float = 1.0, texture: str = '', texels: float = 60.0,
                 strength: float = .12, relief_swir: float = 1.0) -> None:
        left, top, right, bottom = self.box
        wide, high = right - left, bottom - top
        shape = np.array([(left + x * wide, top + y * high) for x, y in points])
        window = self.canvas.window(*shape.min(axis=0), *shape.max(axis=0))
        if window is None:
            return
        relief: np.ndarray | float = 0.0
        if texture:
            metres = high / max(self.thing.height, 1e-3)  # pixels a metre
            relief = strength * flat_texture(window, texture, texels / max(metres, 1e-3),
                                             (left, top))
        material = part if isinstance(part, Material) else self.thing.materials[part]
        self.canvas.surface(polygon(window, shape), material, lit=self.thing.lit * lit,
                            view=.6, relief=relief, relief_swir=relief_swir,
                            distance=self.distance, window=window)


def _rectangle(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _ellipse(x: float, y: float, rx: float, ry: float) -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return [(x + rx * float(np.cos(a)), y + ry * float(np.sin(a))) for a in angles]


def _tree(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    rng = np.random.default_rng(thing.seed)
    part = _Part(canvas, thing, box, distance)
    part('trunk', _rectangle(.46, .5, .54, 1), texture='worn', lit=.6)
    left, top, right, bottom = box
    window = canvas.window(left, top, right, bottom)
    if window is None:
        return
    rows, columns = window
    y, x = np.mgrid[rows.start:rows.stop, columns.start:columns.stop].astype(np.float32)
    u, v = (x - left) / (right - left) * 2 - 1, (y - top) / (bottom - top)
    if thing.materials['crown'].name == 'conifer':
        inside = np.minimum(.95 * v - np.abs(u) * .85 + .05, (.95 - v) * 4)
    else:
        low = rng.uniform(.6, .98)
        inside = 1 - np.abs(u) ** 2.2 - np.abs(v / low * 2 - 1) ** 2.6
        if rng.random() < .7:  # a crown of several
            inside = np.maximum.reduce([
                1 - ((u - rng.uniform(-.6, .6)) / rng.uniform(.3, .6)) ** 2
                - ((v - rng.uniform(.15, .75)) / rng.uniform(.12, .3)) ** 2 for _ in range(7)])
    metres = (bottom - top) / max(thing.height, 1e-3)
    scale = max(rng.uniform(18, 45) / max(metres, 1e-3), .4)
    ragged = flat_texture(window, 'foliage', scale, (left, top))
    leaves = flat_texture(window, 'leaves', scale * 1.7, (left - 91, top - 37))
    alpha = np.clip((inside + rng.uniform(.15, .5) * ragged) * 5, 0, 1)
    # crowns are dark inside and below; leaves scatter SWIR on, so their shadows are soft there
    relief = .45 * ragged + .25 * leaves + .5 * (.4 - v)
    canvas.surface(alpha, thing.materials['crown'], lit=thing.lit * .8 + .15, view=.7,
                   relief=relief, relief_swir=.55, distance=distance, window=window)


def _house(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    rng = np.random.default_rng(thing.seed)
    part = _Part(canvas, thing, box, distance)
    eaves = rng.uniform(.12, .3) if rng.random() < .6 else 0.0
    texture = 'bricks' if thing.materials['wall'].name == 'brick' else 'worn'
    part('wall', _rectangle(0, eaves, 1, 1), texture=texture, texels=50)
    if eaves:
        inset = rng.uniform(0, .3)
        part('roof', [(inset, 0), (1 - inset, 0), (1.04, eaves), (-.04, eaves)],
             texture='bricks', texels=70, strength=.15)
    columns = max(int(thing.width / rng.uniform(2.2, 4)), 1)
    rows = max(int(thing.height * (1 - eaves) / 3.0), 1)
    for row in range(rows):
        for column in range(columns):
            x, y = (column + .3) / columns, eaves + (1 - eaves) * (row + .25) / rows
            part('glass', _rectangle(x, y, x + .4 / columns, y + .5 * (1 - eaves) / rows),
                 lit=float(rng.uniform(.3, 1.5)))


def _vehicle(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    rng = np.random.default_rng(thing.seed)
    part = _Part(canvas, thing, box, distance)
    part('tyre', _ellipse(.16, .88, .09, .13), lit=.5)
    part('tyre', _ellipse(.84, .88, .09, .13), lit=.5)
    if thing.kind == 'truck':
        part('body', _rectangle(0, 0, 1, .88), texture='smooth', strength=.05)
        if rng.random() < .5:
            part('glass', _rectangle(.1, .12, .9, .42))
    else:
        sill, roof = rng.uniform(.36, .46), rng.uniform(.12, .26)
        part('body', [(0, sill + .05), (.05, sill), (.95, sill), (1, sill + .05), (1, .88),
                      (0, .88)], texture='smooth', strength=.06)
        part('body', [(roof, 0), (1 - roof, 0), (.95, sill + .03), (.05, sill + .03)], lit=1.15)
        part('glass', [(roof + .03, .05), (.97 - roof, .05), (.90, sill), (.10, sill)],
             lit=float(rng.uniform(.4, 2.0)))
        part('tyre', _rectangle(.02, .78, .98, .90), lit=.6)
    lamp = Material('lamp', np.array([rng.uniform(.3, .7), .05, .05]), float(rng.uniform(.2, .5)))
    y = rng.uniform(.48, .6)
    part(lamp, _rectangle(.03, y, .17, y + .11))
    part(lamp, _rectangle(.83, y, .97, y + .11))
    part('plate', _rectangle(.38, .64, .62, .72))


def _person(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    rng = np.random.default_rng(thing.seed)
    part = _Part(canvas, thing, box, distance)
    stride = rng.uniform(.02, .25)
    part('trousers', [(.3, .48), (.5, .48), (.5 - stride, 1), (.3 - stride, 1)])
    part('trousers', [(.5, .48), (.7, .48), (.68 + stride, 1), (.5 + stride, 1)], lit=.85)
    part('top', [(.2, .18), (.8, .18), (.75, .52), (.25, .52)], texture='smooth')
    part('top', [(.08, .2), (.24, .18), (.2, .5), (.06, .5)], lit=.8)
    part('top', [(.76, .18), (.92, .2), (.94, .5), (.8, .5)], lit=.8)
    part('skin', _ellipse(.5, .09, .16, .08))
    part('hair', _ellipse(.5, .045, .17, .05))


def _barrier(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    _Part(canvas, thing, box, distance)('body', _rectangle(0, 0, 1, 1), texture='worn')


def _pole(canvas: Canvas, thing: Thing, box: Box, distance: float) -> None:
    part = _Part(canvas, thing, box, distance)
    part('body', _rectangle(0, 0, 1, 1))
    if thing.seed % 3:
        size = .7 / max(thing.height, 1)
        part('plate', _rectangle(-2.2, 0, 3.2, size))
        part('plate', _rectangle(-1.4, size * .3, 2.4, size * .5), lit=.3)


PAINTERS: dict[str, Callable[[Canvas, Thing, Box, float], None]] = {
    'tree': _tree, 'house': _house, 'car': _vehicle, 'truck': _vehicle, 'person': _person,
    'barrier': _barrier, 'pole': _pole,
}


def soft_shadow(canvas: Canvas, box: Box) -> None:
    """Darken the ground under an object; deeper in SWIR, where little light comes from the sky.

    :param box: the object's outline in pixels.
    """
    left, _, right, bottom = box
    wide = right - left
    window = canvas.window(left - .1 * wide, bottom - .08 * wide, right + .1 * wide,
                           bottom + .08 * wide)
    if window is None or wide < 2:
        return
    rows, columns = window
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    centre = (int((left + right) / 2 - columns.start), int(bottom - rows.start))
    cv2.ellipse(mask, centre, (max(int(.52 * wide), 1), max(int(.05 * wide), 1)), 0, 0, 360, 1, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(.02 * wide, .6))
    canvas.blend(mask * .85, .18 * canvas.rgb[window], .07 * canvas.swir[window], window)
