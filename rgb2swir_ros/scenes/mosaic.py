"""Patches of textured materials with sharp edges: detail without the semantics of a road."""

from __future__ import annotations

import numpy as np

from rgb2swir_ros.scenes.canvas import Canvas, flat_texture, polygon
from rgb2swir_ros.scenes.layout import draw_light
from rgb2swir_ros.scenes.materials import TABLE, draw, draw_coloured

TEXTURES = {'grass': 'foliage', 'dry_grass': 'foliage', 'leaf': 'foliage', 'conifer': 'foliage',
            'brick': 'bricks', 'granite': 'cobbles'}


def render_mosaic(rng: np.random.Generator,
                  size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Paint 6 to 40 patches.

    :return: linear RGB (H, W, 3) and SWIR radiance (H, W), float32.
    """
    light, _ = draw_light(rng)
    canvas = Canvas(size, light)
    height, width = size
    whole = (slice(0, height), slice(0, width))
    _patch(canvas, rng, np.array([(-9, -9), (width + 9, -9), (width + 9, height + 9),
                                  (-9, height + 9)], np.float64), whole)
    for _ in range(int(rng.integers(6, 40))):
        centre = rng.uniform((0, 0), (width, height))
        radius = min(size) * rng.choice([.03, .08, .2, .4]) * rng.uniform(.6, 1.4)
        corners = int(rng.integers(3, 8))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        stretch = np.exp(rng.normal(0, .7, 2))
        points = centre + radius * stretch * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        window = canvas.window(*points.min(axis=0), *points.max(axis=0))
        if window is not None:
            _patch(canvas, rng, points, window)
    return canvas.rgb, canvas.swir


def _patch(canvas: Canvas, rng: np.random.Generator, points: np.ndarray,
           window: tuple[slice, slice]) -> None:
    if rng.random() < .3:
        material = draw_coloured(str(rng.choice(['car_paint', 'cloth'])), rng)
    else:
        material = draw(str(rng.choice(list(TABLE))), rng)
    leafy = TEXTURES.get(material.name) == 'foliage'
    texture = TEXTURES.get(material.name, str(rng.choice(['worn', 'speckle', 'smooth'])))
    relief = flat_texture(window, texture, float(rng.uniform(.4, 3)),
                          (float(rng.uniform(0, 512)), float(rng.uniform(0, 512))))
    canvas.surface(polygon(window, points), material, lit=float(rng.uniform(0, 1)),
                   view=float(rng.uniform(.5, 1)), relief=rng.uniform(.05, .45) * relief,
                   relief_swir=.6 if leafy else 1.0, distance=float(rng.uniform(1, 80)),
                   window=window)
