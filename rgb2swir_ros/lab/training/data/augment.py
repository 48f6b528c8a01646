"""Augmentation of pairs, hard enough that material is learned and not the renderer's look.

Geometry is one map for both pictures. Exposure and shade change the light, so they change both.
Blur and resolution change both too: a translator that is asked for detail that its source does not
have learns to blur where it should be sure, or to invent. Everything else is the colour camera's
and changes the RGB picture alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.lab.training.data.look import draw_look


@dataclass(frozen=True)
class Augmentation:
    """Strengths; a zero switches its part off.

    :param flip: probability of a mirrored pair.
    :param area: smallest share of the frame's area that a whole-frame crop shows. Of smaller crops
        it limits the zoom in both ways.
    :param aspect: largest relative change of width over height.
    :param rotation: largest angle, degrees; ``perspective``: largest shift of a corner as a share
        of the crop's size.
    :param exposure: largest gain in stops, of RGB and radiance alike.
    :param shade: largest local loss of light, of both alike, smooth over the frame.
    :param white_balance: deviation of the logarithm of the red and the blue gain.
    :param veil: largest share of a veil (haze, stray light, a dirty windscreen); ``veil_blue``:
        largest logarithm of its blue over its red: it is skylight, mostly.
    :param gamma: deviation of the logarithm of a gamma; ``contrast``: largest strength of an
        S-shaped (or reverse) tone curve; ``black``: largest coded value that comes out black, as
        in pictures against the light, whose shadows cameras drown.
    :param saturation: deviation of the logarithm of the saturation, whose mean is ``-pale``:
        pale photographs mislead a network trained on vivid ones, hardly the other way round;
        ``hue``: largest turn, degrees; ``cast``: deviation of the other terms of the matrix.
    :param grey: probability of nearly no colour.
    :param blur: largest deviation of the lens's blur, pixels; ``rescale``: largest factor of
        scaling down and up again, of both alike; ``sharpen``: largest strength of an unsharp
        mask.
    :param noise: largest deviation, in [0, 1].
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


NONE = Augmentation(flip=0, area=1, aspect=0, rotation=0, perspective=0, exposure=0, shade=0,
                    white_balance=0, veil=0, veil_blue=0, gamma=0, contrast=0, black=0,
                    saturation=0, pale=0, hue=0, cast=0, grey=0, blur=0, rescale=1, sharpen=0,
                    noise=0, jpeg=0)


def augment(rgb: np.ndarray, radiance: np.ndarray, strengths: Augmentation,
            rng: np.random.Generator,
            size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return another version of a pair.

    :param rgb: uint8 (H, W, 3), sRGB-coded.
    :param radiance: float32 (H, W) in [0, 1], linear, at the exposure of the RGB picture.
    :param rng: draws what is done to the pair.
    :param size: (height, width) of the result, by default as it was. A smaller one is a crop about
        that size, not the whole frame made small.
    :return: RGB uint8 (h, w, 3) and radiance float32 (h, w) in [0, 1].
    """
    before = rgb.shape[:2]
    size = size or before
    matrix = draw_map(before, size, strengths, rng)
    rgb, radiance = warp(rgb, matrix, size), warp(radiance, matrix, size)
    look = draw_look(strengths, rng)
    light = np.float32(look.gain) * look.shade_field(size)
    # in tone, which is about the RGB picture's coding: an edge blurred in both keeps its place
    tone = look.soften(np.sqrt(np.clip(radiance * light, 0, 1, dtype=np.float32)))
    return look.apply(rgb), np.square(tone).astype(np.float32)


def draw_map(before: tuple[int, int], after: tuple[int, int], strengths: Augmentation,
             rng: np.random.Generator) -> np.ndarray:
    """Draw the map from pixels of the result to pixels of the source, float64 (3, 3).

    Coordinates are x, y of pixel centres. The result's corners come to lie around a window of the
    source, larger or smaller than the result by the zoom, turned, and shifted one by one.
    """
    room = np.array(before[::-1]) / after[::-1]  # the largest zoom that the frame has room for
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
    """Return a picture (H, W[, 3]) as seen through a map of `draw_map`; beyond the edge mirrored.

    Where it shrinks, it is blurred first, or fine texture would alias.
    """
    middle = np.array([size[1] / 2, size[0] / 2, 1.0])
    step = middle[:2] @ matrix[2, :2] + matrix[2, 2]
    # of areas, by the map's Jacobian: its determinant is that of the matrix over step cubed
    shrink = float(np.sqrt(abs(np.linalg.det(matrix / step))))
    if shrink > 1.05:
        # a box of `shrink` pixels has this deviation beyond the one pixel that a sample has
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0),
                                              float(np.sqrt((shrink ** 2 - 1) / 12)) + .2))
    return np.asarray(cv2.warpPerspective(
        picture, matrix, size[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101))
