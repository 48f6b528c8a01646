"""Lorries: cab and load, rigid or with a semi-trailer."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .fittings import CHROME, GLASS, HEAD, STEEL_RIM, TAIL, TRIM, paint, plate, wheel
from .loads import FRAME, LOADS, STEEL
from .mesh import Mesh, Part
from .shapes import (
    box,
    boxes,
    lathe,
    loft,
    mirrored,
    moved,
    quad,
    rounded_box,
)

WEIGHTS = {'box': .34, 'curtain': .2, 'tanker': .13, 'flatbed': .13, 'container': .12,
           'tipper': .08}


def truck(rng: np.random.Generator, load: str | None = None) -> Mesh:
    """Return a lorry of 5.5 to 16.5 m.

    :param load: a key of `WEIGHTS`; drawn when not given.
    """
    load = load or str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
    semi = bool(rng.random() < (.25 if load == 'tipper' else .5))
    small = not semi and load == 'box' and rng.random() < .6
    builder = Builder()
    half = rng.uniform(1.0, 1.15) if small else rng.uniform(1.22, 1.275)
    radius = rng.uniform(.36, .42) if small else rng.uniform(.48, .53)
    bed_length = (rng.uniform(3.4, 5) if small else rng.uniform(12.2, 13.6) if semi
                  else rng.uniform(5.5, 7.6))
    cab_length = rng.uniform(1.7, 2.0) if small else rng.uniform(1.9, 2.35)
    total = bed_length + cab_length + (.6 if semi else .25)
    nose, tail = total / 2, -total / 2
    coat, number = paint(rng), plate(rng)
    roof = 2 * half + rng.uniform(-.2, .05) if small else rng.uniform(2.75, 3.6)
    _cab(builder, rng, half, nose, cab_length, roof, .6 * radius, coat, number)
    deck = 1.75 * radius + .2
    bed = tail, tail + bed_length
    height = (rng.uniform(2.0, 2.4) if small else
              min(4.0 - deck, rng.uniform(2.3, 2.9)))
    LOADS[load](builder, rng, half, deck, height, bed)
    builder.add(FRAME, box((-.45, .9 * radius, tail + .1), (.45, deck, nose - cab_length + .3)),
                box((-half + .08, .42, tail + .02), (half - .08, .56, tail + .14)))
    lamp = .2 if small else .36
    for side in (-1, 1):
        inner, outer = side * (half - .1 - lamp), side * (half - .1)
        builder.add(TAIL, box((min(inner, outer), .62, tail + .02),
                              (max(inner, outer), .76, tail + .08)))
    builder.add(number, box((-.26, .6, tail + .02), (.26, .72, tail + .06)))
    front, rear = nose - rng.uniform(1.2, 1.4), tail + rng.uniform(1.6, 2.3)
    axles = [front, rear]
    if semi:
        axles = [front, front - 3.5, rear, rear + 1.35, rear + 2.7]
    elif not small and rng.random() < .4:
        axles.append(rear + 1.35)
    rim = STEEL_RIM if rng.random() < .5 else STEEL
    for axle in axles:
        steered = axle == front
        wheel(builder, (half + (.05 if steered else -.03), axle), radius, .3, rim, sides=14,
              spokes=4, share=.58)
    arch = box((half - .3, .6 * radius - .02, front - radius - .1),
               (half + .008, 2 * radius + .08, front + radius + .1))
    builder.add(FRAME, arch, mirrored(arch))
    # tanks and side guards between the axles
    gap = (max(axles[2:] if semi else axles[1:]) + radius + .15,
           (axles[1] if semi else front) - radius - .2)
    if semi:
        gap = gap[0], gap[1] - 1.2
    for side in (-1, 1):
        low, high = sorted((side * (half - .1), side * (half - .04)))
        builder.add(STEEL, boxes(np.array([[low, .45, gap[0]], [low, .7, gap[0]]]),
                                     np.array([[high, .57, gap[1]], [high, .82, gap[1]]])))
    if semi:
        tank = moved(lathe([(0, 0), (0, .32), (.9, .32), (.9, 0)], 10, 'z'),
                     (half - .36, .72, front - 2.7))
        builder.add(CHROME, tank, mirrored(tank))
    return builder.mesh()


def _cab(builder: Builder, rng: np.random.Generator, half: float, nose: float, length: float,
         roof: float, low: float, coat: Part, number: Part) -> None:
    """Add a cab over its engine: slanting screen, side windows, grille, lamps, mirrors, roof."""
    slant = rng.uniform(.1, .4)
    belt = low + .42 * (roof - low)
    head = belt + rng.uniform(.75, .95)
    back = nose - length

    def ring(y: float, front: float, inset: float) -> np.ndarray:
        x = half - inset
        return np.array([[-x, y, back], [x, y, back], [x, y, front - .3],
                         [x - .16, y, front - .04], [0, y, front], [-x + .16, y, front - .04],
                         [-x, y, front - .3]])

    top = nose - slant
    rings = np.stack([ring(low, nose - .1, .04), ring(low + .3, nose, 0), ring(belt, nose, 0),
                      ring(head, nose - .55 * slant, .03), ring(roof - .2, top - .1, .07),
                      ring(roof, top - .45, .22)])
    builder.add(coat, loft(rings))
    at = nose - .55 * slant
    z0, z1, x = nose + .02, at + .02, half - .13
    edge = .035  # setback of the screen's outer posts
    screen = (quad((-x, belt + .06, z0 - edge), (0, belt + .06, z0), (0, head, z1),
                   (-x, head, z1 - edge)))
    side = quad((half + .012, belt + .05, nose - .4), (half + .012, belt + .05, nose - 1.25),
                (half - .01, head - .04, nose - 1.25), (half - .01, head - .04, at - .42))
    builder.add(GLASS, screen, mirrored(screen), side, mirrored(side))
    grille = half * rng.uniform(.55, .75)
    bars = int(rng.integers(2, 5))
    y = np.linspace(low + .5, belt - .1, bars + 1)
    builder.add(TRIM, boxes(
        np.column_stack([np.full(bars, -grille), y[:-1] + .04, np.full(bars, nose - .2)]),
        np.column_stack([np.full(bars, grille), y[1:], np.full(bars, nose + .025)])))
    bumper = TRIM if rng.random() < .4 else coat
    builder.add(bumper, rounded_box((-half + .01, low, nose - .5), (half - .01, low + .36,
                                                                    nose + .07), .06))
    lamp = box((half - .55, low + .1, nose), (half - .12, low + .3, nose + .09))
    builder.add(HEAD, lamp, mirrored(lamp))
    builder.add(number, box((-.26, low + .08, nose + .05), (.26, low + .19, nose + .085)))
    mirror = box((half + .03, belt + .1, nose - .3), (half + .25, belt + .75, nose - .18))
    builder.add(TRIM, mirror, mirrored(mirror),
                box((-x, head + .02, at + .02), (x, head + .1, at + .22)))
    step = box((half - .25, low - .05, nose - .72), (half + .006, low + .3, nose - .38))
    builder.add(FRAME, step, mirrored(step))
