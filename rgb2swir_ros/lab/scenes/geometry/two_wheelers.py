"""Bicycles, motorcycles and scooters, ridden or parked."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .fittings import CHROME, GLASS, HEAD, TAIL, TRIM, TYRE, paint, plate
from .mesh import Mesh, Part
from .people import dress
from .poses import riding
from .shapes import Shape, box, ellipsoid, grid, loft, moved, rods, rounded_box, tube, xyz

SPOKE = Part('spokes', 'aluminium')
ENGINE = Part('engine', 'galvanized', 'worn', 200, .2, gloss=.1)


def bicycle(rng: np.random.Generator, ridden: bool = True) -> Mesh:
    """Return a bicycle, with its rider if wanted."""
    builder = Builder()
    frame = Part('frame', 'car_paint', 'worn', 200, .08, gloss=.05)
    r = rng.uniform(.31, .345)
    base = rng.uniform(.49, .54)
    for z in (-base, base):
        _hoop(builder, r, z, rng.uniform(.016, .025), spokes=12)
    crank = np.array([0, .28, -.06])
    seat = np.array([0, rng.uniform(.86, .98), -.27])
    top = np.array([0, .72, -.2])
    head = np.array([0, rng.uniform(.76, .88), .36])
    foot = np.array([0, r, base])
    rear = np.array([0, r, -base])
    low_step = rng.random() < .35
    tubes = [(crank, seat), (crank, head - [0, .1, -.03]), (head, foot), (crank, rear),
             (top, rear)]
    if not low_step:
        tubes.append((top + xyz(0, .03, 0), head - [0, .03, 0]))
    builder.add(frame, rods(np.array([a for a, _ in tubes]), np.array([b for _, b in tubes]),
                            .019, sides=5))
    grip = head + xyz(0, rng.uniform(.1, .2), rng.uniform(-.08, .06))
    wide = rng.uniform(.22, .31)
    builder.add(TRIM, rods(np.array([head, grip - [wide, 0, 0]]),
                           np.array([grip, grip + xyz(wide, 0, 0)]), .014, sides=5),
                rounded_box(seat - [.07, .02, .14], seat + xyz(.07, .04, .12), .03))
    turn = rng.uniform(0, 2 * np.pi)
    arm = .17 * np.array([0, np.sin(turn), np.cos(turn)])
    pedals = np.array([crank + arm + [.1, 0, 0], crank - arm - [.1, 0, 0]])
    builder.add(TRIM, rods(np.array([crank, crank]), pedals * [.6, 1, 1], .012),
                *(box(p - [.04, .012, .04], p + xyz(.04, .012, .04)) for p in pedals))
    if rng.random() < .6:
        builder.add(HEAD, ellipsoid(head + xyz(0, .03, .06), (.03, .03, .03), 3, 6))
        builder.add(TAIL, box((-.03, .62, -base - .02), (.03, .67, -base + .02)))
    if rng.random() < .5:  # mudguards and a carrier
        angle = np.linspace(.2, 2.6, 7)
        for z in (-base, base):
            arc = np.stack([np.zeros(7), r + (r + .03) * np.sin(angle),
                            z - (r + .03) * np.cos(angle)], 1)
            builder.add(TRIM, grid(np.stack([arc - [.025, 0, 0], arc + xyz(.025, 0, 0)], 1)))
        builder.add(TRIM, box((-.07, .7, -base - .12), (.07, .715, -base + .28)))
    if ridden:
        height = float(np.clip(rng.normal(1.73, .08), 1.5, 1.92))
        pose = riding(height, seat + xyz(0, .1, 0), pedals + [[0, .02, 0]] * 2,
                      np.array([grip + xyz(wide - .05, .02, -.02),
                                grip - xyz(wide - .05, -.02, .02)]),
                      rng.uniform(.15, .65))
        helmet = (Part('helmet', 'sign_face', gloss=.04) if rng.random() < .5 else None)
        dress(builder, rng, pose, rng.uniform(.9, 1.12), helmet=helmet, rider=True)
    return builder.mesh()


def motorcycle(rng: np.random.Generator, ridden: bool = True) -> Mesh:
    """Return a motorcycle or a scooter, with its rider if wanted."""
    builder = Builder()
    coat = paint(rng)
    scooter = bool(rng.random() < .35)
    r = rng.uniform(.21, .26) if scooter else rng.uniform(.3, .33)
    base = rng.uniform(.62, .68) if scooter else rng.uniform(.7, .76)
    for z in (-base, base):
        _hoop(builder, r, z, .055, spokes=6, disc=True)
    seat = rng.uniform(.74, .84)
    head = np.array([0, .95, base - .3])
    if scooter:
        _scooter(builder, coat, r, base, seat, head)
    else:
        _motorcycle(builder, rng, coat, r, base, seat, head)
    grip = head + xyz(0, .1, -.12)
    wide = rng.uniform(.3, .38)
    builder.add(TRIM, rods(np.array([head, grip - [wide, 0, 0]]),
                           np.array([grip, grip + xyz(wide, 0, 0)]), .016, sides=5))
    stalk = np.array([[s * (wide - .1), grip[1], grip[2]] for s in (-1, 1)])
    builder.add(TRIM, rods(stalk, stalk + xyz(0, .17, .06), .008),
                *(ellipsoid(s + xyz(0, .19, .06), (.06, .04, .015), 3, 6) for s in stalk))
    builder.add(HEAD, ellipsoid(head + xyz(0, -.06, .12), (.09, .09, .06), 4, 8))
    z = -base - (.2 if scooter else .12)
    builder.add(TAIL, box((-.08, seat - .08, z - .05), (.08, seat - .02, z)))
    builder.add(plate(rng), box((-.1, seat - .3, z - .06), (.1, seat - .15, z - .045)))
    if ridden:
        height = float(np.clip(rng.normal(1.76, .07), 1.58, 1.92))
        feet = (np.array([[.15, .3, .25], [-.15, .3, .25]]) if scooter else
                np.array([[.2, .3, -.12], [-.2, .3, -.12]]))
        pose = riding(height, np.array([0, seat + .13, -.22]), feet,
                      np.array([grip + xyz(wide - .06, .02, 0), grip - [wide - .06, -.02, 0]]),
                      rng.uniform(.05, .2) if scooter else rng.uniform(.15, .55))
        helmet = Part('helmet', str(rng.choice(['car_paint', 'black_cloth'])), gloss=.05)
        dress(builder, rng, pose, rng.uniform(1, 1.2), helmet=helmet, rider=True, leather=True)
        size = height * np.array([.062, .078, .078])
        builder.add(helmet, ellipsoid(pose.head + xyz(0, .005, -.01), size, 6, 9))
        builder.add(GLASS, ellipsoid(pose.head + xyz(0, .015, .045), size * [.84, .4, .72], 4, 8))
    elif rng.random() < .6:
        builder.add(TRIM, rods(np.array([[0, .3, -.1]]), np.array([[-.2, .01, -.1]]), .012))
    return builder.mesh()


def _hoop(builder: Builder, r: float, z: float, thick: float, spokes: int,
          disc: bool = False) -> None:
    """Add a narrow wheel with spokes, standing on y = 0."""
    sides, around = 18, 4
    a = np.arange(sides) * 2 * np.pi / sides - np.pi / 2
    b = np.arange(around) * 2 * np.pi / around
    out = (r - thick) + thick * np.cos(b)
    ring = np.stack([np.broadcast_to(thick * np.sin(b), (sides, around)),
                     r + out * np.sin(a)[:, None], z + out * np.cos(a)[:, None]], -1)
    ring = np.concatenate([ring, ring[:1]])
    builder.add(TYRE, grid(ring, wrap=True))
    c = np.arange(spokes) * 2 * np.pi / spokes
    rim = np.column_stack([0 * c, r + (r - 1.6 * thick) * np.sin(c),
                           z + (r - 1.6 * thick) * np.cos(c)])
    middle = np.tile([0, r, z], (spokes, 1))
    builder.add(SPOKE, rods(middle, rim, .02 if disc else .004, sides=3),
                rods(middle[:1] - [.05, 0, 0], middle[:1] + xyz(.05, 0, 0), .1 * r + .02, sides=8))


def _spine(points: list[tuple[float, float, float, float]], sides: int = 8) -> Shape:
    """Return a lofted body from (z, middle height, half width, half height) along z."""
    z, y, w, h = np.array(points).T
    a = np.arange(sides) * 2 * np.pi / sides
    return loft(np.stack([w[:, None] * np.cos(a), y[:, None] + h[:, None] * np.sin(a),
                          np.repeat(z[:, None], sides, 1)], -1))


def _motorcycle(builder: Builder, rng: np.random.Generator, coat: Part, r: float, base: float,
                seat: float, head: np.ndarray) -> None:
    """Add tank, seat, engine, fork, exhaust, and at times a fairing or cases."""
    builder.add(coat, _spine([(head[2] - .05, .86, .05, .06), (head[2] - .15, .9, .15, .12),
                              (head[2] - .35, .88, .14, .12), (-.08, seat, .08, .06)]),
                _spine([(-.5, seat - .02, .1, .06), (-base - .12, seat + .02, .05, .04)]))
    builder.add(TRIM, _spine([(.05, seat + .01, .09, .05), (-.25, seat, .15, .05),
                              (-.6, seat + .05, .11, .04), (-base - .05, seat + .07, .05, .03)]))
    builder.add(ENGINE, rounded_box((-.17, .25, -.22), (.17, .68, .3), .08),
                *(tube(np.array([[s * .07, .95, head[2] - .02], [s * .07, r, base]]),
                       [.03, .03], 6) for s in (-1, 1)),
                rods(np.array([[.08, r, -base], [-.08, r, -base]]),
                     np.array([[.1, .42, -.1], [-.1, .42, -.1]]), .03, sides=5))
    builder.add(CHROME, tube(np.array([[.16, .32, .15], [.19, .28, -.2], [.2, .38, -.85]]),
                             [.03, .05, .055], 8))
    a = np.linspace(.6, 2.4, 6)
    arc = np.stack([0 * a, r + (r + .04) * np.sin(a), base - (r + .04) * np.cos(a)], 1)
    builder.add(coat, grid(np.stack([arc - [.06, 0, 0], arc + xyz(.06, 0, 0)], 1)))
    luck = rng.random()
    if luck < .55:
        builder.add(coat, _spine([(head[2] - .12, .86, .2, .28), (head[2] + .05, .88, .19, .24),
                                  (head[2] + .2, .9, .09, .12)]),
                    _spine([(-.1, .42, .18, .15), (.2, .5, .2, .25), (.42, .62, .16, .2)]))
        shield = np.array([[[-.15, 1.05, head[2] + .12], [.15, 1.05, head[2] + .12]],
                           [[-.12, 1.32, head[2] - .04], [.12, 1.32, head[2] - .04]]])
        builder.add(GLASS, grid(shield))
    if luck > .75:
        builder.add(TRIM, *(rounded_box((x - .1, .45, -base - .05), (x + .1, .8, -base + .38),
                                        .05) for x in (-.3, .3)))


def _scooter(builder: Builder, coat: Part, r: float, base: float, seat: float,
             head: np.ndarray) -> None:
    """Add leg shield, foot board, tail with the seat on it, and mudguard."""
    builder.add(coat, tube(np.array([[0, .25, base - .25], [0, .55, head[2] + .02],
                                     [0, 1.0, head[2] + .02]]), [.16, .2, .12], 8, .3),
                _spine([(0.0, .5, .14, .2), (-.3, .56, .19, .2), (-base - .1, .6, .14, .14),
                        (-base - .22, .64, .06, .06)]),
                moved(ellipsoid((0, 0, 0), (.08, .1, r), 4, 8), (0, 2 * r - .03, base)),
                box((-.17, .22, -.05), (.17, .28, head[2] + .05)))
    builder.add(TRIM, _spine([(.02, seat - .04, .1, .05), (-.3, seat, .14, .06),
                              (-base - .1, seat, .09, .05)]))
    builder.add(ENGINE, rods(np.array([[.07, r, base], [-.07, r, base], [0, r, -base]]),
                             np.array([[.05, .6, head[2]], [-.05, .6, head[2]], [0, .4, -.1]]),
                             .035, sides=5))
