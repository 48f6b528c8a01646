"""Two pictures painted together: linear RGB and linear SWIR, lit by the same scene."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rgb2swir_ros.scenes.materials import Material
from rgb2swir_ros.scenes.textures import sample


@dataclass(frozen=True)
class Light:
    """The light of a scene; 1.0 is a white surface that faces the main light.

    :param sun: direct share in the visible, 0 when overcast. Of the global light the diffuse
        share is .175 in the visible but .047 in SWIR (ASTM G173), so shadows are deep in SWIR.
    :param sky_rgb: colour (3,) of the diffuse light, mean 1.
    :param ground: share of the main light that a level surface gets, in (0, 1].
    :param haze: extinction of the visible per metre.
    :param haze_swir: extinction in SWIR over that in the visible (.24 to .84 by the droplets).
    :param horizon_rgb: radiance (3,) of the air towards the horizon.
    :param horizon_swir: the same in SWIR.
    """

    sun: float
    sky_rgb: np.ndarray
    ground: float
    haze: float
    haze_swir: float
    horizon_rgb: np.ndarray
    horizon_swir: float

    def irradiance(self, lit: np.ndarray | float,
                   view: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return visible (..., 3) and SWIR (..., 1) light on a surface.

        :param lit: share of the direct light that arrives, 0 in shadow.
        :param view: share of the sky that the surface sees.
        """
        lit = np.asarray(lit, np.float32)[..., None]
        view = np.asarray(view, np.float32)[..., None]
        if self.sun == 0:  # overcast: droplets scatter SWIR as well as the visible
            flat = view * (1 + 0 * lit)
            return flat * self.sky_rgb, flat
        return (lit * .825 * self.sun + view * .175 * self.sky_rgb,
                lit * .953 * self.sun + view * .047)


class Canvas:
    """Radiance in RGB (H, W, 3) and SWIR (H, W), float32, painted back to front."""

    def __init__(self, size: tuple[int, int], light: Light) -> None:
        """Start black."""
        self.size = size
        self.light = light
        self.rgb = np.zeros((*size, 3), np.float32)
        self.swir = np.zeros(size, np.float32)

    def blend(self, alpha: np.ndarray, rgb: np.ndarray, swir: np.ndarray | float,
              window: tuple[slice, slice] = (slice(None), slice(None))) -> None:
        """Lay radiance over the picture.

        :param alpha: (h, w) coverage in [0, 1] inside ``window``.
        :param rgb: broadcastable to (h, w, 3); ``swir`` to (h, w).
        """
        self.rgb[window] += alpha[..., None] * (rgb - self.rgb[window])
        self.swir[window] += alpha * (swir - self.swir[window])

    def surface(self, alpha: np.ndarray, material: Material, *, lit: np.ndarray | float,
                view: np.ndarray | float = 1.0, relief: np.ndarray | float = 0.0,
                relief_swir: float = 1.0, distance: np.ndarray | float = 0.0,
                window: tuple[slice, slice] = (slice(None), slice(None))) -> None:
        """Paint a lit surface seen through the air.

        :param alpha: (h, w) coverage.
        :param lit: share of direct light; ``view``: share of the sky seen.
        :param relief: logarithm of the brightness variation, (h, w).
        :param relief_swir: share of the relief in SWIR: below 1 where bright tissue fills its
            own shadows with scattered light, as foliage does.
        :param distance: metres, for haze.
        """
        visible, infrared = self.light.irradiance(lit, view)
        relief = np.asarray(relief, np.float32)
        rgb = material.rgb.astype(np.float32) * visible * np.exp(relief)[..., None]
        swir = material.swir * infrared[..., 0] * np.exp(relief * relief_swir)
        clear = np.exp(-self.light.haze * np.asarray(distance, np.float32))
        clear_swir = clear ** self.light.haze_swir
        rgb = rgb * clear[..., None] + (1 - clear[..., None]) * self.light.horizon_rgb
        swir = swir * clear_swir + (1 - clear_swir) * self.light.horizon_swir
        self.blend(alpha, rgb.astype(np.float32), swir.astype(np.float32), window)

    def window(self, x0: float, y0: float, x1: float,
               y1: float) -> tuple[slice, slice] | None:
        """Return the part of the picture that a box covers, or None if it is outside."""
        top, bottom = max(int(y0), 0), min(int(np.ceil(y1)) + 1, self.size[0])
        left, right = max(int(x0), 0), min(int(np.ceil(x1)) + 1, self.size[1])
        return (slice(top, bottom), slice(left, right)) if bottom > top and right > left else None


def polygon(window: tuple[slice, slice], points: np.ndarray) -> np.ndarray:
    """Return the coverage (h, w) of a polygon inside a window, with smooth edges.

    :param points: (N, 2) x and y in pixels of the whole picture.
    """
    rows, columns = window
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
    local = (np.asarray(points, np.float64) - (columns.start, rows.start)) * 16
    cv2.fillPoly(mask, [np.clip(local, -2**20, 2**20).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


def flat_texture(window: tuple[slice, slice], name: str, scale: float,
                 origin: tuple[float, float]) -> np.ndarray:
    """Return a texture (h, w) on an upright surface.

    :param scale: texels a pixel.
    :param origin: pixel of the whole picture where texel (0, 0) lies, so that it moves along.
    """
    rows, columns = window
    y, x = np.mgrid[rows.start:rows.stop, columns.start:columns.stop].astype(np.float32)
    return sample(name, (x - origin[0]) * scale, (y - origin[1]) * scale) / max(scale, 1.0)
