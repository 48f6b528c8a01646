"""Training pairs: a colour picture and the SWIR radiance of the same scene, from one seed."""

from __future__ import annotations

import cv2
import numpy as np

from rgb2swir_ros.scenes.camera import draw_camera, photograph
from rgb2swir_ros.scenes.layout import draw_scene
from rgb2swir_ros.scenes.materials import draw_coloured
from rgb2swir_ros.scenes.mosaic import render_mosaic
from rgb2swir_ros.scenes.render import View, lens_blur, render

MOSAIC_SHARE = 0.15


def draw_view(rng: np.random.Generator, size: tuple[int, int]) -> View:
    """Draw a camera behind a windscreen: lens, pitch, height, place."""
    return View(size=size, focal=float(rng.uniform(.55, 1.5)),
                horizon=float(np.clip(rng.normal(.46, .12), .12, .8)),
                height=float(rng.uniform(1.1, 2.6)), z=float(rng.uniform(0, 40)),
                x=float(rng.uniform(-2.5, 2.5)))


def paint_bonnet(linear: np.ndarray, swir: np.ndarray, rng: np.random.Generator) -> None:
    """Lay the own car's bonnet over the bottom: paint that mirrors the sky above it."""
    height, width = swir.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)
    top = height * (1 - rng.uniform(.04, .16) * (1 - .6 * x ** 2))
    alpha = np.clip(np.arange(height, dtype=np.float32)[:, None] - top, 0, 1)
    paint = draw_coloured('car_paint', rng)
    shine = rng.uniform(.03, .3)
    linear += alpha[..., None] * (.4 * paint.rgb + shine * linear[0].mean(axis=0) - linear)
    swir += alpha * (.4 * paint.swir + shine * swir[0].mean() - swir)


def make_pair(seed: int, size: tuple[int, int],
              supersample: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Make one pair.

    :param seed: the same seed and size give the same pair, on any machine and in any order.
    :param size: (height, width).
    :param supersample: the camera has so many times the size, and its picture is area-resized to
        it, as frames are on their way into the engine: its lens, noise and JPEG then weigh less.
    :return: RGB uint8 (H, W, 3) and SWIR radiance float32 (H, W) in [0, 1], at the exposure of
        the RGB frame.
    """
    rng = np.random.default_rng([7, seed])
    target, size = size, (size[0] * supersample, size[1] * supersample)
    if rng.random() < MOSAIC_SHARE:
        linear, swir = render_mosaic(rng, size)
    else:
        linear, swir = render(draw_scene(rng), draw_view(rng, size))
        if rng.random() < .15:
            paint_bonnet(linear, swir, rng)
    camera = draw_camera(rng, linear)
    # a little of the lens's blur is in the target too: what the picture has lost entirely
    # cannot be asked of a network, only guessed
    rgb = photograph(lens_blur(linear, camera.blur), camera, rng)
    radiance = np.clip(lens_blur(swir, .6 * camera.blur) * np.float32(camera.exposure), 0, 1)
    if supersample > 1:
        rgb = np.asarray(cv2.resize(rgb, target[::-1], interpolation=cv2.INTER_AREA))
        radiance = np.asarray(cv2.resize(radiance, target[::-1], interpolation=cv2.INTER_AREA))
    return rgb, radiance.astype(np.float32)
