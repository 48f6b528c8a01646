"""Faults of the sensor's chip: noise, banding, dead pixels and columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rgb2swir_ros.checked import within
from rgb2swir_ros.hil.faults.base import RADIANCE, RGB, Context, Fault
from rgb2swir_ros.hil.faults.camera import to_light, to_pixels
from rgb2swir_ros.hil.frame import HilFrame


@dataclass(frozen=True)
class Noise(Fault):
    """White noise of the deviation ``deviation`` * ``intensity``, as a share of the full scale."""

    deviation: float = within(0, 1, 0.1)

    kind = 'noise'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Add the noise."""
        light = to_light(frame.pixels)
        noise = context.random().standard_normal(light.shape, dtype=np.float32)
        light = light + noise * np.float32(self.deviation * context.intensity)
        return [replace(frame, pixels=to_pixels(light, frame.pixels))]


@dataclass(frozen=True)
class Banding(Fault):
    """Bands of rows are brighter or darker, drawn anew in each frame.

    :param deviation: of the rows, as a share of the full scale, at full intensity.
    :param rows: height of a band in pixels.
    """

    deviation: float = within(0, 1, 0.1)
    rows: int = within(1, 10_000, 4)

    kind = 'banding'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Add an offset to each band."""
        light = to_light(frame.pixels)
        height = light.shape[0]
        offsets = context.random().standard_normal(-(-height // self.rows), dtype=np.float32)
        offsets = np.repeat(offsets, self.rows)[:height].reshape(-1, *[1] * (light.ndim - 1))
        light = light + offsets * np.float32(self.deviation * context.intensity)
        return [replace(frame, pixels=to_pixels(light, frame.pixels))]


@dataclass(frozen=True)
class DeadPixels(Fault):
    """Pixels are stuck at black or white: the share ``share`` * ``intensity`` of them.

    The places stay, and more are added as the intensity grows.
    """

    share: float = within(0, 1, 0.02)

    kind = 'dead_pixels'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Put the stuck values in."""
        shape = frame.pixels.shape[:2]
        if context.memory.get('shape') != shape:
            random = context.fixed_random(shape)
            context.memory.update(shape=shape, rank=random.random(shape, np.float32),
                                  white=random.random(shape, np.float32) < .5)
        dead = context.memory['rank'] < self.share * context.intensity
        pixels = frame.pixels.copy()
        top = 255 if pixels.dtype == np.uint8 else 1
        pixels[dead & context.memory['white']] = top
        pixels[dead & ~context.memory['white']] = 0
        return [replace(frame, pixels=pixels)]


@dataclass(frozen=True)
class DeadColumns(Fault):
    """Columns are black: the share ``share`` * ``intensity`` of them, at least one."""

    share: float = within(0, 1, 0.02)

    kind = 'dead_columns'
    points = (RADIANCE, RGB)

    def apply(self, frame: HilFrame, context: Context) -> list[HilFrame]:
        """Blacken the columns."""
        width = frame.pixels.shape[1]
        count = round(width * self.share * context.intensity)
        if not count and context.intensity:
            count = 1
        pixels = frame.pixels.copy()
        pixels[:, context.fixed_random(width).permutation(width)[:count]] = 0
        return [replace(frame, pixels=pixels)]


KINDS: tuple[type[Fault], ...] = (Noise, Banding, DeadPixels, DeadColumns)
