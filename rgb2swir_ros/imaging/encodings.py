"""The pixel layout of each encoding of sensor_msgs/image_encodings.hpp.

Names and meanings are those of Jazzy; later releases add ``nv12``, which has the layout of
``nv21`` with U and V swapped. OpenCV names a Bayer pattern after the second row's second and
third pixel, ROS after the first two rows: ``bayer_rggb8`` is OpenCV's ``BayerBG``.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Encoding:
    """How an encoding stores an image.

    :param kind: ``packed`` (channels side by side), ``bayer``, ``yuv422`` (two pixels share their
        colour) or ``yuv420`` (a plane of Y, then one of UV pairs at half the size).
    :param channels: samples per pixel; 2 for ``yuv422``, 1 for the Y plane of ``yuv420``.
    :param bits: bits per sample, 8 or 16.
    :param to_rgb: the ``cv2.cvtColor`` code that converts to RGB; None if it is RGB already.
    """

    kind: str
    channels: int
    bits: int
    to_rgb: int | None

    @property
    def pixel_bytes(self) -> int:
        """Bytes from one pixel of a row to the next."""
        return self.channels * self.bits // 8

    @property
    def dtype(self) -> np.dtype:
        """Data type of a sample, in native byte order."""
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)


_BAYER = {
    'rggb': cv2.COLOR_BayerBG2RGB,
    'bggr': cv2.COLOR_BayerRG2RGB,
    'gbrg': cv2.COLOR_BayerGR2RGB,
    'grbg': cv2.COLOR_BayerGB2RGB,
}

ENCODINGS: dict[str, Encoding] = {
    **{f'rgb{bits}': Encoding('packed', 3, bits, None) for bits in (8, 16)},
    **{f'bgr{bits}': Encoding('packed', 3, bits, cv2.COLOR_BGR2RGB) for bits in (8, 16)},
    **{f'rgba{bits}': Encoding('packed', 4, bits, cv2.COLOR_RGBA2RGB) for bits in (8, 16)},
    **{f'bgra{bits}': Encoding('packed', 4, bits, cv2.COLOR_BGRA2RGB) for bits in (8, 16)},
    **{f'mono{bits}': Encoding('packed', 1, bits, cv2.COLOR_GRAY2RGB) for bits in (8, 16)},
    # cv_bridge assigns no colours to these and refuses to convert them; its cvtColorForDisplay
    # and most drivers take them as grey and BGR.
    '8UC1': Encoding('packed', 1, 8, cv2.COLOR_GRAY2RGB),
    '8UC3': Encoding('packed', 3, 8, cv2.COLOR_BGR2RGB),
    '16UC1': Encoding('packed', 1, 16, cv2.COLOR_GRAY2RGB),
    **{f'bayer_{pattern}{bits}': Encoding('bayer', 1, bits, code)
       for pattern, code in _BAYER.items() for bits in (8, 16)},
    **{name: Encoding('yuv422', 2, 8, cv2.COLOR_YUV2RGB_UYVY) for name in ('uyvy', 'yuv422')},
    **{name: Encoding('yuv422', 2, 8, cv2.COLOR_YUV2RGB_YUY2) for name in ('yuyv', 'yuv422_yuy2')},
    'nv12': Encoding('yuv420', 1, 8, cv2.COLOR_YUV2RGB_NV12),
    'nv21': Encoding('yuv420', 1, 8, cv2.COLOR_YUV2RGB_NV21),
}
