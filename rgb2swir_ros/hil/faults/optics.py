"""Faults of the lens: blur, and mud or drops on the glass."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from rgb2swir_ros.checked import within
from rgb2swir_ros.hil.faults.base import RADIANCE, RGB, Context, Fault
from rgb2swir_ros.hil.faults.camera import to_light, to_pixels
from rgb2swir_ros.hil.frame import HilFrame

MUD_LIGHT = 0.05  # what a spot of mud lets through and scatters, as a share of the full scale


@dataclass(frozen=True)
class Blur(Fault):
    """The picture is out of focus: a Gaussian of ``sigma`` * ``intensity`` of its width."""

    sigma: float = within(0, 0.2, 0.01)

    kind = 'blur'
    points = (RGB, RADIANCE)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Blur the frame."""
        sigma = self.sigma * context.intensity * frame.pixels.shape[1]
        if sigma < .05:  # of a pixel: nothing to be seen
            return [frame]
        return [replace(frame, pixels=_blurred(frame.pixels, sigma))]


@dataclass(frozen=True)
class Occlusion(Fault):
    """Spots cover about the share ``cover`` * ``intensity`` of the picture and stay there.

    :param what: ``mud`` is dark; ``drops`` show what is behind them blurred and upside down.
    :param spots: how many there are.
    """

    what: str = 'mud'
    cover: float = within(0, 1, 0.5)
    spots: int = within(1, 1000, 12)

    kind = 'occlusion'
    points = (RGB, RADIANCE)

    def __post_init__(self) -> None:
        if self.what not in {'mud', 'drops'}:
            raise ValueError(f"what is '{self.what}', but must be mud or drops")

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Lay the spots over the frame."""
        share = self.cover * context.intensity
        if not share:
            return [frame]
        light = to_light(frame.pixels)
        behind = np.full_like(light, MUD_LIGHT)
        if self.what == 'drops':
            behind = _blurred(np.ascontiguousarray(light[::-1]), .02 * light.shape[1])
        mask = self._mask(light.shape[:2], share, context)
        if light.ndim == 3:
            mask = mask[..., None]
        light = light + mask * (behind - light)
        return [replace(frame, pixels=to_pixels(light, frame.pixels))]

    def _mask(self, shape: tuple[int, ...], share: float, context: Context) -> np.ndarray:
        """Return float32 (H, W), 1 where a spot is, with soft edges."""
        known = context.memory.get('mask')
        if known is not None and known[0] == (shape, share):
            return known[1]
        height, width = shape
        random = context.fixed_random()
        centres = random.random((self.spots, 2))
        weights = random.uniform(.5, 1.5, self.spots)
        areas = share * height * width * weights / weights.sum()
        mask = np.zeros(shape, np.float32)
        for (y, x), area in zip(centres, areas, strict=True):
            radius = max(1, round(float(np.sqrt(area / np.pi))))
            cv2.circle(mask, (round(x * (width - 1)), round(y * (height - 1))), radius, 1.0, -1)
        mask = _blurred(mask, max(.5, .004 * width))
        context.memory['mask'] = (shape, share), mask
        return mask


def _blurred(pixels: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


KINDS: tuple[type[Fault], ...] = (Blur, Occlusion)
