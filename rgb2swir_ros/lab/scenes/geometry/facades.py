"""Walls with openings: windows set back into them, their frames, glass and blinds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .builder import Builder
from .mesh import Part
from .shapes import Shape, box, moved, quads, turned

# Two panes: each of the four surfaces mirrors .04. Glass passes .4 to .7 of the SWIR, so that
# there the two on its far side add little.
PANES = (Part('window', 'glass', gloss=.13, swir_gloss=.6),
         Part('lit_window', 'glass', gloss=.13, swir_gloss=.6, lamp='window'),
         Part('blind', 'cotton', 'streaks', 60, .1, gloss=.03))
FRAMES = ('white_paint', 'wood', 'metal_paint')
CONCRETE = Part('concrete', 'concrete', 'worn', 40, .15)
DOOR = Part('door', 'sign_face', 'streaks', 80, .1, gloss=.02)


def coated(pane: Part, rng: np.random.Generator) -> Part:
    """Return a pane of a glass front: its coat of metal oxides mirrors the visible sky.

    Drawn from .13, as two plain panes, to .32, as catalogues of solar glass list them. The coat is
    tuned to the visible; what it mirrors in SWIR is assumed. (Coats of silver, which mirror SWIR,
    are not among them.)
    """
    return replace(pane, gloss=float(rng.uniform(.13, .32)),
                   swir_gloss=float(rng.uniform(.3, .7)))


@dataclass(frozen=True)
class Side:
    """Position of a wall: its outside faces `heading`, `out` metres from the centre."""

    heading: float
    out: float
    middle: tuple[float, float] = (0.0, 0.0)

    def place(self, shape: Shape) -> Shape:
        """Return a shape of wall coordinates (along, up, outward) in building coordinates."""
        x, z = self.middle
        return moved(turned(moved(shape, (0, 0, self.out)), self.heading), (x, 0, z))


def four_sides(width: float, depth: float,
               middle: tuple[float, float] = (0.0, 0.0)) -> list[tuple[Side, float]]:
    """Return front, right, back and left side of a rectangle, each with its length."""
    return [(Side(0.0, depth / 2, middle), width), (Side(np.pi / 2, width / 2, middle), depth),
            (Side(np.pi, depth / 2, middle), width),
            (Side(-np.pi / 2, width / 2, middle), depth)]


def wall_part(rng: np.random.Generator, brick: float = .25) -> Part:
    """Return the part of a building's walls.

    :param brick: share of buildings of bare brick.
    """
    if rng.random() < brick:
        return Part('wall', 'brick', 'bricks', 415, .14)  # courses of 77 mm
    return Part('wall', 'wall', str(rng.choice(['worn', 'clouds', 'speckle'])),
                rng.uniform(20, 60), rng.uniform(.04, .12))


def frame_part(rng: np.random.Generator) -> Part:
    """Return the frames' part."""
    return Part('frame', str(rng.choice(FRAMES, p=[.6, .2, .2])))


def bays(length: float, count: int, share: float) -> np.ndarray:
    """Return the edges (2 count + 2) of `count` even openings along a wall about its middle.

    :param share: of the length that is open.
    """
    pitch = length / count
    left = -length / 2 + pitch * (np.arange(count) + .5 * (1 - share))
    edges = np.stack([left, left + share * pitch], 1).ravel()
    return np.concatenate([[-length / 2], edges, [length / 2]])


def facade(builder: Builder, rng: np.random.Generator, side: Side, wall: Part, frame: Part,
           across: np.ndarray, up: np.ndarray, *, deep: float = .15, bars: int = 1,
           lit: float = .2, keep: float = 1.0, rail: bool = True) -> np.ndarray:
    """Add a wall whose odd cells are windows.

    :param across: edges of the columns, from `bays`; the odd ones are open.
    :param up: edges of the rows; the odd ones hold windows.
    :param deep: how far the glass is set back, metres.
    :param bars: upright bars in each window.
    :param lit: share of windows lit when lamps are on.
    :param keep: share of the windows that are there.
    :param rail: whether frames have a bar across, too.
    :return: (N, 4) the windows' left, right, low and high edges.
    """
    rows, columns = len(up) - 1, len(across) - 1
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing='ij')
    open_ = (row % 2 == 1) & (column % 2 == 1) & (rng.random((rows, columns)) < keep)

    def cells(mask: np.ndarray) -> np.ndarray:
        return np.stack([across[column[mask]], across[column[mask] + 1], up[row[mask]],
                         up[row[mask] + 1]], 1)

    mixed = open_.any(1)
    whole = [[across[0], across[-1], up[i], up[i + 1]] for i in range(rows) if not mixed[i]]
    closed = np.concatenate([np.array(whole).reshape(-1, 4), cells(~open_ & mixed[:, None])])
    builder.add(wall, side.place(_rectangles(closed, 0.0)))
    windows = cells(open_)
    if len(windows) == 0:
        return windows
    x0, x1, y0, y1 = windows.T
    a, b = np.zeros(len(windows)), np.full(len(windows), -deep)
    corner = [np.stack([np.stack([x, y, a], 1), np.stack([x, y, b], 1)], 1)
              for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    reveals = np.concatenate([np.stack([corner[i][:, 0], corner[i - 1][:, 0], corner[i - 1][:, 1],
                                        corner[i][:, 1]], 1) for i in range(4)])
    builder.add(wall, side.place(quads(reveals)))
    luck = rng.random(len(windows))
    choice = np.where(luck < lit, 1, np.where(luck > .88, 2, 0))
    glass = side.place(_rectangles(windows, -deep))
    builder.split(glass, np.repeat(choice[None], 2, 0).ravel(), *PANES)
    wide = np.minimum(.07, .12 * (x1 - x0))
    strips = [np.stack([x0, x0 + wide, y0, y1], 1), np.stack([x1 - wide, x1, y0, y1], 1),
              np.stack([x0, x1, y0, y0 + wide], 1), np.stack([x0, x1, y1 - wide, y1], 1)]
    for bar in range(bars):
        middle = x0 + (bar + 1) / (bars + 1) * (x1 - x0)
        strips.append(np.stack([middle - .5 * wide, middle + .5 * wide, y0, y1], 1))
    if rail:
        level = y0 + .62 * (y1 - y0)
        strips.append(np.stack([x0, x1, level, level + .8 * wide], 1))
    builder.add(frame, side.place(_rectangles(np.concatenate(strips), -deep + .025)))
    return windows


def _rectangles(edges: np.ndarray, out: float) -> Shape:
    """Return rectangles (N, 4) of left, right, low, high in the plane `out`."""
    x0, x1, y0, y1 = edges.T
    z = np.full(len(edges), out)
    return quads(np.stack([np.stack([x, y, z], 1)
                           for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))], 1))


def sills(builder: Builder, side: Side, part: Part, windows: np.ndarray,
          out: float = .1) -> None:
    """Add a sill below each window."""
    for x0, x1, y0, _ in windows:
        builder.add(part, side.place(box((x0 - .08, y0 - .07, -.05), (x1 + .08, y0, out))))


def band(builder: Builder, side: Side, part: Part, length: float, low: float, high: float,
         out: float) -> None:
    """Add a band along a wall, such as a plinth or a cornice."""
    builder.add(part, side.place(box((-length / 2 - .6 * out, low, -.1),
                                     (length / 2 + .6 * out, high, out))))


def door(builder: Builder, side: Side, frame: Part, x: float, width: float = 1.0,
         height: float = 2.1, glazed: bool = False) -> None:
    """Add a door with its frame and a step before a wall."""
    builder.add(frame, side.place(box((x - width / 2 - .1, 0, 0),
                                      (x + width / 2 + .1, height + .1, .04))))
    builder.add(DOOR, side.place(box((x - width / 2, .05, 0), (x + width / 2, height, .06))))
    if glazed:
        builder.add(PANES[0], side.place(box((x - width / 2 + .15, .9, .05),
                                             (x + width / 2 - .15, height - .15, .075))))
    builder.add(CONCRETE, side.place(box((x - width / 2 - .2, -.05, 0), (x + width / 2 + .2, .14,
                                                                        .5))))
