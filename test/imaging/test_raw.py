"""Raw image fields to RGB and back, against formulas and hand-made pictures."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.imaging import raw
from rgb2swir_ros.imaging.encodings import ENCODINGS
from rgb2swir_ros.imaging.errors import ImageError

# Red, green and blue in this order of an encoding's channels.
CHANNELS = {
    'rgb8': (0, 1, 2), 'bgr8': (2, 1, 0), 'rgba8': (0, 1, 2), 'bgra8': (2, 1, 0),
    'rgb16': (0, 1, 2), 'bgr16': (2, 1, 0), 'rgba16': (0, 1, 2), 'bgra16': (2, 1, 0),
    'mono8': (0, 0, 0), 'mono16': (0, 0, 0), '8UC1': (0, 0, 0), '16UC1': (0, 0, 0),
    '8UC3': (2, 1, 0),
}
BAYER = [f'bayer_{pattern}{bits}' for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')
         for bits in (8, 16)]
YUV = ['uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2', 'nv12', 'nv21']


@dataclass
class Message:
    """The fields of sensor_msgs/Image."""

    height: Any
    width: Any
    encoding: Any
    step: Any
    data: Any
    is_bigendian: Any = 0


def message(rows: np.ndarray, encoding: str, width: int, *, padding: int = 0, excess: int = 0,
            height: int | None = None, big: bool = False) -> Message:
    """Build a message from rows of bytes; padding and excess are filled with noise."""
    noise = np.random.default_rng(padding + excess)
    padded = np.hstack([rows, noise.integers(0, 256, (len(rows), padding), np.uint8)])
    data = padded.tobytes() + noise.bytes(excess)
    return Message(height or len(rows), width, encoding, padded.shape[1], data, int(big))


def samples(pixels: np.ndarray, big: bool = False) -> np.ndarray:
    """Return the bytes of samples, a row for each row."""
    order = pixels.astype(pixels.dtype.newbyteorder('>' if big else '<'))
    return np.frombuffer(order.tobytes(), np.uint8).reshape(len(pixels), -1)


def random_pixels(seed: int, shape: tuple[int, ...], bits: int) -> np.ndarray:
    kind = np.uint8 if bits == 8 else np.uint16
    return np.random.default_rng(seed).integers(0, 1 << bits, shape, kind)


sizes = st.tuples(st.integers(1, 24), st.integers(1, 24))
seeds = st.integers(0, 2**32)


def test_every_encoding_has_an_oracle_here() -> None:
    assert set(ENCODINGS) == {*CHANNELS, *BAYER, *YUV}


@given(st.sampled_from(sorted(CHANNELS)), sizes, seeds, st.integers(0, 9), st.booleans())
def test_channels_of_packed_encodings(encoding: str, size: tuple[int, int], seed: int,
                                      padding: int, big: bool) -> None:
    layout = ENCODINGS[encoding]
    pixels = random_pixels(seed, (*size, layout.channels), layout.bits)
    expected = pixels[:, :, CHANNELS[encoding]].astype(np.uint32)
    if layout.bits == 16:
        expected = (expected * 255 * 2 + 65535) // (65535 * 2)  # rounded to the nearest
    image = message(samples(pixels, big and layout.bits == 16), encoding, size[1],
                    padding=padding, big=big)
    assert np.array_equal(raw.to_rgb(image), expected)


@given(st.sampled_from(BAYER), st.tuples(st.integers(3, 20), st.integers(3, 20)),
       st.tuples(*[st.integers(0, 255)] * 3), st.booleans())
def test_a_mosaic_of_one_colour_has_that_colour(encoding: str, size: tuple[int, int],
                                                colour: tuple[int, int, int], big: bool) -> None:
    layout = ENCODINGS[encoding]
    pattern = encoding.removeprefix('bayer_')[:4]
    kind, factor = (np.uint8, 1) if layout.bits == 8 else (np.uint16, 257)
    cell = np.array(['rgb'.index(letter) for letter in pattern]).reshape(2, 2)
    where = np.tile(cell, (size[0] // 2 + 1, size[1] // 2 + 1))[:size[0], :size[1]]
    mosaic = (np.array(colour)[where] * factor).astype(kind)
    big = big and layout.bits == 16
    rgb = raw.to_rgb(message(samples(mosaic, big), encoding, size[1], padding=3, big=big))
    assert (rgb == colour).all()


def yuv_planes(encoding: str, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of bytes of random YUV, and (H, W, 3) Y, U, V at full size."""
    height, width = size
    luma = random_pixels(seed, size, 8)
    if encoding in {'nv12', 'nv21'}:
        pairs = random_pixels(seed + 1, (height // 2, width // 2, 2), 8)
        rows = np.vstack([luma, pairs.reshape(height // 2, width)])
        chroma = pairs.repeat(2, 0).repeat(2, 1)
        if encoding == 'nv21':
            chroma = chroma[:, :, ::-1]
    else:
        pairs = random_pixels(seed + 1, (height, width // 2, 2), 8)
        flat = pairs.reshape(height, width)
        first, second = (flat, luma) if encoding in {'uyvy', 'yuv422'} else (luma, flat)
        rows = np.dstack([first, second]).reshape(height, 2 * width)
        chroma = pairs.repeat(2, 1)
    return rows, np.dstack([luma, chroma])


@given(st.sampled_from(YUV), st.tuples(st.integers(1, 12), st.integers(1, 12)), seeds,
       st.integers(0, 9))
def test_yuv_follows_bt_601(encoding: str, half: tuple[int, int], seed: int,
                            padding: int) -> None:
    size = 2 * half[0], 2 * half[1]
    rows, yuv = yuv_planes(encoding, size, seed)
    y, u, v = (yuv[:, :, i].astype(float) for i in range(3))
    # ITU-R BT.601, 8 bits, limited range
    light = 255 / 219 * np.maximum(y - 16, 0)
    expected = np.dstack([light + 1.596 * (v - 128),
                          light - .813 * (v - 128) - .391 * (u - 128),
                          light + 2.018 * (u - 128)]).clip(0, 255)
    rgb = raw.to_rgb(message(rows, encoding, size[1], height=size[0], padding=padding))
    assert np.abs(rgb - expected).max() <= 1.5


def any_image(encoding: str, seed: int, **keys: Any) -> Message:
    """Return an image of 12x16 pixels in any encoding."""
    if encoding in YUV:
        return message(yuv_planes(encoding, (12, 16), seed)[0], encoding, 16, height=12, **keys)
    layout = ENCODINGS[encoding]
    return message(samples(random_pixels(seed, (12, 16, layout.channels), layout.bits)),
                   encoding, 16, **keys)


@given(st.sampled_from(sorted(ENCODINGS)), seeds, st.integers(0, 65), st.integers(0, 5000))
def test_padding_and_excess_do_not_matter(encoding: str, seed: int, padding: int,
                                          excess: int) -> None:
    tight = raw.to_rgb(any_image(encoding, seed))
    padded = any_image(encoding, seed, padding=padding)
    assert np.array_equal(raw.to_rgb(padded), tight)
    unpadded_end = replace(padded, data=padded.data[:len(padded.data) - padding])
    assert np.array_equal(raw.to_rgb(unpadded_end), tight)
    limit = raw.EXCESS_ROWS * padded.step + raw.EXCESS_BYTES
    longer = any_image(encoding, seed, padding=padding, excess=min(excess, limit))
    assert np.array_equal(raw.to_rgb(longer), tight)


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, lambda d: array('B', d),
                                  lambda d: np.frombuffer(d, np.uint8),
                                  lambda d: np.frombuffer(d, np.uint8).reshape(12, -1)])
def test_data_of_any_bytes_type(kind: Any) -> None:
    image = any_image('bgr8', 1)
    expected = raw.to_rgb(image)
    assert np.array_equal(raw.to_rgb(replace(image, data=kind(image.data))), expected)


@given(st.sampled_from(sorted(ENCODINGS)), seeds, sizes, st.integers(0, 5))
def test_a_size_gives_the_resized_picture(encoding: str, seed: int, size: tuple[int, int],
                                          padding: int) -> None:
    image = any_image(encoding, seed, padding=padding)
    small = raw.to_rgb(image, size)
    assert small.shape == (*size, 3)
    assert small.dtype == np.uint8
    assert small.flags.c_contiguous
    # 16 bit is resized before it is rounded to 8. The picture compared with is rounded first and
    # again by each axis that shrinks or grows, so it may be two steps off.
    allowed = 2 if ENCODINGS[encoding].bits == 16 else 0
    expected = raw.resize(raw.to_rgb(image), size)
    assert np.abs(small.astype(int) - expected).max() <= allowed


@given(st.sampled_from(sorted(ENCODINGS)), seeds)
def test_a_smaller_pixel_is_the_mean_of_its_area(encoding: str, seed: int) -> None:
    image = any_image(encoding, seed)
    mean = raw.to_rgb(image).reshape(4, 3, 4, 4, 3).astype(float).mean((1, 3))
    assert np.abs(raw.to_rgb(image, (4, 4)) - mean).max() <= 1


@pytest.mark.parametrize('encoding', sorted(ENCODINGS))
@pytest.mark.parametrize('size', [None, (12, 16), (5, 7)])
def test_the_result_is_an_own_contiguous_array(encoding: str, size: Any) -> None:
    image = any_image(encoding, 3)
    data = np.frombuffer(image.data, np.uint8).copy()
    rgb = raw.to_rgb(replace(image, data=data), size)
    assert rgb.flags.c_contiguous
    before = rgb.copy()
    data[:] = 255 - data
    assert np.array_equal(rgb, before)


@given(st.sampled_from(sorted({*CHANNELS, *BAYER})), sizes, seeds)
def test_fields_hold_what_was_put_in(encoding: str, size: tuple[int, int], seed: int) -> None:
    layout = ENCODINGS[encoding]
    shape = size if layout.channels == 1 else (*size, layout.channels)
    pixels = random_pixels(seed, shape, layout.bits)
    fields = raw.to_fields(pixels[:, ::-1][:, ::-1], encoding)
    assert (fields.height, fields.width, fields.encoding) == (*size, encoding)
    assert isinstance(fields.data, array)
    assert fields.data.typecode == 'B'
    stored = np.frombuffer(fields.data, '<u2' if layout.bits == 16 else 'u1').reshape(shape)
    assert np.array_equal(stored, pixels)
    assert fields.step * fields.height == len(fields.data)
    assert not fields.is_bigendian


@given(sizes, seeds)
def test_rgb_survives_the_round_trip(size: tuple[int, int], seed: int) -> None:
    rgb = random_pixels(seed, (*size, 3), 8)
    assert np.array_equal(raw.to_rgb(raw.to_fields(rgb, 'rgb8')), rgb)
    assert np.array_equal(raw.to_rgb(raw.to_fields(rgb[:, :, ::-1], 'bgr8')), rgb)


@pytest.mark.parametrize(('pixels', 'encoding', 'reason'), [
    (np.zeros((4, 4), np.uint16), 'mono8', 'wrong_array'),
    (np.zeros((4, 4), np.uint8), 'mono16', 'wrong_array'),
    (np.zeros((4, 4), np.uint8), 'rgb8', 'wrong_array'),
    (np.zeros((4, 4, 3), np.uint8), 'mono8', 'wrong_array'),
    (np.zeros((0, 4), np.uint8), 'mono8', 'wrong_array'),
    (np.zeros(4, np.uint8), 'mono8', 'wrong_array'),
    (np.zeros((4, 4), np.float32), '32FC1', 'unsupported_encoding'),
    (np.zeros((4, 4), np.uint8), 'nv12', 'unsupported_encoding'),
])
def test_arrays_that_are_no_such_image(pixels: np.ndarray, encoding: str, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        raw.to_fields(pixels, encoding)
    assert caught.value.reason == reason


def test_a_real_message_is_taken_and_filled() -> None:
    messages = pytest.importorskip('sensor_msgs.msg', reason='no ROS messages on this machine')
    rgb = random_pixels(4, (48, 64, 3), 8)
    fields = raw.to_fields(rgb, 'rgb8')
    image = messages.Image()
    for name in ('height', 'width', 'encoding', 'is_bigendian', 'step', 'data'):
        setattr(image, name, getattr(fields, name))
    assert np.array_equal(raw.to_rgb(image), rgb)


# cv_bridge refuses to give the generic types a colour, has no nv12 or nv21 yet, and loses the
# byte order of big-endian images.
@pytest.mark.parametrize('encoding', [name for name in sorted(ENCODINGS) if not name[0].isdigit()
                                      and name not in {'nv12', 'nv21', 'uyvy', 'yuyv'}])
def test_agrees_with_cv_bridge(encoding: str) -> None:
    cv_bridge = pytest.importorskip('cv_bridge', reason='cv_bridge comes with ROS, not with pip',
                                    exc_type=ImportError)
    messages = pytest.importorskip('sensor_msgs.msg')
    ours = any_image(encoding, 5)
    image = messages.Image(height=12, width=16, encoding=encoding, step=ours.step,
                           data=array('B', ours.data))
    expected = cv_bridge.CvBridge().imgmsg_to_cv2(image, 'rgb8')
    assert np.array_equal(raw.to_rgb(image), expected)


def test_opencv_demosaics_a_gradient_as_cv_bridge_would() -> None:
    """A colour picture with structure, so that a shifted pattern shows at edges too."""
    ramp = np.add.outer(np.arange(20), np.arange(24)) * 4
    scene = np.dstack([ramp, 200 - ramp, np.full_like(ramp, 50)]).clip(0, 255).astype(np.uint8)
    for pattern, cell in {'rggb': 'rg/gb', 'bggr': 'bg/gr', 'gbrg': 'gb/rg',
                          'grbg': 'gr/bg'}.items():
        mosaic = np.empty((20, 24), np.uint8)
        for i, row in enumerate(cell.split('/')):
            for j, letter in enumerate(row):
                mosaic[i::2, j::2] = scene[i::2, j::2, 'rgb'.index(letter)]
        rgb = raw.to_rgb(message(mosaic, f'bayer_{pattern}8', 24))
        inner = np.abs(rgb.astype(int) - scene)[2:-2, 2:-2]
        assert inner.max() <= 1, pattern
