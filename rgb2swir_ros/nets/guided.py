"""Guided filter: the output gets the edges of the RGB frame that it was made from.

He, Sun, Tang 2013, "Guided Image Filtering" (IEEE TPAMI 35), with a colour guide and in the fast
form of He and Sun 2015 (arXiv 1505.00996): the statistics are taken on a coarser grid. It is
differentiable, so a network is trained through it (Wu et al. 2018, "Fast End-to-End Trainable
Guided Filter", CVPR).

A regression halves uncertain detail and adds patterns that are not in the source. It is certain
about which material lies where, and about how SWIR relates to the source's brightness and colour.
So the square-root radiance of every window is fitted as a linear function of the source's colour,
and that function is evaluated at each pixel.

Each pixel lies in many windows and takes the mean of their functions, weighted by how well they
fit (Chen et al. 2020, "Weighted Aggregation for Guided Image Filtering", SIVP 14). With equal
weights, windows that no linear function fits (tree crown, hill and sky in one) would cause halos
around tree crowns; windows of plain sky that contain the same pixels fit exactly.

The limit of it: things of one colour in one window cannot differ in the output, whatever the
network knows of them. A shift of the guide by learned features lifts it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.luma import REC601
from rgb2swir_ros.nets.blocks import local_mean

WINDOW = 5  # side of a window, in cells of 4x4 pixels
# Regularisation. It is added to the variances of the guide's channels, squares of values in
# [0, 1]: variation below about 10/255 counts as noise and is smoothed. It is also added to the
# mean squared residual of a window's fit. A smaller value passes more of the camera's noise.
EPSILON = 1.5e-3


def guided_filter(sqrt_radiance: Tensor, rgb: Tensor, *, window: int = WINDOW,
                  shift: Tensor | None = None) -> Tensor:
    """Return the image nearest to the input that is locally linear in the source's colour.

    :param sqrt_radiance: the filter's input (B, 4, H/2, W/2), pixels arranged by
        `torch.nn.functional.pixel_unshuffle`; H and W divisible by 4.
    :param rgb: the guide (B, 12, H/2, W/2), arranged in the same way, in [0, 1].
    :param window: side of a window, in cells of 4x4 pixels; odd.
    :param shift: added to the guide's luma and two colour differences, (B, 12, H/2, W/2).
    :return: of the input's shape, float32.
    """
    p = sqrt_radiance.float()
    guides = _guide_channels(rgb.float())
    if shift is not None:
        luma, first, second = (guide + part for guide, part in zip(
            guides, shift.float().chunk(3, dim=1), strict=True))
        guides = luma, first, second
    pairs = [(j, k) for j in range(3) for k in range(j, 3)]
    maps = [*guides, p, *(guide * p for guide in guides),
            *(guides[j] * guides[k] for j, k in pairs), p * p]
    means = torch.cat([pixels.mean(dim=1, keepdim=True) for pixels in maps], dim=1)
    means = local_mean(F.avg_pool2d(means, 2), window)
    *g, t, g0t, g1t, g2t, g00, g01, g02, g11, g12, g22, tt = means.split(1, dim=1)
    cross = [product - guide * t for product, guide in zip((g0t, g1t, g2t), g, strict=True)]
    moments = dict(zip(pairs, (g00, g01, g02, g11, g12, g22), strict=True))
    covariance = {(j, k): moments[j, k] - g[j] * g[k] + EPSILON * (j == k) for j, k in pairs}
    slopes = _solve_ldl(covariance, cross)
    offset = t - sum(slope * guide for slope, guide in zip(slopes, g, strict=True))
    explained = sum(slope * product for slope, product in zip(slopes, cross, strict=True))
    weight = 1 / ((tt - t * t - explained).clamp(min=0) + EPSILON)
    functions = local_mean(torch.cat([*slopes, offset, torch.ones_like(t)], dim=1) * weight,
                           window)
    functions = F.interpolate(functions[:, :4] / functions[:, 4:], scale_factor=2.0,
                              mode='bilinear', align_corners=False)
    *slopes, offset = functions.split(1, dim=1)
    return offset + sum(slope * guide for slope, guide in zip(slopes, guides, strict=True))


def _guide_channels(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return luma and two colour differences, (B, 4, H/2, W/2) each.

    They span the same space as red, green and blue but are hardly correlated, which keeps the
    fit accurate in float32.
    """
    red, green, blue = rgb.chunk(3, dim=1)
    return (REC601[0] * red + REC601[1] * green + REC601[2] * blue,
            blue - red, green - .5 * (red + blue))


def _solve_ldl(a: dict[tuple[int, int], Tensor], b: list[Tensor]) -> list[Tensor]:
    """Solve ``a x = b`` in each cell by LDL^T decomposition; all pivots are at least `EPSILON`.

    :param a: the upper half of a positive definite 3x3 matrix.
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

