"""Traffic signs, gantries, traffic lights and billboards; they face +z."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .shapes import Shape, box, cylinder, lathe, moved, polygon, rods, rounded_box

POST = Part('post', 'galvanized', 'worn', 150, .12)
BACK = Part('back', 'aluminium', 'worn', 100, .1)
WHITE = Part('white', 'white_paint', gloss=.02)
RED = Part('red', 'red_paint', gloss=.02)
YELLOW = Part('yellow', 'yellow_paint', gloss=.02)
COLOUR = Part('face', 'sign_face', gloss=.02)
DARK = Part('dark', 'rubber')


def _outline(kind: str, size: float) -> np.ndarray:
    """Return an outline (N, 2) about the origin: ``disc``, ``triangle``, ``octagon``, ..."""
    corners, turn = {'disc': (20, 0.0), 'triangle': (3, np.pi / 2), 'yield': (3, -np.pi / 2),
                     'octagon': (8, np.pi / 8), 'diamond': (4, 0.0),
                     'square': (4, np.pi / 4)}[kind]
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    return size * np.column_stack([np.cos(angle), np.sin(angle)])


def _flat(outline: np.ndarray, y: float, z: float, x: float = 0.0) -> Shape:
    return polygon(np.column_stack([outline[:, 0] + x, outline[:, 1] + y,
                                    np.full(len(outline), z)]))


def _bars(y: float, z: float, size: float, count: int, rng: np.random.Generator) -> list[Shape]:
    """Return strokes that stand for a symbol or letters."""
    shapes = []
    for _ in range(count):
        x0, y0 = rng.uniform(-.5, .2, 2) * size
        wide, tall = (rng.uniform(.3, .5), .13) if rng.random() < .5 else (.13,
                                                                          rng.uniform(.3, .5))
        shapes.append(_flat(np.array([[x0, y0], [x0 + wide * size, y0],
                                      [x0 + wide * size, y0 + tall * size],
                                      [x0, y0 + tall * size]]), y, z))
    return shapes


def _one_sign(builder: Builder, rng: np.random.Generator, y: float) -> float:
    """Add one sign's plate whose lowest point is at y; return its height."""
    kind = str(rng.choice(['disc', 'triangle', 'yield', 'octagon', 'diamond', 'square', 'board'],
                          p=[.34, .17, .09, .05, .07, .13, .15]))
    if kind == 'board':
        wide, tall = rng.uniform(.3, .9), rng.uniform(.15, .35)
        middle = y + tall
        outline = np.array([[-wide, -tall], [wide, -tall], [wide, tall], [-wide, tall]])
        rim, face = ((WHITE, COLOUR) if rng.random() < .6 else (DARK, YELLOW))
        size = tall
        height = 2 * tall
    else:
        size = rng.uniform(.3, .45)
        outline = _outline(kind, size * (1.25 if kind in ('triangle', 'yield') else 1))
        middle = y - outline[:, 1].min()
        height = float(np.ptp(outline[:, 1]))
        rim, face = {'disc': [(RED, WHITE), (WHITE, COLOUR), (RED, COLOUR)],
                     'triangle': [(RED, WHITE)], 'yield': [(RED, WHITE)],
                     'octagon': [(WHITE, RED)], 'diamond': [(WHITE, YELLOW)],
                     'square': [(WHITE, COLOUR)]}[kind][
                         int(rng.integers(0, 3)) if kind == 'disc' else 0]
    z = .05
    builder.add(BACK, _flat(outline, middle, z))
    builder.add(rim, _flat(outline, middle, z + .012))
    inner = .72 if rim is RED else .88
    builder.add(face, _flat(inner * outline, middle, z + .02))
    ink = WHITE if face in (COLOUR, RED) else DARK
    if kind != 'yield':
        builder.add(ink, *_bars(middle, z + .028, .75 * size, int(rng.integers(1, 4)), rng))
    return height


def traffic_sign(rng: np.random.Generator) -> Mesh:
    """Return one or two signs on a post."""
    builder = Builder()
    low = rng.uniform(1.7, 2.4) if rng.random() < .85 else rng.uniform(.5, .9)
    top = low + _one_sign(builder, rng, low)
    if rng.random() < .3:
        top += .05 + _one_sign(builder, rng, top + .05)
    builder.add(POST, cylinder(.035, top + .03, 8))
    return builder.mesh()


def _board(builder: Builder, rng: np.random.Generator, x: float, y: float, z: float, wide: float,
           tall: float, face: Part) -> None:
    """Add a direction board with a white rim, lines of text and arrows; x, y is its middle."""
    def rect(cx: float, cy: float, w: float, h: float) -> np.ndarray:
        return np.array([[cx - w, cy - h], [cx + w, cy - h], [cx + w, cy + h], [cx - w, cy + h]])

    builder.add(BACK, box((x - wide / 2, y - tall / 2, z - .08), (x + wide / 2, y + tall / 2, z)))
    builder.add(WHITE, _flat(rect(x, y, wide / 2, tall / 2), 0, z + .012))
    builder.add(face, _flat(rect(x, y, wide / 2 - .06, tall / 2 - .06), 0, z + .022))
    lines = max(1, int(tall / .75))
    for line in range(lines):
        cy = y + tall / 2 - (line + .6) * tall / (lines + .4)
        left, right = x - .42 * wide, x + .25 * wide
        while left < right - .15:  # words of letters, each a small block
            letters = int(rng.integers(3, 8))
            for _ in range(letters):
                w = rng.uniform(.05, .09)
                if left + 2 * w > right:
                    break
                builder.add(WHITE, _flat(rect(left + w, cy, .8 * w, rng.uniform(.09, .14)), 0,
                                         z + .032))
                left += 2.3 * w
            left += .2
    ax = x + .36 * wide
    builder.add(WHITE, _flat(rect(ax, y - .05 * tall, .05, .22 * tall), 0, z + .032),
                _flat(np.array([[ax - .2, y + .12 * tall], [ax + .2, y + .12 * tall],
                                [ax, y + .38 * tall]]), 0, z + .032))


def gantry(rng: np.random.Generator, width: float | None = None) -> Mesh:
    """Return direction boards on a lattice beam over the road, 5 m of clearance below.

    :param width: between the posts in metres, drawn from 10 to 26 when not given.
    """
    builder = Builder()
    width = float(rng.uniform(10, 26)) if width is None else width
    low = rng.uniform(5.2, 5.8)
    half, beam = width / 2, low + rng.uniform(1.2, 1.8)
    for x in (-half, half):
        builder.add(POST, box((x - .2, -.05, -.45), (x + .2, beam + .8, -.05)))
    corners = [(y, z) for y in (beam - .4, beam + .4) for z in (-.6, 0.0)]
    builder.add(POST, rods(np.array([[-half, y, z - .1] for y, z in corners]),
                           np.array([[half, y, z - .1] for y, z in corners]), .07))
    joints = np.linspace(-half, half, int(width / .9) + 1)
    for z in (-.7, -.1):
        even = np.arange(len(joints)) % 2 == 0
        points = np.column_stack([joints, np.where(even, beam - .4, beam + .4),
                                  np.full(len(joints), z)])
        builder.add(POST, rods(points[:-1], points[1:], .035, sides=3))
    face = COLOUR if rng.random() < .8 else DARK
    count = int(rng.integers(1, max(2, int(width / 5)) + 1))
    for at in (np.arange(count) + .5) / count * width - half:
        wide, tall = .8 * min(width / count, 5.5), rng.uniform(1.8, 3)
        _board(builder, rng, float(at), low + tall / 2 + .1, .12, wide, tall, face)
    return builder.mesh()


def direction_sign(rng: np.random.Generator) -> Mesh:
    """Return a direction board at the roadside on two posts."""
    builder = Builder()
    wide, tall, low = rng.uniform(1.6, 4.2), rng.uniform(.9, 2.8), rng.uniform(.9, 1.8)
    face = COLOUR if rng.random() < .8 else YELLOW
    _board(builder, rng, 0, low + tall / 2, .1, wide, tall, face)
    for x in (-.35 * wide, .35 * wide):
        builder.add(POST, moved(cylinder(.06, low + tall, 8), (x, 0, -.06)))
    return builder.mesh()


def traffic_light(rng: np.random.Generator) -> Mesh:
    """Return a traffic light on a post, some with an arm over the road along -x."""
    builder = Builder()
    housing = Part('housing', 'rubber' if rng.random() < .7 else 'yellow_paint', gloss=.02)
    arm = rng.random() < .45
    height = rng.uniform(5.6, 6.4) if arm else rng.uniform(3.0, 3.6)
    builder.add(POST, cylinder(.09 if arm else .055, height, 8, .07 if arm else .055))
    heads = [(-.0, 2.3)] if arm else [(0.0, height - 1.0)]
    if arm:
        reach = rng.uniform(3, 6.5)
        builder.add(POST, rods(np.array([[0, height - .3, 0]]), np.array([[-reach, height, 0]]),
                               .06, .04, sides=6))
        heads.append((-reach + .2, height - 1.0))
    on = int(rng.choice([0, 1, 2], p=[.45, .1, .45]))
    for x, y in heads:
        builder.add(housing, rounded_box((x - .16, y, .08), (x + .16, y + .98, .3), .05))
        if x and rng.random() < .7:
            builder.add(DARK, box((x - .3, y - .12, .06), (x + .3, y + 1.1, .08)),
                        )
        for index, (name, material) in enumerate((('red_lamp', 'red_paint'),
                                                  ('amber_lamp', 'yellow_paint'),
                                                  ('green_lamp', 'sign_face'))):
            lamp = Part(name, material, gloss=.06, lamp='signal' if index == on else '')
            at = y + .82 - .31 * index
            builder.add(lamp, _flat(_outline('disc', .11), at, .305, x))
            hood = lathe([(0, .13), (.16, .12)], 12, 'z')
            upper = hood[0][hood[1]][:, :, 1].mean(1) > -.02
            builder.add(housing, moved((hood[0], hood[1][upper]), (x, at, .3)))
    return builder.mesh()


def billboard(rng: np.random.Generator) -> Mesh:
    """Return an advertising board on posts."""
    builder = Builder()
    wide, tall, low = rng.uniform(2.5, 8), rng.uniform(1.8, 4), rng.uniform(.6, 4)
    builder.add(Part('frame', 'metal_paint'), box(
        (-wide / 2, low, -.2), (wide / 2, low + tall, 0)))
    poster = Part('poster', 'sign_face', 'clouds', 25, .25, gloss=.03)
    builder.add(poster, box((-wide / 2 + .1, low + .1, 0), (wide / 2 - .1, low + tall - .1, .02)))
    for index in range(int(rng.integers(1, 4))):
        part = Part(f'picture_{index}', str(rng.choice(['sign_face', 'cotton', 'car_paint',
                                                        'skin'])), 'smooth', 40, .15)
        x = np.sort(rng.uniform(-.45, .45, 2)) * wide
        y = low + (.1 + .8 * np.sort(rng.uniform(0, 1, 2))) * tall
        builder.add(part, box((x[0], y[0], .0), (x[1] + .1, y[1] + .05, .03 + .012 * index)))
    for x in np.linspace(-.35, .35, 2 if wide < 6 else 3) * wide:
        builder.add(POST, box((x - .1, -.05, -.35), (x + .1, low + .7 * tall, -.2)))
    return builder.mesh()
