"""Low plants: bushes, hedges, grass, flowers and crops."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .shapes import Shape, above, leaves, rods, xyz
from .trees import FILL, bark_part, crown, leaf_part


def bush(rng: np.random.Generator, detail: float = 1.0) -> Mesh:
    """Return a bush of .5 to 2.8 m.

    :param detail: factor on the number of leaves, which get smaller accordingly; for a near bush.
    """
    builder = Builder()
    height = rng.uniform(.5, 2.8)
    wide = height * rng.uniform(.4, .85)
    number = int(rng.integers(4, 10))
    radii = wide * rng.uniform(.35, .6, number)
    turn, reach = rng.uniform(0, 2 * np.pi, number), rng.uniform(0, .65 * wide, number)
    middles = np.stack([reach * np.cos(turn), rng.uniform(.2, .72, number) * height,
                        reach * np.sin(turn)], 1)
    count = int(rng.integers(500, 1100) * detail)
    size = float(np.clip(np.sqrt(9 / FILL * wide * height / count), .05, .45))
    builder.add(leaf_part(rng, 'leaf' if rng.random() < .85 else 'dry_grass'),
                above(crown(rng, middles, radii, count, size), .01))
    builder.add(bark_part(), rods(np.zeros((number, 3)), middles, .014, .006, sides=3))
    return builder.mesh()


def hedge(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a clipped hedge along x.

    :param length: in metres, drawn from 2 to 8 when not given.
    """
    builder = Builder()
    length = float(rng.uniform(2, 8)) if length is None else length
    height, wide = rng.uniform(.7, 2.2), rng.uniform(.5, 1.0)
    count = int(min(330 * length * (height / 1.4 + .3), 3600))
    half = np.array([length / 2, height / 2, wide / 2])
    at = rng.uniform(-1, 1, (count, 3))
    area = np.array([height * wide, length * wide, length * height])
    axis = rng.choice(3, count, p=area / area.sum())
    sign = np.where(rng.random(count) < .5, -1.0, 1.0)
    at[np.arange(count), axis] = sign
    normal = .7 * rng.standard_normal((count, 3))
    normal[np.arange(count), axis] += sign
    lumps = .5 + .5 * np.sin(at[:, 0] * length * 1.7) * np.sin(at[:, 1] * 3 + at[:, 2] * 2)
    depth = 1 - (.06 + .12 * lumps + .12 * rng.random(count))[:, None] * [.3, .6, 1]
    size = float(np.clip(np.sqrt(7 / FILL * length * (height + wide) / count), .08, .4))
    shape = leaves(rng, at * depth * half + [0, half[1], 0], size * rng.uniform(.6, 1.3, count),
                   normal)
    builder.add(leaf_part(rng, 'leaf' if rng.random() < .8 else 'conifer'), above(shape, .01))
    stems = np.column_stack([np.arange(-length / 2 + .2, length / 2, .5)] * 3) * [1, 0, 0]
    builder.add(bark_part(), rods(stems, stems + xyz(0, .8 * height, 0), .03, sides=3))
    return builder.mesh()


def _blades(rng: np.random.Generator, roots: np.ndarray, height: float | np.ndarray, wide: float,
            lean: float) -> tuple[Shape, np.ndarray]:
    """Return bent blades of two triangles and a tip, and their tips (N, 3)."""
    count = len(roots)
    turn = rng.uniform(0, 2 * np.pi, count)
    out = np.stack([np.cos(turn), 0 * turn, np.sin(turn)], 1)
    side = np.stack([-np.sin(turn), 0 * turn, np.cos(turn)], 1) * wide / 2
    tall = (np.broadcast_to(height, count) * rng.uniform(.6, 1.15, count))[:, None]
    bow = rng.uniform(.2, 1.2, (count, 1)) * lean * tall
    knee = roots + .6 * tall * [0, 1, 0] + .3 * bow * out
    tip = roots + tall * [0, 1, 0] + bow * out
    vertices = np.stack([roots - side, roots + side, knee - .7 * side, knee + .7 * side, tip], 1)
    faces = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]]) + 5 * np.arange(count)[:, None, None]
    return (vertices.reshape(-1, 3), faces.reshape(-1, 3)), tip


def _patch(rng: np.random.Generator, count: int, radius: float) -> np.ndarray:
    """Return points (N, 3) on the ground within a radius, denser in the middle."""
    turn, reach = rng.uniform(0, 2 * np.pi, count), radius * rng.uniform(0, 1, count) ** .7
    return np.stack([reach * np.cos(turn), np.zeros(count), reach * np.sin(turn)], 1)


def grass_tuft(rng: np.random.Generator) -> Mesh:
    """Return a tuft of grass .1 to .9 m high, green or dry."""
    builder = Builder()
    height = rng.uniform(.12, .8)
    material = 'grass' if rng.random() < .7 else 'dry_grass'
    part = Part('blades', material, 'foliage', 60, .15, leafy=True)
    roots = _patch(rng, int(rng.integers(40, 110)), rng.uniform(.12, .45))
    builder.add(part, _blades(rng, roots, height, rng.uniform(.012, .03), .6)[0])
    return builder.mesh()


def flowers(rng: np.random.Generator) -> Mesh:
    """Return a clump of flowering herbs."""
    builder = Builder()
    height = rng.uniform(.15, .6)
    green = Part('blades', 'leaf', 'foliage', 60, .15, leafy=True)
    roots = _patch(rng, int(rng.integers(50, 90)), rng.uniform(.2, .5))
    shape, tips = _blades(rng, roots, height, .03, .35)
    builder.add(green, shape)
    bloom = Part('blossoms', str(rng.choice(['cotton', 'yellow_paint', 'sign_face'])), leafy=True)
    some = tips[rng.random(len(tips)) < .6]
    for _ in range(2):
        builder.add(bloom, leaves(rng, some, rng.uniform(.03, .08),
                                  rng.normal(0, .5, some.shape) + xyz(0, 1, 0)))
    return builder.mesh()


def crop_row(rng: np.random.Generator, length: float | None = None) -> Mesh:
    """Return a row of maize, cereal, rape or vegetables along x.

    :param length: in metres, drawn from 4 to 8 when not given.
    """
    builder = Builder()
    length = float(rng.uniform(4, 8)) if length is None else length
    kind = str(rng.choice(['maize', 'cereal', 'rape', 'cabbage']))
    count = {'maize': 5, 'cereal': 26, 'rape': 9, 'cabbage': 2.5}[kind] * length
    x = np.linspace(-length / 2, length / 2, int(count)) + rng.normal(0, .05, int(count))
    roots = np.stack([x, np.zeros(len(x)), rng.normal(0, .04, len(x))], 1)
    green = Part('blades', 'leaf', 'foliage', 60, .15, leafy=True)
    if kind == 'maize':
        tall = rng.uniform(.4, 2.4)
        builder.add(green, rods(roots, roots + [0, .9, 0] * np.array(tall), .012, sides=3))
        up = np.repeat(roots, 8, 0) + np.tile(np.linspace(.1, .8, 8) * tall, len(x))[:, None] * [
            0, 1, 0]
        builder.add(green, _blades(rng, up, .3 * tall, .07, 1.4)[0])
    elif kind == 'cereal':
        part = Part('blades', str(rng.choice(['grass', 'dry_grass'])), 'foliage', 60, .15,
                    leafy=True)
        roots[:, 2] = rng.uniform(-.25, .25, len(x))
        builder.add(part, _blades(rng, np.repeat(roots, 3, 0), rng.uniform(.3, .95), .03, .3)[0])
    elif kind == 'rape':
        tall = rng.uniform(.5, 1.4)
        shape, tips = _blades(rng, np.repeat(roots, 8, 0), tall, .06, .25)
        builder.add(green, shape)
        if rng.random() < .6:
            builder.add(Part('blossoms', 'yellow_paint', leafy=True), leaves(
                rng, np.repeat(tips, 2, 0) - [0, .06, 0] * rng.random((2 * len(tips), 1)), .09,
                rng.normal(0, 1, (2 * len(tips), 3))))
    else:
        heads = roots + xyz(0, .16, 0)
        builder.add(leaf_part(rng), above(crown(rng, heads, np.full(len(x), .2), 60 * len(x),
                                                 .12), .005))
    return builder.mesh()
