"""Compressed images: JPEG and PNG in and out, compatible with image_transport.

The codec is read from the data, because drivers write various values of ``format``. The order of
the channels is read from ``format``, which compressed_image_transport defines as
``ORIGINAL; CODEC compressed [STORED]``:

- ``STORED`` is ``rgb8`` or ``rgb16``: red and blue were swapped on storing, and are swapped back.
- ``ORIGINAL`` is a Bayer encoding, in a one-channel PNG without ``STORED``: the mosaic was stored.
- all else (empty, ``jpeg``, ``bgr8; jpeg compressed bgr8``, ...): colours as any viewer shows.

EXIF orientation is ignored: a camera stream's intrinsics belong to its pixels as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging import raw
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.headers import Header, read_header
from rgb2swir_ros.imaging.resize import resize, to_8_bit

_TRANSPORT = re.compile(r'\s*(\w+)\s*;\s*(?:jpeg|png) compressed\s*(\w*)\s*')
_DECODE = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
# OpenCV writes PNG fastest with nothing set (run lengths, one filter): 1.8 ms for a 640x360 frame,
# 3.3 ms with compression level 1 for the same size.
_PARAMETERS = {'jpeg': [cv2.IMWRITE_JPEG_QUALITY, 95], 'png': []}
_ENCODINGS = {('uint8', ()): 'mono8', ('uint8', (3,)): 'rgb8', ('uint16', ()): 'mono16'}


@dataclass(frozen=True)
class Picture:
    """A compressed image whose header is parsed and whose data was found complete."""

    content: bytes
    header: Header


def parse(data: Any) -> Picture:
    """Copy the data of a sensor_msgs/CompressedImage and read the header, without decoding.

    :param data: the compressed bytes (bytes, array('B'), memoryview or uint8 ndarray).
    :raises ImageError: ``bad_field``, and those of ``headers.read_header``.
    """
    try:
        content = data if isinstance(data, bytes) else memoryview(data).tobytes()
    except TypeError as error:
        raise ImageError('bad_field', f'data must be bytes: {error}') from error
    return Picture(content, read_header(content))


def to_rgb(data: Any, format: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """Decode the data of a sensor_msgs/CompressedImage.

    :param data: the compressed bytes, or the result of ``parse``.
    :param format: the message's field of that name.
    :param size: (height, width) of the result, by area interpolation; None keeps the image's own.
    :return: uint8 (H, W, 3) RGB, C-contiguous; 16-bit pictures scaled as in ``raw``.
    :raises ImageError: reasons ``unsupported_format``, ``corrupt_data``, ``zero_size``,
        ``too_large`` (see ``headers.read_header``), ``bad_field``, and those of ``raw.to_rgb``
        for a stored mosaic.
    """
    if not isinstance(format, str) or 'compressedDepth' in format:
        raise ImageError('unsupported_format', f'{format!r} is no format of a colour image')
    pixels = _decode(data if isinstance(data, Picture) else parse(data))
    match = _TRANSPORT.fullmatch(format)
    original, stored = (match[1], match[2]) if match else ('', '')
    if pixels.ndim == 2 and original.startswith('bayer_') and not stored:
        pattern = re.sub('(8|16)$', '', original)
        return raw.to_rgb(raw.to_fields(pixels, f'{pattern}{8 * pixels.itemsize}'), size)
    if size is not None:
        pixels = resize(pixels, size)
    if pixels.dtype == np.uint16:
        pixels = to_8_bit(pixels)
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    return pixels if stored in {'rgb8', 'rgb16'} else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def encode(pixels: np.ndarray, codec: str = 'png') -> tuple[bytes, str]:
    """Compress an image for a sensor_msgs/CompressedImage.

    :param pixels: uint8 (H, W) as ``mono8``, uint8 (H, W, 3) RGB as ``rgb8``, or, with png only,
        uint16 (H, W) as ``mono16``.
    :param codec: ``png`` (lossless) or ``jpeg`` (quality 95).
    :return: the bytes, and the message's ``format`` as compressed_image_transport writes it.
    :raises UserError: if the codec is unknown or cannot store the pixels.
    """
    if codec not in _PARAMETERS:
        raise UserError(f"no codec '{codec}': png or jpeg")
    encoding = _ENCODINGS.get((pixels.dtype.name, pixels.shape[2:]))
    if encoding is None or pixels.ndim not in {2, 3} or pixels.size == 0:
        raise UserError(f'cannot compress {pixels.dtype} of shape {pixels.shape}: give uint8 '
                        '(H, W) or (H, W, 3), or uint16 (H, W)')
    if codec == 'jpeg' and encoding == 'mono16':
        raise UserError('jpeg holds 8 bits: compress mono16 as png, or set the encoding to mono8')
    stored = 'bgr8' if encoding == 'rgb8' else 'mono8' if codec == 'jpeg' else ''
    if encoding == 'rgb8':
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(f'.{codec}', pixels, _PARAMETERS[codec])
    if not done:
        raise UserError(f'OpenCV could not write {encoding} of shape {pixels.shape} as {codec}')
    return data.tobytes(), f'{encoding}; {codec} compressed {stored}'


def _decode(picture: Picture) -> np.ndarray:
    """Return uint8 or uint16, (H, W) or (H, W, 3) BGR."""
    header = picture.header
    try:
        pixels = cv2.imdecode(np.frombuffer(picture.content, np.uint8), _DECODE)
    except cv2.error as error:
        raise ImageError('corrupt_data', f'the {header.codec} cannot be decoded: {error}'
                         ) from error
    if pixels is None:
        raise ImageError('corrupt_data', f'the {header.codec} cannot be decoded')
    if pixels.shape[:2] != (header.height, header.width):
        raise ImageError('corrupt_data', f'the {header.codec} decodes to {pixels.shape}, its '
                         f'header says {header.width}x{header.height}')
    return pixels
