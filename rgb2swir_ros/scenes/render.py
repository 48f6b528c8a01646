"""Paint a scene as a camera at a place on the road sees it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.scenes import objects
from rgb2swir_ros.scenes.canvas import Canvas
from rgb2swir_ros.scenes.layout import Ridge, Scene
from rgb2swir_ros.scenes.textures import sample


@dataclass(frozen=True)
class View:
    """A pinhole camera.

    :param size: (height, width) in pixels.
    :param focal: focal length over image width.
    :param horizon: row of the horizon over image height.
    :param height: metres above the road.
    :param z: metres along the road; ``x``: metres to the right of the path.
    """

    size: tuple[int, int]
    focal: float = .9
    horizon: float = .45
    height: float = 1.5
    z: float = 0.0
    x: float = 0.0

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Return the pixel (column, row) of a point: right of the path, above the road, ahead."""
        scale = self.focal * self.size[1] / (z - self.z)
        return (self.size[1] / 2 + (x - self.x) * scale,
                self.horizon * self.size[0] + (self.height - y) * scale)


def render(scene: Scene, view: View) -> tuple[np.ndarray, np.ndarray]:
    """Paint.

    :return: linear RGB (H, W, 3) and SWIR radiance (H, W), float32; 1.0 is a white surface that
        faces the main light, not clipped.
    """
    canvas = Canvas(view.size, scene.light)
    paint_sky(canvas, scene, view)
    for ridge in scene.ridges:
        paint_ridge(canvas, ridge, view)
    paint_ground(canvas, scene, view)
    for thing in scene.things:
        distance = thing.z - view.z
        if distance < 3.5:
            continue
        left, bottom = view.project(thing.x - thing.width / 2, 0, thing.z)
        right, top = view.project(thing.x + thing.width / 2, thing.height, thing.z)
        if right < 0 or left > view.size[1] or bottom - top < 2:
            continue
        box = (left, top, right, bottom)
        if scene.light.sun and thing.kind in {'car', 'truck', 'person', 'tree'}:
            objects.soft_shadow(canvas, box)
        objects.paint(canvas, thing, box, distance)
    return canvas.rgb, canvas.swir


def paint_sky(canvas: Canvas, scene: Scene, view: View) -> None:
    """Fill the picture with sky: clear light, darker towards the zenith, and clouds."""
    height, width = view.size
    sky, light = scene.sky, scene.light
    rows = np.arange(height, dtype=np.float32)
    rise = np.clip((view.horizon * height - rows) / (view.focal * width), 0, 1)
    up = (1 - np.exp(-3.5 * rise))[:, None]
    clear = up[..., None] * sky.zenith + (1 - up[..., None]) * light.horizon_rgb
    clear_swir = up * sky.zenith_swir + (1 - up) * light.horizon_swir
    whole = np.ones(view.size, np.float32)
    canvas.blend(whole, clear.astype(np.float32), clear_swir.astype(np.float32))
    if sky.cover > 0:
        x = np.mgrid[:height, :width][1].astype(np.float32)
        depth = 1 / np.maximum(rise[:, None], .02)  # clouds lie on a plane above
        noise = sample(sky.texture, (x - width / 2) * depth * 90 / width + sky.offset[0],
                       depth * 60 + sky.offset[1] + 0 * x)
        if sky.cover >= 1:
            relief = np.exp(.10 * noise)
            canvas.rgb *= relief[..., None]
            canvas.swir *= relief ** 1.2
            return
        alpha = np.clip((noise - (1 - 2.4 * sky.cover)) * .8, 0, 1) * np.clip(rise * 12, 0, 1)[
            :, None]
        shade = sky.cloud * (1 - .25 * np.clip(noise - .8, 0, 1))
        canvas.blend(alpha.astype(np.float32), shade[..., None] * np.float32(1),
                     shade * np.float32(.8))


def paint_ridge(canvas: Canvas, ridge: Ridge, view: View) -> None:
    """Paint a far band: its outline and its texture are noise, finer where it is rougher."""
    height, width = view.size
    pixels = view.focal * width / ridge.distance  # a metre
    horizon = view.horizon * height
    first, last = int(max(horizon - 1.6 * ridge.height * pixels, 0)), int(min(horizon + 2, height))
    if last <= first:
        return
    window = (slice(first, last), slice(0, width))
    y, x = np.mgrid[first:last, 0:width].astype(np.float32)
    metres_x = (x - width / 2) / pixels + view.x
    line = sample('worn', metres_x * (512 / 40 / ridge.height) + ridge.offset[0],
                  0 * x + ridge.offset[1])
    top = horizon - ridge.height * pixels * np.clip(1 + .35 * ridge.rough * line, .1, 1.6)
    leafy = ridge.texture == 'foliage'
    scale = max(24 / pixels, .5)
    relief = sample(ridge.texture, (x - width / 2) * scale + ridge.offset[1],
                    (y - horizon) * scale) / max(scale, 1.0)
    canvas.surface(np.clip(y - top + .8 * ridge.rough * relief, 0, 1), ridge.material,
                   lit=ridge.lit, view=.7, relief=(.45 if leafy else .15) * relief,
                   relief_swir=.55 if leafy else 1.0, distance=ridge.distance, window=window)


def paint_ground(canvas: Canvas, scene: Scene, view: View) -> None:
    """Paint the plane below the horizon: verges, kerb, road, lines, cast shadows."""
    height, width = view.size
    first = int(max(np.ceil(view.horizon * height), 0))
    if first >= height - 1:
        return
    window = (slice(first, height), slice(0, width))
    rows = np.arange(first, height, dtype=np.float32)[:, None] + .5 - view.horizon * height
    scale = np.maximum(rows, .4) / view.height              # pixels a metre, (h, 1)
    ahead = view.focal * width / scale                      # metres, (h, 1)
    columns = np.arange(width, dtype=np.float32)[None, :] + .5 - width / 2
    x = columns / scale + view.x                            # metres, (h, w)
    z = ahead + view.z + 0 * x
    footprint = ahead ** 2 / (view.focal * width * view.height)  # metres of road a row

    def texture(name: str, texels: float) -> np.ndarray:
        # a texel smaller than a pixel would alias: fade it to its mean
        fade = np.clip(1 / np.maximum(footprint * texels, 1e-3), 0, 1)
        return sample(name, x * texels, z * texels) * fade

    sunny = scene.light.ground if scene.light.sun else 1.0
    lit: np.ndarray | float = sunny
    if scene.shade:
        cast = sample('worn', x * 9, z * 9 + 77) + 1.2 * sample('smooth', x * 5, z * 5)
        cover = np.clip((cast - 2.2 * (1 - 2 * scene.shade)) * 2.5, 0, 1)
        lit = sunny * (1 - cover)
    soft = np.maximum(.6 / scale, .01)

    def inside(low: float, high: float) -> np.ndarray:
        return np.clip((x - low) / soft + .5, 0, 1) * np.clip((high - x) / soft + .5, 0, 1)

    left, right = scene.road_edges
    for (material, name), low, high in ((scene.verges[0], -1e4, left),
                                        (scene.verges[1], right, 1e4)):
        leafy = name == 'foliage'
        relief = (.35 if leafy else .14) * (texture(name, 70) + .8 * texture(name, 260)) \
            + .12 * texture('worn', 6)
        canvas.surface(inside(low, high), material, lit=lit, relief=relief,
                       relief_swir=.6 if leafy else 1.0, distance=ahead, window=window)
        if scene.patches is not None:
            spots = np.clip((texture('worn', 12) - .3) * 3, 0, 1) * inside(low, high)
            canvas.surface(spots, scene.patches, lit=lit, relief=.2 * texture('foliage', 60),
                           distance=ahead, window=window)
    relief = .09 * (texture(scene.road_texture, 60) + texture('speckle', 240)) \
        + .08 * texture('streaks', 25) + .06 * texture('smooth', 8)
    canvas.surface(inside(left, right), scene.road, lit=lit, relief=relief, distance=ahead,
                   window=window)
    for low in (left - .15, right):
        canvas.surface(inside(low, low + .15), scene.kerb, lit=lit, distance=ahead,
                       window=window)
    for line, dash, paint in scene.lines:
        alpha = inside(line - .08, line + .08)
        if dash:
            edge = np.maximum(footprint, .05)
            phase = z % (3 * dash)
            alpha = alpha * np.clip(phase / edge, 0, 1) * np.clip((dash - phase) / edge + .5, 0, 1)
        worn = np.clip(1.1 - .35 * np.maximum(texture('worn', 40), 0), .2, 1)
        canvas.surface(alpha * worn, paint, lit=lit, distance=ahead, window=window)


def lens_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur as a lens does: Gaussian of ``sigma`` pixels, nothing below 0.2."""
    return image if sigma < .2 else cv2.GaussianBlur(image, (0, 0), sigma)
