"""The image signal processor (ISP) of a colour camera: noise, tone, colour, detail, codec.

``light`` is linear, 1.0 = white at the picture's exposure; ``value`` are code values in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

BRIGHTEST = 8.0   # end of the table of the tone curve: all light above is white
_ENTRIES = 4096
# IMWRITE_JPEG_SAMPLING_FACTOR and its values, by number: OpenCV before 4.7 has no names for them,
# and does not heed them
SAMPLING_FACTOR, SUBSAMPLED, WHOLE = 7, 0x221111, 0x111111


@dataclass(frozen=True)
class ToneCurve:
    """The camera's tone curve, from light to code values; the default is sRGB, clipped at 1.

    :param shoulder: 0 clips at white, 1 rolls off from light .3 on.
    :param contrast: strength of an S-curve on code values; negative flattens.
    :param black: code value of no light; negative values clip dark parts.
    :param power: exponent on code values; more than 1 darkens mid-tones.
    """

    shoulder: float = 0.0
    contrast: float = 0.0
    black: float = 0.0
    power: float = 1.0


def draw_tone_curve(rng: np.random.Generator) -> ToneCurve:
    """Draw a curve: most roll off highlights, add contrast and shift the black level a little."""
    return ToneCurve(shoulder=float(rng.uniform(0, 1)), contrast=float(rng.uniform(-.2, .85)),
                     black=float(np.clip(rng.normal(-.005, .025), -.06, .08)),
                     power=float(np.exp(rng.normal(0, .08))))


def tone_map(light: np.ndarray, curve: ToneCurve) -> np.ndarray:
    """Return code values in [0, 1] of light, of any shape, by the curve's formula."""
    knee = 1 - .7 * curve.shoulder
    light = np.maximum(light, 0)
    if knee < 1:
        over = np.maximum(light - knee, 0) / (1 - knee)
        light = np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-over))
    light = np.minimum(light, 1)
    value = np.where(light <= .0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - .055)
    value = value ** curve.power
    value = value + curve.contrast * (value * value * (3 - 2 * value) - value)
    value = curve.black + (1 - curve.black) * value
    return np.clip(value, 0, 1)


@lru_cache(maxsize=8)
def _tone_table(curve: ToneCurve) -> np.ndarray:
    # entries are spaced by squares: close together where the curve is steep
    return tone_map(np.linspace(0, 1, _ENTRIES) ** 2 * BRIGHTEST, curve).astype(np.float32)


def tone_map_by_table(light: np.ndarray, curve: ToneCurve) -> np.ndarray:
    """Return code values (H, W, 3) in [0, 1], float32, of light, by a lookup table."""
    place = np.sqrt(np.clip(light, 0, BRIGHTEST) * np.float32(1 / BRIGHTEST))
    place *= np.float32(_ENTRIES - 1)
    place += np.float32(.5)
    return _tone_table(curve)[place.astype(np.uint16)]


def add_noise(light: np.ndarray, electrons: float, read_noise: float, chroma: float,
              rng: np.random.Generator) -> np.ndarray:
    """Return light with shot noise, read noise and coarse chroma noise.

    :param electrons: collected at white; ``read_noise``: standard deviation, share of white.
    :param chroma: strength of colour noise four pixels wide, relative to the other noise.
    """
    height, width = light.shape[:2]
    deviation = np.sqrt(np.clip(light, 0, 2) * np.float32(1 / electrons)
                        + np.float32(read_noise ** 2))
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    if chroma:
        small = rng.standard_normal((height // 4 + 1, width // 4 + 1, 3), dtype=np.float32)
        noise += np.float32(chroma) * cv2.resize(small, (width, height),
                                                 interpolation=cv2.INTER_LINEAR)
    return light + deviation * noise


def mosaic_and_demosaic(light: np.ndarray) -> np.ndarray:
    """Return light (H, W, 3) after sampling by a Bayer mosaic (RGGB) and demosaicing."""
    top = np.float32(65535 / 4)
    raw = np.empty(light.shape[:2], np.uint16)
    limited = (np.clip(light, 0, 4) * top).astype(np.uint16)
    raw[0::2, 0::2] = limited[0::2, 0::2, 0]
    raw[0::2, 1::2] = limited[0::2, 1::2, 1]
    raw[1::2, 0::2] = limited[1::2, 0::2, 1]
    raw[1::2, 1::2] = limited[1::2, 1::2, 2]
    # OpenCV names a pattern by the second and third pixel of its second row
    return cv2.cvtColor(raw, cv2.COLOR_BayerBG2RGB).astype(np.float32) / top


def local_tone_map(value: np.ndarray, strength: float) -> np.ndarray:
    """Return code values after local tone mapping, as wide-dynamic-range cameras do it.

    :param strength: [0, 1]; dark parts are lifted, bright ones lowered.
    """
    height, width = value.shape[:2]
    small = cv2.resize(value, (max(width // 8, 1), max(height // 8, 1)),
                       interpolation=cv2.INTER_AREA)
    around = cv2.GaussianBlur(small.mean(axis=2), (0, 0), max(width / 8 * .06, 1))
    gain = ((around + .12) / (float(around.mean()) + .12)) ** (-.6 * strength)
    gain = np.clip(gain, .6, 2.2).astype(np.float32)
    return value * cv2.resize(gain, (width, height))[..., None]


def adjust_colour(value: np.ndarray, saturation: float, vibrance: float,
                  blur: float) -> np.ndarray:
    """Return code values with changed colours and the same BT.601 luma.

    :param vibrance: extra saturation of pale colours.
    :param blur: of chroma, standard deviation in pixels.
    """
    if saturation == 1 and not vibrance and blur < .2:
        return value
    luma = value @ np.array([.299, .587, .114], np.float32)
    colour = value - luma[..., None]
    if blur >= .2:
        colour = cv2.GaussianBlur(colour, (0, 0), blur)
    gain: np.ndarray | np.float32 = np.float32(saturation)
    if vibrance:
        strength = np.abs(colour).max(axis=2, keepdims=True)
        gain = gain + np.float32(vibrance) * np.clip(1 - 4 * strength, 0, 1)
    return luma[..., None] + gain * colour


def denoise(value: np.ndarray, strength: float) -> np.ndarray:
    """Return code values after an edge-preserving filter, which removes weak detail."""
    picture = (np.clip(value, 0, 1) * 255 + .5).astype(np.uint8)
    flat = cv2.bilateralFilter(picture, 5, 6 + 24 * strength, 1.5).astype(np.float32)
    return value + np.float32(min(1.0, .4 + strength)) * (flat * np.float32(1 / 255) - value)


def sharpen(value: np.ndarray, strength: float, radius: float) -> np.ndarray:
    """Return code values after an unsharp mask on luma, halos included."""
    luma = value @ np.array([.299, .587, .114], np.float32)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), radius)
    return value + (np.float32(strength) * detail)[..., None]


def encode_and_decode(picture: np.ndarray, scale: float, quality: int,
                      subsampled: bool) -> np.ndarray:
    """Return an 8-bit picture after downscaling, JPEG compression and upscaling.

    :param scale: of the coded size, at most 1; ``quality``: of JPEG, 0 for none.
    :param subsampled: chroma at half resolution (4:2:0); always with an OpenCV before 4.7.
    """
    height, width = picture.shape[:2]
    if scale < 1:
        small = (max(int(width * scale), 8), max(int(height * scale), 8))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    if quality:
        _, data = cv2.imencode('.jpg', cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                               [cv2.IMWRITE_JPEG_QUALITY, quality, SAMPLING_FACTOR,
                                SUBSAMPLED if subsampled else WHOLE])
        picture = cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)),
                               cv2.COLOR_BGR2RGB)
    if scale < 1:
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(picture)
