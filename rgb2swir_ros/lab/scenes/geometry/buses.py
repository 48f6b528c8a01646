"""Buses: city buses, coaches and double-deckers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from .builder import Builder
from .fittings import GLASS, HEAD, RIM, STEEL_RIM, TAIL, TRIM, paint, plate, wheel
from .mesh import Mesh, Part
from .shapes import Shape, box, boxes, grid, loft, mirrored, quad, rounded_box


def bus(rng: np.random.Generator, style: str | None = None) -> Mesh:
    """Return a bus of 7.5 to 13.5 m.

    :param style: ``'city'``, ``'coach'``, ``'double'`` or ``'mini'``; drawn when not given.
    """
    style = style or str(rng.choice(['city', 'coach', 'double', 'mini'], p=[.5, .27, .1, .13]))
    length, half, height = {
        'city': (rng.uniform(10.3, 13), 1.275, rng.uniform(2.95, 3.25)),
        'coach': (rng.uniform(11.5, 13.5), 1.275, rng.uniform(3.4, 3.8)),
        'double': (rng.uniform(9.6, 11.5), 1.275, rng.uniform(4.1, 4.4)),
        'mini': (rng.uniform(7.5, 9), rng.uniform(1.1, 1.2), rng.uniform(2.7, 2.95)),
    }[style]
    radius = .42 if style == 'mini' else .48
    builder = Builder()
    coat = paint(rng)
    second = paint(rng, 'livery')
    nose, tail = length / 2, -length / 2
    low = .32
    bow = rng.uniform(.06, .22)
    builder.add(coat, *_shell(half, low, height, nose, tail, bow))
    belt = {'city': 1.05, 'coach': 1.6, 'double': 1.05, 'mini': 1.05}[style] + rng.uniform(0, .25)
    head = (2.1 if style == 'double' else height - rng.uniform(.4, .6))
    bands = [(belt, head)]
    if style == 'double':
        bands.append((2.65, height - .35))
    for band in bands:
        _windows(builder, rng, half, band, nose - .75, tail + .5)
    number = plate(rng)
    _front(builder, style, half, height, nose, bow, bands, number)
    _rear(builder, rng, half, tail, bands, number)
    axles = (nose - rng.uniform(2.3, 2.8) * (1 if style != 'mini' else .7),
             tail + rng.uniform(2.4, 3.3) * (1 if style != 'mini' else .75))
    well = []
    for axle in axles:
        for side in (-1, 1):
            x = sorted((side * (half - .1), side * (half + .006)))
            well.append(box((x[0], low - .03, axle - radius - .12),
                            (x[1], 2 * radius + .1, axle + radius + .12)))
    builder.add(TRIM, *well, box((-half + .12, .25, tail + .3), (half - .12, low + .05,
                                                                nose - .4)))
    rim = STEEL_RIM if rng.random() < .5 else RIM
    for axle in axles:
        wheel(builder, (half + .05, axle), radius, .3, rim, sides=16, spokes=4, share=.58)
    luck = rng.random()  # a second colour along the skirt or over the windows
    if luck < .4:
        ends = [tail + .35, axles[1] - radius - .15, axles[1] + radius + .15,
                axles[0] - radius - .15, axles[0] + radius + .15, nose - .45]
        builder.add(second, *(box((-half - .008, low + .1, z0), (half + .008, belt - .2, z1))
                              for z0, z1 in zip(ends[::2], ends[1::2], strict=True)))
    elif luck < .7:
        y = (head + .1, 2.55) if style == 'double' else (head + .06, height - .28)
        builder.add(second, box((-half - .01, y[0], tail + .35), (half + .01, y[1], nose - .45)))
    if style in ('city', 'mini'):
        _doors(builder, half, low, head, nose, axles)
    roof = Part('roof_unit', 'plastic', 'worn', 60, .05)
    for z in rng.uniform(tail + 1.5, nose - 3, int(rng.integers(0, 3))):
        builder.add(roof, rounded_box((-.8, height - .03, z), (.8, height + .22, z + 1.8), .1))
    return builder.mesh()


def _shell(half: float, low: float, height: float, nose: float, tail: float,
           bow: float) -> tuple[Shape, Shape]:
    """Return the body, sections with round roof edges lofted along z, and its bowed front."""
    def ring(z: float, inset: float, bowed: float) -> np.ndarray:
        x = half - inset
        right = np.array([[x - .06, low], [x, low + .1], [x, .6 * height], [x - .03, height - .3],
                          [x - .12, height - .09], [x - .35, height - .01], [0, height]])
        right[:, 1] -= inset * (right[:, 1] > .6 * height)
        left = right[-2::-1] * [-1, 1]
        xy = np.concatenate([right, left])
        return np.column_stack([xy, z - _bow(xy[:, 0], xy[:, 1], half, height, bowed)])

    last = ring(nose, .1, bow)
    skin = loft(np.stack([ring(tail, .1, 0), ring(tail + .2, .02, 0), ring(tail + .5, 0, 0),
                          ring(nose - .6, 0, 0), ring(nose - .15, .03, .6 * bow), last]))
    x = last[:7, :1] * np.linspace(-1, 1, 7)
    y = np.repeat(last[:7, 1:2], 7, 1)
    return skin, grid(np.stack([x, y, nose - _bow(x, y, half, height, bow)], -1))


def _bow(x: np.ndarray | float, y: np.ndarray | float, half: float, height: float,
         bow: float) -> np.ndarray:
    """Return the setback of the front at x, y, metres."""
    return bow * (np.square(np.divide(x, half)) + .5 * np.divide(y, height))


def _windows(builder: Builder, rng: np.random.Generator, half: float, band: tuple[float, float],
             front: float, back: float) -> None:
    """Add a row of windows on both sides, over a dark band."""
    count = round((front - back) / rng.uniform(1.3, 1.8))
    edges = np.linspace(back, front, count + 1)
    x = half + .02
    low, high = band
    strip = quad((half + .01, low - .04, back - .05), (half + .01, low - .04, front + .05),
                 (half + .01, high + .04, front + .05), (half + .01, high + .04, back - .05))
    builder.add(TRIM, strip, mirrored(strip))
    for z0, z1 in zip(edges[:-1] + .05, edges[1:] - .05, strict=True):
        pane = quad((x, low, z0), (x, low, z1), (x, high, z1), (x, high, z0))
        builder.add(GLASS, pane, mirrored(pane))


def _front(builder: Builder, style: str, half: float, height: float, nose: float, bow: float,
           bands: list[tuple[float, float]], number: Part) -> None:
    """Add windscreens, the destination, lamps, wiper panel, mirrors and a plate."""
    def at(x: float, y: float, out: float = .04) -> tuple[float, float, float]:
        return x, y, nose + out - float(_bow(x, y, half, height, bow))

    def patch(x0: float, x1: float, y0: float, y1: float, out: float = .04) -> list[Shape]:
        xs = np.linspace(x0, x1, 5)
        return [quad(at(a, y0, out), at(b, y0, out), at(b, y1, out), at(a, y1, out))
                for a, b in pairwise(xs)]

    x = half - .16
    top = bands[0][1] + (.1 if style == 'double' else .02)
    builder.add(GLASS, *patch(-x, x, bands[0][0] - .1, top))
    if style == 'double':
        builder.add(GLASS, *patch(-x, x, *bands[1]))
    sign = (top + .05, top + .3)
    if style != 'coach' and sign[1] < height - .05:
        builder.add(TRIM, *patch(-x + .05, x - .05, *sign))
        builder.add(Part('destination', 'yellow_paint', lamp='window'),
                    *patch(-.75, .55, sign[0] + .06, sign[1] - .06, .055))
    for side in (-1, 1):
        a, b = sorted((side * (x - .45), side * (x - .02)))
        builder.add(HEAD, *patch(a, b, .58, .78))
    builder.add(TRIM, *patch(-x, x, .36, .5))
    builder.add(number, *patch(-.26, .26, .55, .66, .05))
    mirror = box((half + .05, bands[0][1] - .55, nose - .05), (half + .25, bands[0][1] - .05,
                                                              nose + .1))
    builder.add(TRIM, mirror, mirrored(mirror),
                box((-half - .1, bands[0][1] - .07, nose - .3), (half + .1, bands[0][1] - .04,
                                                                nose - .22)))


def _rear(builder: Builder, rng: np.random.Generator, half: float, tail: float,
          bands: list[tuple[float, float]], number: Part) -> None:
    """Add a rear window, lamps, the engine's grille and a plate."""
    z = tail - .015
    for low, high in bands[-1:] if rng.random() < .4 else bands:
        builder.add(GLASS, box((-half + .3, low + .15, z), (half - .3, high, z + .02)))
    lamp = box((half - .3, .75, z), (half - .14, .75 + rng.uniform(.3, .6), z + .02))
    builder.add(TAIL, lamp, mirrored(lamp))
    slats = np.linspace(.55, .9, 5)
    builder.add(TRIM, boxes(np.array([[-.7, y, z] for y in slats]),
                            np.array([[.7, y + .045, z + .02] for y in slats])))
    builder.add(number, box((-.26, .38, z - .01), (.26, .49, z + .01)))


def _doors(builder: Builder, half: float, low: float, head: float, nose: float,
           axles: tuple[float, float]) -> None:
    """Add glazed double doors on the right side."""
    for z in (nose - .62, .5 * (axles[0] + axles[1]) + .6):
        builder.add(TRIM, box((half - .02, low + .05, z - 1.3), (half + .02, head + .05, z)))
        builder.add(GLASS, *(box((half, low + .2, z - a - .53), (half + .03, head - .05, z - a))
                             for a in (.08, .69)))
