"""Basic shapes from which objects are composed.

Every function returns a `Shape`: vertices (V, 3) in metres and faces (F, 3), x right, y up,
z ahead. Degenerate faces may occur (the tip of a cone); `Builder` drops them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

Shape = tuple[np.ndarray, np.ndarray]
Point = Sequence[float] | np.ndarray

_BOX = np.array([[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
                 [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]])


@lru_cache(maxsize=256)
def grid_faces(rows: int, columns: int, wrap: bool = False) -> np.ndarray:
    """Return the (F, 3) faces of a grid of points, row by row; wrap joins last column to first.

    The two triangles of the quad at (row, column) are 2 * (row * quads a row + column) and the
    one after it.
    """
    wide = columns if wrap else columns - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(wide), indexing='ij')
    a = row * columns + column
    b = row * columns + (column + 1) % columns
    c, d = b + columns, a + columns
    faces = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    faces.flags.writeable = False  # shared by every caller
    return faces


def grid(points: np.ndarray, wrap: bool = False) -> Shape:
    """Return the surface through points (rows, columns, 3)."""
    rows, columns = points.shape[:2]
    return points.reshape(-1, 3), grid_faces(rows, columns, wrap)


def quad(a: Point, b: Point, c: Point, d: Point) -> Shape:
    """Return the two triangles of four corners in turn."""
    return np.array([a, b, c, d], float), np.array([[0, 1, 2], [0, 2, 3]])


def quads(corners: np.ndarray) -> Shape:
    """Return many quads at once, corners (N, 4, 3) in turn."""
    base = 4 * np.arange(len(corners))[:, None]
    return (corners.reshape(-1, 3),
            np.concatenate([base + np.array((0, 1, 2)), base + np.array((0, 2, 3))]))


def polygon(corners: np.ndarray) -> Shape:
    """Return a convex polygon (N, 3) as a fan."""
    last = np.arange(2, len(corners))
    return np.asarray(corners, float), np.stack([0 * last, last - 1, last], 1)


def prism(outline: np.ndarray, depth: float) -> Shape:
    """Return a convex outline (N, 2) in x, y, extruded from z = -depth / 2 to depth / 2."""
    outline = np.asarray(outline, float)
    both = np.stack([np.column_stack([outline, np.full(len(outline), z)])
                     for z in (-depth / 2, depth / 2)])
    return loft(both)


def box(low: Point, high: Point) -> Shape:
    """Return the box between two corners, six sides."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    corner = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)])
    return low + corner * (high - low), _BOX


def boxes(low: np.ndarray, high: np.ndarray) -> Shape:
    """Return many boxes at once between corners (N, 3) and (N, 3)."""
    corner = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)])
    low, high = np.asarray(low, float), np.asarray(high, float)
    vertices = low[:, None] + corner * (high - low)[:, None]
    faces = _BOX + 8 * np.arange(len(low))[:, None, None]
    return vertices.reshape(-1, 3), faces.reshape(-1, 3)


def loft(rings: np.ndarray, caps: bool = True) -> Shape:
    """Return the surface through closed rings (rings, points, 3), with its ends closed as fans."""
    vertices, faces = grid(rings, wrap=True)
    if caps:
        count, sides = rings.shape[:2]
        fan = np.stack([0 * np.arange(2, sides), np.arange(1, sides - 1), np.arange(2, sides)], 1)
        faces = np.concatenate([faces, fan, fan + (count - 1) * sides])
    return vertices, faces


def rounded_box(low: Point, high: Point, radius: float) -> Shape:
    """Return a box with its edges cut at the given radius: eight sides, lofted along z."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    r = min(radius, .49 * float((high - low).min()))

    def ring(z: float, inset: float) -> np.ndarray:
        x0, y0, x1, y1 = low[0] + inset, low[1] + inset, high[0] - inset, high[1] - inset
        c = r - inset / 2
        return np.array([[x0 + c, y0, z], [x1 - c, y0, z], [x1, y0 + c, z], [x1, y1 - c, z],
                         [x1 - c, y1, z], [x0 + c, y1, z], [x0, y1 - c, z], [x0, y0 + c, z]])

    return loft(np.stack([ring(low[2], .8 * r), ring(low[2] + r, 0), ring(high[2] - r, 0),
                          ring(high[2], .8 * r)]))


def lathe(profile: Sequence[tuple[float, float]], sides: int, axis: str = 'y') -> Shape:
    """Return a profile of (height, radius) turned about an axis through the origin.

    A side's corner lies straight below the axis, so a wheel of that radius stands on it.
    """
    profile_ = np.asarray(profile, float)
    angle = np.arange(sides) * 2 * np.pi / sides - np.pi / 2
    u = profile_[:, 1, None] * np.cos(angle)
    v = profile_[:, 1, None] * np.sin(angle)
    h = np.broadcast_to(profile_[:, :1], u.shape)
    order = {'y': (u, h, v), 'x': (h, v, u), 'z': (u, v, h)}[axis]
    return grid(np.stack(order, -1), wrap=True)


def cylinder(radius: float, height: float, sides: int = 10, top: float | None = None) -> Shape:
    """Return an upright cylinder, or a cone towards radius `top`, closed, standing on y = 0."""
    top = radius if top is None else top
    return lathe([(0, 0), (0, radius), (height, top), (height, 0)], sides)


def ellipsoid(centre: Point, radii: Point, rings: int = 6, sides: int = 9) -> Shape:
    """Return an ellipsoid of `rings` bands."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    vertices, faces = lathe(list(zip(np.sin(angle), np.cos(angle), strict=True)), sides)
    return vertices * np.asarray(radii) + np.asarray(centre), faces


def _across(direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit vectors (N, 3) perpendicular to each direction (N, 3) and to each other."""
    unit = direction / np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-9)
    upright = np.abs(unit[:, 1:2]) > .9
    helper = np.where(upright, [[0., 0., 1.]], [[0., 1., 0.]])
    first = np.cross(helper, unit)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return first, np.cross(unit, first)


def rods(starts: np.ndarray, ends: np.ndarray, radius: float | np.ndarray,
         tip: float | np.ndarray | None = None, sides: int = 4) -> Shape:
    """Return many straight open rods at once.

    :param starts: (N, 3).
    :param ends: (N, 3).
    :param radius: at the start, one or (N,).
    :param tip: at the end, the same as at the start when not given.
    """
    starts, ends = np.atleast_2d(np.asarray(starts, float)), np.atleast_2d(np.asarray(ends, float))
    count = len(starts)
    tip = radius if tip is None else tip
    first, second = _across(ends - starts)
    angle = np.arange(sides) * 2 * np.pi / sides + np.pi / sides
    round_ = (np.cos(angle)[:, None] * first[:, None] + np.sin(angle)[:, None] * second[:, None])
    wide = np.stack([np.broadcast_to(radius, count), np.broadcast_to(tip, count)], 1)
    vertices = (np.stack([starts, ends], 1)[:, :, None]
                + wide[:, :, None, None] * round_[:, None])
    faces = grid_faces(2, sides, True) + 2 * sides * np.arange(count)[:, None, None]
    return vertices.reshape(-1, 3), faces.reshape(-1, 3)


def tube(path: np.ndarray, radii: Sequence[float] | np.ndarray, sides: int = 7,
         flat: float = 1.0) -> Shape:
    """Return a closed tube round a path (N, 3) of N radii.

    :param flat: thickness along the second direction across over that along the first (x for
        upright paths).
    """
    path = np.asarray(path, float)
    first, second = _across(np.gradient(path, axis=0))
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = (np.cos(angle)[:, None] * first[:, None]
            + flat * np.sin(angle)[:, None] * second[:, None])
    return loft(path[:, None] + np.asarray(radii, float)[:, None, None] * ring)


def leaves(rng: np.random.Generator, at: np.ndarray, size: float | np.ndarray,
           normal: np.ndarray, along: np.ndarray | None = None, aspect: float = 1.0) -> Shape:
    """Return one triangle per leaf or tuft of leaves.

    :param at: (N, 3) middles.
    :param size: edge in metres, one or (N,).
    :param normal: (N, 3), of any length.
    :param along: (N, 3), where the tip points; any way when not given.
    :param aspect: width over length.
    """
    count = len(at)
    if along is None:
        along = rng.standard_normal((count, 3))
    side = np.cross(normal, along)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    tip = np.cross(side, normal)
    tip /= np.maximum(np.linalg.norm(tip, axis=1, keepdims=True), 1e-9)
    scale = np.broadcast_to(size, count)[:, None]
    skew = rng.uniform(-.3, .3, (count, 1))
    vertices = np.stack([at + scale * (.58 * tip + skew * side),
                         at - scale * (.29 * tip + .5 * aspect * side),
                         at - scale * (.29 * tip - .5 * aspect * side)], 1)
    return vertices.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)


def above(shape: Shape, low: float = 0.0) -> Shape:
    """Return the shape with vertices below a height raised to it."""
    return np.maximum(shape[0], [-np.inf, low, -np.inf]), shape[1]


def moved(shape: Shape, by: Point) -> Shape:
    """Return the shape translated."""
    return shape[0] + np.asarray(by, float), shape[1]


def turned(shape: Shape, heading: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Shape:
    """Return the shape rotated in radians: roll about z, then pitch about x, then heading about y.

    Heading turns +z towards +x, pitch +z towards -y, roll +x towards +y.
    """
    ch, sh, cp, sp = np.cos(heading), np.sin(heading), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    turn = (np.array([[ch, 0, sh], [0, 1, 0], [-sh, 0, ch]])
            @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
            @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]))
    return shape[0] @ turn.T, shape[1]


def mirrored(shape: Shape) -> Shape:
    """Return the shape mirrored at x = 0."""
    return shape[0] * [-1, 1, 1], shape[1]


def xyz(x: float | np.ndarray, y: float | np.ndarray, z: float | np.ndarray) -> np.ndarray:
    """Return the vector (3,), or (..., 3) of arrays."""
    return np.stack(np.broadcast_arrays(x, y, z), -1).astype(float)
