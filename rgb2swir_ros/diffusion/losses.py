"""Losses on frames. All take tone (square root of radiance), (B, 1, H, W), and return a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gradient_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of the forward differences, at full and half size.

    It asks for edges where the target has them, which a plain L1 pays too little for.
    """
    total = predicted.new_zeros(())
    for _ in range(2):
        difference = predicted - target
        total = total + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
        total = total + (difference[..., 1:] - difference[..., :-1]).abs().mean()
        predicted, target = F.avg_pool2d(predicted, 2), F.avg_pool2d(target, 2)
    return total


def tone_loss(predicted: Tensor, target: Tensor, *, gradient_weight: float = 1.0) -> Tensor:
    """Return L1 on tone plus ``gradient_weight`` times `gradient_loss`."""
    return F.l1_loss(predicted, target) + gradient_weight * gradient_loss(predicted, target)


def finest_octave(tone: Tensor) -> Tensor:
    """Return what a picture (B, 1, H, W) loses by a mean over 3x3 pixels, of the same shape."""
    return tone - F.avg_pool2d(F.pad(tone, (1, 1, 1, 1), mode='replicate'), 3, stride=1)


def detail_loss(predicted: Tensor, target: Tensor, *, window: int = 16) -> Tensor:
    """Return how much the amount of fine detail differs, whatever the detail itself is.

    Detail that the source shows only in part is halved by L1 and gradient losses: a middle way
    between right and wrong costs them least. This one compares the root mean square of the two
    finest octaves, window by window, and so asks for detail as strong as the target's.

    :param window: side of a window in pixels.
    """
    total = predicted.new_zeros(())
    for _ in range(2):
        amounts = []
        for tone in (predicted, target):
            amounts.append(torch.sqrt(F.avg_pool2d(finest_octave(tone).square(), window) + 1e-6))
        total = total + F.l1_loss(amounts[0], amounts[1])
        predicted, target = F.avg_pool2d(predicted, 2), F.avg_pool2d(target, 2)
        window = max(window // 2, 1)
    return total
