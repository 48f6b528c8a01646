"""JPEG and PNG in and out: also damaged, malicious and mislabelled ones."""

from __future__ import annotations

import struct
import zlib
from array import array
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging import compressed, raw
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.headers import MAX_PIXELS, read_header

ROWS, COLUMNS = np.mgrid[0:48, 0:64]
# Smooth, so that JPEG keeps it; red, green and blue all differ, so that a swap is seen.
SCENE = np.dstack([4 * ROWS, 3 * COLUMNS, 250 - 2 * ROWS - COLUMNS]).astype(np.uint8)
GREY16 = (ROWS * 1300 + COLUMNS * 50).astype(np.uint16)
JPEG = compressed.encode(SCENE, 'jpeg')[0]
PNG = compressed.encode(SCENE, 'png')[0]


def reason(data: Any, format: str = 'jpeg') -> str:
    with pytest.raises(ImageError) as caught:
        compressed.to_rgb(data, format)
    assert str(caught.value)
    return caught.value.reason


@given(st.sampled_from(['mono8', 'mono16', 'rgb8']), st.integers(1, 40), st.integers(1, 40),
       st.integers(0, 2**32))
def test_png_keeps_every_value(encoding: str, height: int, width: int, seed: int) -> None:
    kind = np.uint16 if encoding == 'mono16' else np.uint8
    shape = (height, width, 3) if encoding == 'rgb8' else (height, width)
    pixels = np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, kind, True)
    data, format = compressed.encode(pixels)
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(stored[..., ::-1] if encoding == 'rgb8' else stored, pixels)
    expected = raw.to_rgb(raw.to_fields(pixels, encoding))
    assert np.array_equal(compressed.to_rgb(data, format), expected)


@pytest.mark.parametrize(('pixels', 'codec', 'format'), [
    (SCENE, 'jpeg', 'rgb8; jpeg compressed bgr8'),
    (SCENE[:, :, 0], 'jpeg', 'mono8; jpeg compressed mono8'),
    (SCENE, 'png', 'rgb8; png compressed bgr8'),
    (SCENE[:, :, 0], 'png', 'mono8; png compressed '),
    (GREY16, 'png', 'mono16; png compressed '),
])
def test_format_is_written_as_the_transport_does(pixels: np.ndarray, codec: str,
                                                 format: str) -> None:
    data, written = compressed.encode(pixels, codec)
    assert written == format
    assert read_header(data).codec == codec
    rgb = compressed.to_rgb(data, written)
    expected = pixels / 257 if pixels.dtype == np.uint16 else pixels.astype(float)
    expected = expected if expected.ndim == 3 else expected[:, :, None]
    assert np.abs(rgb - expected).mean() < 1.5


@pytest.mark.parametrize('format', ['', 'jpeg', 'jpg', 'png', 'bgr8; jpeg compressed bgr8',
                                    'rgb8; jpeg compressed bgr8', 'bgr8;jpeg compressed bgr8',
                                    'rgb8; jpeg compressed ', 'anything at all'])
def test_colours_do_not_depend_on_the_label(format: str) -> None:
    assert np.array_equal(compressed.to_rgb(PNG, format), SCENE)
    assert np.abs(compressed.to_rgb(JPEG, format).astype(int) - SCENE).mean() < 1.5


def test_colours_stored_as_rgb_are_exchanged_back() -> None:
    """compressed_image_transport's own subscriber reads 'compressed rgb8' this way."""
    data = compressed.encode(SCENE[:, :, ::-1].copy())[0]
    assert np.array_equal(compressed.to_rgb(data, 'rgb8; png compressed rgb8'), SCENE)


@pytest.mark.parametrize('kind', [np.uint8, np.uint16])
def test_a_stored_mosaic_is_demosaiced(kind: Any) -> None:
    mosaic = (np.full((10, 12), 200) * np.iinfo(kind).max // 255).astype(kind)
    mosaic[1::2, 1::2] = 0  # blue of an rggb pattern
    label = f'bayer_rggb{8 * mosaic.itemsize}; png compressed '
    rgb = compressed.to_rgb(compressed.encode(mosaic)[0], label)
    assert (rgb == (200, 200, 0)).all()
    # The transport's JPEG of a Bayer image is the grey picture, not the mosaic.
    grey = compressed.to_rgb(compressed.encode(SCENE[:, :, 0], 'jpeg')[0],
                             'bayer_rggb8; jpeg compressed mono8')
    assert (grey[:, :, 0] == grey[:, :, 2]).all()


@pytest.mark.parametrize('pixels', [SCENE, SCENE[:, :, 0], GREY16])
def test_a_size_gives_the_resized_picture(pixels: np.ndarray) -> None:
    data, format = compressed.encode(pixels)
    small = compressed.to_rgb(data, format, (24, 32))
    mean = compressed.to_rgb(data, format).reshape(24, 2, 32, 2, 3).astype(float).mean((1, 3))
    assert np.abs(small - mean).max() <= 1


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview, lambda d: array('B', d),
                                  lambda d: np.frombuffer(d, np.uint8)])
def test_data_of_any_bytes_type(kind: Any) -> None:
    assert np.array_equal(compressed.to_rgb(kind(PNG), 'png'), SCENE)


def test_other_pngs() -> None:
    bgra = np.dstack([SCENE[:, :, ::-1], COLUMNS]).astype(np.uint8)
    alpha = cv2.imencode('.png', bgra)[1]
    assert np.array_equal(compressed.to_rgb(alpha, 'png'), SCENE)
    deep = cv2.imencode('.png', SCENE[:, :, ::-1].astype(np.uint16) * 257)[1]
    assert np.array_equal(compressed.to_rgb(deep, 'bgr16; png compressed bgr16'), SCENE)


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack('>HH', marker, len(body) + 2) + body


def test_exif_orientation_is_ignored() -> None:
    ifd = struct.pack('<2sHIHHHIHHI', b'II', 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    rotated = JPEG[:2] + segment(0xFFE1, b'Exif\0\0' + ifd) + JPEG[2:]
    viewer = cv2.imdecode(np.frombuffer(rotated, np.uint8), cv2.IMREAD_COLOR)
    assert viewer.shape == (64, 48, 3), 'the file is to be one that a viewer turns'
    assert np.array_equal(compressed.to_rgb(rotated, 'jpeg'), compressed.to_rgb(JPEG, 'jpeg'))


@pytest.mark.parametrize('data', [JPEG, PNG])
def test_padding_after_the_end_is_allowed(data: bytes) -> None:
    assert np.array_equal(compressed.to_rgb(data + bytes(100), ''), compressed.to_rgb(data, ''))


@settings(max_examples=200)
@given(st.sampled_from([JPEG, PNG]), st.floats(0, 1, exclude_max=True), st.integers(0, 64))
def test_a_cut_picture_is_corrupt(data: bytes, share: float, zeros: int) -> None:
    """Cut anywhere, also where a driver sends its fixed buffer and the rest is zero."""
    kept = int(share * (len(data) - 1))
    found = reason(data[:kept] + bytes(zeros))
    if kept < 8:  # not even a signature
        assert found in {'corrupt_data', 'unsupported_format'}
    elif data is JPEG and JPEG.index(b'\xff\xc0') < kept < JPEG.index(b'\xff\xc0') + 9:
        assert found in {'corrupt_data', 'zero_size'}  # cut within the size
    else:
        assert found == 'corrupt_data'


def test_the_end_of_a_thumbnail_is_not_the_end() -> None:
    whole = JPEG[:2] + segment(0xFFE1, b'Exif\0\0' + JPEG) + JPEG[2:]
    assert compressed.to_rgb(whole, 'jpeg').shape == SCENE.shape
    assert reason(whole[:-40]) == 'corrupt_data'
    with pytest.raises(ImageError, match='cut short'):
        read_header(whole[:-40])


@settings(max_examples=200)
@given(st.integers(0, len(PNG) - 1), st.integers(1, 255))
def test_no_flipped_byte_of_a_png_goes_unnoticed(position: int, flip: int) -> None:
    damaged = bytearray(PNG)
    damaged[position] ^= flip
    assert reason(damaged) in {'corrupt_data', 'unsupported_format'}


@settings(max_examples=200)
@given(st.sampled_from([JPEG, PNG]), st.lists(st.tuples(st.integers(0, 10**6),
                                                        st.integers(0, 255)), max_size=8))
def test_damage_never_crashes(data: bytes, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(data)
    for position, value in changes:
        damaged[position % len(damaged)] = value
    try:
        rgb = compressed.to_rgb(damaged, 'jpeg', (10, 10))
    except ImageError as error:
        text = str(error)
    else:
        text = str(rgb.shape)
    assert text


@given(st.one_of(st.binary(max_size=300), st.none(), st.text(), st.integers(),
                 st.binary(max_size=99).map(lambda tail: JPEG[:2] + b'\xff' + tail),
                 st.binary(max_size=99).map(lambda tail: PNG[:8] + tail)),
       st.one_of(st.text(), st.none(), st.just('png')))
def test_arbitrary_bytes_never_crash(data: Any, format: Any) -> None:
    assert reason(data, format) in {'corrupt_data', 'unsupported_format', 'bad_field',
                                    'zero_size', 'too_large'}


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def png_of(width: int, height: int) -> bytes:
    """Return a small PNG that claims a size."""
    header = png_chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0))
    pixels = png_chunk(b'IDAT', zlib.compress(bytes(1000)))
    return PNG[:8] + header + pixels + png_chunk(b'IEND', b'')


def jpeg_of(width: int, height: int) -> bytes:
    """Return the JPEG with another size in its frame header."""
    frame = JPEG.index(b'\xff\xc0') + 5
    return JPEG[:frame] + struct.pack('>HH', height, width) + JPEG[frame + 4:]


@pytest.mark.parametrize('make', [png_of, jpeg_of])
def test_claimed_sizes_are_checked_before_decoding(make: Any,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    assert (read_header(make(64, 48)).height, read_header(make(64, 48)).width) == (48, 64)
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('decoded'))
    assert reason(make(65535, 65535)) == 'too_large'
    assert reason(make(8192, 8193)) == 'too_large'
    assert read_header(make(8192, 8192)).width ** 2 == MAX_PIXELS
    assert reason(make(0, 48)) == 'zero_size'
    assert reason(make(64, 0)) == 'zero_size'


@pytest.mark.parametrize(('data', 'format', 'expected'), [
    (b'', 'jpeg', 'corrupt_data'),
    (b'GIF89a' + bytes(50), 'gif', 'unsupported_format'),
    (PNG, '16UC1; compressedDepth png', 'unsupported_format'),
    (PNG, None, 'unsupported_format'),
    (None, 'png', 'bad_field'),
    (JPEG.replace(b'\xff\xc0\0\x11\x08', b'\xff\xc1\0\x11\x0c'), 'jpeg', 'unsupported_format'),
])
def test_unsupported_formats_are_refused(data: Any, format: Any, expected: str) -> None:
    assert reason(data, format) == expected


@pytest.mark.parametrize(('pixels', 'codec', 'text'), [
    (GREY16, 'jpeg', 'mono16 as png'),
    (SCENE, 'webp', "'webp'"),
    (SCENE.astype(np.float32), 'png', 'float32'),
    (SCENE[:0], 'png', r'\(0, 64, 3\)'),
    (SCENE[0, 0], 'png', r'\(3,\)'),
])
def test_impossible_compression_is_a_clear_error(pixels: np.ndarray, codec: str,
                                                    text: str) -> None:
    with pytest.raises(UserError, match=text):
        compressed.encode(pixels, codec)
