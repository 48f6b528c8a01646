"""Parts of several kinds of vehicles: materials, wheels, lamps and plates."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Part
from .shapes import Shape, lathe, polygon

GLASS = Part('glass', 'glass', gloss=.08)
TYRE = Part('tyre', 'tyre', 'speckle', 200, .15)
RIM = Part('rim', 'aluminium', 'worn', 200, .1, gloss=.05)
STEEL_RIM = Part('rim', 'metal_paint', 'worn', 200, .1)
TRIM = Part('trim', 'rubber', 'speckle', 120, .08, gloss=.02)
HEAD = Part('head_lamp', 'lamp_glass', gloss=.08, lamp='head')
TAIL = Part('tail_lamp', 'red_paint', gloss=.06, lamp='tail')
PLATE = Part('plate', 'white_paint')
YELLOW_PLATE = Part('plate', 'yellow_paint')
CHROME = Part('chrome', 'aluminium', gloss=.3)


def paint(rng: np.random.Generator, name: str = 'body') -> Part:
    """Return car paint, more or less glossy and dirty."""
    return Part(name, 'car_paint', 'worn', rng.uniform(30, 90), rng.uniform(.01, .06),
                gloss=rng.uniform(.035, .06))


def plate(rng: np.random.Generator) -> Part:
    """Return a licence plate's part, white or yellow."""
    return PLATE if rng.random() < .75 else YELLOW_PLATE


def wheel(builder: Builder, at: tuple[float, float], radius: float, width: float, rim: Part,
          *, spokes: int = 5, sides: int = 16, share: float = .66) -> None:
    """Add a pair of wheels that stand on y = 0.

    :param at: distance of the outer side walls from the middle plane, z of the axle.
    :param share: rim's radius over the wheel's.
    """
    x, z = at
    inner = share * radius
    tyre = lathe([(-width, .3 * radius), (-width, .93 * radius), (-.88 * width, radius),
                  (-.1 * width, radius), (0, .9 * radius), (-.02, inner)], sides, 'x')
    count = 4 * spokes
    angle = np.arange(count) * 2 * np.pi / count
    ring = np.column_stack([np.full(count, -.03), inner * np.cos(angle), inner * np.sin(angle)])
    middle = np.array([[-.015, 0, 0]])
    step = np.arange(count)
    disc = np.concatenate([ring, middle]), np.stack([step, (step + 1) % count,
                                                     np.full(count, count)], 1)
    hub = polygon(np.column_stack([np.full(8, -.008), .25 * inner * np.cos(np.arange(8) * .785),
                                   .25 * inner * np.sin(np.arange(8) * .785)]))
    for side in (-1, 1):
        def put(shape: Shape, side: int = side) -> Shape:
            return shape[0] * [side, 1, 1] + [side * x, radius, z], shape[1]
        builder.add(TYRE, put(tyre))
        builder.split(put(disc), (step % 4 >= 2).astype(int), rim, TYRE)
        builder.add(rim, put(hub))
