"""Model of an ordinary colour camera: from linear light to the 8-bit picture of its driver.

Its realism decides how well a network trained on rendered scenes works on photographs. It has
lens and windscreen (`optics`), sensor, white balance, tone curve, colours, sharpening and codec
(`isp`), and automatic exposure (`metering`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rgb2swir_ros.lab.scenes import isp, metering, optics
from rgb2swir_ros.lab.scenes.light import Light
from rgb2swir_ros.lab.scenes.optics import Lens, Windscreen

# Colour matrix from the sensor's red, green and blue to linear sRGB. The sensor's filters overlap,
# so its colours are pale (in the materials table grass is as red as green). Fitted to 316 measured
# spectra by `benchmark/colours.py`; white maps to white.
TO_SRGB = np.array([[1.53, -.45, -.08], [-.13, 1.37, -.24], [-.02, -.215, 1.235]])
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class RgbCamera:
    """Settings of one camera; the defaults are an ideal camera with the sRGB curve.

    :param exposure: factor on linear light; the SWIR frame is scaled by the same.
    :param white_balance: factors on red, green and blue.
    :param matrix: sensor colours to linear sRGB; each row sums to 1. Colours outside sRGB become
        negative; the tone curve clips them.
    :param lens: blur, motion, aberration, glare, vignette.
    :param windscreen: veil, reflections, drops and dirt; the same in every frame.
    :param electrons: collected at white: shot noise is ``1 / sqrt(electrons)`` there; 0 for no
        noise. ``read_noise``: standard deviation in the dark, share of white. ``chroma_noise``:
        strength of coarse colour noise relative to the other noise.
    :param bayer: sample one colour a pixel and interpolate the others.
    :param tone_curve: from light to code values.
    :param local_tone: strength of local tone mapping, [0, 1].
    :param saturation: 1 keeps colours; ``vibrance``: extra saturation of pale colours.
    :param denoise: strength of the noise filter, which removes weak detail, [0, 1].
    :param sharpening: strength of an unsharp mask; ``halo``: its radius in pixels.
    :param chroma_blur: standard deviation of the blur of chroma, pixels.
    :param scale: size of the transmitted stream over the picture's, at most 1.
    :param jpeg: quality, or 0 for none; ``subsampled``: chroma at half resolution.
    """

    exposure: float = 1.0
    white_balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    matrix: tuple[tuple[float, float, float], ...] = IDENTITY
    lens: Lens = field(default_factory=Lens)
    windscreen: Windscreen = field(default_factory=Windscreen)
    electrons: float = 0.0
    read_noise: float = 0.0
    chroma_noise: float = 0.0
    bayer: bool = False
    tone_curve: isp.ToneCurve = field(default_factory=isp.ToneCurve)
    local_tone: float = 0.0
    saturation: float = 1.0
    vibrance: float = 0.0
    denoise: float = 0.0
    sharpening: float = 0.0
    halo: float = 1.0
    chroma_blur: float = 0.0
    scale: float = 1.0
    jpeg: int = 0
    subsampled: bool = True

    @property
    def blur(self) -> float:
        """Standard deviation of the lens blur, pixels."""
        return self.lens.blur


def draw_rgb_camera(rng: np.random.Generator, linear: np.ndarray, light: Light | None = None
                    ) -> RgbCamera:
    """Draw a camera, with exposure and white balance set for a frame.

    :param linear: linear RGB (H, W, 3), float32; three bands of the scene's radiance.
    :param light: of the scene, for white balance and noise; None for daylight.
    """
    weather = light.weather if light is not None else 'clear'
    balance = metering.auto_white_balance(rng, linear, light)
    tone_curve = isp.draw_tone_curve(rng)
    balanced = linear * np.array(balance, np.float32)
    exposure = metering.auto_exposure(rng, balanced, tone_curve, weather)
    # Sensors differ, and cameras amplify more where there is less light.
    electrons = float(np.exp(rng.uniform(np.log(2500), np.log(40000))))
    if weather in {'night', 'dusk'}:
        electrons *= float(rng.uniform(.04, .4) if weather == 'night' else rng.uniform(.1, .8))
    matrix = TO_SRGB + rng.normal(0, .04, (3, 3)) * (1 - np.eye(3))
    matrix /= matrix.sum(axis=1, keepdims=True)
    sharp = rng.random() < .65
    streamed = rng.random() < .35
    return RgbCamera(
        exposure=exposure, white_balance=balance,
        matrix=tuple((float(a), float(b), float(c)) for a, b, c in matrix),
        lens=optics.draw_lens(rng, linear.shape[1]),
        windscreen=optics.draw_windscreen(rng, wet=light is not None and light.wetness > .3),
        electrons=electrons, read_noise=float(rng.uniform(.5, 6) / electrons ** .5 * .05),
        chroma_noise=float(rng.uniform(0, .9)), bayer=bool(rng.random() < .3),
        tone_curve=tone_curve,
        local_tone=float(rng.uniform(0, .8)) if rng.random() < .4 else 0.0,
        saturation=float(np.clip(rng.normal(.92, .2), .35, 1.6)),
        vibrance=float(rng.uniform(0, .6)) if rng.random() < .5 else 0.0,
        denoise=float(rng.uniform(0, 1)) if rng.random() < (.8 if weather == 'night' else .45)
        else 0.0,
        sharpening=float(rng.uniform(.2, 1.6)) if sharp else 0.0,
        halo=float(rng.uniform(.6, 2.2)), chroma_blur=float(rng.uniform(0, 1.6)),
        scale=float(rng.uniform(.6, 1)) if streamed else 1.0,
        jpeg=int(rng.integers(40, 98)) if rng.random() < .85 else 0,
        subsampled=bool(rng.random() < .8))


def take_picture(linear: np.ndarray, camera: RgbCamera, rng: np.random.Generator) -> np.ndarray:
    """Return the camera's picture.

    :param linear: linear RGB (H, W, 3), float32, not clipped.
    :param rng: draws the noise and nothing else.
    :return: uint8 (H, W, 3), RGB, sRGB-coded.
    """
    light = linear.astype(np.float32) * np.float32(camera.exposure)
    light = optics.apply_lens(light, camera.lens)
    light = optics.apply_windscreen(light, camera.windscreen)
    colours = np.array(camera.matrix, np.float32) * np.array(camera.white_balance, np.float32)
    if camera.matrix != IDENTITY or camera.white_balance != (1.0, 1.0, 1.0):
        light = light @ colours.T
    if camera.electrons:
        light = isp.add_noise(light, camera.electrons, camera.read_noise,
                              camera.chroma_noise, rng)
    if camera.bayer:
        light = isp.mosaic_and_demosaic(light)
    coded = isp.tone_map_by_table(light, camera.tone_curve)
    if camera.local_tone:
        coded = isp.local_tone_map(coded, camera.local_tone)
    coded = isp.adjust_colour(coded, camera.saturation, camera.vibrance, camera.chroma_blur)
    if camera.denoise:
        coded = isp.denoise(coded, camera.denoise)
    if camera.sharpening:
        coded = isp.sharpen(coded, camera.sharpening, camera.halo)
    picture = (np.clip(coded, 0, 1) * 255 + np.float32(.5)).astype(np.uint8)
    return isp.encode_and_decode(picture, camera.scale, camera.jpeg, camera.subsampled)
