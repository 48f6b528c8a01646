"""Irradiance by lamps: street lamps, head lamps of other vehicles and of the ego vehicle."""

from __future__ import annotations

import numpy as np

from rgb2swir_ros.lab.scenes.geometry_buffer import GeometryBuffer
from rgb2swir_ros.lab.scenes.light import Light
from rgb2swir_ros.lab.scenes.raycast import RayCaster
from rgb2swir_ros.lab.scenes.vectors import row_dot, row_length

REACH = {'street': 45.0, 'head': 30.0, 'window': 0.0, 'tail': 0.0, 'signal': 0.0}  # metres
MAX_LAMPS = 16  # the nearest ahead are used
# Irradiance at 1 m over the radiance of the lamp's face, for its area and shape
STRENGTH = {'street': 1.2, 'head': .8}


def lamp_light(caster: RayCaster, buffer: GeometryBuffer, light: Light) -> np.ndarray:
    """Return the irradiance (N, 5) by lamps, or (5,) zeros without lamps.

    Lamps cast no shadows, an approximation.
    """
    if not light.lamps and not light.own_beam.any():
        return np.zeros(5, np.float32)
    hits = buffer.hits
    total = np.zeros((len(hits.distance), 5), np.float32)
    rows = np.flatnonzero(~hits.sky & (hits.distance < 150))
    point, normal = hits.point[rows], hits.normal[rows]
    for kind, place, ahead in _places(caster, buffer, light):
        to_lamp = place - point
        squared = row_dot(to_lamp, to_lamp)
        unit = to_lamp / np.sqrt(squared)[:, None]
        facing = np.clip(row_dot(unit, normal), 0, 1)
        ahead_of = unit[:, 1] if kind == 'street' else -(unit @ ahead)
        reached = np.flatnonzero((facing > 0) & (ahead_of > 0))
        facing, ahead_of = facing[reached], np.minimum(ahead_of[reached], 1)
        if kind == 'street':  # shines down
            facing *= ahead_of ** .7
        else:                 # shines ahead and a little down
            facing *= ahead_of ** 12
        amount = STRENGTH[kind] * facing / (squared[reached] + 1.0)
        total[rows[reached]] += amount[:, None] * light.lamps[kind]
    if light.own_beam.any():
        total[rows] += _beam(buffer, point, normal)[:, None] * light.own_beam
    return total


def _places(caster: RayCaster, buffer: GeometryBuffer,
            light: Light) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return kind, position and direction of the nearest lamps."""
    found = []
    for number, item in enumerate(caster.scene.objects):
        for index, part in enumerate(item.mesh.parts):
            if part.lamp not in STRENGTH or part.lamp not in light.lamps:
                continue
            corners = item.mesh.faces[item.mesh.part == index]
            if len(corners) == 0:
                continue
            pose = caster.poses[number]
            middle = item.mesh.vertices[corners].mean(axis=(0, 1))
            place = pose.to_world(middle[None])[0]
            away = place - buffer.position
            if away @ buffer.axes[2] > -10:
                ahead = np.array([np.sin(pose.heading), -.06, np.cos(pose.heading)])
                found.append((float(away @ away), part.lamp, place.astype(np.float32),
                              ahead.astype(np.float32)))
    found.sort(key=lambda lamp: lamp[0])
    return [(kind, place, ahead) for _, kind, place, ahead in found[:MAX_LAMPS]]


def _beam(buffer: GeometryBuffer, point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return the ego vehicle's head lamp irradiance (N,), relative to a wall 10 m ahead."""
    place = buffer.position - .7 * buffer.axes[1]
    away = (point - place) @ buffer.axes.T
    ahead = np.maximum(away[:, 2], .5)
    across, up = away[:, 0] / ahead, away[:, 1] / ahead
    # a dipped beam: wide, with a cut-off at the horizon
    shape = np.exp(-(across / .45) ** 2) / (1 + np.exp(np.clip((up + .01) / .012, -50, 50))) \
        * np.exp(-(np.minimum(up, 0) / .35) ** 2)
    unit = (place - point) / row_length(place - point)[:, None]
    facing = np.clip(row_dot(unit, normal), 0, 1)
    return (shape * facing * 100 / row_dot(away, away).clip(9)).astype(np.float32)
