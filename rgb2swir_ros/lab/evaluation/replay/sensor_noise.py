"""Histogram and noise of SWIR frames, against what a sensor's preset would give."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.imaging.sensor import SensorSettings
from rgb2swir_ros.lab.evaluation.replay.pixels import Image

TILE = 16  # pixels
FLATTEST = .1  # share of the tiles whose noise counts: the flattest ones show the least structure
# Immerkaer 1996, "Fast Noise Variance Estimation": a mask that a plane of any slope leaves at 0
MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
MASK_GAIN = 6.0  # the mask's norm: the deviation of its output on noise of deviation 1


@dataclass(frozen=True)
class FrameNoise:
    """Figures of one frame; radiance has the unit 1.

    :param black: share of pixels at the lowest level; ``white``: at the highest.
    :param mean: radiance.
    :param noise: deviation of radiance in the flattest tiles: the noise, where a frame has flat
        ones; fine structure everywhere adds to it.
    :param expected: deviation of the preset's shot and read noise in the same tiles, NaN without.
    """

    black: float
    white: float
    mean: float
    noise: float
    expected: float


def frame_noise(radiance: Image, sensor: SensorSettings | None) -> FrameNoise:
    """Return the figures of a frame (H, W)."""
    energy, level = _tiles(np.square(cv2.filter2D(radiance, cv2.CV_32F, MASK) / MASK_GAIN)), \
        _tiles(radiance)
    noise = expected = float('nan')
    usable = (level > .002) & (level < .98)  # a clipped tile has no noise
    if usable.any():
        variances, levels = energy[usable], level[usable]
        flat = variances <= np.quantile(variances, FLATTEST)
        noise = float(np.sqrt(variances[flat].mean()))
        if sensor is not None:
            expected = float(np.sqrt(expected_variance(levels[flat], sensor).mean()))
    return FrameNoise(float((radiance <= 0).mean()), float((radiance >= 1).mean()),
                      float(radiance.mean(dtype=np.float64)), noise, expected)


def expected_variance(radiance: NDArray[np.float32],
                      sensor: SensorSettings) -> NDArray[np.float64]:
    """Return the variance of a pixel of a sensor at levels of its output, in their unit.

    Shot noise of the electrons, read noise, and the quantisation of linear samples; 8-bit samples
    with a tone curve have steps that depend on the level.
    """
    light = radiance.astype(np.float64)
    electrons = light * sensor.full_well_e
    photons = (electrons + sensor.read_noise_e ** 2) / sensor.full_well_e ** 2
    if sensor.encoding == 'mono8':  # of value v = 255 light ** (1 / gamma)
        step = sensor.gamma * light ** (1 - 1 / sensor.gamma) / 255
    else:
        step = np.full_like(light, 1 / ((1 << sensor.bits) - 1))
    return (photons if sensor.noise else 0.) + np.square(step) / 12


def _tiles(plane: Image) -> NDArray[np.float32]:
    """Return the means of the whole tiles of a plane, flat."""
    height, width = (side // TILE * TILE for side in plane.shape)
    cut = plane[:height, :width].reshape(height // TILE, TILE, width // TILE, TILE)
    return cut.mean(axis=(1, 3)).reshape(-1)
