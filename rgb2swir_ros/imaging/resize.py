"""The one resize function, so that every code path gives the same pixels."""

from __future__ import annotations

import cv2
import numpy as np


def resize(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the array in another size; each pixel is the mean of the area that it covers.

    An axis that grows is interpolated linearly, after the other axis has shrunk. Both keep the
    half-pixel-centre convention of ``cv2.resize``: u' = (u + .5) * scale - .5.

    :param array: (H, W) or (H, W, C), uint8, uint16 or float32.
    :param size: (height, width); an array that already has it is returned itself.
    """
    height, width = size
    shrunk = min(height, array.shape[0]), min(width, array.shape[1])
    if shrunk != array.shape[:2]:
        array = cv2.resize(array, shrunk[::-1], interpolation=cv2.INTER_AREA)
    if shrunk != (height, width):
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_LINEAR)
    return array


def letterbox(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the array scaled to fit a size and centred in it, with 0 (black) around it.

    :param array: (H, W) or (H, W, C).
    :param size: (height, width).
    """
    scale = min(size[0] / array.shape[0], size[1] / array.shape[1])
    height, width = (max(min(round(side * scale), most), 1)
                     for side, most in zip(array.shape[:2], size, strict=True))
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    filled = np.zeros((*size, *array.shape[2:]), array.dtype)
    filled[top:top + height, left:left + width] = resize(array, (height, width))
    return filled


def to_8_bit(array: np.ndarray) -> np.ndarray:
    """Return uint16 values as uint8: round(v * 255 / 65535), the scaling of cv_bridge.

    The whole 16-bit range is mapped, so 12-bit data that a driver right-aligned in ``mono16``
    becomes dark (4095 -> 16). The message does not tell how many bits are used.
    """
    return cv2.convertScaleAbs(array, alpha=255 / 65535)
