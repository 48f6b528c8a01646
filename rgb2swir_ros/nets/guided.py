"""Guided filter: a picture gets the edges of the RGB frame that it was made from.

He, Sun, Tang 2013, "Guided Image Filtering" (IEEE TPAMI 35), with a colour guide and in the fast
form of He and Sun 2015 (arXiv 1505.00996): the statistics are taken on a coarser grid. It is
differentiable, so a network is trained through it (Wu et al. 2018, "Fast End-to-End Trainable
Guided Filter", CVPR).

Why here: a regression halves detail that it is unsure of and puts a pattern of its own in its
place. What it is sure of is which material lies where, and how that relates to the source's
brightness and colour. So every window's tone is fitted as a linear function of the source's
colour, and that function is then read at each pixel. On the test scenes that alone, put behind
weights that knew nothing of it, raised detection more than any loss had, at the same PSNR.

Each pixel lies in many windows and takes the mean of their functions, weighted by how well they
fit (Chen et al. 2020, "Weighted Aggregation for Guided Image Filtering", SIVP 14). With equal
weights a window of crown, hill and sky, which no linear function fits, hung a glow round the
crowns; the windows of sky alone that also hold those pixels fit exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.luma import REC601
from rgb2swir_ros.nets.blocks import local_mean

WINDOW = 5  # side of a window, in cells of 4x4 pixels
# Added to the guides' variances, squares of values in [0, 1]: what varies by less than 10/255 is
# noise and gets smooth. Also added to the mean square by which a window's function misses. Less of
# it lets more of the camera's noise through.
EPSILON = 1.5e-3


def guided(tone: Tensor, rgb: Tensor) -> Tensor:
    """Return the tone that is locally linear in the source's colour and nearest to a tone.

    :param tone: (B, 4, H/2, W/2), a picture's pixels as `torch.nn.functional.pixel_unshuffle`
        gives them; H and W divisible by 4.
    :param rgb: (B, 12, H/2, W/2), the source's in the same way, in [0, 1].
    :return: of the tone's shape, float32.
    """
    tone = tone.float()
    guides = _guides(rgb.float())
    pairs = [(j, k) for j in range(3) for k in range(j, 3)]
    maps = [*guides, tone, *(guide * tone for guide in guides),
            *(guides[j] * guides[k] for j, k in pairs), tone * tone]
    means = torch.cat([pixels.mean(dim=1, keepdim=True) for pixels in maps], dim=1)
    means = local_mean(F.avg_pool2d(means, 2), WINDOW)
    *g, t, g0t, g1t, g2t, g00, g01, g02, g11, g12, g22, tt = means.split(1, dim=1)
    with_tone = [product - guide * t for product, guide in zip((g0t, g1t, g2t), g, strict=True)]
    moments = dict(zip(pairs, (g00, g01, g02, g11, g12, g22), strict=True))
    covariance = {(j, k): moments[j, k] - g[j] * g[k] + EPSILON * (j == k) for j, k in pairs}
    slopes = _solved(covariance, with_tone)
    offset = t - sum(slope * guide for slope, guide in zip(slopes, g, strict=True))
    explained = sum(slope * product for slope, product in zip(slopes, with_tone, strict=True))
    weight = 1 / ((tt - t * t - explained).clamp(min=0) + EPSILON)
    functions = local_mean(torch.cat([*slopes, offset, torch.ones_like(t)], dim=1) * weight,
                           WINDOW)
    functions = F.interpolate(functions[:, :4] / functions[:, 4:], scale_factor=2.0,
                              mode='bilinear', align_corners=False)
    *slopes, offset = functions.split(1, dim=1)
    return offset + sum(slope * guide for slope, guide in zip(slopes, guides, strict=True))


def _guides(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return luminance and two differences of colour, (B, 4, H/2, W/2) each.

    They say the same as red, green and blue, but hardly depend on each other, which keeps the
    fit exact in float32.
    """
    red, green, blue = rgb.chunk(3, dim=1)
    return (REC601[0] * red + REC601[1] * green + REC601[2] * blue,
            blue - red, green - .5 * (red + blue))


def _solved(a: dict[tuple[int, int], Tensor], b: list[Tensor]) -> list[Tensor]:
    """Solve ``a x = b`` in each cell; ``a`` the upper half of a positive definite 3x3 matrix.

    By elimination without square roots (LDL^T): all pivots are at least `EPSILON`.
    """
    l10, l20 = a[0, 1] / a[0, 0], a[0, 2] / a[0, 0]
    d1 = a[1, 1] - l10 * a[0, 1]
    c12 = a[1, 2] - l10 * a[0, 2]
    l21 = c12 / d1
    d2 = a[2, 2] - l20 * a[0, 2] - l21 * c12
    y0, y1 = b[0], b[1] - l10 * b[0]
    x2 = (b[2] - l20 * y0 - l21 * y1) / d2
    x1 = y1 / d1 - l21 * x2
    return [y0 / a[0, 0] - l10 * x1 - l20 * x2, x1, x2]

