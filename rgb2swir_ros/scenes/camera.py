"""An ordinary colour camera: from linear light to the 8-bit picture that a driver publishes.

What decides how well a network trained on generated scenes does on photographs is this model, so
everything is drawn widely: exposure, white balance, tone curve, saturation, lens, noise,
sharpening, chroma-subsampled JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class RgbCamera:
    """One camera's settings.

    :param exposure: factor on linear light; the SWIR frame is scaled by the same.
    :param white_balance: (3,) factors on red, green and blue.
    :param toe: contrast of the tone curve, 0 is plain sRGB.
    :param saturation: 1 leaves colours alone.
    :param blur: of the lens, pixels; ``vignette``: loss of light in the corners.
    :param noise: deviation at mid grey, in [0, 1].
    :param sharpening: strength of an unsharp mask.
    :param jpeg: quality, or 0 for none.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    toe: float = 0.0
    saturation: float = 1.0
    blur: float = 0.4
    vignette: float = 0.0
    noise: float = 0.0
    sharpening: float = 0.0
    jpeg: int = 0


def draw_camera(rng: np.random.Generator, linear: np.ndarray) -> RgbCamera:
    """Draw a camera whose automatic exposure has looked at a frame.

    :param linear: linear RGB (H, W, 3); its mean green is exposed to .1 to .35.
    """
    mean = float(linear[..., 1].mean())
    warm = rng.normal(0, .08)
    return RgbCamera(
        exposure=float(rng.uniform(.10, .36) / max(mean, 1e-3)),
        white_balance=(float(np.exp(warm + rng.normal(0, .03))), 1.0,
                       float(np.exp(-warm + rng.normal(0, .03)))),
        toe=float(rng.uniform(-.1, .6)), saturation=float(rng.uniform(.6, 1.5)),
        blur=float(rng.uniform(.0, .8)), vignette=float(rng.uniform(0, .35)),
        noise=float(rng.exponential(.008)),
        sharpening=float(rng.uniform(0, .9)) if rng.random() < .6 else 0.0,
        jpeg=int(rng.integers(55, 97)) if rng.random() < .7 else 0)


def photograph(linear: np.ndarray, camera: RgbCamera, rng: np.random.Generator) -> np.ndarray:
    """Take the picture.

    :param linear: linear RGB (H, W, 3), float32, lens blur already in it.
    :param rng: draws the noise.
    :return: uint8 (H, W, 3), RGB, sRGB-coded.
    """
    height, width = linear.shape[:2]
    light = linear * np.float32(camera.exposure) * np.array(camera.white_balance, np.float32)
    if camera.vignette:
        y, x = np.mgrid[-1:1:height * 1j, -1:1:width * 1j]
        light = light * (1 - camera.vignette * .5 * (x ** 2 + y ** 2))[..., None]
    if camera.noise:
        deviation = camera.noise * np.sqrt(np.clip(light, .01, 1) / .2)
        light = light + deviation * rng.standard_normal(light.shape, dtype=np.float32)
    # highlights roll off as in-camera curves do, instead of clipping at once
    light = np.clip(light, 0, None)
    light = np.where(light > .7, .7 + .3 * (1 - np.exp(-(light - .7) / .3)), light)
    grey = light.mean(axis=2, keepdims=True)
    light = np.clip(grey + camera.saturation * (light - grey), 0, 1)
    coded = np.where(light <= .0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - .055)
    coded = coded + camera.toe * .5 * (coded * coded * (3 - 2 * coded) - coded)
    coded = coded.astype(np.float32)
    if camera.sharpening:
        coded = coded + camera.sharpening * (coded - cv2.GaussianBlur(coded, (0, 0), 1.0))
    picture = (np.clip(coded, 0, 1) * 255 + .5).astype(np.uint8)
    if camera.jpeg:
        _, data = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[..., ::-1]
    return np.ascontiguousarray(picture)
