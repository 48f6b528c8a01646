"""The losses between a predicted and a true image, shared by the trainings."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.diffusion.losses import detail_loss, sqrt_radiance_loss


@dataclass(frozen=True)
class PictureWeights:
    """The weights of the parts of `picture_losses`; L1 has weight 1.

    :param gradient: of L1 on gradients. L1 alone favours soft edges where it is uncertain to which
        side of an edge a pixel belongs.
    :param region: of L1 on means over regions, which compares materials whatever their texture.
    :param detail: of the loss on the amount of detail, which counters the loss of energy in the
        finest octave that L1 causes.
    """

    gradient: float = 3.0
    region: float = 1.0
    detail: float = 10.0


def picture_losses(predicted: Tensor, target: Tensor, weights: PictureWeights, *,
                   detailed: bool) -> dict[str, Tensor]:
    """Return the weighted parts of the loss.

    :param predicted: square-root radiance (B, 1, H, W), H and W at least 32; ``target``: the same.
    :param detailed: whether to include the loss on the amount of detail.
    """
    parts = {'sqrt_radiance': sqrt_radiance_loss(predicted, target,
                                                 gradient_weight=weights.gradient),
             'region': weights.region * region_loss(predicted, target)}
    if detailed:
        parts['detail'] = weights.detail * detail_loss(predicted, target)
    return parts


def region_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return L1 on means over 8x8 and over 32x32 pixels."""
    coarse, true_coarse = F.avg_pool2d(predicted, 8), F.avg_pool2d(target, 8)
    return (F.l1_loss(coarse, true_coarse)
            + F.l1_loss(F.avg_pool2d(coarse, 4), F.avg_pool2d(true_coarse, 4)))


def total(parts: dict[str, Tensor]) -> Tensor:
    """Return the sum of weighted parts, added in their order."""
    first, *others = parts.values()
    for part in others:
        first = first + part
    return first
