"""Losses on frames. All take tone (square root of radiance), (B, 1, H, W), and return a scalar."""

from __future__ import annotations

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
