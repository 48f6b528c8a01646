"""Churches, industrial halls and silos."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .builder import Builder
from .facades import PANES, Side, band, bays, door, four_sides
from .houses import gable_roof, roof_part
from .mesh import Mesh, Part
from .shapes import box, boxes, cylinder, grid, lathe, loft, moved, prism, rods, xyz


def church(rng: np.random.Generator) -> Mesh:
    """Return a church: a nave along x and a tower with a spire at its left end."""
    builder = Builder()
    wall = Part('wall', str(rng.choice(['plaster', 'granite', 'brick', 'wall'])), 'worn', 40, .12)
    roof = roof_part(rng)
    length, depth, eaves = rng.uniform(14, 26), rng.uniform(8, 12), rng.uniform(6, 10)
    builder.add(wall, box((-length / 2, 0, -depth / 2), (length / 2, eaves, depth / 2)))
    gable_roof(builder, wall, roof, length, depth, eaves,
               depth / 2 * np.tan(np.radians(rng.uniform(42, 58))), over=.4)
    wide, tall = rng.uniform(4.5, 6.5), rng.uniform(1.6, 2.6) * eaves
    x = -length / 2 - .3 * wide
    builder.add(wall, box((x - wide / 2, 0, -wide / 2), (x + wide / 2, tall, wide / 2)))
    spire = rng.uniform(.8, 2.2) * wide
    corner = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * (wide / 2 + .3)
    steps = [(0, 1), (.25 * spire, .62), (spire, .01)] if rng.random() < .6 else [
        (0, 1), (.35 * spire, 1.05), (.6 * spire, .5), (.75 * spire, .45), (1.3 * spire, .01)]
    builder.add(roof, loft(np.stack([corner * s + [x, tall + y, 0] for y, s in steps])))
    tip = tall + steps[-1][0]
    gold = Part('cross', 'yellow_paint', gloss=.2)
    builder.add(gold, box((x - .06, tip - .2, -.06), (x + .06, tip + 1.6, .06)),
                box((x - .45, tip + .9, -.06), (x + .45, tip + 1.05, .06)))

    def arch(wide: float, tall: float) -> np.ndarray:
        angle = np.linspace(0, np.pi, 7)
        return np.concatenate([[[-wide, 0], [wide, 0]], np.column_stack(
            [wide * np.cos(angle), tall + wide * np.sin(angle)])])

    stone = Part('tracery', 'granite', 'speckle', 60, .1)
    for z, side in ((depth / 2, 1), (-depth / 2, -1)):
        for at in np.linspace(-.34, .42, int(length / 4)) * length:
            window = moved(prism(arch(.55, .5 * eaves), .1), (at, .25 * eaves, z))
            frame = moved(prism(arch(.75, .5 * eaves + .1), .04), (at, .25 * eaves - .15, z))
            builder.add(stone, frame)
            builder.add(PANES[0], window)
            builder.add(wall, box((at + 1.5, 0, min(z, z + .7 * side)),
                                  (at + 2.1, .8 * eaves, max(z, z + .7 * side))))
    dial = Part('dial', 'white_paint')
    for turn in range(4):
        side_ = Side(turn * np.pi / 2, wide / 2, (x, 0))
        for across in (-.22 * wide, .22 * wide):
            builder.add(Part('louvres', 'wood', 'streaks', 60, .2), side_.place(
                moved(prism(arch(.4, 1.4), .1), (across, tall - 3.2, 0))))
        angle = np.arange(14) * 2 * np.pi / 14
        if tall > 12:
            disc = np.column_stack([.8 * np.cos(angle), .8 * np.sin(angle) + tall - 4.6])
            builder.add(dial, side_.place(prism(disc, .1)))
    door(builder, Side(0, wide / 2, (x, 0)), stone, 0, 1.8, 2.9)
    return builder.mesh()


def hall(rng: np.random.Generator) -> Mesh:
    """Return an industrial or shopping hall with ribbed walls, gates and a sign."""
    builder = Builder()
    width, depth, height = rng.uniform(20, 45), rng.uniform(15, 30), rng.uniform(5, 11)
    skin = Part('wall', 'metal_paint' if rng.random() < .65 else 'wall', 'streaks', 30, .06)
    ribbed = skin.material == 'metal_paint'
    sides = four_sides(width, depth)
    builder.add(Part('plinth', 'concrete', 'worn', 40, .12), box(
        (-width / 2 - .05, -.05, -depth / 2 - .05), (width / 2 + .05, .8, depth / 2 + .05)))
    for side, length in sides:
        count = 2 * int(length / .7) if ribbed else 2
        x = np.linspace(-length / 2, length / 2, count + 1)
        out = .05 * (np.arange(count + 1) // 2 % 2)
        rows = [np.column_stack([x, np.full(len(x), y), out]) for y in (.7, height)]
        builder.add(skin, side.place(grid(np.stack(rows))))
    roof = Part('roof', 'metal_paint' if rng.random() < .5 else 'gravel', 'speckle', 40, .1)
    trim = Part('trim', 'sign_face', gloss=.02)
    luck = rng.random()
    if luck < .35:  # saw-tooth
        teeth = max(2, int(width / 7))
        edges = np.linspace(-width / 2, width / 2, teeth + 1)
        for x0, x1 in pairwise(edges):
            tooth = np.array([[x0, height], [x1, height], [x1, height + 2.2]])
            builder.add(roof, prism(tooth, depth))
            builder.add(PANES[0], box((x1, height + .4, -depth / 2 + .5),
                                      (x1 + .03, height + 2, depth / 2 - .5)))
    elif luck < .65:
        gable_roof(builder, skin, roof, width, depth, height, depth / 2 * .18, over=.3)
    else:
        builder.add(roof, box((-width / 2, height - .1, -depth / 2), (width / 2, height,
                                                                     depth / 2)))
        for side, length in sides:
            band(builder, side, trim, length, height - .3, height + .5, .12)
    front, length = sides[0]
    gates = int(rng.integers(1, 6))
    gate = Part('gate', 'metal_paint', 'streaks', 60, .08)
    for gx in np.linspace(-.38, .38, gates) * length if gates > 1 else [-.2 * length]:
        tall = rng.uniform(3, 4.2)
        builder.add(gate, front.place(box((gx - 1.7, 0, 0), (gx + 1.7, tall, .09))))
        slats = np.arange(.3, tall, .45)
        builder.add(trim, front.place(boxes(
            np.column_stack([np.full(len(slats), gx - 1.7), slats, np.full(len(slats), .05)]),
            np.column_stack([np.full(len(slats), gx + 1.7), slats + .05,
                             np.full(len(slats), .12)]))))
    high = height - 1.9
    for side, length in sides:
        if rng.random() < .6 and high > 4.3:
            count = int(length / 2.5)
            panes = bays(length, count, .9)[1:-1].reshape(-1, 2)
            builder.add(PANES[int(rng.random() < .3)], side.place(boxes(
                np.column_stack([panes[:, 0], np.full(count, high), np.full(count, 0)]),
                np.column_stack([panes[:, 1], np.full(count, high + 1.1), np.full(count, .09)]))))
    if rng.random() < .7:
        middle, wide = rng.uniform(-.25, .25) * length, rng.uniform(2, 5)
        builder.add(Part('sign', 'sign_face', 'smooth', 20, .1, gloss=.03, lamp='window'),
                    front.place(box((middle - wide, height - 1.6, 0),
                                    (middle + wide, height + .3, .2))))
    return builder.mesh()


def silo(rng: np.random.Generator) -> Mesh:
    """Return a group of silos or a water tower."""
    builder = Builder()
    metal = Part('shell', str(rng.choice(['galvanized', 'metal_paint', 'concrete', 'aluminium'])),
                 'streaks', 30, .12, gloss=.03)
    if rng.random() < .35:
        height, radius = rng.uniform(14, 28), rng.uniform(3, 5)
        tank = moved(loft(np.stack([_circle(r, y) for r, y in (
            (.3 * radius, 0), (radius, .6 * radius), (radius, 1.6 * radius),
            (.3 * radius, 2.1 * radius))])), (0, height, 0))
        builder.add(metal, tank, cylinder(.35 * radius, height + .2, 14, .3 * radius))
        return builder.mesh()
    count, radius = int(rng.integers(1, 5)), rng.uniform(1.6, 3.6)
    height = rng.uniform(8, 20)
    for index in range(count):
        x = (index - (count - 1) / 2) * 2.1 * radius
        builder.add(metal, moved(cylinder(radius, height, 18), (x, 0, 0)),
                    moved(cylinder(1.02 * radius, .35 * radius, 18, .1), (x, height, 0)))
        hoops = np.arange(1, height, 2.2).tolist()
        builder.add(metal, *(moved(lathe([(0, 1.015 * radius), (.1, 1.015 * radius)], 18),
                                   (x, y, 0)) for y in hoops))
    rail = np.array([[-.25, 0, radius + .12], [.25, 0, radius + .12]])
    builder.add(Part('ladder', 'galvanized'), rods(rail, rail + xyz(0, height, 0), .04))
    return builder.mesh()


def _circle(radius: float, y: float, sides: int = 18) -> np.ndarray:
    """Return a ring (sides, 3)."""
    angle = np.arange(sides) * 2 * np.pi / sides
    return np.column_stack([radius * np.cos(angle), np.full(sides, y), radius * np.sin(angle)])
