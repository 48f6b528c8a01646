"""Automatic exposure and automatic white balance."""

from __future__ import annotations

import numpy as np

from rgb2swir_ros.lab.scenes.isp import ToneCurve, tone_map
from rgb2swir_ros.lab.scenes.light import Light

LUMINANCE = np.array([.2126, .7152, .0722], np.float32)
# Range of the code value that metering aims for. By day, photographs have these means.
DAY_TARGET, DUSK_TARGET, NIGHT_TARGET = (.30, .54), (.22, .44), (.10, .32)
MAX_EXPOSURE = {'night': 8.0, 'dusk': 4.0}  # the greatest gain: dark scenes stay dark
MAX_EXPOSURE_BY_DAY = 30.0
NEARLY_GREY = .4  # greatest log ratio between colours


def auto_exposure(rng: np.random.Generator, linear: np.ndarray, curve: ToneCurve,
                  weather: str) -> float:
    """Return the exposure, a factor on light (H, W, 3), that a camera chooses.

    It meters the whole frame, the centre, the lower half, or the highlights: photographs with a
    clipped sky and photographs with dark ground are both common.
    """
    step = max(1, linear.shape[0] // 60)
    luminance = linear[step // 2::step, step // 2::step] @ LUMINANCE
    low, high = {'night': NIGHT_TARGET, 'dusk': DUSK_TARGET}.get(weather, DAY_TARGET)
    target = float(rng.uniform(low, high))
    kind = rng.choice(4, p=[.34, .22, .30, .14])
    y, x = np.meshgrid(np.linspace(-1, 1, luminance.shape[0]),
                       np.linspace(-1, 1, luminance.shape[1]), indexing='ij')
    weights = (np.ones_like(luminance), np.exp(-3 * (x * x + y * y)),
               np.where(y > 0, 1, .03), np.ones_like(luminance))[kind]
    found = _exposure_for(luminance, weights / weights.sum(), target, curve)
    if kind == 3:
        bright = float(np.percentile(luminance, rng.uniform(95, 99.5)))
        kept = float(rng.uniform(.7, 1.2)) / max(bright, 1e-4)
        # highlight metering is limited, so that a lamp or the sun does not darken all else
        found = float(np.clip(kept, .45 * found, 1.5 * found))
    found *= float(np.exp(rng.normal(0, .15)))
    return float(np.clip(found, .05, MAX_EXPOSURE.get(weather, MAX_EXPOSURE_BY_DAY)))


def _exposure_for(luminance: np.ndarray, weights: np.ndarray, target: float,
                  curve: ToneCurve) -> float:
    """Return the exposure at which the weighted mean of code values is the target."""
    low, high = np.log(.02), np.log(300)
    for _ in range(18):  # bisects down to a ten-thousandth
        middle = (low + high) / 2
        if float((weights * tone_map(luminance * np.exp(middle), curve)).sum()) < target:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def auto_white_balance(rng: np.random.Generator, linear: np.ndarray, light: Light | None
                       ) -> tuple[float, float, float]:
    """Return factors on red, green (1) and blue.

    A camera removes part of the illuminant's colour, assumes that nearly grey pixels such as roads
    are grey, sometimes assumes that the whole frame is grey on average (grey world), and has a
    constant colour cast.
    """
    # cameras correct less of the colour of lamps than of daylight
    most = .7 if light is not None and light.weather == 'night' else 1.1
    logarithm = np.zeros(3)
    if light is not None:
        white = np.maximum(light.white[:3].astype(float), 1e-3)
        logarithm += rng.uniform(.3, most) * np.log(white[1] / white)
    pixels = np.log(np.clip(linear[::8, ::8].reshape(-1, 3), 1e-4, 2)) + logarithm
    pixels -= pixels[:, 1:2]
    grey = pixels[np.abs(pixels).max(axis=1) < NEARLY_GREY]
    if len(grey) > .05 * len(pixels):
        logarithm -= rng.uniform(.3, most) * grey.mean(axis=0, dtype=np.float64)
    if rng.random() < .3:
        logarithm -= rng.uniform(0, .4) * pixels.mean(axis=0, dtype=np.float64)
    warm, green = rng.normal(0, .07), rng.normal(0, .03)
    logarithm += np.array([warm - green, 0, -warm - green])
    red, _, blue = np.exp(np.clip(logarithm - logarithm[1], -1.2, 1.2))
    return float(red), 1.0, float(blue)
