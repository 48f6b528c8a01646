"""Two views of one scene, as two frames of a video are: what is made of them must agree.

Judged picture by picture, a network may answer anything about a surface it is unsure of, and
another thing when the surface lies three pixels further in the grid of its latent: that flickers
in a moving video. Here a picture is shown twice, shifted by whole pixels and with fresh noise.
(The same idea for stills: shift equivariance loss, e.g. Karras et al. 2021, arXiv 2106.12423, ask
it of the architecture; Eilertsen et al. 2019, arXiv 1902.10424, ask it of the loss, as here.)
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.lab.training.stages import Batch

REACH = 8  # pixels of the largest shift along each axis: one cell of the latent
NOISE = .02  # largest deviation of the second view's own noise, in [0, 1]
REGIONS = (8, 32)  # sides, in pixels
MARGIN = 16  # pixels at the border that are not compared: what lies beyond differs there

Shift = tuple[int, int]


def two_views(batch: Batch) -> tuple[Batch, Shift]:
    """Return a batch of as many pictures: the first half of them, and each of those once more.

    Of an odd number the smaller half is taken, of a single picture that one. What the shift brings
    in at the border repeats the border.

    :return: the batch (views of picture k at k and k + B / 2) and the shift (dy, dx) in pixels:
        ``second[y, x] = first[y + dy, x + dx]``.
    """
    count = max(len(batch.rgb) // 2, 1)
    rgb, tone = batch.rgb[:count], batch.tone[:count]
    dy, dx = torch.randint(-REACH, REACH + 1, (2,), generator=batch.generator).tolist()
    noise = torch.randn(rgb.shape, generator=batch.generator).to(rgb.device)
    again = shifted(rgb, (dy, dx)) + NOISE * float(batch.uniform()) * noise
    return replace(batch, rgb=torch.cat([rgb, again.clamp(0, 1)]),
                   tone=torch.cat([tone, shifted(tone, (dy, dx))])), (dy, dx)


def shifted(pictures: Tensor, shift: Shift) -> Tensor:
    """Return pictures (B, C, H, W) of the same size, ``[y, x]`` from ``[y + dy, x + dx]``."""
    dy, dx = shift
    height, width = pictures.shape[2:]
    wide = F.pad(pictures, (REACH,) * 4, mode='replicate')
    return wide[..., REACH + dy:REACH + dy + height, REACH + dx:REACH + dx + width]


def disagreement(predicted: Tensor, shift: Shift) -> Tensor:
    """Return how far the two views are apart where both see the same.

    The mean absolute difference of pixels, plus those of means over regions, plus that of the
    frame's mean. By pixels alone it costs next to nothing when the whole frame gets brighter by a
    level, as it did from frame to frame of a night that does not move; and the eye sees just that.

    :param predicted: tone (2 B, 1, H, W) of the pictures of `two_views`, H and W above
        ``2 * MARGIN + max(REGIONS)``.
    """
    first, second = predicted.chunk(2)
    inner = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    apart = second[inner] - shifted(first, shift)[inner]
    parts = [apart, *(F.avg_pool2d(apart, side) for side in REGIONS),
             apart.mean(dim=(2, 3))]
    return torch.stack([part.abs().mean() for part in parts]).sum()
