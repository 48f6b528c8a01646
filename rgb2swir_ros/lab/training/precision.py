"""The number type of trainings: bfloat16 where the device multiplies it, float32 elsewhere."""

from __future__ import annotations

import torch

from rgb2swir_ros.engines.processor import has_bfloat16


def saves_time(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 natively.

    A processor without such instructions emulates them, and a convolution takes fifty times as
    long as in float32.
    """
    return device.type != 'cpu' or has_bfloat16()


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return the context of a training's forward pass: bfloat16 where that saves time."""
    return torch.autocast(device.type, torch.bfloat16, enabled=saves_time(device))
