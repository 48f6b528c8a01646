"""Street furniture, containers and rocks; fronts face +z."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .loads import container_shell
from .mesh import Mesh, Part
from .shapes import (
    Shape,
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    moved,
    rods,
    rounded_box,
    turned,
    xyz,
)

STEEL = Part('steel', 'metal_paint', 'worn', 100, .08)
GLASS = Part('glass', 'glass', gloss=.08)


def bus_shelter(rng: np.random.Generator) -> Mesh:
    """Return a bus shelter: posts, roof, glass walls, a bench and a poster."""
    builder = Builder()
    half, deep, tall = rng.uniform(1.5, 3), rng.uniform(1.2, 1.7), rng.uniform(2.3, 2.7)
    posts = np.array([[x, -.05, z] for x in np.linspace(-half, half, 3) for z in (-deep / 2,)]
                     + [[-half, -.05, deep / 2 - .2], [half, -.05, deep / 2 - .2]])
    builder.add(STEEL, rods(posts, posts + xyz(0, tall + .05, 0), .05, sides=6),
                box((-half - .15, tall, -deep / 2 - .1), (half + .15, tall + .14, deep / 2 + .25)))
    builder.add(GLASS, box((-half + .06, .25, -deep / 2 - .01), (half - .06, tall - .15,
                                                                  -deep / 2 + .01)))
    poster = Part('poster', 'sign_face', 'clouds', 40, .25, gloss=.05, lamp='window')
    builder.add(GLASS, box((-half - .01, .25, -deep / 2 + .1), (-half + .01, tall - .15,
                                                                deep / 2 - .3)))
    builder.add(poster, box((half - .06, .35, -deep / 2 + .12), (half + .06, 2.1, deep / 2 - .3)))
    builder.add(Part('seat', 'wood', 'streaks', 120, .2),
                box((-.7 * half, .43, -deep / 2 + .12), (.5 * half, .48, -deep / 2 + .5)))
    legs = np.array([[x * half, 0, -deep / 2 + .3] for x in (-.6, .4)])
    builder.add(STEEL, rods(legs, legs + xyz(0, .44, 0), .04))
    builder.add(Part('name', 'sign_face', gloss=.02),
                box((-.6, tall + .14, deep / 2), (.6, tall + .42, deep / 2 + .04)))
    return builder.mesh()


def bench(rng: np.random.Generator) -> Mesh:
    """Return a bench of slats."""
    builder = Builder()
    half = rng.uniform(.7, 1.1)
    slat = Part('slats', str(rng.choice(['wood', 'metal_paint'], p=[.8, .2])), 'streaks', 150, .2)
    builder.add(slat, *(box((-half, .42, z), (half, .46, z + .1)) for z in (-.18, -.05, .08)))
    if rng.random() < .8:
        builder.add(slat, *(box((-half, y, -.27 - .04 * i), (half, y + .11, -.23 - .04 * i))
                            for i, y in enumerate((.55, .72))))
    for x in (-.75 * half, .75 * half):
        builder.add(STEEL, box((x - .03, 0, -.2), (x + .03, .42, -.14)),
                    box((x - .03, 0, .12), (x + .03, .42, .18)),
                    box((x - .03, .36, -.25), (x + .03, .42, .18)),
                    box((x - .03, .4, -.33), (x + .03, .85, -.27)))
    return builder.mesh()


def litter_bin(rng: np.random.Generator) -> Mesh:
    """Return a street bin or a wheeled one."""
    builder = Builder()
    part = Part('bin', str(rng.choice(['plastic', 'metal_paint', 'sign_face'])), 'worn', 100, .08)
    if rng.random() < .5:
        ring = np.array([[-.24, 0, -.28], [.24, 0, -.28], [.24, 0, .24], [-.24, 0, .24]])
        builder.add(part, loft(np.stack([ring * .82 + [0, .06, 0], ring + xyz(0, .98, 0)])))
        lid = rounded_box((-.28, .97, -.36), (.28, 1.06, .3), .03)
        builder.add(Part('lid', str(rng.choice(['plastic', 'sign_face']))), lid)
        for x in (-.24, .24):
            builder.add(Part('wheels', 'tyre'), moved(lathe(
                [(-.03, 0), (-.03, .1), (.03, .1), (.03, 0)], 10, 'x'), (x, .1, -.24)))
        return builder.mesh().placed(scale=rng.uniform(.9, 1.12))
    tall, r = rng.uniform(.7, 1.1), rng.uniform(.2, .3)
    builder.add(part, cylinder(r, tall, 14, 1.08 * r))
    builder.add(Part('lid', 'metal_paint'), moved(cylinder(1.12 * r, .1, 14, .5 * r),
                                                  (0, tall, 0)))
    builder.add(Part('slot', 'rubber'), box((-.6 * r, tall - .25, .7 * r), (.6 * r, tall - .1,
                                                                          1.08 * r)))
    return builder.mesh()


def hydrant(rng: np.random.Generator) -> Mesh:
    """Return a fire hydrant."""
    builder = Builder()
    paint = Part('hydrant', str(rng.choice(['red_paint', 'yellow_paint', 'metal_paint'])), 'worn',
                 150, .12)
    tall = rng.uniform(.7, .95)
    builder.add(paint, lathe([(0, 0), (0, .17), (.05, .17), (.06, .11), (tall - .2, .11),
                              (tall - .19, .15), (tall - .14, .15), (tall - .02, .09),
                              (tall, .03), (tall, 0)], 14))
    cap = lathe([(0, .055), (.18, .055), (.18, 0)], 8, 'x')
    builder.add(paint, moved(cap, (0, .6 * tall, 0)), moved((cap[0] * [-1, 1, 1], cap[1]),
                                                            (0, .6 * tall, 0)),
                moved(lathe([(0, .07), (.18, .07), (.18, 0)], 8, 'z'), (0, .55 * tall, 0)))
    return builder.mesh()


def container(rng: np.random.Generator) -> Mesh:
    """Return one or two parked freight containers, stacked."""
    builder = Builder()
    length = float(rng.choice([6.06, 12.19]))
    container_shell(builder, 1.22, 0.0, length, 0.0)
    if rng.random() < .25:
        container_shell(builder, 1.22, 2.62, length, 0.0, 'upper_container')
    return builder.mesh()


def _lumpy(rng: np.random.Generator, radii: np.ndarray, rough: float, rings: int,
           sides: int) -> Shape:
    """Return an ellipsoid with lumps, cut off at the ground."""
    vertices, faces = ellipsoid((0, 0, 0), (1, 1, 1), rings, sides)
    swell = np.zeros(len(vertices))
    for scale in (1.3, 2.3, 4.1, 7.0):
        wave = rng.standard_normal((3, 3)) * scale
        swell += np.sin(vertices @ wave + rng.uniform(0, 6.3, 3)).sum(1) / scale ** .8
    vertices = vertices * (1 + rough * swell[:, None]) * radii
    vertices[:, 1] = np.maximum(vertices[:, 1], -.04)
    return vertices, faces


def rock(rng: np.random.Generator) -> Mesh:
    """Return a boulder, alone or with smaller ones."""
    builder = Builder()
    stone = Part('stone', 'granite' if rng.random() < .8 else 'sand', 'speckle', 60, .25)
    size = rng.uniform(.3, 1.8)
    for index in range(int(rng.integers(1, 4))):
        radii = size * rng.uniform([.7, .5, .6], [1.2, .95, 1.1]) * .45 ** index
        at = rng.uniform(-1, 1, 3) * [size, 0, size] * (index > 0)
        shape = turned(_lumpy(rng, radii, .09, 8, 12), rng.uniform(0, 6.3))
        builder.add(stone, moved(shape, at))
    return builder.mesh()
