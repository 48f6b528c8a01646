"""Houses with pitched roofs."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .facades import (
    PANES,
    Side,
    band,
    bays,
    door,
    facade,
    four_sides,
    frame_part,
    sills,
    wall_part,
)
from .mesh import Mesh, Part
from .shapes import Shape, box, grid, polygon, rods, xyz

GUTTER = Part('gutter', 'galvanized', 'worn', 100, .15)


def roof_part(rng: np.random.Generator) -> Part:
    """Return a roof covering."""
    return Part('roof', 'roof', str(rng.choice(['cobbles', 'worn', 'streaks'])),
                rng.uniform(60, 140), rng.uniform(.08, .2))


def gable_roof(builder: Builder, wall: Part, roof: Part, width: float, depth: float, eaves: float,
               rise: float, *, over: float = .45, middle: tuple[float, float] = (0.0, 0.0),
               hip: float = 0.0, thick: float = .16) -> None:
    """Add a pitched roof whose ridge lies along x, with the walls below its gables.

    :param over: how far the eaves reach out, metres.
    :param hip: metres that the ridge is shorter at each end; 0 for gables.
    """
    x0, z0 = middle
    half, deep = width / 2, depth / 2
    slope = rise / deep
    low, ridge = eaves - over * slope, eaves + rise
    edge, end = deep + over, half + (over if hip else .6 * over)
    top = half - hip if hip else end
    lift = np.array([0, thick, 0])
    here = np.array([x0, 0, z0])
    slabs: list[Shape] = []
    for s in (-1, 1):
        sheet = np.array([[[-end, low, s * edge], [end, low, s * edge]],
                          [[-top, ridge, 0], [top, ridge, 0]]]) + here
        slabs += [grid(sheet), grid(sheet + lift)]
        rim = sheet.reshape(-1, 3)[[0, 1, 3, 2, 0]]
        slabs.append(grid(np.stack([rim, rim + lift])))
        if hip:
            side = np.array([[s * end, low, -edge], [s * end, low, edge],
                             [s * top, ridge, 0]]) + here
            slabs += [polygon(side), polygon(side + lift)]
        else:
            builder.add(wall, polygon(np.array([[s * half, eaves, -deep], [s * half, eaves, deep],
                                                [s * half, ridge, 0]]) + here))
    builder.add(roof, *slabs)
    builder.add(GUTTER, rods(np.array([[-end, low, -edge], [-end, low, edge]]) + here,
                             np.array([[end, low, -edge], [end, low, edge]]) + here, .06))


def house(rng: np.random.Generator) -> Mesh:
    """Return a house of one to three storeys; its front faces +z."""
    builder = Builder()
    storeys = int(rng.choice([1, 2, 3], p=[.35, .55, .1]))
    width, depth = rng.uniform(7.5, 14), rng.uniform(6.5, 10)
    storey = rng.uniform(2.6, 3.0)
    plinth = rng.uniform(.1, .5)
    eaves = plinth + storeys * storey
    wall, frame, roof = wall_part(rng), frame_part(rng), roof_part(rng)
    trim = Part('trim', str(rng.choice(['white_paint', 'concrete', 'wood'])), 'worn', 60, .06)
    ground = Part('plinth', 'concrete', 'worn', 40, .12)
    share, tall = rng.uniform(.32, .5), rng.uniform(1.1, 1.5)
    bars, lit = int(rng.integers(0, 3)), rng.uniform(.1, .5)
    up = [0.0]
    for level in range(storeys):
        base = plinth + level * storey + .85
        up += [base, base + tall]
    up.append(eaves)
    for index, (side, length) in enumerate(four_sides(width, depth)):
        count = max(1, round(length / rng.uniform(2.3, 3.2)))
        windows = facade(builder, rng, side, wall, frame, bays(length, count, share), np.array(up),
                         bars=bars, lit=lit, keep=.95 if index % 2 == 0 else .65)
        entry = None
        if index == 0:
            pitch = length / count
            entry = -length / 2 + pitch * int(rng.integers(0, count)) + (0 if count > 1 else .6)
            entry = float(np.clip(entry, -length / 2 + .8, length / 2 - .8))
            door(builder, side, frame, entry, rng.uniform(.95, 1.15), glazed=rng.random() < .5)
            if rng.random() < .4:  # a porch
                builder.add(trim, side.place(box((entry - 1, 2.35, 0), (entry + 1, 2.5, 1.1))))
                posts = np.array([[entry - .9, 0, 1.0], [entry + .9, 0, 1.0]])
                builder.add(trim, side.place(rods(posts, posts + xyz(0, 2.35, 0), .07)))
        sills(builder, side, trim, windows)
        if rng.random() < .25 and index % 2 == 0:
            _shutters(builder, side, windows)
        band(builder, side, ground, length, -.05, plinth + .1, .03)
    rise = depth / 2 * np.tan(np.radians(rng.uniform(24, 50)))
    hip = float(rng.uniform(.3, .45) * depth) if rng.random() < .25 and width > depth + 1 else 0.0
    over = rng.uniform(.25, .7)
    gable_roof(builder, wall, roof, width, depth, eaves, rise, over=over, hip=hip)
    if not hip and rng.random() < .7:
        for side, _ in four_sides(width, depth)[1::2]:
            facade(builder, rng, Side(side.heading, side.out + .02), wall, frame,
                   np.array([-.6, -.45, .45, .6]), eaves + np.array([.2, .3, 1.2, 1.3])
                   * min(1, rise / 2.6), deep=.015, bars=1, lit=lit, rail=False)
    _on_roof(builder, rng, width - 2 * hip, depth, eaves, rise, roof, wall)
    if rng.random() < .3:
        _garage(builder, rng, wall, width, depth)
    return builder.mesh()


def _shutters(builder: Builder, side: Side, windows: np.ndarray) -> None:
    """Add a pair of open shutters beside each window."""
    shutter = Part('shutters', 'sign_face', 'streaks', 90, .12)
    for x0, x1, y0, y1 in windows:
        wide = .45 * (x1 - x0)
        builder.add(shutter, *(side.place(box((x, y0, 0), (x + wide, y1, .05)))
                               for x in (x0 - wide - .02, x1 + .02)))


def _on_roof(builder: Builder, rng: np.random.Generator, width: float, depth: float, eaves: float,
             rise: float, roof: Part, wall: Part) -> None:
    """Add a chimney, dormers, roof windows or solar panels."""
    slope = rise / (depth / 2)
    for _ in range(int(rng.integers(0, 3))):
        x, z = rng.uniform(-.35, .35) * width, rng.uniform(-.2, .2) * depth
        top = eaves + rise + rng.uniform(.4, .9)
        brick = Part('chimney', 'brick', 'bricks', 415, .14)
        builder.add(brick, box((x - .3, top - 2, z - .25), (x + .3, top, z + .25)))
        builder.add(GUTTER, box((x - .36, top, z - .31), (x + .36, top + .08, z + .31)))

    def on(x: float, share: float, out: float, front: int) -> np.ndarray:
        """Return a point on the roof, `share` of the way up from the eaves."""
        return np.array([x, eaves + share * rise + .16 + out, front * depth / 2 * (1 - share)])

    front = 1 if rng.random() < .6 else -1
    luck = rng.random()
    if luck < .3 and rise > 2.3:  # dormers
        for x in np.linspace(-.3, .3, int(rng.integers(1, 4))) * width:
            foot = on(x, .18, 0, front)
            tall = 1.25
            back = foot[2] - front * min(tall / slope + .3, .36 * depth)
            lo, hi = min(back, foot[2]), max(back, foot[2])
            builder.add(wall, box((x - .75, foot[1] - .3, lo), (x + .75, foot[1] + tall, hi)))
            builder.add(roof, box((x - .95, foot[1] + tall, lo - .2), (x + .95, foot[1] + tall
                                                                     + .14, hi + .2)))
            pane = sorted((foot[2], foot[2] + front * .03))
            builder.add(PANES[0],
                        box((x - .5, foot[1] + .2, pane[0]), (x + .5, foot[1] + 1.1, pane[1])))
    elif luck < .6:  # roof windows or solar panels
        panel = (PANES[0] if luck < .45 else
                 Part('solar', 'glass', 'bricks', 60, .2, gloss=.08))
        wide, tall = (.4, .25) if luck < .45 else (min(1.5, .2 * width), .5)
        for x in np.linspace(-.25, .25, int(rng.integers(1, 3))) * width:
            a, b = .3, .3 + tall
            builder.add(panel, grid(np.array([
                [on(x - wide, a, .05, front), on(x + wide, a, .05, front)],
                [on(x - wide, b, .05, front), on(x + wide, b, .05, front)]])))


def _garage(builder: Builder, rng: np.random.Generator, wall: Part, width: float,
            depth: float) -> None:
    """Add a flat garage beside the house."""
    x = width / 2
    z = depth / 2 - rng.uniform(0, 2)
    builder.add(wall, box((x, 0, z - 5.5), (x + 3.2, 2.5, z)))
    builder.add(Part('garage_roof', 'gravel', 'speckle', 60, .2),
                box((x, 2.5, z - 5.6), (x + 3.35, 2.68, z + .15)))
    builder.add(Part('garage_door', 'metal_paint', 'streaks', 60, .08),
                box((x + .35, .02, z), (x + 2.85, 2.15, z + .04)))
