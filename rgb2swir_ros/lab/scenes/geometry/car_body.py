"""The body of a car, van or pick-up: sections lofted along its length, some of their faces glass.

A half section runs over ten points: floor's edge, sill, door's middle, below the shoulder,
shoulder, foot and head of the side window, roof's edge, roof, roof's middle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shapes import Shape, grid, grid_faces

Range = tuple[float, float]
BODY, WINDOW, DARK, BLACK = range(4)  # classes of faces: painted, glass, trim, dark roof or post
_POINTS = 10


@dataclass(frozen=True)
class BodyStyle:
    """Ranges of dimensions of a kind of car.

    Positions along the car are shares of its length from the nose: foot of the windscreen
    (``cowl``), front and rear end of the roof, foot of the rear window (``deck``), rear end of
    the side windows (``glazed``). Heights ``nose``, ``bonnet``, ``belt`` and ``tail`` are shares
    of its height; the other figures are metres. ``bed``: open behind the cab.
    """

    length: Range
    width: Range
    height: Range
    clearance: Range
    wheel: Range
    nose: Range
    bonnet: Range
    belt: Range
    cowl: Range
    roof: Range
    roof_end: Range
    deck: Range
    tail: Range
    glazed: Range
    bed: bool = False


STYLES = {
    'sedan': BodyStyle((4.3, 5.05), (1.74, 1.9), (1.4, 1.5), (.14, .17), (.31, .35), (.44, .49),
                       (.60, .66), (.63, .68), (.25, .3), (.40, .44), (.68, .73), (.84, .88),
                       (.66, .73), (.77, .81)),
    'hatchback': BodyStyle((3.55, 4.35), (1.64, 1.83), (1.43, 1.56), (.14, .17), (.29, .33),
                           (.46, .51), (.60, .66), (.61, .66), (.2, .25), (.36, .41), (.82, .88),
                           (.95, .97), (.60, .66), (.84, .9)),
    'estate': BodyStyle((4.4, 4.95), (1.74, 1.9), (1.42, 1.54), (.14, .17), (.31, .35), (.44, .49),
                        (.60, .66), (.62, .67), (.23, .27), (.37, .41), (.88, .92), (.96, .975),
                        (.62, .67), (.88, .93)),
    'suv': BodyStyle((4.2, 5.05), (1.8, 1.99), (1.58, 1.86), (.19, .25), (.34, .39), (.50, .56),
                     (.62, .68), (.63, .68), (.22, .27), (.36, .41), (.84, .91), (.95, .97),
                     (.62, .67), (.84, .92)),
    'van': BodyStyle((4.7, 5.9), (1.92, 2.05), (1.9, 2.5), (.16, .2), (.33, .36), (.37, .42),
                     (.46, .52), (.48, .53), (.13, .18), (.27, .32), (.96, .97), (.98, .985),
                     (.5, .55), (.35, .94)),
    'pickup': BodyStyle((5.0, 5.6), (1.82, 2.0), (1.74, 1.9), (.22, .28), (.36, .41), (.5, .56),
                        (.6, .65), (.6, .65), (.23, .27), (.34, .38), (.55, .60), (.62, .64),
                        (.58, .63), (.55, .58), bed=True),
}


@dataclass(frozen=True)
class CarDimensions:
    """Dimensions of one car: those of its `BodyStyle`, drawn, and the rounding of ends and roof.

    ``axles``: z of the front and the rear one. ``posts``: shares of the length where the roof's
    posts stand between side windows. ``inside``: how much narrower the roof is than the belt.
    """

    style: BodyStyle
    length: float
    width: float
    height: float
    clearance: float
    wheel: float
    nose: float
    bonnet: float
    belt: float
    cowl: float
    roof: float
    roof_end: float
    deck: float
    tail: float
    glazed: float
    axles: tuple[float, float]
    posts: tuple[float, ...]
    bulge: tuple[float, float]
    lean: tuple[float, float]
    inside: float
    dark_roof: bool
    dark_posts: bool

    @property
    def half(self) -> float:
        """Half the width in metres."""
        return self.width / 2

    def end(self, x: np.ndarray | float, y: np.ndarray | float, front: bool) -> np.ndarray:
        """Return z of the front or rear end at x, y."""
        which = 0 if front else 1
        top = self.nose * self.height
        back = (self.bulge[which] * (np.asarray(x) / self.half) ** 2
                + self.lean[which] * np.abs(np.asarray(y) / top - .6) ** 1.5)
        return (self.length / 2 - back) * (1 if front else -1)


def draw_dimensions(rng: np.random.Generator, style: BodyStyle) -> CarDimensions:
    """Draw the dimensions of a car from its style."""
    names = ('length', 'width', 'height', 'clearance', 'wheel', 'nose', 'bonnet', 'belt', 'cowl',
             'roof', 'roof_end', 'deck', 'tail', 'glazed')
    figures = {name: float(rng.uniform(*getattr(style, name))) for name in names}
    length = figures['length']
    overhang = .185 if length < 5.2 else .16
    axles = (length * (.5 - overhang - rng.uniform(0, .02)),
             -length * (.5 - overhang - rng.uniform(0, .03)))
    span = figures['glazed'] - figures['roof']
    posts: tuple[float, ...] = (figures['roof'] + .32 * span,)
    if span > .3 and rng.random() < .85:
        posts = (figures['roof'] + .26 * span, figures['roof'] + .74 * span)
    return CarDimensions(style=style, **figures, axles=axles, posts=posts,
                         bulge=(rng.uniform(.08, .19), rng.uniform(.02, .05)),
                         lean=(rng.uniform(.08, .2), rng.uniform(.03, .1)),
                         inside=rng.uniform(.16, .24) if figures['height'] < 1.9
                         else rng.uniform(.07, .12),
                         dark_roof=bool(rng.random() < .12), dark_posts=bool(rng.random() < .6))


def body(dims: CarDimensions) -> tuple[Shape, np.ndarray]:
    """Return the body's surface and the class of each face (`BODY`, `WINDOW`, ...)."""
    at = _stations(dims)
    section = _sections(dims, at)  # (stations, points, 2)
    z = np.repeat(dims.length * (.5 - at)[:, None], _POINTS, 1)
    z[0] = dims.end(section[0, :, 0], section[0, :, 1], True)
    z[-1] = dims.end(section[-1, :, 0], section[-1, :, 1], False)
    right = np.concatenate([section, z[..., None]], -1)
    ring = np.concatenate([right, right[:, -2::-1] * [-1, 1, 1]], 1)
    vertices, faces = grid(ring, wrap=True)
    face_class = np.repeat(_face_classes(dims, at).ravel(), 2)
    ends = [_end(dims, section[index], front) for index, front in ((0, True), (-1, False))]
    for points, choice in ends:
        more = grid_faces(*points.shape[:2]) + len(vertices)
        vertices = np.concatenate([vertices, points.reshape(-1, 3)])
        faces = np.concatenate([faces, more])
        face_class = np.concatenate([face_class, choice])
    return (vertices, faces), face_class


def _end(dims: CarDimensions, section: np.ndarray, front: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (10, 7, 3) of the front or rear end and the classes of its faces."""
    x = section[:, :1] * np.linspace(-1, 1, 7)
    y = np.repeat(section[:, 1:], 7, 1)
    face_class = np.full((_POINTS - 1, 12), BODY)
    face_class[0] = DARK
    return np.stack([x, y, dims.end(x, y, front)], -1), face_class.ravel()


def _stations(dims: CarDimensions) -> np.ndarray:
    """Return the positions of the sections, as shares of the length from the nose."""
    edges = [0, .065, .14, dims.cowl, .5 * (dims.cowl + dims.roof), dims.roof,
             .5 * (dims.roof + dims.roof_end), dims.roof_end, dims.deck, 1]
    if dims.style.bed:
        edges += [dims.deck + .004, .985, .99]
    for post in (*dims.posts, dims.glazed):
        edges += [post - .011, post + .011]
    arch = np.array([-1.02, -.995, -.82, -.45, .45, .82, .995, 1.02]) * _arch(dims)
    round_ = [.5 - (axle + arch) / dims.length for axle in dims.axles]
    return np.unique(np.round(np.concatenate([edges, *round_]), 5))


def _arch(dims: CarDimensions) -> float:
    """Return the radius of the wheel arches."""
    return dims.wheel + .055


def _sections(dims: CarDimensions, at: np.ndarray) -> np.ndarray:
    """Return the half sections (stations, 10, 2) of x, y."""
    height = dims.height
    screen = .5 * (dims.cowl + dims.roof)
    top = height * np.interp(
        at, [0, .065, .14, dims.cowl, screen, dims.roof, .5 * (dims.roof + dims.roof_end),
             dims.roof_end, dims.deck, 1],
        [dims.nose, dims.nose + .04, .35 * dims.nose + .65 * dims.bonnet, dims.bonnet,
         .48 * dims.bonnet + .52 * .975 + .025, .975, 1, .965, dims.tail + .015, dims.tail])
    half = dims.half * (1 - .1 * np.clip((.16 - at) / .16, 0, 1) ** 2
                        - .06 * np.clip((at - .86) / .14, 0, 1) ** 2)
    z = dims.length * (.5 - at)
    under: np.ndarray = np.full(len(at), dims.clearance)
    for axle in dims.axles:
        rise = _arch(dims) ** 2 - (z - axle) ** 2
        under = np.where(rise > 0, np.maximum(under, dims.wheel + np.sqrt(np.maximum(rise, 0))),
                         under)
    waist = np.minimum(dims.belt * height, top - .015)
    rise = np.clip((top - waist) / (height * (1 - dims.belt)), 0, 1)
    shoulder, edge = .96 * half, half * (.93 - dims.inside * rise)
    crown = top - .015 - .05 * rise
    sill = under + np.where(under > dims.clearance, .02, .07)
    y = [under, sill, np.maximum(sill, .55 * waist + .06), waist - .09, waist]
    x = [.86 * half, .97 * half, half, .99 * half, shoulder]
    for share in (.07, .86, 1):  # the side window bulges a little
        x.append(shoulder + share * (edge - shoulder) + .1 * share * (1 - share) * rise)
        y.append(waist + share * (crown - waist))
    points = np.stack([np.stack([*x, .8 * edge, 0 * edge], 1), np.maximum.accumulate(
        np.stack([*y, top - .3 * (top - crown), top], 1), 1)], -1)
    if dims.style.bed:
        open_ = (at > dims.deck + .002) & (at < .988)
        points[open_, 5:, 0] = np.outer(half[open_], [.94, .93, .92, .91, 0])
        points[open_, 7:, 1] = (dims.tail * height - .45)
    return points


def _face_classes(dims: CarDimensions, at: np.ndarray) -> np.ndarray:
    """Return the classes of the quads between sections, (stations - 1, points around)."""
    middle = .5 * (at[1:] + at[:-1])
    face_class = np.full((len(middle), _POINTS - 1), BODY)
    face_class[:, 0] = DARK
    posts = np.zeros(len(middle), bool)
    for post in dims.posts:
        posts |= np.abs(middle - post) < .011
    side = (middle > dims.cowl) & (middle < dims.glazed)
    face_class[side & ~posts, 5] = WINDOW
    face_class[side & posts, 5] = BLACK if dims.dark_posts else BODY
    screens = ((middle > dims.cowl) & (middle < dims.roof)
               | (middle > dims.roof_end) & (middle < dims.deck))
    face_class[screens, 7:] = WINDOW
    if dims.dark_roof:
        face_class[(middle > dims.roof) & (middle < dims.roof_end), 7:] = BLACK
    if dims.style.bed:
        face_class[middle > dims.deck + .002, 7:] = DARK
    under = np.full((len(middle), 1), DARK)
    return np.concatenate([face_class, face_class[:, ::-1], under], 1)
