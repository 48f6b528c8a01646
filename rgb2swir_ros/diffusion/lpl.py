"""The latent perceptual loss (LPL): latents compared by the decoder's features.

LPL is arXiv 2411.04873 (Berrada et al.): an error of a latent costs as much as it changes the
features of the autoencoder's decoder, so the denoiser learns what matters to the image.

It differs from the authors' public code in three ways:

- Their code divides features by their norm across channels at each pixel, by default each branch
  by its own norm, so that a prediction of the right direction and half the strength costs
  nothing. Here, as in the paper's text, each channel is standardised over space, both branches
  with the target's statistics.
- Their code zeroes outliers in the target alone, before it is normalised, and a channel whose
  mask is empty gives 0/0. Here the mask weighs the difference, and an empty one gives 0.
- Their code takes a quantile, which torch refuses for a map smaller than fifty pixels. Here a map
  may have a single pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# In standard deviations. In a map of two values, the rarer one is an outlier if fewer than one
# pixel in a hundred has it. The public code's bound (the quantiles of 2 % and 98 %, and two
# deviations beyond) would also exclude small bright objects that matter: distant persons, lamps
# at night.
OUTLIER = 10.0
# The least deviation of a channel, as a share of the root mean square over all channels: divided
# by a smaller one, rounding errors would dominate.
FLOOR = .05
TINY = 1e-3  # the least deviation in absolute terms; decoder features are about 1


def latent_perceptual_loss(predicted: Sequence[Tensor], target: Sequence[Tensor], *,
                           weights: Sequence[float] | None = None) -> Tensor:
    """Return the mean over samples of ``sum_l w_l / C_l sum_c mean |mask (f_lc - g_lc)|^2``.

    With source skips, both branches must have been decoded with the same source features.

    :param predicted: decoder features of the predicted latent, (B, C_l, h_l, w_l) for each scale.
    :param target: those of the true latent; taken as constants.
    :param weights: ``w_l``, one for each scale; by default all scales have an equal part of 1.
    :return: a scalar, float32.
    :raises ValueError: if the scales, shapes or weights do not fit together.
    """
    if weights is None:
        weights = [1 / len(target)] * len(target)
    if not len(predicted) == len(target) == len(weights):
        raise ValueError(f'{len(predicted)} predicted maps, {len(target)} of the target and '
                         f'{len(weights)} weights do not fit together')
    total = torch.zeros(len(target[0]), device=target[0].device)
    for ours, true, weight in zip(predicted, target, weights, strict=True):
        if ours.shape != true.shape:
            raise ValueError(f'features {tuple(ours.shape)} do not fit {tuple(true.shape)}')
        total = total + weight * _scale_loss(ours.float(), true.detach().float())
    return total.mean()


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over space, (B, C, 1, 1), of what a mask of zeros and ones keeps.

    Where it keeps nothing the mean is 0, and so is its gradient.
    """
    return ((values * mask).sum(dim=(2, 3), keepdim=True)
            / mask.sum(dim=(2, 3), keepdim=True).clamp_min(1))


def _scale_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return (B,), the mean over channels of one scale's masked and standardised difference."""
    # outliers inflate mean and deviation, so both are computed again without them
    everything = torch.ones_like(target)
    mean = masked_mean(target, everything)
    deviation = masked_mean((target - mean).square(), everything).sqrt().clamp_min(TINY)
    mask = ((target - mean).abs() <= OUTLIER * deviation).to(target.dtype)
    level = masked_mean(target.square(), mask).mean(dim=1, keepdim=True).sqrt()  # (B, 1, 1, 1)
    mean = masked_mean(target, mask)
    deviation = masked_mean((target - mean).square(), mask).sqrt()
    deviation = deviation.maximum(FLOOR * level).clamp_min(TINY)
    # both branches are standardised with the target's mean, so it cancels
    return masked_mean(((predicted - target) / deviation).square(), mask).mean(dim=(1, 2, 3))
