"""Passenger cars, vans and pick-ups."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .car_body import STYLES, CarDimensions, body, draw_dimensions
from .fittings import CHROME, GLASS, HEAD, RIM, STEEL_RIM, TAIL, TRIM, paint, plate, wheel
from .mesh import Mesh, Part
from .shapes import Shape, box, grid, rods, rounded_box, xyz

WEIGHTS = {'sedan': .2, 'hatchback': .26, 'estate': .14, 'suv': .22, 'van': .12, 'pickup': .06}
BLACK = Part('black', 'rubber', gloss=.05)


def car(rng: np.random.Generator, style: str | None = None) -> Mesh:
    """Return a car.

    :param style: a key of `STYLES`; drawn by `WEIGHTS` when not given.
    """
    name = style or str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
    dims = draw_dimensions(rng, STYLES[name])
    builder = Builder()
    coat = paint(rng)
    skin, face_class = body(dims)
    builder.split(skin, face_class, coat, GLASS, TRIM, BLACK)
    inner = dims.half - .3  # keeps light from shining through between the wheel arches
    builder.add(TRIM, box((-inner, dims.clearance + .02, -.44 * dims.length),
                          (inner, .84 * dims.nose * dims.height, .4 * dims.length)))
    number = plate(rng)
    _front(builder, rng, dims, number)
    _rear(builder, rng, dims, name, number)
    _fittings(builder, rng, dims, name, coat)
    rim = STEEL_RIM if name == 'van' or rng.random() < .12 else RIM
    spokes, width = int(rng.integers(4, 8)), rng.uniform(.19, .25)
    for axle in dims.axles:
        wheel(builder, (dims.half - .015, axle), dims.wheel, width, rim, spokes=spokes, sides=14,
              share=rng.uniform(.62, .72))
    return builder.mesh()


def _patch(dims: CarDimensions, front: bool, x: tuple[float, float], y: tuple[float, float],
           out: float = .014) -> Shape:
    """Return a patch on the front or rear end, `out` metres in front of it."""
    count = 2 + int(abs(x[1] - x[0]) > .3) * 3
    xs, ys = np.meshgrid(np.linspace(*x, count), np.linspace(*y, 2))
    z = dims.end(xs, ys, front) + (out if front else -out)
    return grid(np.stack([xs, ys, z], -1))


def _both(dims: CarDimensions, front: bool, x: tuple[float, float], y: tuple[float, float],
          out: float = .014) -> tuple[Shape, Shape]:
    return _patch(dims, front, x, y, out), _patch(dims, front, (-x[1], -x[0]), y, out)


def _front(builder: Builder, rng: np.random.Generator, dims: CarDimensions, number: Part) -> None:
    """Add lamps, grille, lower intake and plate."""
    half, top = .9 * dims.half, dims.nose * dims.height
    lamp_top = top - rng.uniform(.03, .08)
    lamp_low = lamp_top - rng.uniform(.09, .19)
    lamp_in = half * rng.uniform(.52, .7)
    builder.add(HEAD, *_both(dims, True, (lamp_in, half - .03), (lamp_low, lamp_top)))
    low = dims.clearance + .06
    grille = (lamp_in - .03) * rng.uniform(.5, 1)
    grille_low = lamp_low - rng.uniform(-.03, .16)
    builder.add(BLACK, _patch(dims, True, (-grille, grille), (grille_low, lamp_top - .02)),
                _patch(dims, True, (-.6 * half, .6 * half), (low, low + rng.uniform(.08, .15))))
    if rng.random() < .6:
        size = rng.uniform(.04, .07)
        middle = .5 * (grille_low + lamp_top)
        builder.add(CHROME, _patch(dims, True, (-size, size), (middle - size, middle + size),
                                   .022))
    if rng.random() < .3:
        builder.add(CHROME, _patch(dims, True, (-grille, grille),
                                   (grille_low, grille_low + .025), .02))
    if rng.random() < .5:
        builder.add(BLACK, *_both(dims, True, (.68 * half, .86 * half), (low + .02, low + .1)))
    builder.add(number, _patch(dims, True, (-.26, .26), (low + .13, low + .24), .024))


def _rear(builder: Builder, rng: np.random.Generator, dims: CarDimensions, name: str,
          number: Part) -> None:
    """Add tail lamps, bumper and plate; tall cars have vertical lamps at times."""
    half, top = .93 * dims.half, dims.tail * dims.height
    low = dims.clearance
    upright = name in ('van', 'pickup') or (name not in ('sedan',) and rng.random() < .35)
    lamp_top = top - rng.uniform(.02, .07)
    if upright:
        lamp_low = lamp_top - rng.uniform(.28, .42)
        wide = rng.uniform(.1, .16)
    else:
        lamp_low = lamp_top - rng.uniform(.12, .2)
        wide = rng.uniform(.25, .42)
    builder.add(TAIL, *_both(dims, False, (half - wide, half - .015), (lamp_low, lamp_top)))
    if not upright and rng.random() < .2:
        builder.add(TAIL, _patch(dims, False, (-half + .2, half - .2), (lamp_low + .04,
                                                                        lamp_low + .08), .012))
    builder.add(TRIM, _patch(dims, False, (-.9 * half, .9 * half), (low + .04, low + .2)))
    middle = rng.choice([low + .3, .5 * (lamp_low + lamp_top)])
    builder.add(number, _patch(dims, False, (-.26, .26), (middle - .055, middle + .055),
                                   .022))
    if name == 'van':  # rear doors with windows over them, a gap between
        builder.add(BLACK, _patch(dims, False, (-.012, .012), (low + .25, top - .02)))


def _fittings(builder: Builder, rng: np.random.Generator, dims: CarDimensions, name: str,
              coat: Part) -> None:
    """Add mirrors, gaps of the doors, handles and roof equipment."""
    z = dims.length * (.5 - dims.cowl) - .28
    y = dims.belt * dims.height
    part = coat if rng.random() < .7 else BLACK
    tall = .28 if name == 'van' else .15
    mirror = rounded_box((.95 * dims.half, y, z), (1.0 * dims.half + .16, y + tall, z + .12), .04)
    builder.add(part, mirror, (mirror[0] * [-1, 1, 1], mirror[1]))
    x = 1.004 * dims.half
    front = dims.length * (.5 - dims.roof) + .25
    doors = [front, *(dims.length * (.5 - post) for post in dims.posts)]
    for side in (-1, 1):
        for door in doors:
            builder.add(BLACK, box((side * x - .004, .4 * y, door - .006),
                                   (side * x + .004, y - .12, door + .006)))
        for door in doors[1:]:
            builder.add(coat, box((side * x - .02, y - .14, door + .05),
                                  (side * x + .025, y - .11, door + .24)))
    roof = dims.height
    span = dims.length * (.5 - dims.roof) - .2, dims.length * (.5 - dims.roof_end) + .2
    luck = rng.random()
    if name in ('estate', 'suv') and luck < .5:
        rail = dims.half * (.9 - dims.inside)
        ends = np.array([[-rail, roof, span[0]], [rail, roof, span[0]]])
        builder.add(CHROME if rng.random() < .5 else BLACK,
                    rods(ends, ends + xyz(0, -.01, span[1] - span[0]), .025))
    elif name != 'van' and luck > .95:
        builder.add(Part('roof_box', 'plastic', gloss=.03),
                    rounded_box((-.4, roof + .03, span[1]), (.4, roof + .35, span[1] + 1.7), .15))
    elif name in ('sedan', 'estate') and luck > .88:
        builder.add(Part('taxi_sign', 'yellow_paint', lamp='window'),
                    box((-.2, roof - .01, .1), (.2, roof + .14, .25)))
