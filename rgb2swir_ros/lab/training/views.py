"""A consistency loss between two views of one scene, which stand for two frames of a video.

With losses on single images, the prediction for an ambiguous surface may change with its position
in the grid of the latent, which flickers in a moving video. Here an image is used twice, shifted
by whole pixels and with different noise, and the two predictions are compared. (Eilertsen et al.
2019, arXiv 1902.10424, use such a loss; Karras et al. 2021, arXiv 2106.12423, obtain equivariance
by the architecture.)
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.lab.training.stages import Batch

MAX_SHIFT = 8  # pixels along each axis: one cell of the latent
NOISE = .02  # largest standard deviation of the second view's added noise, in [0, 1]
REGIONS = (8, 32)  # sides of regions whose means are compared, pixels
MARGIN = 16  # pixels at the border that are not compared: the surroundings differ there

Shift = tuple[int, int]


def two_views(batch: Batch) -> tuple[Batch, Shift]:
    """Return a batch of two views of each image of the first half of a batch.

    Of an odd number of images the smaller half is used, of a single image that one. The shift
    replicates the border.

    :return: the batch (views of image k at k and k + B / 2) and the shift (dy, dx) in pixels:
        ``second[y, x] = first[y + dy, x + dx]``.
    """
    count = max(len(batch.rgb) // 2, 1)
    rgb, sqrt_radiance = batch.rgb[:count], batch.sqrt_radiance[:count]
    dy, dx = torch.randint(-MAX_SHIFT, MAX_SHIFT + 1, (2,), generator=batch.generator).tolist()
    noise = torch.randn(rgb.shape, generator=batch.generator).to(rgb.device)
    again = shifted(rgb, (dy, dx)) + NOISE * float(batch.uniform()) * noise
    return replace(batch, rgb=torch.cat([rgb, again.clamp(0, 1)]),
                   sqrt_radiance=torch.cat(
                       [sqrt_radiance, shifted(sqrt_radiance, (dy, dx))])), (dy, dx)


def shifted(pictures: Tensor, shift: Shift) -> Tensor:
    """Return images (B, C, H, W) shifted so that ``[y, x]`` comes from ``[y + dy, x + dx]``."""
    dy, dx = shift
    height, width = pictures.shape[2:]
    wide = F.pad(pictures, (MAX_SHIFT,) * 4, mode='replicate')
    return wide[..., MAX_SHIFT + dy:MAX_SHIFT + dy + height, MAX_SHIFT + dx:MAX_SHIFT + dx + width]


def consistency_loss(predicted: Tensor, shift: Shift) -> Tensor:
    """Return the difference of the predictions for two views, over the area that both show.

    The sum of the mean absolute differences of pixels, of means over regions, and of the frame's
    mean. Differences of pixels alone hardly penalise a change of the whole frame by one level,
    which is visible as flicker.

    :param predicted: square-root radiance (2 B, 1, H, W) for the images of `two_views`, H and W
        above ``2 * MARGIN + max(REGIONS)``.
    """
    first, second = predicted.chunk(2)
    inner = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    apart = second[inner] - shifted(first, shift)[inner]
    parts = [apart, *(F.avg_pool2d(apart, side) for side in REGIONS),
             apart.mean(dim=(2, 3))]
    return torch.stack([part.abs().mean() for part in parts]).sum()
