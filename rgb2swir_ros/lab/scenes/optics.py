"""Effects of lens and windscreen on the light before the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.lab.scenes.textures import SIZE, sample_bilinear

BRIGHTEST = 1500.0  # light above this adds no more glare


@dataclass(frozen=True)
class Lens:
    """Effects of a lens, with motion blur.

    :param blur: standard deviation in pixels; ``motion``: length in pixels of horizontal motion
        blur, as of a turning vehicle; ``zoom``: length of radial motion blur, as of driving ahead,
        over the distance to the centre.
    :param aberration: lateral chromatic aberration: magnification of (red, blue) over
        green, less 1.
    :param glare: share of bright light that is scattered widely.
    :param vignette: loss of light in the corners, [0, 1].
    """

    blur: float = 0.0
    motion: float = 0.0
    zoom: float = 0.0
    aberration: tuple[float, float] = (0.0, 0.0)
    glare: float = 0.0
    vignette: float = 0.0


@dataclass(frozen=True)
class Windscreen:
    """A windscreen in front of the camera.

    :param veil: scattered light, share of the frame's mean; ``tint``: (3,) colour of veil and
        reflection.
    :param reflection: of the dashboard, low in the frame, share of the frame's mean.
    :param drops: number of rain drops; ``dirt``: number of specks.
    :param radius: of drops and specks, share of the frame's width.
    :param pattern: seed of their positions, the same for all frames of a camera.
    """

    veil: float = 0.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    reflection: float = 0.0
    drops: int = 0
    dirt: int = 0
    radius: float = .012
    pattern: int = 0


def draw_lens(rng: np.random.Generator, width: int) -> Lens:
    """Draw a lens for a frame of this width in pixels."""
    shift = .6 / max(width, 64)
    return Lens(
        blur=float(rng.uniform(.2, .75)) if rng.random() < .8 else float(rng.uniform(.75, 1.6)),
        motion=float(rng.uniform(.5, 4)) if rng.random() < .12 else 0.0,
        zoom=float(rng.uniform(.002, .012)) if rng.random() < .12 else 0.0,
        aberration=((float(rng.normal(0, 2 * shift)), float(rng.normal(0, 2 * shift)))
                    if rng.random() < .5 else (0.0, 0.0)),
        glare=float(rng.exponential(.009)), vignette=float(rng.beta(1.2, 3) * .8))


def draw_windscreen(rng: np.random.Generator, wet: bool = False) -> Windscreen:
    """Draw a windscreen: mostly clean, more often with drops in wet weather."""
    rain = rng.random() < (.45 if wet else .04)
    red, green, blue = (float(v) for v in 1 + rng.normal(0, .06, 3))
    return Windscreen(
        veil=float(rng.exponential(.03)) if rng.random() < .6 else 0.0,
        tint=(red, green, blue),
        reflection=float(rng.uniform(.02, .18)) if rng.random() < .3 else 0.0,
        drops=int(rng.integers(3, 60)) if rain else 0,
        dirt=int(rng.integers(2, 25)) if rng.random() < .15 else 0,
        radius=float(rng.uniform(.004, .022)), pattern=int(rng.integers(2 ** 31)))


def apply_lens(light: np.ndarray, lens: Lens) -> np.ndarray:
    """Return light (H, W, 3) behind the lens."""
    height, width = light.shape[:2]
    if lens.blur > .15:
        light = cv2.GaussianBlur(light, (0, 0), lens.blur, borderType=cv2.BORDER_REFLECT)
    if lens.motion > 1:
        whole = int(lens.motion)
        kernel = np.ones((1, whole + 2), np.float32)
        kernel[0, [0, -1]] = (lens.motion - whole) / 2
        light = cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT)
    if lens.zoom:
        # radial blur as the mean of the frame and two magnified copies
        light = (light + _magnified(light, 1 + lens.zoom / 2) + _magnified(light, 1 + lens.zoom)
                 ) / np.float32(3)
    if any(lens.aberration):
        red, green, blue = cv2.split(light)
        light = cv2.merge([_magnified(red, 1 + lens.aberration[0]), green,
                           _magnified(blue, 1 + lens.aberration[1])])
    if lens.glare:
        small = cv2.resize(np.minimum(light, BRIGHTEST), (max(width // 8, 1), max(height // 8, 1)),
                           interpolation=cv2.INTER_AREA)
        wide = .6 * cv2.GaussianBlur(small, (0, 0), 1.5) + .4 * cv2.GaussianBlur(small, (0, 0), 9)
        light = light + np.float32(lens.glare) * cv2.resize(wide, (width, height))
    if lens.vignette:
        x = np.linspace(-1, 1, width, dtype=np.float32)
        y = np.linspace(-1, 1, height, dtype=np.float32)
        square = .5 * (x[None] ** 2 + y[:, None] ** 2)
        light = light * (1 - np.float32(lens.vignette) * square ** 1.3)[..., None]
    return light


def _magnified(picture: np.ndarray, factor: float) -> np.ndarray:
    height, width = picture.shape[:2]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.hstack([np.eye(2) * factor, ((1 - factor) * middle)[:, None]])
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REFLECT)


def apply_windscreen(light: np.ndarray, windscreen: Windscreen) -> np.ndarray:
    """Return light (H, W, 3) behind the windscreen."""
    height, width = light.shape[:2]
    rng = np.random.default_rng(windscreen.pattern)
    if windscreen.veil or windscreen.reflection:
        mean = float(np.minimum(light[::8, ::8], 2).mean())
        down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        # the reflection of the dashboard is out of focus and fades upwards
        x = np.linspace(0, rng.uniform(30, 120), width, dtype=np.float32) + rng.uniform(0, SIZE)
        y = np.linspace(0, rng.uniform(30, 90), height, dtype=np.float32) + rng.uniform(0, SIZE)
        board = sample_bilinear('smooth', *(np.ascontiguousarray(a) for a in np.meshgrid(x, y)))
        added = windscreen.veil * (.7 + .6 * down) \
            + windscreen.reflection * down ** rng.uniform(1, 4) * np.clip(.6 + .5 * board, 0, None)
        tint = np.array(windscreen.tint, np.float32) * np.float32(mean)
        light = light + added.astype(np.float32)[..., None] * tint
    if windscreen.drops:
        mask = _spots(rng, windscreen.drops, windscreen.radius, (height, width), soft=.45)
        # a drop is a strong lens: it shows the scene small and upside down
        seen = cv2.GaussianBlur(cv2.resize(light, (width // 4 or 1, height // 4 or 1),
                                           interpolation=cv2.INTER_AREA), (0, 0), 6)
        seen = cv2.resize(cv2.flip(seen, 0), (width, height))
        light = light + (.65 * mask)[..., None] * (seen * np.float32(rng.uniform(.7, 1.2)) - light)
    if windscreen.dirt:
        mask = _spots(rng, windscreen.dirt, .5 * windscreen.radius, (height, width), soft=.9)
        light = light * (1 - np.float32(rng.uniform(.1, .5)) * mask)[..., None]
    return light


def _spots(rng: np.random.Generator, count: int, radius: float, size: tuple[int, int],
           soft: float) -> np.ndarray:
    """Return a mask (H, W) in [0, 1] of defocused spots."""
    height, width = size
    mask = np.zeros(size, np.float32)
    for _ in range(count):
        around = max(radius * width * np.exp(rng.normal(0, .6)), .8)
        axes = (around, around * rng.uniform(.7, 1.3))
        place = (rng.uniform(0, width), rng.uniform(0, height))
        cv2.ellipse(mask, (place, (2 * axes[0], 2 * axes[1]), float(rng.uniform(0, 180))),
                    float(rng.uniform(.5, 1)), -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), max(soft * radius * width, .5))
