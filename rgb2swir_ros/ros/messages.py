"""Fill and read messages.

``data`` is always an ``array('B')``: rclpy checks any other type item by item, which takes 200 ms
for a full-HD frame.
"""

from __future__ import annotations

import array
from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import KeyValue
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest

SECOND_NS = 10**9


def stamp_ns(header: Any) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec) * SECOND_NS + int(header.stamp.nanosec)


def image(header: Any, fields: Any) -> Image:
    """Return an Image with the given header and ``imaging.raw.ImageFields``."""
    message = Image(header=header, height=fields.height, width=fields.width,
                    encoding=fields.encoding, is_bigendian=fields.is_bigendian, step=fields.step)
    message.data = fields.data
    return message


def compressed_image(header: Any, data: bytes, codec: str) -> CompressedImage:
    """Return a CompressedImage with the given header.

    :param codec: the ``format`` field, in the style of the image_transport plugins.
    """
    message = CompressedImage(header=header, format=codec)
    message.data = array.array('B', data)
    return message


def camera_info(header: Any, fields: Any) -> CameraInfo:
    """Return a CameraInfo with the given header and ``imaging.fit.CameraInfoFields``."""
    roi = fields.roi
    return CameraInfo(
        header=header, height=fields.height, width=fields.width,
        distortion_model=fields.distortion_model, d=_floats(fields.d), k=_floats(fields.k),
        r=_floats(fields.r), p=_floats(fields.p), binning_x=fields.binning_x,
        binning_y=fields.binning_y,
        roi=RegionOfInterest(x_offset=roi.x_offset, y_offset=roi.y_offset, height=roi.height,
                             width=roi.width, do_rectify=roi.do_rectify))


def key_values(values: Mapping[str, Any]) -> list[KeyValue]:
    """Return diagnostics values as texts; floats with three decimals."""
    return [KeyValue(key=key, value=f'{value:.3f}' if isinstance(value, float) else str(value))
            for key, value in values.items()]


def _floats(values: Any) -> list[float]:
    return [float(value) for value in values]
