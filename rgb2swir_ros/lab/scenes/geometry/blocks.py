"""Buildings of several floors: town blocks and tower blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .builder import Builder
from .facades import (
    CONCRETE,
    PANES,
    Side,
    band,
    bays,
    coated,
    door,
    facade,
    four_sides,
    frame_part,
    sills,
    wall_part,
)
from .houses import gable_roof, roof_part
from .mesh import Mesh, Part
from .shapes import box, boxes, cylinder, loft, moved, rods, xyz


def town_block(rng: np.random.Generator) -> Mesh:
    """Return a town house of three to six floors; its front faces +z."""
    builder = Builder()
    floors = int(rng.integers(3, 7))
    width, depth = rng.uniform(9, 22), rng.uniform(9, 13)
    storey, ground = rng.uniform(2.9, 3.5), rng.uniform(3.4, 4.4)
    top = ground + (floors - 1) * storey
    wall, frame = wall_part(rng), frame_part(rng)
    trim = Part('trim', str(rng.choice(['concrete', 'plaster', 'granite'])), 'worn', 50, .06)
    tall, share = rng.uniform(1.4, 2.1), rng.uniform(.35, .6)
    bars, lit = int(rng.integers(0, 2)), rng.uniform(.1, .5)
    up = [ground]
    for level in range(floors - 1):
        base = ground + level * storey + (.9 if tall < 1.8 else .55)
        up += [base, base + tall]
    up.append(top)
    shops = rng.random() < .6
    for index, (side, length) in enumerate(four_sides(width, depth)):
        count = max(2, round(length / rng.uniform(2.4, 3.2)))
        blank = index % 2 == 1 and rng.random() < .5
        windows = facade(builder, rng, side, wall, frame, bays(length, count, share), np.array(up),
                         deep=rng.uniform(.12, .25), bars=bars, lit=lit,
                         keep=0.0 if blank else 1.0, rail=tall > 1.7)
        _ground_floor(builder, rng, side, wall, frame, length, ground, lit,
                      shops and index == 0, blank, share)
        band(builder, side, trim, length, ground - .25, ground, rng.uniform(.08, .25))
        band(builder, side, trim, length, top - .3, top, rng.uniform(.15, .45))
        if index == 0:
            sills(builder, side, trim, windows)
        if index == 0 and rng.random() < .55:
            _balconies(builder, rng, side, bays(length, count, share)[1:-1].reshape(-1, 2),
                       [ground + level * storey for level in range(floors - 1)])
    _top(builder, rng, wall, trim, width, depth, top)
    return builder.mesh()


def _ground_floor(builder: Builder, rng: np.random.Generator, side: Side, wall: Part, frame: Part,
                  length: float, height: float, lit: float, shop: bool, blank: bool,
                  share: float) -> None:
    """Add the ground floor: shop windows with a sign and awnings, or smaller windows and a door.
    """
    if shop:
        count = max(2, round(length / rng.uniform(3, 4.5)))
        edges = bays(length, count, .86)
        facade(builder, rng, side, wall, frame, edges, np.array([0, .35, height - .95, height]),
               deep=.2, bars=1, lit=.6, rail=False)
        name = Part('shop_sign', 'sign_face', 'smooth', 30, .08, lamp='window')
        awning = Part('awning', 'cloth', 'streaks', 60, .1)
        for x0, x1 in edges[1:-1].reshape(-1, 2):
            if rng.random() < .7:
                builder.add(name, side.place(box((x0, height - .85, 0), (x1, height - .35, .1))))
            if rng.random() < .35:
                low, high = height - 1.2, height - .9
                ring = np.array([[[x, high, 0], [x, high + .04, 0], [x, low + .04, 1.3],
                                  [x, low - .15, 1.32]] for x in (x0, x1)])
                builder.add(awning, side.place(loft(ring)))
        door(builder, side, frame, float(edges[1 + 2 * int(rng.integers(0, count))]) + .6,
             glazed=True)
        return
    count = max(2, round(length / 3))
    facade(builder, rng, side, wall, frame, bays(length, count, share),
           np.array([0, 1.2, height - .8, height]), deep=.2, bars=1, lit=lit,
           keep=0.0 if blank else .9)
    if not blank:
        door(builder, side, frame, length / count * (int(rng.integers(1, count)) - count / 2),
             1.3, 2.4)


def _balconies(builder: Builder, rng: np.random.Generator, side: Side, columns: np.ndarray,
               levels: list[float]) -> None:
    """Add balconies before some columns of windows."""
    metal = Part('railing', 'metal_paint')
    solid = rng.random() < .4
    some = columns[rng.random(len(columns)) < .4]
    out = rng.uniform(.8, 1.4)
    for x0, x1 in some:
        a, b = x0 - .35, x1 + .35
        for y in levels:
            builder.add(CONCRETE, side.place(box((a, y - .02, -.05), (b, y + .14, out))))
            if solid:
                builder.add(CONCRETE, side.place(box((a, y + .1, out - .08), (b, y + 1.05, out))))
                continue
            x = np.linspace(a + .03, b - .03, 7)
            foot = np.column_stack([x, np.full(7, y + .1), np.full(7, out - .04)])
            builder.add(metal, side.place(rods(foot, foot + xyz(0, .95, 0), .015, sides=3)),
                        side.place(box((a, y + 1.02, out - .07), (b, y + 1.08, out - .01))),
                        *(side.place(box((e - .02, y + 1.02, 0), (e + .02, y + 1.08, out)))
                          for e in (a + .02, b - .02)))


def _top(builder: Builder, rng: np.random.Generator, wall: Part, trim: Part, width: float,
         depth: float, top: float) -> None:
    """Add a flat roof with what stands on it, a mansard with dormers, or a pitched roof."""
    luck = rng.random()
    if luck < .45:
        flat = Part('flat_roof', 'gravel', 'speckle', 60, .2)
        builder.add(flat, box((-width / 2, top - .05, -depth / 2), (width / 2, top, depth / 2)))
        for side, length in four_sides(width, depth):
            builder.add(wall, side.place(box((-length / 2, top, -.25), (length / 2, top + .6, 0))))
        unit = Part('roof_unit', 'metal_paint', 'worn', 50, .12)
        for _ in range(int(rng.integers(1, 5))):
            x, z = rng.uniform(-.38, .3) * width, rng.uniform(-.38, .25) * depth
            size = rng.uniform(.7, 2.4, 3)
            builder.add(unit, box((x, top, z), (x + size[0], top + size[1], z + size[2])))
        return
    if luck < .75:
        roof = roof_part(rng)
        rise, inset = rng.uniform(2.4, 3.4), rng.uniform(.8, 1.3)

        def ring(y: float, off: float) -> np.ndarray:
            x, z = width / 2 + .25 - off, depth / 2 + .25 - off
            return np.array([[-x, y, -z], [x, y, -z], [x, y, z], [-x, y, z]])

        builder.add(roof, loft(np.stack([ring(top, 0), ring(top + rise, inset),
                                         ring(top + rise + .7, 3.2)])))
        for side, length in four_sides(width, depth)[::2]:
            for x in np.linspace(-.38, .38, max(2, int(length / 3.2))) * length:
                builder.add(trim, side.place(box((x - .65, top + .5, -2), (x + .65, top + 2.1,
                                                                         -.15))))
                builder.add(PANES[int(rng.random() < .2)],
                            side.place(box((x - .45, top + .7, -.2), (x + .45, top + 1.9, -.12))))
    else:
        gable_roof(builder, wall, roof_part(rng), width, depth, top,
                   depth / 2 * np.tan(np.radians(rng.uniform(25, 42))))
    brick = Part('chimney', 'brick', 'bricks', 415, .14)
    for x in rng.uniform(-.4, .4, 2) * width:
        builder.add(brick, box((x - .5, top + 1, -.4), (x + .5, top + rng.uniform(4.5, 5.5), .4)))


def tower_block(rng: np.random.Generator) -> Mesh:
    """Return an office tower of 25 to 120 m: bands of glass between slabs and mullions."""
    builder = Builder()
    width, depth, height = rng.uniform(16, 38), rng.uniform(16, 32), rng.uniform(25, 120)
    floor = rng.uniform(3.4, 4.2)
    count = int(height / floor)
    height = count * floor
    glass = coated(Part('curtain', 'glass', 'bricks', 12, .12), rng)
    lit = replace(glass, name='lit_curtain', texture='', lamp='window')
    skin = Part('cladding', str(rng.choice(['wall', 'aluminium', 'concrete', 'granite',
                                            'metal_paint'])), 'worn', 20, .06)
    x, z = width / 2, depth / 2
    builder.add(glass, box((-x + .12, 0, -z + .12), (x - .12, height, z - .12)))
    deep = rng.uniform(.3, 1.4)
    y = np.arange(count + 1) * floor
    slab = np.array([x, deep / 2, z])
    middle = np.column_stack([0 * y, y + deep / 2, 0 * y])
    builder.add(skin, boxes(middle - slab, middle + slab))
    pitch = rng.uniform(1.5, 4.5)
    out = rng.uniform(-.02, .3)
    for side, length in four_sides(width, depth):
        at = np.linspace(-length / 2, length / 2, int(length / pitch) + 1)
        half = rng.uniform(.05, .3)
        low = np.column_stack([at - half, 0 * at, np.full(len(at), -.1)])
        high = np.column_stack([at + half, np.full(len(at), height), np.full(len(at), out + .02)])
        builder.add(skin, side.place(boxes(low, high)))
        some = rng.random((count, len(at) - 1)) < .12
        rows, columns = np.nonzero(some)
        builder.add(lit, side.place(boxes(
            np.column_stack([at[columns], y[rows] + deep, np.full(len(rows), -.13)]),
            np.column_stack([at[columns + 1], y[rows + 1], np.full(len(rows), -.09)]))))
    builder.add(skin, box((-.3 * x, height, -.3 * z), (.3 * x, height + 5, .3 * z)),
                box((-x, height, -z), (x, height + 1.2, z)))
    builder.add(CONCRETE, box((-x - .4, -.05, -z - .4), (x + .4, .3, z + .4)))
    if rng.random() < .4:
        builder.add(Part('mast', 'metal_paint'), moved(cylinder(.3, 14, 6, .05),
                                                       (0, height + 5, 0)))
    return builder.mesh()
