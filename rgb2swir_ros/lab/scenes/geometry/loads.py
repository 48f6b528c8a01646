"""Bodies and loads of lorries: boxes, tarpaulins, tanks, platforms, containers, skips."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .fittings import TRIM
from .mesh import Part
from .shapes import Shape, box, boxes, grid, lathe, mirrored, moved, rods, rounded_box, xyz

STEEL = Part('steel', 'galvanized', 'worn', 200, .15)
FRAME = Part('frame', 'rubber', 'speckle', 80, .15)


def _walls(builder: Builder, part: Part, half: float, deck: float, height: float,
           bed: tuple[float, float]) -> None:
    builder.add(part, box((-half, deck, bed[0]), (half, deck + height, bed[1])))


def _box(builder: Builder, rng: np.random.Generator, half: float, deck: float, height: float,
         bed: tuple[float, float]) -> None:
    """Add a box body: smooth walls, corner posts, rear doors, at times a cooler."""
    material = rng.choice(['white_paint', 'metal_paint', 'aluminium'], p=[.5, .35, .15])
    _walls(builder, Part('box', str(material), 'worn', 40, .05, gloss=.02), half, deck, height,
           bed)
    edge = []
    for z in (bed[0], bed[1]):
        for x in (-half, half):
            edge.append(box((x - .02, deck, z - .02), (x + .02, deck + height, z + .02)))
    edge += [box((-half - .02, y - .03, bed[0] - .02), (half + .02, y + .03, bed[1] + .02))
             for y in (deck, deck + height - .02)]
    edge += [box((-.02, deck, bed[0] - .03), (.02, deck + height, bed[0])),
             box((-.3, deck + .1, bed[0] - .05), (-.26, deck + height - .1, bed[0])),
             box((.26, deck + .1, bed[0] - .05), (.3, deck + height - .1, bed[0]))]
    builder.add(STEEL, *edge)
    if rng.random() < .5:  # a company's livery
        y = np.sort(rng.uniform(deck + .3, deck + height - .3, 2)) + np.array((-.1, .1))
        z = np.sort(rng.uniform(bed[0] + .4, bed[1] - .4, 2)) + np.array((-.3, .3))
        builder.add(Part('livery', 'sign_face', 'smooth', 20, .1, gloss=.02),
                    box((-half - .015, y[0], z[0]), (half + .015, y[1], z[1])))
    if rng.random() < .35:
        builder.add(Part('cooler', 'white_paint'), rounded_box(
            (-.8, deck + height - .9, bed[1]), (.8, deck + height - .1, bed[1] + .4), .08))


def _curtain(builder: Builder, rng: np.random.Generator, half: float, deck: float, height: float,
             bed: tuple[float, float]) -> None:
    """Add tarpaulin sides with straps, ends and floor of metal."""
    tarp = Part('tarpaulin', 'sign_face', 'worn', 30, .1, gloss=.02)
    count = 2 * int((bed[1] - bed[0]) / .55)
    z = np.linspace(bed[0] + .06, bed[1] - .06, count + 1)
    bulge = half + .025 * (np.arange(count + 1) % 2)
    strip = np.stack([np.column_stack([bulge, np.full(count + 1, y), z])
                      for y in (deck + .1, deck + height - .1)])
    rows = strip.reshape(-1, 3)
    from_ = np.arange(count)
    faces = np.concatenate([np.stack([from_, from_ + 1, from_ + count + 2], 1),
                            np.stack([from_, from_ + count + 2, from_ + count + 1], 1)])
    builder.add(tarp, (rows, faces), mirrored((rows, faces)))
    _walls(builder, Part('box', 'metal_paint', 'worn', 40, .06), half - .04, deck, height - .02,
           bed)
    rim = [box((-half - .03, y - .06, bed[0] - .02), (half + .03, y + .06, bed[1] + .02))
           for y in (deck, deck + height - .06)]
    builder.add(STEEL, *rim)
    straps = np.linspace(bed[0] + .3, bed[1] - .3, count // 2)
    for side in (-1, 1):
        x = np.full(len(straps), side * (half + .03))
        builder.add(TRIM, boxes(np.column_stack([x - .01, np.full(len(x), deck + .05),
                                                 straps - .025]),
                                np.column_stack([x + .01, np.full(len(x), deck + .35),
                                                 straps + .025])))


def _tanker(builder: Builder, rng: np.random.Generator, half: float, deck: float, height: float,
            bed: tuple[float, float]) -> None:
    """Add a lying tank with ribs, a walkway and domes."""
    r, length = .9 * half, bed[1] - bed[0]
    material = rng.choice(['aluminium', 'metal_paint', 'white_paint'], p=[.5, .3, .2])
    tank = Part('tank', str(material), 'worn', 30, .06, gloss=.15)
    squash = rng.uniform(.75, 1)
    profile = [(0, 0), (0, .7 * r), (.12, .93 * r), (.35, r), (length - .35, r),
               (length - .12, .93 * r), (length, .7 * r), (length, 0)]

    def lay(shape: Shape, z: float) -> Shape:
        return shape[0] * [1, squash, 1] + [0, deck + .1 + squash * r, z], shape[1]

    builder.add(tank, lay(lathe(profile, 20, 'z'), bed[0]))
    for z in np.linspace(bed[0] + .5, bed[1] - .5, int(length / 1.8) + 1):
        builder.add(STEEL, lay(lathe([(0, r + .03), (.07, r + .03)], 20, 'z'), z))
    y = deck + .1 + 2 * squash * r
    domes = [moved(lathe([(0, .3), (.16, .3), (.18, 0)], 10), (0, y - .04, z))
             for z in np.linspace(bed[0] + 1, bed[1] - 1, 3)]
    builder.add(STEEL, *domes, box((.34, y - .1, bed[0] + .4), (.7, y + .03, bed[1] - .4)),
                box((-.5, deck - .15, bed[0] + .3), (.5, deck + .2, bed[1] - .2)))


def _flatbed(builder: Builder, rng: np.random.Generator, half: float, deck: float, height: float,
             bed: tuple[float, float]) -> None:
    """Add a platform with drop sides, a headboard and timber, pipes or pallets."""
    builder.add(FRAME, box((-half, deck - .1, bed[0]), (half, deck + .08, bed[1])))
    builder.add(Part('sides', 'metal_paint', 'worn', 60, .15),
                box((-half, deck + .08, bed[1] - .08), (half, deck + 1.3, bed[1])),
                *(box((x - .02, deck + .08, bed[0]), (x + .02, deck + .45, bed[1]))
                  for x in (-half, half)))
    choice = rng.random()
    if choice < .4:  # logs or pipes
        r = rng.uniform(.14, .24)
        part = (Part('timber', 'wood', 'streaks', 120, .3) if choice < .25 else
                Part('pipes', 'rust', 'worn', 60, .2))
        across = np.arange(-half + .3, half - .2, 2.02 * r)
        for layer in range(int(rng.integers(2, 5))):
            x = across[:len(across) - layer] + layer * r
            for at in x:
                trunk = lathe([(0, 0), (0, r), (bed[1] - bed[0] - .5, r),
                               (bed[1] - bed[0] - .5, 0)], 8, 'z')
                builder.add(part, moved(trunk, (at, deck + .08 + r + 1.75 * layer * r,
                                                bed[0] + .2)))
    else:
        part = Part('pallets', str(rng.choice(['wood', 'concrete', 'plastic', 'brick'])), 'worn',
                    60, .2)
        z: np.ndarray = np.arange(bed[0] + .3, bed[1] - 1.2, 1.4)
        z = z[rng.random(len(z)) < .8] if len(z) > 1 else z
        for at in z.tolist():
            tall = rng.uniform(.5, 1.6)
            builder.add(part, box((-half + .15, deck + .1, at), (-.04, deck + tall, at + 1.2)),
                        box((.04, deck + .1, at), (half - .15, deck + .9 * tall, at + 1.2)))


def container_shell(builder: Builder, half: float, low: float, length: float, middle: float,
                    name: str = 'container') -> None:
    """Add a corrugated freight container, 2.6 m high, along z about `middle`."""
    part = Part(name, 'metal_paint', 'worn', 40, .15, gloss=.02)
    count = 2 * int(length / .28)
    z = np.linspace(-length / 2 + .1, length / 2 - .1, count + 1) + middle
    x = half - .04 * (np.arange(count + 1) // 1 % 4 >= 2)
    side = np.stack([np.column_stack([x, np.full(count + 1, y), z]) for y in (low + .1,
                                                                              low + 2.5)])
    a = np.arange(count)
    skin = side.reshape(-1, 3), np.concatenate([
        np.stack([a, a + 1, a + count + 2], 1), np.stack([a, a + count + 2, a + count + 1], 1)])
    low_z, high_z = middle - length / 2, middle + length / 2
    builder.add(part, skin, mirrored(skin),
                box((-half + .05, low + .02, low_z + .05), (half - .05, low + 2.58, high_z - .05)))
    rails = [box((-half, y, low_z), (half, y + .12, high_z)) for y in (low, low + 2.48)]
    posts = [box((x - .07, low, z - .07), (x + .07, low + 2.6, z + .07))
             for x in (-half + .07, half - .07) for z in (low_z + .07, high_z - .07)]
    builder.add(part, *rails, *posts)
    bar = np.array([[x, low + .1, low_z] for x in (-.75, -.3, .3, .75)])
    builder.add(Part('bars', 'galvanized', 'worn', 80, .1),
                rods(bar, bar + xyz(0, 2.4, 0), .03))


def _container(builder: Builder, rng: np.random.Generator, half: float, deck: float,
               height: float, bed: tuple[float, float]) -> None:
    """Add one freight container, on a skeleton frame."""
    length = min(12.2, bed[1] - bed[0] - .1)
    container_shell(builder, 1.22, deck + .05, length, .5 * (bed[0] + bed[1]))
    builder.add(FRAME, box((-half + .1, deck - .12, bed[0]), (half - .1, deck + .04, bed[1])))


def _tipper(builder: Builder, rng: np.random.Generator, half: float, deck: float, height: float,
            bed: tuple[float, float]) -> None:
    """Add an open skip with ribs, heaped or empty."""
    tall = rng.uniform(1.1, 1.6)
    part = Part('skip', 'metal_paint', 'worn', 40, .2)
    wide = [box((-half, deck, bed[0]), (half, deck + .15, bed[1])),
            box((-half, deck, bed[1] - .1), (half, deck + tall + .3, bed[1])),
            box((-half, deck, bed[0]), (half, deck + tall - .1, bed[0] + .08))]
    wide += [box((x - .04, deck, bed[0]), (x + .04, deck + tall, bed[1]))
             for x in (-half + .04, half - .04)]
    wide += [box((-half - .05, deck, z), (half + .05, deck + .25, z + .1))
             for z in np.arange(bed[0] + .3, bed[1], .9).tolist()]
    wide += [box((x - .05, deck, z), (x + .05, deck + tall, z + .1)) for x in (-half, half)
             for z in np.arange(bed[0] + .3, bed[1], .9).tolist()]
    builder.add(part, *wide)
    if rng.random() < .6:
        z = np.linspace(bed[0] + .1, bed[1] - .12, 8)
        x = np.linspace(-half + .09, half - .09, 6)
        zs, xs = np.meshgrid(z, x, indexing='ij')
        heap = (tall - .15 + .45 * np.sin(np.linspace(0, np.pi, 8))[:, None]
                * np.sin(np.linspace(0, np.pi, 6)) + rng.normal(0, .05, xs.shape))
        builder.add(Part('heap', str(rng.choice(['gravel', 'sand', 'soil'])), 'speckle', 80, .25),
                    grid(np.stack([xs, deck + heap, zs], -1)))


LOADS = {'box': _box, 'curtain': _curtain, 'tanker': _tanker, 'flatbed': _flatbed,
          'container': _container, 'tipper': _tipper}
