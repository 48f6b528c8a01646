"""People: bodies on the joints of a skeleton, in varied clothes."""

from __future__ import annotations

import numpy as np

from .builder import Builder
from .mesh import Mesh, Part
from .poses import HAND, Skeleton, on_foot
from .shapes import Shape, ellipsoid, loft, moved, rods, rounded_box, tube, turned, xyz

SKIN = Part('skin', 'skin')
HAIR = Part('hair', 'hair', 'streaks', 300, .2)
CLOTHS = ('cloth', 'cotton', 'black_cloth')


def cloth(rng: np.random.Generator, name: str, chances: tuple[float, float, float]) -> Part:
    """Return a garment: dyed, white or black cloth with the given probabilities."""
    return Part(name, str(rng.choice(CLOTHS, p=chances)), str(rng.choice(['smooth', 'worn'])),
                rng.uniform(150, 400), rng.uniform(.06, .18))


def person(rng: np.random.Generator) -> Mesh:
    """Return a walking or standing person of 1.0 to 1.95 m in some clothes."""
    child = rng.random() < .14
    height = rng.uniform(1.0, 1.5) if child else np.clip(rng.normal(1.71, .09), 1.48, 1.95)
    pose = on_foot(rng, float(height), 1.0 if rng.random() < .68 else 0.0)
    builder = Builder()
    dress(builder, rng, pose, girth=rng.uniform(.88, 1.22) * (1.08 if child else 1))
    return builder.mesh()


def dress(builder: Builder, rng: np.random.Generator, pose: Skeleton, girth: float = 1.0, *,
          helmet: Part | None = None, rider: bool = False, leather: bool = False) -> None:
    """Add a person on the joints of a skeleton.

    :param girth: thickness over a lean person's.
    :param helmet: worn instead of hair.
    :param rider: sits: wears no coat or skirt and has no bag in the hand.
    :param leather: wears dark thick clothes and gloves.
    """
    kind = 'suit' if rider else str(rng.choice(['suit', 'coat', 'skirt'], p=[.66, .2, .14]))
    warm = leather or kind == 'coat' or rng.random() < .62
    top = cloth(rng, 'top', (.2, 0, .8) if leather else (.62, .18, .2))
    legs = cloth(rng, 'trousers', (.2, 0, .8) if leather else (.55, .07, .38))
    bare = not leather and not warm and rng.random() < .45
    puffy = girth * (1.18 if warm and rng.random() < .4 else 1.05 if warm else 1.0)
    h = pose.height
    _legs(builder, pose, h * girth, legs, bare or kind == 'skirt', thigh=kind != 'skirt')
    shoe = Part('shoes', str(rng.choice(['black_cloth', 'cotton', 'rubber', 'cloth'])))
    for side in (0, 1):
        builder.add(shoe, _shoe(pose.ankles[side], pose.toes[side], h))
        _arm(builder, pose, side, h * puffy, top, sleeves=warm or rng.random() < .15)
    if kind == 'skirt':
        legs = cloth(rng, 'skirt', (.7, .1, .2))
        _skirt(builder, rng, pose, h * girth, legs)
    _trunk(builder, pose, h * puffy, top, legs, long=kind == 'coat')
    _head(builder, rng, pose, helmet, warm)
    if not rider or not leather:
        _bag(builder, rng, pose, in_hand=not rider)


def _legs(builder: Builder, pose: Skeleton, wide: float, part: Part, bare: bool,
          thigh: bool) -> None:
    """Add two legs: trousers, or cloth to the knee and skin below."""
    for side in (0, 1):
        hip, knee, ankle = pose.hips[side], pose.knees[side], pose.ankles[side]
        upper = np.array([hip + .3 * (hip - knee) * .3, hip, .5 * (hip + knee), knee])
        lower = np.array([knee, .65 * knee + .35 * ankle, ankle])
        cuff = .03 if not bare else .022
        builder.add(part if thigh else SKIN,
                    tube(upper, wide * np.array([.05, .056, .046, .037]), 6))
        builder.add(SKIN if bare else part,
                    tube(lower, wide * np.array([.034, .036 if bare else .037, cuff]), 6))


def _shoe(ankle: np.ndarray, toe: np.ndarray, h: float) -> Shape:
    """Return a shoe from heel to toe, its sole below the ankle."""
    ahead = toe - ankle
    ahead = ahead / np.linalg.norm(ahead)
    pitch = np.arctan2(-ahead[1], np.hypot(ahead[0], ahead[2])) - .29  # .29: a flat foot's
    low = -.039 * h
    radii = h * np.array([.02, .029, .028, .014])
    path = np.column_stack([np.zeros(4), low + radii * [1.0, .9, .6, .6],
                            h * np.array([-.035, -.015, .06, .11])])
    both = tube(path, radii, 7, .8)
    heading = np.arctan2(ahead[0], ahead[2])
    turned_ = turned(both, heading, pitch)
    sunk = min(0.0, float((turned_[0][:, 1] + ankle[1]).min()))
    return moved(turned_, ankle - [0, sunk, 0])


def _arm(builder: Builder, pose: Skeleton, side: int, wide: float, part: Part,
         sleeves: bool) -> None:
    """Add an arm and its hand."""
    shoulder, elbow, wrist = pose.shoulders[side], pose.elbows[side], pose.wrists[side]
    builder.add(part, tube(np.array([shoulder + xyz(0, .016 * pose.height, 0), shoulder,
                                     .5 * (shoulder + elbow), elbow]),
                           wide * np.array([.012, .033, .032, .027]), 6))
    builder.add(part if sleeves else SKIN,
                tube(np.array([elbow, wrist]), wide * np.array([.026, .019 if not sleeves
                                                                else .022]), 6))
    along = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
    builder.add(SKIN, tube(np.array([wrist - .01 * along, wrist + .4 * HAND * pose.height * along,
                                     wrist + HAND * pose.height * along]),
                           pose.height * np.array([.015, .022, .012]), 6, .6))


def _trunk(builder: Builder, pose: Skeleton, wide: float, top: Part, legs: Part,
           long: bool) -> None:
    """Add the trunk as ellipses from the crotch (or a coat's hem) to the neck."""
    hip, neck = pose.hip, pose.neck
    axis = neck - hip
    share = np.array([-.2, -.02, .12, .4, .7, .9, 1.0, 1.14])
    across = np.array([.06, .093, .09, .083, .1, .108, .085, .034])
    deep = np.array([.055, .066, .064, .058, .066, .06, .046, .034])
    angle = np.arange(9) * 2 * np.pi / 9
    side = pose.shoulders[0] - pose.shoulders[1]
    side = side / np.linalg.norm(side)
    ahead = np.cross(side, axis / np.linalg.norm(axis))
    ring = (across[:, None, None] * np.cos(angle)[:, None] * side
            + deep[:, None, None] * np.sin(angle)[:, None] * ahead)
    rings = hip + share[:, None, None] * axis + wide * ring
    builder.add(legs, loft(rings[:3]))
    builder.add(top, loft(rings[2:]))
    if long:
        hem = rings[1:2].copy()
        low = .42 * pose.height
        drop = (pose.hip[1] - low) / 2
        builder.add(top, loft(np.concatenate([
            1.32 * (hem - hip) + hip - [0, 1.5 * drop, 0], 1.16 * (hem - hip) + hip
            - [0, .6 * drop, 0], 1.06 * (hem - hip) + hip, 1.03 * (rings[2:3] - hip) + hip]),
            caps=False))


def _skirt(builder: Builder, rng: np.random.Generator, pose: Skeleton, wide: float,
           part: Part) -> None:
    """Add a skirt from the waist to above or below the knees."""
    low = pose.hip[1] * rng.uniform(.25, .68)
    flare = rng.uniform(.11, .17)
    y = np.array([pose.hip[1] + .04 * pose.height, pose.hip[1] - .02 * pose.height, low])
    angle = np.arange(12) * 2 * np.pi / 12
    rx, rz = wide * np.array([.095, .118, flare]), wide * np.array([.075, .1, flare + .02])
    rings = np.stack([pose.hip[0] + rx[:, None] * np.cos(angle),
                      np.repeat(y[:, None], 12, 1), pose.hip[2] + rz[:, None] * np.sin(angle)], -1)
    builder.add(part, loft(rings, caps=False))


def _head(builder: Builder, rng: np.random.Generator, pose: Skeleton, helmet: Part | None,
          warm: bool) -> None:
    """Add neck, head, and hair, a hat, a hood or a helmet."""
    h, head = pose.height, pose.head
    size = h * np.array([.044, .063, .054]) * (1.15 if h < 1.4 else 1.0)
    builder.add(SKIN, tube(np.array([pose.neck - [0, .01, 0], head - [0, .03, .01]]),
                           np.array([.032, .03]) * h))
    heading = float(np.arctan2(pose.facing[0], pose.facing[2]))

    def put(shape: Shape) -> Shape:
        return moved(turned(shape, heading), head)

    builder.add(SKIN, put(ellipsoid((0, 0, 0), size, 6, 8)),
                put(ellipsoid((0, -.1 * size[1], size[2]), size * [.2, .22, .22], 2, 4)))
    up, back = size[1], size[2]
    if helmet is not None:
        builder.add(helmet, put(ellipsoid((0, .38 * up, -.08 * back), size * [1.3, .85, 1.35])))
        return
    luck = rng.random()
    if luck < .16:  # a cap or a hat
        hat = cloth(rng, 'hat', (.7, .1, .2))
        builder.add(hat, put(ellipsoid((0, .45 * up, -.08 * back), size * [1.13, .72, 1.13])))
        builder.add(hat, put(ellipsoid((0, .38 * up, .9 * back), size * [.8, .06, .7], 2, 8)))
    elif luck < .26 and warm:
        builder.add(cloth(rng, 'hat', (.6, .1, .3)),
                    put(ellipsoid((0, .22 * up, -.22 * back), size * [1.2, .98, 1.05])))
    elif luck < .94:
        builder.add(HAIR, put(ellipsoid((0, .2 * up, -.2 * back), size * [1.1, .93, 1.02], 5, 8)))
    if .5 < luck < .8:  # long hair
        builder.add(HAIR, put(tube(back * np.array([[0, .4, -.55], [0, -.8, -.75],
                                                    [0, -1.6, -.8]]),
                                   size[0] * np.array([.85, .95, .4]), 7, .5)))


def _bag(builder: Builder, rng: np.random.Generator, pose: Skeleton, in_hand: bool) -> None:
    """Add, at times, a rucksack, a shoulder bag or a bag in the hand."""
    luck, h = rng.random(), pose.height
    bag = cloth(rng, 'bag', (.6, .08, .32))
    axis = pose.neck - pose.hip
    if luck < .2:
        lean = float(np.arctan2(axis[2], axis[1]))
        pack = rounded_box((-.085 * h, -.2 * h, -.15 * h), (.085 * h, .0, -.052 * h), .03 * h)
        builder.add(bag, moved(turned(pack, pitch=lean), pose.neck - [0, .02 * h, 0]))
    elif luck < .32:
        side = pose.hips[0] + [.075 * h, -.02 * h, 0]
        builder.add(bag, rounded_box(side - [.02, .09, .14], side + xyz(.055, .1, .14), .03),
                    rods(pose.shoulders[1:], side[None] + [0, .1, 0], .015))
    elif luck < .45 and in_hand:
        hand = pose.wrists[1] - [0, HAND * h, 0]
        low = max(hand[1] - rng.uniform(.25, .4), .06)
        builder.add(bag, rounded_box((hand[0] - .06, low, hand[2] - .16),
                                     (hand[0] + .06, hand[1] - .05, hand[2] + .16), .04),
                    rods(np.array([hand - [0, .06, .06], hand - [0, .06, -.06]]),
                         np.array([hand, hand]), .01))
