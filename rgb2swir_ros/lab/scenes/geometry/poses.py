"""Skeletons of people: walking, standing, riding.

Segment lengths as shares of the height are from Drillis and Contini's body segment lengths (1966).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .shapes import xyz

THIGH, CALF, UPPER_ARM, FOREARM, HAND = .245, .246, .186, .146, .08
ANKLE, HIP, SHOULDER = .039, .53, .818
HIP_WIDTH, SHOULDER_WIDTH = .052, .112  # half of them
_TRUNK = SHOULDER - HIP


@dataclass(frozen=True)
class Skeleton:
    """Joints in metres; those of a pair are right (x > 0), then left, (2, 3).

    ``hip`` and ``neck`` (3,) are the ends of the trunk, ``head`` (3,) the middle of the head,
    ``facing`` (3,) the direction of the face.
    """

    height: float
    hip: np.ndarray
    neck: np.ndarray
    head: np.ndarray
    facing: np.ndarray
    hips: np.ndarray
    knees: np.ndarray
    ankles: np.ndarray
    toes: np.ndarray
    shoulders: np.ndarray
    elbows: np.ndarray
    wrists: np.ndarray


def bend(start: np.ndarray, end: np.ndarray, first: float, second: float,
         towards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle joint and the end of two segments (inverse kinematics).

    :param first: length of the first segment, ``second``: of the second.
    :param towards: direction in which the joint bends.
    :return: the end is ``end``, or the nearest point within reach.
    """
    reach = end - start
    distance = float(np.linalg.norm(reach))
    unit = reach / max(distance, 1e-9)
    distance = float(np.clip(distance, abs(first - second) + 1e-3, first + second - 1e-3))
    along = (first ** 2 - second ** 2 + distance ** 2) / (2 * distance)
    out = towards - unit * float(towards @ unit)
    out = out / max(float(np.linalg.norm(out)), 1e-9)
    middle = start + along * unit + np.sqrt(max(first ** 2 - along ** 2, 0)) * out
    return middle, start + distance * unit


def _swing(angle: float) -> np.ndarray:
    """Return the direction of a hanging limb that is swung forward by an angle, radians."""
    return np.array([0, -np.cos(angle), np.sin(angle)])


def on_foot(rng: np.random.Generator, height: float, stride: float) -> Skeleton:
    """Return a walking (``stride`` 1) or standing (0) pose with the lower sole on y = 0."""
    phase = rng.choice([-1, 1]) * rng.uniform(.3, 1)
    swing = stride * phase * rng.uniform(.34, .46)
    lean = stride * .06 + rng.uniform(-.02, .05)
    hip = np.zeros(3)
    neck = hip + _TRUNK * np.array([0, np.cos(lean), np.sin(lean)])
    hips = hip + np.array([[HIP_WIDTH, 0, 0], [-HIP_WIDTH, 0, 0]])
    out = rng.uniform(0, .012, 2) + (1 - stride) * rng.uniform(0, .03)
    knees, ankles, toes = [], [], []
    for side, sign in ((0, 1), (1, -1)):
        angle = sign * swing
        back = -angle + .12 if angle < 0 else .06  # the hind knee is bent
        knee = hips[side] + THIGH * _swing(angle) + [sign * out[side], 0, 0]
        ankle = knee + CALF * _swing(angle - back - rng.uniform(0, .1 * stride))
        knees.append(knee)
        ankles.append(ankle)
        toes.append(ankle + xyz(sign * .012, -.03 + .05 * angle, .1))
    shoulders = neck + np.array([[SHOULDER_WIDTH, -.014, 0], [-SHOULDER_WIDTH, -.014, 0]])
    elbows, wrists = [], []
    act = rng.random()
    for side, sign in ((0, 1), (1, -1)):
        angle = -sign * swing * .9 + rng.uniform(-.1, .1)
        spread = rng.uniform(.02, .05)
        if act < .12 and side == 0:  # a phone at the ear or before the eyes
            elbow = shoulders[side] + UPPER_ARM * _swing(.5) + [.02, 0, 0]
            wrist = elbow + FOREARM * np.array([-.35, .75, .55])
        else:
            elbow = shoulders[side] + UPPER_ARM * _swing(angle) + [sign * spread, 0, 0]
            fold = .25 + stride * rng.uniform(.1, .5)
            if act > .9:
                fold = 1.5  # carries something in front
            wrist = elbow + FOREARM * _swing(angle + fold)
        elbows.append(elbow)
        wrists.append(wrist)
    lift = ANKLE - min(float(a[1]) for a in ankles)
    pose = [np.asarray(p, float) + xyz(0, lift, 0) for p in (
        hip, neck, neck + xyz(0, .118, .015 + .3 * lean), hips, knees, ankles, toes, shoulders,
        elbows, wrists)]
    return _scaled(height, np.array([rng.uniform(-.5, .5), 0, 1]), pose)


def riding(height: float, saddle: np.ndarray, pedals: np.ndarray, grips: np.ndarray,
           lean: float) -> Skeleton:
    """Return a rider's pose.

    :param saddle: (3,), where the hip is.
    :param pedals: (2, 3) where right and left foot are, metres.
    :param grips: (2, 3) where the hands are.
    :param lean: of the trunk ahead, radians.
    """
    saddle, pedals, grips = saddle / height, pedals / height, grips / height
    neck = saddle + _TRUNK * np.array([0, np.cos(lean), np.sin(lean)])
    hips = saddle + np.array([[HIP_WIDTH, 0, 0], [-HIP_WIDTH, 0, 0]])
    shoulders = neck + np.array([[SHOULDER_WIDTH, -.014, 0], [-SHOULDER_WIDTH, -.014, 0]])
    knees, ankles, elbows, wrists = [], [], [], []
    for side, sign in ((0, 1), (1, -1)):
        knee, ankle = bend(hips[side], pedals[side] + [0, ANKLE, -.03], THIGH, CALF,
                           np.array([.2 * sign, .3, 1]))
        elbow, wrist = bend(shoulders[side], grips[side], UPPER_ARM, FOREARM,
                            np.array([sign, -.8, -.3]))
        knees.append(knee)
        ankles.append(ankle)
        elbows.append(elbow)
        wrists.append(wrist)
    ankles_ = np.array(ankles)
    head = neck + xyz(0, .112, .03 + .03 * lean)
    return _scaled(height, np.array([0, 0, 1]), [
        saddle, neck, head, hips, np.array(knees), ankles_, ankles_ + xyz(0, -.03, .1), shoulders,
        np.array(elbows), np.array(wrists)])


def _scaled(height: float, facing: np.ndarray, joints: Sequence[np.ndarray]) -> Skeleton:
    """Return the pose of a person of that height from joints in shares of it."""
    hip, neck, head, hips, knees, ankles, toes, shoulders, elbows, wrists = (
        height * np.asarray(joint, float) for joint in joints)
    return Skeleton(height, hip, neck, head, facing, hips, knees, ankles, toes, shoulders, elbows,
                    wrists)
