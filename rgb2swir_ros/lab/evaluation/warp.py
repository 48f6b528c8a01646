"""Optical flow, warping, and the residual after warping."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Flow = NDArray[np.float32]
Mask = NDArray[np.bool_]


def warped(following: NDArray[Any], flow: Flow) -> NDArray[Any]:
    """Return the next frame warped back along the flow, aligned with the present one.

    :param following: (H, W) or (H, W, C) float32.
    :param flow: (H, W, 2), x and y displacement in pixels from the present frame to the next.
    """
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(following, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def warp_residual(now: Image, following: Image, flow: Flow | None) -> Image:
    """Return |warped next - now| (H, W); without flow |next - now|."""
    moved = following if flow is None else warped(following, flow)
    return np.asarray(np.abs(moved - now), np.float32)


def estimate_flow(now: NDArray[np.uint8], following: NDArray[np.uint8]) -> tuple[Flow, Mask]:
    """Estimate optical flow from RGB, and the mask of reliable points.

    Dense inverse search (arXiv 1603.03590), forwards and backwards. A point is visible in both
    frames if the forward and backward flows are consistent,
    ``|f + b|^2 < .01 (|f|^2 + |b|^2) + .5`` (Sundaram, Brox, Keutzer, ECCV 2010,
    equation 5), and if it remains inside the frame.

    :param now: uint8 RGB (H, W, 3); ``following``: the next frame.
    :return: flow (H, W, 2) in pixels, and bool (H, W).
    """
    greys = [cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) for rgb in (now, following)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forth = np.asarray(search.calc(greys[0], greys[1], None), np.float32)  # type: ignore[call-overload]
    back = warped(np.asarray(search.calc(greys[1], greys[0], None),  # type: ignore[call-overload]
                             np.float32), forth)
    height, width = greys[0].shape
    y, x = np.mgrid[:height, :width]
    end_x, end_y = x + forth[..., 0], y + forth[..., 1]
    inside = (end_x >= 0) & (end_x <= width - 1) & (end_y >= 0) & (end_y <= height - 1)
    apart = np.square(forth + back).sum(axis=2)
    length = np.square(forth).sum(axis=2) + np.square(back).sum(axis=2)
    return forth, np.asarray(inside & (apart < .01 * length + .5))


def gradient(image: Image) -> float:
    """Return the mean absolute difference of neighbouring pixels, low in blurred images."""
    return float(np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean())
