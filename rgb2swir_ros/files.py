"""Write files: under its final name a file is complete, and no file of a user is replaced."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import OutputError
from rgb2swir_ros.ownership import finished, write_bytes, write_json

__all__ = ['finished', 'write_bytes', 'write_json', 'write_picture']


def write_picture(target: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], *,
                  replace: bool = True) -> int:
    """Write a PNG file of 8 or 16 bits and return its size in bytes.

    :param pixels: uint8 or uint16, (H, W) grey or (H, W, 3) RGB.
    :param replace: as of `rgb2swir_ros.ownership.finished`.
    :raises OutputError: if the file cannot be written.
    """
    shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    encoded, data = cv2.imencode('.png', shown)
    if not encoded:
        raise OutputError(target, f'{pixels.shape} {pixels.dtype} cannot be stored as PNG')
    return write_bytes(target, data.tobytes(), replace=replace)
