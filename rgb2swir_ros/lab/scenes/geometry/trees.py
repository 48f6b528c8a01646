"""Trees: crowns are clouds of tufts of leaves around the ends of branches.

A tuft is one triangle; the gaps between its leaves are cut out when rays meet it (`Part.fill`).
"""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .shapes import Shape, above, cylinder, leaves, rods, tube, xyz

COVER = 2.6  # mean layers of leaves on a line of sight through the centre of a crown
FILL = .6    # share of a tuft that leaves cover (assumed)


def leaf_part(rng: np.random.Generator, material: str = 'leaf') -> Part:
    """Return foliage of one tree."""
    return Part('foliage', material, str(rng.choice(['leaves', 'foliage'])),
                rng.uniform(60, 160), rng.uniform(.12, .25), leafy=True, fill=FILL)


def bark_part(material: str = 'bark') -> Part:
    """Return a trunk's bark."""
    return Part('bark', material, 'streaks', 90, .3)


def crown(rng: np.random.Generator, middles: np.ndarray, radii: np.ndarray, count: int,
          size: float, flatten: float = .8) -> Shape:
    """Return tufts in balls, mostly near their surfaces and facing outward.

    :param middles: (B, 3).
    :param radii: (B,).
    :param count: tufts in all.
    :param size: mean edge of a tuft in metres.
    :param flatten: height of the balls over their width.
    """
    share = radii ** 2 / (radii ** 2).sum()
    ball = rng.choice(len(radii), count, p=share)
    out = rng.standard_normal((count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    depth = rng.uniform(.3, 1, count) ** .5
    at = middles[ball] + (radii[ball] * depth)[:, None] * out * [1, flatten, 1]
    normal = out + [0, .3, 0] + .7 * rng.standard_normal((count, 3))
    return leaves(rng, at, size * rng.uniform(.6, 1.35, count), normal)


def _balls(rng: np.random.Generator, count: int, width: float, tall: float,
           bottom: float) -> tuple[np.ndarray, np.ndarray]:
    """Return middles and radii of balls that fill an egg of half width and height."""
    out = rng.standard_normal((count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    radii = width * rng.uniform(.3, .48, count)
    reach = rng.uniform(.35, 1, (count, 1)) ** .5
    half = np.array([width, tall / 2, width])
    middles = [0, bottom + tall / 2, 0] + out * reach * np.maximum(half - radii[:, None], .1)
    # egg-shaped: wide below
    taper = 1.12 - .4 * np.clip((middles[:, 1:2] - bottom) / tall, 0, 1)
    middles[:, ::2] *= taper
    return middles, radii


def _leaf_size(count: int, width: float, tall: float) -> float:
    """Return the edge with which `count` tufts cover a crown `COVER` times with their leaves.

    A triangle of edge e and equal height has the area e^2 / 2, half of which shows on average.
    """
    return float(np.sqrt(COVER / FILL * np.pi * width * tall / 2 / count * 4 * .75))


def broadleaf(rng: np.random.Generator, detail: float = 1.0) -> Mesh:
    """Return a tree of 4 to 18 m with leaves, of one of several habits.

    :param detail: factor on the number of leaves, which get smaller accordingly; for a near tree.
    """
    habit = str(rng.choice(['round', 'oval', 'column', 'young', 'birch'],
                           p=[.4, .25, .1, .15, .1]))
    height, slim, free = {'round': (rng.uniform(7, 17), rng.uniform(.34, .48), .16),
                          'oval': (rng.uniform(8, 18), rng.uniform(.24, .32), .14),
                          'column': (rng.uniform(9, 18), rng.uniform(.1, .14), .06),
                          'young': (rng.uniform(3.5, 6), rng.uniform(.24, .32), .32),
                          'birch': (rng.uniform(8, 14), rng.uniform(.2, .27), .16)}[habit]
    bottom = height * free * rng.uniform(.8, 1.2)
    width, tall = height * slim, height - bottom
    count = int(rng.integers(1700, 3000) * detail)
    number = int(rng.integers(18, 34)) if habit != 'column' else 40
    middles, radii = _balls(rng, number, width, tall, bottom)
    if habit == 'column':
        radii *= 1.5
    size = min(_leaf_size(count, width, tall), .7)
    builder = Builder()
    girth = .011 * height + (.05 if habit == 'round' else .02)
    trunk = np.array([[0, -.02, 0], [.1, .3 * height, 0], [-.05, .55 * height, .1],
                      [0, .76 * height, 0]])
    trunk[1:, ::2] += rng.normal(0, .012 * height, (3, 2))
    bark = bark_part('white_paint' if habit == 'birch' else 'bark')
    wide = girth * np.array([1.25, .85, .55, .15])
    builder.add(bark, above(tube(trunk, wide, 7)))
    level = rng.uniform(.75, 1, number) * np.clip(middles[:, 1] - .3 * radii, bottom * .8, None)
    from_ = np.stack([np.interp(level, trunk[:, 1], trunk[:, i]) for i in range(3)], 1)
    from_[:, 1] = level
    builder.add(bark, rods(from_, middles, .35 * girth, .1 * girth, sides=3))
    builder.add(leaf_part(rng),
                above(crown(rng, middles, radii, count, size, rng.uniform(.6, .95)), .02))
    if habit == 'young' and rng.random() < .5:
        stakes = np.array([[-.3, 0, 0], [.3, 0, 0]])
        builder.add(Part('stakes', 'wood', 'streaks', 90, .2),
                    rods(stakes, stakes + xyz(0, 1.8, 0), .035))
    return builder.mesh()


def conifer(rng: np.random.Generator, detail: float = 1.0) -> Mesh:
    """Return a spruce, fir or pine of 4 to 22 m.

    :param detail: factor on the number of twigs, which get smaller accordingly; for a near tree.
    """
    builder = Builder()
    height = rng.uniform(4, 22)
    if rng.random() < .3:
        return _pine(rng, max(height, 8), detail)
    wide = height * rng.uniform(.15, .24)
    bare = height * rng.uniform(.02, .14)
    whorls = int(np.clip(height * 1.6, 10, 22))
    count = int(rng.integers(1900, 3200) * detail)
    up = 1 - np.sqrt(rng.uniform(0, 1, count))  # density proportional to the width of the cone
    layer = np.floor(up * whorls) / whorls
    reach = wide * (1 - layer) ** .85 + .05
    branch = np.floor(rng.uniform(0, 9, count))
    turn = branch * 2 * np.pi / 9 + layer * 91 + rng.normal(0, .16, count)
    reach = reach * (.8 + .25 * np.sin(branch * 5 + layer * 57))
    along = rng.uniform(.05, 1, count) ** .6
    droop = rng.uniform(.12, .45)
    out = np.stack([np.cos(turn), np.zeros(count), np.sin(turn)], 1)
    y = (bare + layer * (height - bare) + .03 * height - droop * reach * along ** 1.5
         + rng.normal(0, .02 * height / whorls * 8, count))
    at = out * (reach * along)[:, None]
    at[:, 1] = np.clip(y, .15, height)
    normal = out * .5 + [0, .8, 0] + .55 * rng.standard_normal((count, 3))
    size = np.sqrt(4 * COVER / FILL * wide * (height - bare) / count)
    builder.add(leaf_part(rng, 'conifer'), above(leaves(
        rng, at, np.minimum(size, .9) * rng.uniform(.7, 1.4, count), normal,
        out + [0, -droop, 0] + .4 * rng.standard_normal((count, 3)), aspect=.7), .02))
    girth = .009 * height + .04
    builder.add(bark_part(), tube(np.array([[0, -.02, 0], [0, .5 * height, 0],
                                            [0, .98 * height, 0]]),
                                  [girth, .6 * girth, .02], 6))
    return builder.mesh()


def _pine(rng: np.random.Generator, height: float, detail: float) -> Mesh:
    """Return a pine: a bare reddish trunk, a few flat clouds of needles high up."""
    builder = Builder()
    number = int(rng.integers(12, 22))
    bottom = height * rng.uniform(.45, .65)
    wide = height * rng.uniform(.15, .24)
    middles, radii = _balls(rng, number, wide, height - bottom, bottom)
    count = int(rng.integers(1400, 2400) * detail)
    builder.add(leaf_part(rng, 'conifer'),
                crown(rng, middles, radii, count,
                      min(_leaf_size(count, wide, height - bottom), .65), .5))
    girth = .008 * height + .05
    bend = rng.normal(0, .02 * height, 2)
    trunk = np.array([[0, -.02, 0], [bend[0], .5 * height, 0], [bend[0], .84 * height, bend[1]]])
    builder.add(bark_part(), tube(trunk, [1.2 * girth, .8 * girth, .25 * girth], 7))
    root = np.column_stack([np.full(number, bend[0]),
                            np.minimum(.9 * middles[:, 1], .83 * height), np.zeros(number)])
    builder.add(bark_part(), rods(root, middles, .3 * girth, .08 * girth, sides=3))
    return builder.mesh()


def far_tree(rng: np.random.Generator) -> Mesh:
    """Return a tree of 100 to 250 triangles for the distance: round, tall or a conifer."""
    builder = Builder()
    height = rng.uniform(6, 19)
    count = int(rng.integers(110, 220))
    habit = rng.random()
    if habit < .35:
        wide = height * rng.uniform(.15, .24)
        up = 1 - np.sqrt(rng.uniform(0, 1, count))
        turn = rng.uniform(0, 2 * np.pi, count)
        reach = wide * (1 - np.floor(up * 9) / 9) * rng.uniform(.4, 1, count) ** .5
        out = np.stack([np.cos(turn), np.zeros(count), np.sin(turn)], 1)
        at = out * reach[:, None]
        at[:, 1] = np.maximum(.06 * height + up * .92 * height, .5)
        size = np.sqrt(3.2 * COVER / FILL * wide * height / count)
        shape = leaves(rng, at, size * rng.uniform(.7, 1.2, count),
                       out + [0, .6, 0] + .3 * rng.standard_normal((count, 3)),
                       out + xyz(0, -.4, 0))
        material = 'conifer'
    else:
        wide = height * (rng.uniform(.27, .4) if habit < .85 else rng.uniform(.1, .14))
        bottom = height * rng.uniform(.08, .25)
        middles, radii = _balls(rng, 17, wide, height - bottom, bottom)
        radii = radii * (1.3 if habit < .85 else 1.7)
        shape = crown(rng, middles, radii, count,
                      _leaf_size(count, wide, height - bottom) * .85)
        material = 'leaf'
    builder.add(leaf_part(rng, material), above(shape, .02))
    builder.add(bark_part(), cylinder(.015 * height + .04, .6 * height, 5, .03))
    return builder.mesh()


def dead_tree(rng: np.random.Generator) -> Mesh:
    """Return a bare tree of 4 to 14 m: branches of four orders."""
    builder = Builder()
    height = rng.uniform(4, 14)
    girth = .013 * height + .03
    fork = height * rng.uniform(.2, .4)
    bark = bark_part('bark' if rng.random() < .8 else 'wood')
    start = np.zeros((1, 3))
    ahead = np.array([[0, 1.0, 0]]) + rng.normal(0, .06, (1, 3))
    length, radius, sides = np.array([fork]), girth, (7, 5, 4, 3, 3)
    for order in range(5):
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        end = start + ahead * length[:, None]
        builder.add(bark, above(rods(start, end, radius, .66 * radius, sides=sides[order])))
        if order == 4:
            break
        each = int(rng.integers(3, 5)) if order < 3 else 3
        share = rng.uniform(.45 if order else .9, 1, (len(start), each))
        share[:, 0] = 1
        begin = start[:, None] + (end - start)[:, None] * share[..., None]
        spread = ahead[:, None] + rng.normal(0, .5, (len(start), each, 3)) + [0, .25, 0]
        length = (np.repeat(length, each) * rng.uniform(.55, .8, len(start) * each)
                  * (1.25 if order == 0 else 1))
        start, ahead = begin.reshape(-1, 3), spread.reshape(-1, 3)
        radius *= .56
    return builder.mesh()


def palm(rng: np.random.Generator) -> Mesh:
    """Return a palm of 4 to 14 m: a thin leaning trunk and feathered fronds."""
    builder = Builder()
    height = rng.uniform(4, 14)
    lean = rng.normal(0, .06 * height, 2)
    path = np.array([[lean[0] * t * t, height * t - .02 * (t == 0), lean[1] * t * t]
                     for t in np.linspace(0, 1, 7)])
    girth = rng.uniform(.13, .24)
    builder.add(bark_part(), tube(path, girth * np.array([1.5, 1.05, 1, .95, .9, .9, 1.1]), 8))
    fronds, joints = int(rng.integers(16, 27)), 11
    turn = rng.uniform(0, 2 * np.pi, fronds)
    rise = rng.uniform(-.5, 1.2, fronds)
    length = rng.uniform(.85, 1.1, fronds) * np.clip(.3 * height, 1.8, 3.2)
    t = np.linspace(0, 1, joints)
    flat = np.stack([np.cos(turn), 0 * turn, np.sin(turn)], 1)
    out = length[:, None] * t * np.cos(rise)[:, None] * (1 - .15 * t ** 2)
    sag = (.55 + .3 * np.cos(rise))[:, None] * t ** 2
    drop = length[:, None] * (np.sin(rise)[:, None] * t - sag)
    spine = path[-1] + out[..., None] * flat[:, None] + drop[..., None] * [0, 1, 0]
    side = np.cross(flat, [0, 1, 0])
    builder.add(bark_part(), rods(spine[:, :-1].reshape(-1, 3), spine[:, 1:].reshape(-1, 3), .02,
                                  sides=3))
    triangles = []
    wide = .3 * np.clip(.25 * height, 1.6, 3) * np.sin(np.pi * (.12 + .8 * t[:-1]))
    for sign in (-1, 1):
        for half in (0, .5):
            root = spine[:, :-1] + half * (spine[:, 1:] - spine[:, :-1])
            tip = (root + sign * side[:, None] * wide[:, None]
                   + .9 * (spine[:, 1:] - spine[:, :-1]) - [0, .35, 0] * wide[:, None]
                   + rng.normal(0, .03, root.shape))
            triangles.append(np.stack([root, root + .42 * (spine[:, 1:] - spine[:, :-1]), tip],
                                      2).reshape(-1, 3))
    vertices = np.concatenate(triangles)
    builder.add(leaf_part(rng), (vertices, np.arange(len(vertices)).reshape(-1, 3)))
    return builder.mesh()
