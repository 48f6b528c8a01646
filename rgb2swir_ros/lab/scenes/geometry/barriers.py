"""Barriers along a road: rails, walls, fences; segments lie along x and face +z."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .shapes import box, boxes, cylinder, ellipsoid, grid, lathe, loft, moved, quads, rods, xyz

GALVANIZED = Part('rail', 'galvanized', 'worn', 120, .12, gloss=.04)


def _length(rng: np.random.Generator, length: float | None, low: float, high: float) -> float:
    return float(rng.uniform(low, high)) if length is None else length


def guard_rail(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a W-beam rail, .75 m high, on posts.

    :param length: in metres, drawn from 4 to 16 when not given.
    """
    builder = Builder()
    half = _length(rng, length, 4, 16) / 2
    y = .75 - np.array([0, .03, .09, .155, .22, .28, .31])
    z = np.array([0, .01, .08, .01, .08, .01, 0]) + .02
    points = np.stack([np.column_stack([np.full(7, x), y, z]) for x in (-half, half)])
    builder.add(GALVANIZED, grid(points))
    if rng.random() < .25:
        builder.add(GALVANIZED, grid(points - [0, .36, 0]))
    x = np.arange(-half + .3, half, 2.0)
    low = np.column_stack([x - .05, np.full(len(x), -.05), np.full(len(x), -.12)])
    high = np.column_stack([x + .05, np.full(len(x), .72), np.full(len(x), .025)])
    builder.add(Part('posts', 'galvanized', 'worn', 100, .15), boxes(low, high))
    if rng.random() < .5:
        builder.add(Part('reflectors', 'yellow_paint', gloss=.05),
                    boxes(high - [.08, .15, .0], high + xyz(-.02, -.05, .03)))
    return builder.mesh()


def concrete_barrier(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a concrete safety barrier of elements.

    :param length: in metres, drawn from 3 to 12 when not given.
    """
    builder = Builder()
    total = _length(rng, length, 3, 12)
    tall = rng.uniform(.8, 1.15)
    part = Part('concrete', 'concrete', 'worn', 40, .18)
    painted = rng.random() < .15
    count = max(1, round(total / 3))
    edges = np.linspace(-total / 2, total / 2, count + 1)
    profile = np.array([[-.3, -.02], [-.3, .08], [-.15, .33], [-.08, tall], [.08, tall],
                        [.15, .33], [.3, .08], [.3, -.02]])
    for index, (x0, x1) in enumerate(zip(edges[:-1] + .012, edges[1:] - .012, strict=True)):
        rings = np.stack([np.column_stack([np.full(8, x), profile[:, 1], profile[:, 0]])
                          for x in (x0, x1)])
        colour = Part('red', 'red_paint', 'worn', 60, .15) if painted and index % 2 else part
        builder.add(colour, loft(rings))
    return builder.mesh()


def fence(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a fence: pickets, boards, wire mesh, rails, or iron bars.

    :param length: in metres, drawn from 3 to 10 when not given.
    """
    builder = Builder()
    total = _length(rng, length, 3, 10)
    half = total / 2
    style = str(rng.choice(['picket', 'board', 'mesh', 'rails', 'iron']))
    tall = rng.uniform(*{'picket': (.8, 1.2), 'board': (1.4, 2), 'iron': (1, 1.8),
                         'mesh': (1.2, 2.2), 'rails': (.9, 1.3)}[style])
    timber = Part('timber', str(rng.choice(['wood', 'white_paint', 'wall'], p=[.65, .2, .15])),
                  'streaks', 120, .2)
    metal = Part('metal', 'metal_paint' if rng.random() < .5 else 'galvanized', 'worn', 100, .1)
    posts = np.linspace(-half + .06, half - .06, max(2, round(total / 2.2) + 1))
    foot = np.column_stack([posts, np.full(len(posts), -.05), np.zeros(len(posts))])
    part = timber if style in ('picket', 'board', 'rails') else metal
    thick = .055 if part is timber else .03
    builder.add(part, boxes(foot - [thick, 0, thick], foot + xyz(thick, tall + .1, thick)))
    levels = {'rails': np.linspace(.3, tall - .08, int(rng.integers(2, 4)))}.get(
        style, np.array([.2, tall - .2]))
    builder.add(part, *(box((-half, y - .04, .03), (half, y + .04, .06)) for y in levels))
    if style in ('picket', 'board', 'iron'):
        pitch, wide = {'picket': (.13, .04), 'board': (.155, .072), 'iron': (.13, .01)}[style]
        x = np.arange(-half + pitch / 2, half, pitch)
        low = np.column_stack([x - wide, np.full(len(x), .05), np.full(len(x), .06)])
        high = np.column_stack([x + wide, tall + rng.normal(0, .004, len(x)),
                                np.full(len(x), .085)])
        builder.add(part, boxes(low, high))
    elif style == 'mesh':
        up = np.arange(.1, tall, .15)
        x = np.arange(-half + .05, half, .15)
        wire = [np.column_stack([np.full(len(up), -half), up, np.zeros(len(up))]),
                np.column_stack([x, np.full(len(x), .05), np.zeros(len(x))])]
        builder.add(metal, rods(wire[0], wire[0] + [total, 0, 0], .005, sides=3),
                    rods(wire[1], wire[1] + [0, tall - .05, 0], .005, sides=3))
    return builder.mesh()


def noise_wall(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a noise barrier of panels between posts.

    :param length: in metres, drawn from 8 to 20 when not given.
    """
    builder = Builder()
    total = _length(rng, length, 8, 20)
    tall = rng.uniform(2.2, 5)
    count = max(1, round(total / 4))
    edges = np.linspace(-total / 2, total / 2, count + 1)
    rows = max(2, round(tall / .5))
    kind = str(rng.choice(['wood', 'metal_paint', 'concrete', 'wall']))
    clear = rng.random() < .3
    step = tall / rows
    for row in range(rows):
        glass = clear and row >= rows - 2
        part = (Part('pane', 'glass', gloss=.08) if glass else
                Part('panel', kind, 'streaks', 60, .15))
        thick = .02 if glass else .06 + .02 * (row % 2)
        builder.add(part, box((-total / 2, row * step, -thick), (total / 2, (row + 1) * step,
                                                                 thick)))
    low = np.column_stack([edges - .1, np.full(count + 1, -.05), np.full(count + 1, -.12)])
    builder.add(GALVANIZED, boxes(low, -low * [-1, 0, 1] + [.2, tall + .1, 0]))
    return builder.mesh()


def bollard(rng: np.random.Generator) -> Mesh:
    """Return a bollard or a delineator post."""
    builder = Builder()
    if rng.random() < .4:  # delineator: white, a black band, a reflector
        white = Part('post', 'plastic' if rng.random() < .1 else 'white_paint')
        ring = np.array([[-.06, 0, -.05], [.06, 0, -.05], [.05, 0, .05], [-.05, 0, .05]])
        builder.add(white, loft(np.stack([ring, ring + xyz(0, .7, 0)])),
                    loft(np.stack([ring + xyz(0, .9, 0), ring * .9 + [0, 1.02, 0]])))
        builder.add(Part('band', 'rubber'), loft(
            np.stack([ring + xyz(0, .7, 0), ring + xyz(0, .9, 0)])))
        builder.add(Part('reflector', 'yellow_paint', gloss=.06),
                    box((-.03, .72, .04), (.03, .88, .06)))
        return builder.mesh().placed(scale=rng.uniform(.85, 1.1))
    tall, r = rng.uniform(.6, 1.1), rng.uniform(.05, .13)
    part = Part('post', str(rng.choice(['metal_paint', 'granite', 'concrete', 'galvanized'])),
                'worn', 100, .12)
    builder.add(part, cylinder(r, tall, 12, .92 * r),
                ellipsoid((0, tall, 0), (.95 * r, .6 * r, .95 * r), 4, 12))
    if rng.random() < .6:
        builder.add(Part('band', 'white_paint', gloss=.03),
                    moved(lathe([(0, r + .006), (.1, r + .006)], 12), (0, .78 * tall, 0)))
    return builder.mesh()


def cone(rng: np.random.Generator) -> Mesh:
    """Return a traffic cone with white bands."""
    builder = Builder()
    tall = rng.uniform(.45, 1.0)
    r = .22 * tall
    orange = Part('cone', 'red_paint', 'worn', 150, .12)
    builder.add(orange, moved(cylinder(r, tall - .04, 14, .15 * r), (0, .04, 0)))
    builder.add(Part('base', 'rubber'), box((-1.4 * r, 0, -1.4 * r), (1.4 * r, .045, 1.4 * r)))

    def width(y: float) -> float:
        return r * (1 - .85 * (y - .04) / (tall - .04)) + .006

    for share in ((.35, .55), (.7, .82)):
        low, high = share[0] * tall, share[1] * tall
        builder.add(Part('bands', 'white_paint', gloss=.03),
                    lathe([(low, width(low)), (high, width(high))], 14))
    return builder.mesh()


def bridge(rng: np.random.Generator, width: float | None = None) -> Mesh:
    """Return an overpass along x, with 4.8 to 6 m of clearance and a pier on each side.

    :param width: free width of the road below in metres, drawn from 12 to 30 when not given.
    """
    builder = Builder()
    width = _length(rng, width, 12, 30)
    low, deep = rng.uniform(4.8, 6), rng.uniform(.8, 1.5)
    half, wide = width / 2 + 16, rng.uniform(3, 7)
    concrete = Part('concrete', 'concrete', 'streaks', 25, .2)
    top = low + deep
    profile = np.array([[-wide, top], [-wide, top - .35], [-.6 * wide, top - .4],
                        [-.55 * wide, low], [.55 * wide, low], [.6 * wide, top - .4],
                        [wide, top - .35], [wide, top]])
    builder.add(concrete, loft(np.stack([np.column_stack([np.full(8, x), profile[:, 1],
                                                          profile[:, 0]])
                                         for x in (-half, half)])))
    builder.add(concrete, *(box((-half, top, z - .15), (half, top + rng.uniform(.25, .5), z + .15))
                            for z in (-wide + .15, wide - .15)))
    for x in (-width / 2 - .5, width / 2 + .5):
        for z in np.linspace(-.4, .4, int(rng.integers(2, 4))) * wide:
            builder.add(concrete, moved(cylinder(.45, low + .05, 12), (x, -.05, z)))
    bank = Part('bank', 'grass' if rng.random() < .7 else 'gravel', 'foliage', 40, .25)
    for side in (-1, 1):
        foot, head = side * (width / 2 + 3.5), side * (width / 2 + 11)
        corner = np.array([[foot, 0, -wide - 3], [foot, 0, wide + 3], [head, top - .1, wide],
                           [head, top - .1, -wide]])
        end = side * half
        builder.add(bank, quads(np.stack([
            corner, [[foot, 0, wide + 3], [end, 0, wide + 9], [end, top - .1, wide],
                     [head, top - .1, wide]],
            [[foot, 0, -wide - 3], [end, 0, -wide - 9], [end, top - .1, -wide],
             [head, top - .1, -wide]]])))
    metal = Part('railing', 'galvanized', 'worn', 60, .15)
    at = np.arange(-half + 1, half, 1.5)
    for z in (-wide + .15, wide - .15):
        post = np.column_stack([at, np.full(len(at), top + .2), np.full(len(at), z)])
        builder.add(metal, rods(post, post + xyz(0, 1.0, 0), .035, sides=4),
                    *(box((-half, top + y, z - .03), (half, top + y + .05, z + .03))
                      for y in (.75, 1.15)))
    return builder.mesh()
