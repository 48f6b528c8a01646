"""Photometric augmentation, as by a camera: look-up tables, colour matrix, lens, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rgb2swir_ros.luma import REC601

if TYPE_CHECKING:
    from rgb2swir_ros.lab.training.data.augment import Augmentation

BANK = 1 << 22  # values in the noise bank
NOISE_UNIT = 32.0  # standard deviation of the bank's int8 values
VEIL = .6  # linear light of an opaque veil
VEIL_WARMEST = .25  # share of the bluest veil's logarithm: a low sun in the lens, dust
LUMA = np.array(REC601)


@dataclass(frozen=True)
class PhotometricAugmentation:
    """Drawn parameters of a camera and its light.

    :param gain: factor on linear light, for RGB and radiance.
    :param shade: (4, 4) factors on linear light over the frame, or None.
    :param tables: uint8 (256, 3): gain, white balance, veil and tone curve of each channel.
    :param matrix: (3, 3) on the coded colours, or None.
    :param noise_at: offset in the noise bank; ``coarse``: whether noise has grains of two pixels.
    """

    gain: float
    shade: np.ndarray | None
    tables: np.ndarray
    matrix: np.ndarray | None
    blur: float
    rescale: float
    sharpen: float
    noise: float
    noise_at: int
    coarse: bool
    jpeg: int

    def shade_field(self, size: tuple[int, int]) -> np.ndarray:
        """Return the factors on linear light, float32 (H, W)."""
        if self.shade is None:
            return np.ones(size, np.float32)
        smooth = cv2.resize(self.shade, size[::-1], interpolation=cv2.INTER_CUBIC)
        return np.minimum(np.asarray(smooth), 1)

    def apply(self, rgb: np.ndarray) -> np.ndarray:
        """Return the augmented image, uint8 (H, W, 3)."""
        size = rgb.shape[:2]
        if self.shade is not None:
            # sRGB is nearly a power law: a factor on linear light is its power on coded values
            coded = cv2.pow(self.shade_field(size), 1 / 2.2)
            rgb = np.asarray(cv2.multiply(rgb, cv2.merge([coded] * 3), dtype=cv2.CV_8U))
        rgb = np.asarray(cv2.LUT(np.ascontiguousarray(rgb), self.tables[None]))
        if self.matrix is not None:
            rgb = np.asarray(cv2.transform(rgb, self.matrix))
        rgb = self.soften(rgb)
        if self.noise > .001:
            rgb = self._noisy(rgb)
        if self.sharpen > .05:
            soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
            rgb = np.asarray(cv2.addWeighted(rgb, 1 + self.sharpen, soft, -self.sharpen, 0))
        if self.jpeg:
            _, data = cv2.imencode('.jpg', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR),
                                   [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])
            rgb = cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)),
                               cv2.COLOR_BGR2RGB)
        return np.ascontiguousarray(rgb, dtype=np.uint8)

    def soften(self, picture: np.ndarray) -> np.ndarray:
        """Return a coded image (H, W[, 3]) blurred and rescaled by this lens and resolution."""
        height, width = picture.shape[:2]
        if self.blur > .25:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), self.blur))
        if self.rescale > 1.05:
            small = (round(width / self.rescale), round(height / self.rescale))
            picture = np.asarray(cv2.resize(
                cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (width, height),
                interpolation=cv2.INTER_LINEAR))
        return picture

    def _noisy(self, rgb: np.ndarray) -> np.ndarray:
        """Add noise of uniform standard deviation.

        Photon noise grows with the square root of light, and the coding is close to a square
        root, so that the noise of coded values is nearly uniform.
        """
        height, width = rgb.shape[:2]
        if self.coarse:
            height, width = (height + 1) // 2, (width + 1) // 2
        need = height * width * 3
        at = self.noise_at % (BANK - need)
        grains: np.ndarray = noise_bank()[at:at + need].reshape(height, width, 3)
        if self.coarse:
            grains = np.asarray(cv2.resize(grains.astype(np.int16), rgb.shape[1::-1],
                                           interpolation=cv2.INTER_LINEAR))
        # interpolating by two leaves .75 ** 2 + .25 ** 2 of the variance along each axis
        unit = NOISE_UNIT * (.625 if self.coarse else 1)
        scaled = cv2.multiply(grains, np.ones(4) * (self.noise * 255 / unit), dtype=cv2.CV_16S)
        return np.asarray(cv2.add(rgb, scaled, dtype=cv2.CV_8U))


@cache
def noise_bank() -> np.ndarray:
    """Return normal noise, int8 (BANK,), reused because drawing it for each image is slow."""
    noise = np.random.default_rng(37).standard_normal(BANK, dtype=np.float32) * NOISE_UNIT
    return np.clip(np.rint(noise), -127, 127).astype(np.int8)


def draw_photometric(strengths: Augmentation, rng: np.random.Generator) -> PhotometricAugmentation:
    """Draw the parameters; the draws do not depend on the strengths of other parts."""
    signed, share = rng.uniform(-1, 1, 4), rng.random(8)
    normal = rng.normal(size=5)
    field = rng.uniform(0, 1, (4, 4)).astype(np.float32)
    matrix = colour_matrix(strengths, signed[2], normal[4], share[0], rng.normal(size=(3, 3)))
    noise_at = int(rng.integers(BANK))
    blueness = strengths.veil_blue * float(rng.uniform(-VEIL_WARMEST, 1))
    black = strengths.black * max(2 * float(rng.random()) - 1, 0.0)
    gain = float(2 ** (strengths.exposure * signed[0]))
    balance = np.exp(strengths.white_balance * np.array([normal[0], 0.0, normal[1]]))
    # half of the images have a veil, shade, blur, ...: unchanged images must remain in the mix
    veil = strengths.veil * max(2 * share[1] - 1, 0.0)
    veil_light = VEIL * np.exp(blueness * np.array([-.5, 0, .5]))
    tables = coded_value_tables(gain * balance, veil * veil_light, veil,
                         float(np.exp(strengths.gamma * normal[2])),
                         strengths.contrast * signed[1], black)
    shade = 1 - np.float32(strengths.shade * max(2 * share[2] - 1, 0.0)) * field
    quality = 95 - (95 - strengths.jpeg) * share[7] if strengths.jpeg else 0
    return PhotometricAugmentation(
        gain=gain, shade=shade if (shade < .99).any() else None, tables=tables, matrix=matrix,
        blur=strengths.blur * max(2 * share[3] - 1, 0.0),
        rescale=1 + (strengths.rescale - 1) * max(3 * share[4] - 2, 0.0),
        sharpen=strengths.sharpen * max(2 * share[5] - 1, 0.0),
        noise=strengths.noise * share[6] ** 2, noise_at=noise_at, coarse=signed[3] > .3,
        jpeg=round(quality) if normal[3] > -.5 else 0)


def coded_value_tables(gains: np.ndarray, veil: np.ndarray, lost: float, gamma: float,
                contrast: float, black: float) -> np.ndarray:
    """Return uint8 (256, 3): coded value in, coded value out, per channel.

    :param gains: (3,) on linear light.
    :param veil: (3,) added linear light; ``lost``: share of the image's light that it hides.
    :param gamma: of the coded value; ``contrast``: share of an S curve (negative: its inverse).
    :param black: coded value that becomes black, below 1.
    """
    coded = np.arange(256)[:, None] / 255
    linear = np.where(coded <= .04045, coded / 12.92, ((coded + .055) / 1.055) ** 2.4)  # sRGB
    linear = np.clip(linear * gains, 0, None) * (1 - lost) + veil
    linear = np.clip(linear, 0, 1)
    coded = np.where(linear <= .0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - .055)
    coded = np.clip(coded, 0, 1) ** gamma
    coded = coded + contrast * (coded * coded * (3 - 2 * coded) - coded)
    coded = (coded - black) / (1 - black)
    return np.asarray((np.clip(coded, 0, 1) * 255 + .5).astype(np.uint8))


def colour_matrix(strengths: Augmentation, turn: float, saturation: float, grey: float,
                  cast: np.ndarray) -> np.ndarray | None:
    """Return the (3, 3) matrix that rotates hues about grey, scales saturation, mixes channels.

    :param turn: in [-1, 1]; ``saturation``, ``cast`` (3, 3): standard normal; ``grey`` in [0, 1).
    :return: None for the identity. The rows sum to one, so that grey stays grey.
    """
    factor = float(np.exp(strengths.saturation * saturation - strengths.pale))
    if grey < strengths.grey:
        factor = .2 * grey / strengths.grey
    angle = np.deg2rad(strengths.hue * turn)
    # Rodrigues' rotation about the grey axis (1, 1, 1) / sqrt(3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    rotation = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    luma = np.tile(LUMA, (3, 1))
    mix = np.eye(3) + strengths.cast * (cast - cast.mean(axis=1, keepdims=True))
    matrix = mix @ (luma + factor * (np.eye(3) - luma)) @ rotation
    return None if np.allclose(matrix, np.eye(3), atol=1e-3) else matrix.astype(np.float32)
