"""Lamp posts, poles with cross arms, and power pylons."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .shapes import above, box, cylinder, ellipsoid, lathe, moved, rods, rounded_box, tube


def lamp_post(rng: np.random.Generator) -> Mesh:
    """Return a street lamp of 3.2 to 12 m; its arm reaches along +z."""
    builder = Builder()
    post = Part('post', str(rng.choice(['galvanized', 'metal_paint', 'concrete'],
                                       p=[.6, .33, .07])), 'worn', 100, .12)
    lamp = Part('lamp', 'lamp_glass', gloss=.06, lamp='street')
    head = Part('head', 'metal_paint' if rng.random() < .5 else 'aluminium', gloss=.03)
    style = str(rng.choice(['arm', 'double', 'ball', 'lantern', 'straight'],
                           p=[.45, .12, .12, .13, .18]))
    height = rng.uniform(3.2, 4.6) if style in ('ball', 'lantern') else rng.uniform(5.5, 12)
    builder.add(post, cylinder(.02 + .012 * height, 1.1, 10, .02 + .011 * height),
                cylinder(.012 + .008 * height, height, 10, .045))
    if style == 'ball':
        r = rng.uniform(.17, .26)
        builder.add(lamp, ellipsoid((0, height + r, 0), (r, r, r), 7, 10))
        return builder.mesh()
    if style == 'lantern':
        builder.add(lamp, moved(lathe([(0, .1), (.42, .2)], 6), (0, height, 0)))
        builder.add(head, moved(cylinder(.26, .22, 6, .04), (0, height + .42, 0)),
                    moved(cylinder(.12, .05, 6), (0, height - .03, 0)))
        return builder.mesh()
    reach = 0.0 if style == 'straight' else rng.uniform(.6, 2.5)
    rise = rng.uniform(.05, .5) if reach else 0.0
    for side in ((1, -1) if style == 'double' else (1,)):
        if reach:
            path = np.array([[0, height - .3, 0], [0, height + .6 * rise, .3 * side * reach],
                             [0, height + rise, side * reach]])
            builder.add(post, tube(path, [.05, .045, .035], 6))
        z = sorted((side * (reach - .1), side * (reach + .65)))
        y = height + rise
        builder.add(head, rounded_box((-.15, y - .02, z[0]), (.15, y + .1, z[1]), .05))
        builder.add(lamp, box((-.12, y - .05, z[0] + .2), (.12, y - .02, z[1] - .05)))
    return builder.mesh()


def pole(rng: np.random.Generator) -> Mesh:
    """Return a pole of wood, concrete or metal, some with cross arms along x."""
    builder = Builder()
    height = rng.uniform(2.5, 11)
    wooden = rng.random() < .5
    part = (Part('pole', 'wood', 'streaks', 80, .25) if wooden else
            Part('pole', str(rng.choice(['metal_paint', 'galvanized', 'concrete'])), 'worn', 80,
                 .15))
    builder.add(part, cylinder(.15 if wooden else .08, height, 8, .09 if wooden else .07))
    if height > 6:
        cups = Part('insulators', 'plaster', gloss=.05)
        for level in range(int(rng.integers(1, 3))):
            y, wide = height - .35 - .8 * level, rng.uniform(.6, 1.1)
            builder.add(part, box((-wide, y, -.06), (wide, y + .1, .06)))
            for x in np.linspace(-wide + .08, wide - .08, 4):
                builder.add(cups, moved(cylinder(.05, .16, 6, .03), (x, y + .1, 0)))
        if rng.random() < .3:
            builder.add(Part('transformer', 'metal_paint', 'worn', 60, .15),
                        moved(cylinder(.3, .95, 12), (0, height - 2.6, .42)))
    return builder.mesh()


def pylon(rng: np.random.Generator) -> Mesh:
    """Return a lattice pylon of 20 to 45 m; its arms reach along x."""
    builder = Builder()
    steel = Part('steel', 'galvanized' if rng.random() < .8 else 'metal_paint', 'worn', 40, .15)
    height = rng.uniform(20, 45)
    foot, waist = .09 * height, .022 * height
    levels = np.concatenate([np.linspace(0, .62, 6), np.linspace(.7, 1, 5)])
    half = np.interp(levels, [0, .62, 1], [foot, waist, .6 * waist])
    y = levels * height
    corner = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    rings = np.stack([np.column_stack([h * corner[:, 0], np.full(4, v), h * corner[:, 1]])
                      for h, v in zip(half, y, strict=True)])
    following = np.roll(rings, -1, 1)
    starts = [rings[:-1], rings[:-1], following[:-1], rings[1:]]
    ends = [rings[1:], following[1:], rings[1:], following[1:]]
    thick = .003 * height + .03
    legs = rods(starts[0].reshape(-1, 3), ends[0].reshape(-1, 3), thick, sides=4)
    braces = rods(np.concatenate(starts[1:]).reshape(-1, 3),
                  np.concatenate(ends[1:]).reshape(-1, 3), .6 * thick, sides=3)
    builder.add(steel, above(legs), above(braces))
    cups = Part('insulators', 'glass', gloss=.08)
    for share, reach in zip((.68, .8, .92)[:int(rng.integers(1, 4))], (.16, .2, .13),
                            strict=False):
        level, wide = share * height, reach * height
        for side in (-1, 1):
            tip = np.array([side * wide, level, 0])
            root = np.array([[0, level - .2, -waist], [0, level - .2, waist],
                             [0, level + .05 * height, -waist], [0, level + .05 * height, waist]])
            builder.add(steel, rods(root, np.tile(tip, (4, 1)), .6 * thick, sides=3))
            t = np.array([.25, .5, .75])[:, None]
            low, high = root[:1] + t * (tip - root[:1]), root[2:3] + t * (tip - root[2:3])
            builder.add(steel, rods(low, high, .4 * thick, sides=3))
            builder.add(cups, rods(tip[None], tip[None] - [0, .05 * height, 0], .12, sides=6))
    return builder.mesh()
