"""Losses on frames. All take square-root radiance (B, 1, H, W) and return a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gradient_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of the forward differences, at full and half size.

    It rewards edges where the target has them; a plain L1 loss weighs them too little.
    """
    total = predicted.new_zeros(())
    for _ in range(2):
        difference = predicted - target
        total = total + (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
        total = total + (difference[..., 1:] - difference[..., :-1]).abs().mean()
        predicted, target = F.avg_pool2d(predicted, 2), F.avg_pool2d(target, 2)
    return total


def sqrt_radiance_loss(predicted: Tensor, target: Tensor, *,
                       gradient_weight: float = 1.0) -> Tensor:
    """Return L1 on square-root radiance plus ``gradient_weight`` times `gradient_loss`."""
    return F.l1_loss(predicted, target) + gradient_weight * gradient_loss(predicted, target)


def finest_octave(image: Tensor) -> Tensor:
    """Return an image (B, 1, H, W) minus its mean over 3x3 pixels, of the same shape."""
    return image - F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode='replicate'), 3, stride=1)


def detail_loss(predicted: Tensor, target: Tensor, *, window: int = 16) -> Tensor:
    """Return the difference in the amount of fine detail, not in the detail itself.

    L1 and gradient losses halve detail that the source shows only in part, because a compromise
    costs least. This loss compares the root mean square of the two finest octaves in each
    window, and so rewards detail as strong as the target's.

    :param window: side of a window in pixels.
    """
    total = predicted.new_zeros(())
    for _ in range(2):
        amounts = []
        for image in (predicted, target):
            amounts.append(torch.sqrt(F.avg_pool2d(finest_octave(image).square(), window) + 1e-6))
        total = total + F.l1_loss(amounts[0], amounts[1])
        predicted, target = F.avg_pool2d(predicted, 2), F.avg_pool2d(target, 2)
        window = max(window // 2, 1)
    return total
