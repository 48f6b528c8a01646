"""Faults of the camera's firmware: a frozen picture, an exposure that does not settle."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from rgb2swir_ros.checked import within
from rgb2swir_ros.hil.faults.base import RADIANCE, RGB, Context, Fault
from rgb2swir_ros.hil.frame import HilFrame


@dataclass(frozen=True)
class Freeze(Fault):
    """The picture stays as it was: new stamps, old pixels, bit for bit.

    The last frame before the fault is sent again, with the sensor's noise that it had then.
    """

    kind = 'freeze'
    points = (RGB,)

    def watch(self, frame: HilFrame, context: Context) -> None:
        """Keep the newest frame."""
        context.memory['frame'] = frame

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Show the last frame from before; the first one, if there was none."""
        old = context.memory.setdefault('frame', frame)
        return [replace(frame, pixels=old.pixels, draw_ns=old.draw_ns)]


@dataclass(frozen=True)
class ExposureHunting(Fault):
    """The exposure swings: light * 2 ** (stops * intensity * sin(2 pi t / period_s)).

    :param stops: the largest swing, in stops of exposure (doublings).
    :param period_s: of one swing.
    """

    stops: float = within(0, 10, 1.5)
    period_s: float = within(0.01, 3600, 1.0)

    kind = 'exposure_hunting'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Scale the light by the swing of the moment."""
        angle = 2 * math.pi * (context.time_ns - context.start_ns) / (1e9 * self.period_s)
        factor = 2 ** (self.stops * context.intensity * math.sin(angle))
        return [replace(frame, pixels=to_pixels(to_light(frame.pixels) * factor, frame.pixels))]


@dataclass(frozen=True)
class Saturation(Fault):
    """The picture is overexposed: light * 2 ** (stops * intensity), clipped at the full well."""

    stops: float = within(0, 20, 4.0)

    kind = 'saturation'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Scale the light."""
        factor = 2 ** (self.stops * context.intensity)
        return [replace(frame, pixels=to_pixels(to_light(frame.pixels) * factor, frame.pixels))]


def to_light(pixels: np.ndarray) -> np.ndarray:
    """Return float32 of the same shape: radiance as it is, RGB as values in [0, 1]."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / np.float32(255)
    return pixels.astype(np.float32, copy=False)


def to_pixels(light: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return light in [0, 1] as the type of pixels that it came from; the rest is clipped."""
    light = np.clip(light, 0, 1)
    if like.dtype == np.uint8:
        return np.rint(light * 255).astype(np.uint8)
    return light.astype(np.float32, copy=False)


KINDS: tuple[type[Fault], ...] = (Freeze, ExposureHunting, Saturation)
