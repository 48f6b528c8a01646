"""How a predicted picture is judged against the true one, in all trainings alike."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.diffusion.losses import detail_loss, sqrt_radiance_loss


@dataclass(frozen=True)
class PictureWeights:
    """How much the parts of `picture_losses` weigh beside an L1 of 1.

    :param gradient: with 1, a pilot of 1300 steps left pictures at half the source's sharpness:
        L1 alone is content with soft edges where it is unsure which side a pixel belongs to.
    :param region: of the means over regions: materials, whatever their texture.
    :param detail: of the amount of detail, towards the end only: without it the finest octave
        of the output had .68 of its target's energy, on the training's own pairs.
    """

    gradient: float = 3.0
    region: float = 1.0
    detail: float = 10.0


def picture_losses(predicted: Tensor, target: Tensor, weights: PictureWeights, *,
                   detailed: bool) -> dict[str, Tensor]:
    """Return the weighted parts of the loss of tone (B, 1, H, W), H and W at least 32.

    :param detailed: whether the amount of detail counts.
    """
    parts = {'tone': sqrt_radiance_loss(predicted, target, gradient_weight=weights.gradient),
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
