"""The parity gate: every engine must agree with the float32 Translator within fixed limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch

from rgb2swir_ros.engines.base import EngineSpec, Frames, Radiance
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.translator import SwirModel

# Limits in radiance, which is the engine's output. A gamma of 2.2 amplifies errors of dark pixels;
# the head runs in float32, so errors there are relative to small values and stay small.
MEAN_LIMIT = 0.5 / 255
TAIL_LIMIT = 3 / 255
TAIL_PERCENTILE = 99.9
FRAMES = 2


class ParityError(UserError):
    """An engine differs from the float32 Translator by more than the limits; see the text."""


@dataclass(frozen=True)
class Parity:
    """Absolute difference of radiance against float32, over `parity_frames`, in 1/255.

    :param mean_255: mean difference; at most 0.5.
    :param tail_255: 99.9th percentile; at most 3.
    :param frames: how many frames were compared.
    """

    mean_255: float
    tail_255: float
    frames: int

    def passes(self) -> bool:
        """Return whether both figures are within their limits; false if one is NaN."""
        return self.mean_255 <= MEAN_LIMIT * 255 and self.tail_255 <= TAIL_LIMIT * 255

    def fields(self) -> dict[str, float]:
        """Return the figures as plain values."""
        return asdict(self)


def parity_frames(height: int, width: int) -> Frames:
    """Return the fixed frames of the gate, (2, height, width, 3) uint8.

    They are a ramp over all levels, different in each channel (it shows banding and clipping),
    and seeded texture from coarse to fine (it shows shifts and blur).
    """
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    ramp = np.empty((height, width, 3))
    ramp[..., 0] = across
    ramp[..., 1] = down[:, None]
    ramp[..., 2] = 255 - across / 2 - down[:, None] / 2
    random = np.random.default_rng(1405)
    texture = np.full((height, width, 3), 127.5)
    for cell in (64, 16, 4, 1):
        shape = (-(-height // cell), -(-width // cell), 3)
        patches = random.uniform(-50, 50, shape).repeat(cell, axis=0).repeat(cell, axis=1)
        texture += patches[:height, :width]
    return np.stack([ramp, texture]).round().clip(0, 255).astype(np.uint8)


def compare(engine: Callable[[Frames], Radiance], reference: SwirModel,
            spec: EngineSpec) -> Parity:
    """Compare an engine with the float32 Translator on the fixed frames.

    :param engine: called with one frame at a time, (1, H, W, 3) uint8.
    :param reference: the Translator in float32.
    """
    differences = []
    frames = parity_frames(spec.height, spec.width)
    for frame in frames[:, None]:
        with torch.inference_mode():
            expected = reference(torch.from_numpy(frame)).numpy()
        differences.append(np.abs(engine(frame) - expected).ravel())
    difference = np.concatenate(differences) * 255
    return Parity(mean_255=float(difference.mean()),
                  tail_255=float(np.percentile(difference, TAIL_PERCENTILE)), frames=len(frames))


def require_parity(engine: Callable[[Frames], Radiance], reference: SwirModel,
                   spec: EngineSpec) -> Parity:
    """Compare, and raise if the engine differs too much.

    :raises ParityError: if a figure exceeds its limit.
    """
    parity = compare(engine, reference, spec)
    if not parity.passes():
        raise ParityError(
            f'the engine {spec} of {spec.model} differs from float32 by {parity.mean_255:.3f}/255 '
            f'on average (limit {MEAN_LIMIT * 255:g}) and {parity.tail_255:.2f}/255 at the '
            f'{TAIL_PERCENTILE:g}th percentile (limit {TAIL_LIMIT * 255:g}): '
            'it is refused; choose precision float32 or backend eager')
    return parity
