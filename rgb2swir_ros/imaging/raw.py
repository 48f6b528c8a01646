"""Convert the fields of a raw image message to RGB, and arrays to such fields.

The result at full size is bit-equal to cv_bridge's. An encoding that ``encodings`` does not list
is converted by cv_bridge. Where cv_bridge defines nothing, the rules are:

- **Length**: ``data`` must hold ``step * (height - 1)`` bytes and one more row; the padding of
  the last row may be missing. Drivers that send a whole buffer send more: up to 16 rows and
  4096 bytes of excess are ignored (rows aligned to macroblocks, buffers to pages). More excess
  means that size or encoding do not match the data, and the image is refused.
- **nv12, nv21**: sensor_msgs defines neither ``height`` nor ``step`` for them (Jazzy counts
  nv21 with two channels, later releases with one and 1.5 heights) and cv_bridge refuses them.
  Here, as in camera_ros and V4L2: ``height`` and ``width`` are the picture's, ``step`` is the row
  length of both planes, and the UV plane starts at ``step * height``.
- **16 bit**: the whole range is scaled, see ``resize.to_8_bit``.
"""

from __future__ import annotations

import operator
from array import array
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from rgb2swir_ros.imaging import bridge
from rgb2swir_ros.imaging.encodings import ENCODINGS, Encoding
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.resize import resize, to_8_bit

EXCESS_ROWS = 16
EXCESS_BYTES = 4096

Layout = tuple[int, int, int]  # height, width, step


@dataclass(frozen=True)
class ImageFields:
    """The fields of sensor_msgs/Image that describe pixels.

    :param data: bytes; those of `to_fields` are an array that a message takes as it is.
    """

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: Any


def to_rgb(image: Any, size: tuple[int, int] | None = None) -> np.ndarray:
    """Convert an image message's fields to RGB.

    :param image: anything with ``height``, ``width``, ``encoding``, ``is_bigendian``, ``step`` and
        ``data`` (bytes, array('B'), memoryview or uint8 ndarray).
    :param size: (height, width) of the result, by area interpolation; None keeps the image's own.
    :return: uint8 (H, W, 3), C-contiguous, sharing no memory with the message.
    :raises ImageError: if the fields contradict each other or the encoding is unknown; reasons
        ``unsupported_encoding``, ``bad_field``, ``zero_size``, ``odd_size``, ``small_size``,
        ``bad_step``, ``wrong_length``, ``bad_size`` (more than OpenCV can hold).
    """
    encoding = ENCODINGS.get(image.encoding) if isinstance(image.encoding, str) else None
    if encoding is None:
        return _unlisted(image, size)
    layout = _layout(image, encoding)
    data = _bytes(image, encoding, layout)
    try:
        rgb = _convert(data, encoding, layout, bool(image.is_bigendian), size)
    except cv2.error as error:  # sizes that fit their data but not OpenCV's integers
        raise ImageError('bad_size', f'{image.width}x{image.height} {image.encoding}: {error}'
                         ) from error
    return rgb.copy() if np.may_share_memory(rgb, data) else rgb


def to_samples(image: Any) -> np.ndarray:
    """Return the samples of a one-channel image message, at their full depth.

    :param image: as of `to_rgb`, of encoding ``mono8``, ``mono16``, ``8UC1`` or ``16UC1``.
    :return: uint8 or uint16 (H, W), C-contiguous, sharing no memory with the message.
    :raises ImageError: as `to_rgb`; ``unsupported_encoding`` also for images of other encodings.
    """
    encoding = ENCODINGS.get(image.encoding) if isinstance(image.encoding, str) else None
    if encoding is None or encoding.kind != 'packed' or encoding.channels != 1:
        known = ', '.join(name for name, one in ENCODINGS.items()
                          if one.kind == 'packed' and one.channels == 1)
        raise ImageError('unsupported_encoding',
                         f'an image of encoding {image.encoding!r} has no single channel; those '
                         f'that have one: {known}')
    layout = _layout(image, encoding)
    pixels = _pixels(_bytes(image, encoding, layout), encoding, layout, bool(image.is_bigendian))
    return pixels[..., 0].copy()


def _convert(data: np.ndarray, encoding: Encoding, layout: Layout, big_endian: bool,
             size: tuple[int, int] | None) -> np.ndarray:
    if encoding.kind == 'yuv420':
        rgb = _two_planes(data, encoding, layout)
    else:
        pixels = _pixels(data, encoding, layout, big_endian)
        # Interpolation commutes with a permutation of channels, not with demosaicing or YUV: so
        # packed pixels are resized first, and fewer pixels are converted.
        if size is not None and encoding.kind == 'packed':
            pixels = resize(pixels, size)
        rgb = pixels if encoding.to_rgb is None else cv2.cvtColor(pixels, encoding.to_rgb)
    if size is not None:
        rgb = resize(rgb, size)
    return to_8_bit(rgb) if encoding.bits == 16 else rgb


def to_fields(pixels: np.ndarray, encoding: str) -> ImageFields:
    """Fill the fields of an image message from an array, rows without padding, little-endian.

    :param pixels: (H, W) or (H, W, C), uint8 or uint16 as the encoding says.
    :param encoding: one that is no YUV: ``mono8``, ``mono16``, ``rgb8``, ``bayer_rggb8``, ...
    :raises ImageError: if array and encoding do not belong together (``wrong_array``), or the
        encoding is not known (``unsupported_encoding``).
    """
    layout = ENCODINGS.get(encoding)
    if layout is None or layout.kind.startswith('yuv'):
        raise ImageError('unsupported_encoding', f"cannot fill an image of encoding '{encoding}'")
    shape = pixels.shape[2:] or (1,)
    if (pixels.ndim not in {2, 3} or shape != (layout.channels,) or pixels.size == 0
            or pixels.dtype != layout.dtype):
        raise ImageError('wrong_array', f'{encoding} takes {layout.channels} channel(s) of '
                         f'{layout.dtype}, got {pixels.dtype} of shape {pixels.shape}')
    height, width = pixels.shape[:2]
    # A memoryview or an ndarray assigned to msg.data is checked item by item, which takes 200 ms
    # for a 1080p image; array('B') is taken as it is.
    data = array('B')
    little = np.ascontiguousarray(pixels, layout.dtype.newbyteorder('<'))
    data.frombytes(little.view(np.uint8).data)
    return ImageFields(height, width, encoding, 0, width * layout.pixel_bytes, data)


def _unlisted(image: Any, size: tuple[int, int] | None) -> np.ndarray:
    """Convert an image of an encoding that is not listed, by cv_bridge if it is installed."""
    try:
        if not isinstance(image.encoding, str):
            raise ImageError('unsupported_encoding', f'encoding {image.encoding!r} is no text')
        _integers(image)
        rgb = bridge.to_rgb(image)
    except ImageError as error:
        if error.reason != 'unsupported_encoding':
            raise
        raise ImageError(error.reason, f'{error}; known: {", ".join(ENCODINGS)}') from error
    return rgb if size is None else resize(rgb, size)


def _integers(image: Any) -> Layout:
    """Return (height, width, step), after a check that they are integers and not empty."""
    try:
        height, width, step, _ = (operator.index(value) for value in (
            image.height, image.width, image.step, image.is_bigendian))
    except TypeError as error:
        raise ImageError('bad_field', 'height, width, step and is_bigendian must be integers: '
                         f'{error}') from error
    if height <= 0 or width <= 0:
        raise ImageError('zero_size', f'the image is {width}x{height} {image.encoding}: it has no '
                         'pixels')
    return height, width, step


def _layout(image: Any, encoding: Encoding) -> Layout:
    """Return (height, width, step), after a check against the encoding."""
    height, width, step = _integers(image)
    shown = f'{width}x{height} {image.encoding}'
    if ((encoding.kind == 'yuv422' and width % 2)
            or (encoding.kind == 'yuv420' and (width % 2 or height % 2))):
        raise ImageError('odd_size', f'{shown}: pixels that share their colour need an even size')
    if encoding.kind == 'bayer' and min(height, width) < 3:
        raise ImageError('small_size', f'{shown}: demosaicing takes at least 3x3 pixels')
    if step > 0xFFFFFFFF:
        raise ImageError('bad_step', f'step {step} of {shown} is more than a message can hold')
    if step < width * encoding.pixel_bytes:
        raise ImageError('bad_step', f'step {step} is less than a row of {shown}: '
                         f'{width * encoding.pixel_bytes} bytes')
    return height, width, step


def _bytes(image: Any, encoding: Encoding, layout: Layout) -> np.ndarray:
    """Return the data as flat uint8 without a copy, its length checked."""
    try:
        view = memoryview(image.data)
        # numpy and memoryview both refuse an empty buffer
        data = np.frombuffer(view.cast('B') if view.nbytes else b'\0', np.uint8)[:view.nbytes]
    except (TypeError, ValueError) as error:
        raise ImageError('bad_field', f'data must be contiguous bytes: {error}') from error
    height, width, step = layout
    rows = height * 3 // 2 if encoding.kind == 'yuv420' else height
    least = step * (rows - 1) + width * encoding.pixel_bytes
    most = step * (rows + EXCESS_ROWS) + EXCESS_BYTES
    if not least <= data.size <= most:
        raise ImageError(
            'wrong_length', f'{width}x{height} {image.encoding} with step {step} takes '
            f'{step * rows} bytes, got {data.size}: size, step or encoding are wrong')
    return data


def _pixels(data: np.ndarray, encoding: Encoding, layout: Layout, big_endian: bool) -> np.ndarray:
    """Return the samples in native byte order, a view of the data wherever possible."""
    height, width, step = layout
    dtype = encoding.dtype
    if encoding.bits == 16:
        dtype = dtype.newbyteorder('>' if big_endian else '<')
    view: np.ndarray = np.ndarray((height, width, encoding.channels), dtype, data.data,
                                  strides=(step, encoding.pixel_bytes, dtype.itemsize))
    # OpenCV accepts any row stride, but only aligned samples in native byte order.
    return view if view.flags.aligned and dtype.isnative else view.astype(encoding.dtype)


def _two_planes(data: np.ndarray, encoding: Encoding, layout: Layout) -> np.ndarray:
    height, width, step = layout
    luma: np.ndarray = np.ndarray((height, width), np.uint8, data.data, strides=(step, 1))
    chroma: np.ndarray = np.ndarray((height // 2, width // 2, 2), np.uint8, data.data,
                                    offset=step * height, strides=(step, 2, 1))
    assert encoding.to_rgb is not None
    return cv2.cvtColorTwoPlane(luma, chroma, encoding.to_rgb)
