"""A short generated drive: the demo's own camera footage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rgb2swir_ros.scenes.camera import RgbCamera, photograph
from rgb2swir_ros.scenes.layout import draw_scene
from rgb2swir_ros.scenes.render import View, lens_blur, render

# The camera: focal length over width, row of the horizon over height.
FOCAL, HORIZON = 0.8, 0.46


def frames(count: int, seed: int = 0, size: tuple[int, int] = (540, 960), *,
           speed: float = 0.4) -> Iterator[np.ndarray]:
    """Yield the frames of a camera that drives through one scene.

    :param count: number of frames.
    :param seed: of the scene; the same seed gives the same drive.
    :param size: (height, width).
    :param speed: metres a frame; 0.4 at 30 Hz is 43 km/h.
    :return: uint8 (H, W, 3), RGB.
    """
    rng = np.random.default_rng([11, seed])
    scene = draw_scene(rng, length=120 + count * speed)
    view = View(size=size, focal=FOCAL, horizon=HORIZON, height=1.6)
    camera: RgbCamera | None = None
    for index in range(count):
        linear, _ = render(scene, replace(view, z=index * speed))
        if camera is None:
            camera = RgbCamera(exposure=.22 / max(float(linear[..., 1].mean()), 1e-3), toe=.3,
                               saturation=1.15, noise=.004)
        yield photograph(lens_blur(linear, .5), camera, np.random.default_rng([13, seed, index]))
