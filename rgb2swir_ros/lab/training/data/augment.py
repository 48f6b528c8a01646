"""Augmentation of pairs, strong enough that materials are learned rather than renderer artefacts.

One geometric map applies to both images. Exposure and shade change the light, and so both images.
Blur and resolution change both too: a translator trained on targets with more detail than their
source learns to blur or to invent detail. All other changes belong to the colour camera and apply
to the RGB image only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.lab.training.data.photometric import draw_photometric


@dataclass(frozen=True)
class Augmentation:
    """Strengths of the augmentation; zero disables a part.

    :param flip: probability of a mirrored pair.
    :param area: smallest share of the frame's area that a whole-frame crop shows; for smaller
        crops it limits the zoom in both directions.
    :param aspect: largest relative change of width over height.
    :param rotation: largest angle, degrees; ``perspective``: largest shift of a corner as a share
        of the crop's size.
    :param exposure: largest gain in stops, of both RGB and radiance.
    :param shade: largest local loss of light, of both, smooth over the frame.
    :param white_balance: standard deviation of the logarithm of the red and the blue gain.
    :param veil: largest share of a veil (haze, stray light, a dirty windscreen); ``veil_blue``:
        largest logarithm of its blue over its red, as skylight is mostly blue.
    :param gamma: standard deviation of the logarithm of a gamma; ``contrast``: largest strength of
        an S-shaped (or reverse) tone curve; ``black``: largest coded value that becomes black, as
        in backlit images, whose shadows cameras clip.
    :param saturation: standard deviation of the logarithm of the saturation, whose mean is
        ``-pale``: pale photographs mislead a network trained on vivid ones more than vice versa;
        ``hue``: largest rotation, degrees; ``cast``: standard deviation of the other terms of the
        colour matrix.
    :param grey: probability of nearly no colour.
    :param blur: largest standard deviation of the lens blur, pixels; ``rescale``: largest factor
        of downscaling and upscaling, of both images; ``sharpen``: largest strength of an unsharp
        mask.
    :param noise: largest standard deviation, in [0, 1].
    :param jpeg: lowest quality, or 0 for no JPEG.
    """

    flip: float = .5
    area: float = .4
    aspect: float = .1
    rotation: float = 4.0
    perspective: float = .04
    exposure: float = .6
    shade: float = .4
    white_balance: float = .16
    veil: float = .25
    veil_blue: float = 1.0
    gamma: float = .2
    contrast: float = .6
    black: float = .2
    saturation: float = .35
    pale: float = .2
    hue: float = 8.0
    cast: float = .03
    grey: float = .06
    blur: float = 1.0
    rescale: float = 2.0
    sharpen: float = 1.0
    noise: float = .04
    jpeg: int = 40


def augment(rgb: np.ndarray, radiance: np.ndarray, strengths: Augmentation,
            rng: np.random.Generator,
            size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return an augmented version of a pair.

    :param rgb: uint8 (H, W, 3), sRGB-coded.
    :param radiance: float32 (H, W) in [0, 1], linear, at the exposure of the RGB picture.
    :param rng: draws the parameters of the augmentation.
    :param size: (height, width) of the result, by default the size of the input. A smaller one is
        a crop of about that size, not a downscaled frame.
    :return: RGB uint8 (h, w, 3) and radiance float32 (h, w) in [0, 1].
    """
    before = rgb.shape[:2]
    size = size or before
    matrix = draw_map(before, size, strengths, rng)
    rgb, radiance = warp(rgb, matrix, size), warp(radiance, matrix, size)
    photometric = draw_photometric(strengths, rng)
    light = np.float32(photometric.gain) * photometric.shade_field(size)
    # square-root radiance is close to the coding of RGB: blurred edges stay in the same place
    sqrt_radiance = photometric.soften(np.sqrt(np.clip(radiance * light, 0, 1, dtype=np.float32)))
    return photometric.apply(rgb), np.square(sqrt_radiance).astype(np.float32)


def draw_map(before: tuple[int, int], after: tuple[int, int], strengths: Augmentation,
             rng: np.random.Generator) -> np.ndarray:
    """Draw the map from pixels of the result to pixels of the source, float64 (3, 3).

    Coordinates are x, y of pixel centres. The result's corners map to the corners of a window of
    the source, scaled by the zoom, rotated, and shifted one by one.
    """
    room = np.array(before[::-1]) / after[::-1]  # the largest zoom that fits in the frame
    low, high = strengths.area ** .5, min(strengths.area ** -.5, float(room.min()))
    zoom = float(np.exp(rng.uniform(np.log(min(low, high)), np.log(high))))
    stretch = np.exp(rng.uniform(-.5, .5) * np.log1p(strengths.aspect))
    window = np.minimum(zoom * np.array([stretch, 1 / stretch]), room) * after[::-1]
    centre = rng.uniform(window / 2, np.maximum(before[::-1] - window / 2, window / 2))
    angle = np.deg2rad(rng.uniform(-1, 1) * strengths.rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-.5, -.5], [.5, -.5], [.5, .5], [-.5, .5]])
    shifted = corners + rng.uniform(-1, 1, (4, 2)) * strengths.perspective
    if rng.random() < strengths.flip:
        shifted[:, 0] *= -1
    source = (shifted * window) @ turn.T + centre - .5
    target = (corners + .5) * after[::-1] - .5
    return cv2.getPerspectiveTransform(target.astype(np.float32), source.astype(np.float32))


def warp(picture: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return an image (H, W[, 3]) warped by a map of `draw_map`, with reflected borders.

    An image that shrinks is blurred first against aliasing.
    """
    middle = np.array([size[1] / 2, size[0] / 2, 1.0])
    step = middle[:2] @ matrix[2, :2] + matrix[2, 2]
    # root of the map's Jacobian determinant, which is that of the matrix over step cubed
    shrink = float(np.sqrt(abs(np.linalg.det(matrix / step))))
    if shrink > 1.05:
        # standard deviation of a box of `shrink` pixels, beyond the one pixel of a sample
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0),
                                              float(np.sqrt((shrink ** 2 - 1) / 12)) + .2))
    return np.asarray(cv2.warpPerspective(
        picture, matrix, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101))
