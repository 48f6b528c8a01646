"""The header of a JPEG or PNG, read and checked before the image is decoded.

OpenCV decodes a truncated JPEG to an image with a grey remainder and a line on stderr, and
allocates whatever size a header claims. So size and completeness are checked first.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from rgb2swir_ros.imaging.errors import ImageError

# 8192x8192: more than any camera on a vehicle, and 200 MB once decoded to RGB. A PNG of a few
# kilobytes can claim far more.
MAX_PIXELS = 1 << 26

PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
JPEG_SIGNATURE = b'\xff\xd8\xff'
START_OF_SCAN = 0xFFDA
# The mark that ends a file, by codec; bytes may follow it, because cameras pad
END_MARKS = {'jpeg': b'\xff\xd9', 'png': b'IEND'}


@dataclass(frozen=True)
class Header:
    """Codec (``jpeg`` or ``png``), size in pixels and bits per sample of a compressed image."""

    codec: str
    height: int
    width: int
    bits: int


def read_header(data: bytes) -> Header:
    """Return the header of a JPEG or PNG, after a check that the file is complete.

    Each chunk of a PNG is checked by its CRC. A JPEG has no checksum: it must have its
    end-of-image marker (cameras pad, so bytes may follow it). That detects truncation, but not
    flipped bits inside the compressed data.

    :raises ImageError: ``unsupported_format`` (neither JPEG nor PNG, or a variant that is not
        supported), ``corrupt_data`` (damaged or truncated), ``zero_size``, ``too_large`` (more
        than ``MAX_PIXELS``).
    """
    if data.startswith(PNG_SIGNATURE):
        header = _png(data)
    elif data.startswith(JPEG_SIGNATURE):
        header = _jpeg(data)
    elif not data:
        raise ImageError('corrupt_data', 'the compressed image is empty')
    else:
        raise ImageError('unsupported_format', 'the compressed image is neither jpeg nor png: it '
                         f'starts with {data[:8].hex(" ")}')
    shown = f'{header.codec} of {header.width}x{header.height} pixels'
    if header.height == 0 or header.width == 0:
        raise ImageError('zero_size', f'the image is a {shown}')
    if header.height * header.width > MAX_PIXELS:
        raise ImageError('too_large', f'the image is a {shown}; the limit is {MAX_PIXELS} pixels')
    return header


def _png(data: bytes) -> Header:
    """Walk the chunks: length, type, body, CRC (PNG specification, third edition, 5.3)."""
    header, position = None, len(PNG_SIGNATURE)
    while position + 12 <= len(data):
        length, = struct.unpack_from('>I', data, position)
        kind = data[position + 4:position + 8]
        end = position + 12 + length
        if end > len(data):
            break
        body = memoryview(data)[position + 4:end - 4]
        if zlib.crc32(body) != struct.unpack_from('>I', data, end - 4)[0]:
            raise ImageError('corrupt_data', f'the png is damaged: checksum of chunk {kind!r}')
        if header is None:
            if kind != b'IHDR' or length != 13:
                raise ImageError('corrupt_data', 'the png does not start with its header')
            width, height, bits = struct.unpack_from('>IIB', data, position + 8)
            header = Header('png', height, width, bits)
        if kind == b'IEND':
            return header
        position = end
    raise ImageError('corrupt_data', f'the png is cut short at {len(data)} bytes')


def _jpeg(data: bytes) -> Header:
    """Read the marker segments up to the first scan, then look for the end."""
    header = None
    for marker, position, length in _jpeg_segments(data):
        # Start of frame; C4, C8 and CC are tables that share the range.
        if 0xFFC0 <= marker <= 0xFFCF and marker not in {0xFFC4, 0xFFC8, 0xFFCC}:
            if position + 9 > len(data):
                break
            bits, height, width = struct.unpack_from('>BHH', data, position + 4)
            if bits != 8:
                known = 'unsupported_format' if 2 <= bits <= 16 else 'corrupt_data'
                raise ImageError(known, f'the jpeg has {bits} bits a sample; only 8 are read')
            header = Header('jpeg', height, width, bits)
        if marker == START_OF_SCAN:
            if header is None:
                raise ImageError('corrupt_data', 'the jpeg has a scan before its frame header')
            if lacks_end('jpeg', data, position + 2 + length):
                raise ImageError('corrupt_data', 'the jpeg is cut short: '
                                 f'no end of image in {len(data)} bytes')
            return header
    raise ImageError('corrupt_data', f'the jpeg is cut short at {len(data)} bytes')


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, position and length of each segment of a JPEG (ITU-T T.81, B.1)."""
    position = 2
    while position + 4 <= len(data):
        marker, = struct.unpack_from('>H', data, position)
        if marker == 0xFFFF:  # fill byte
            position += 1
            continue
        length, = struct.unpack_from('>H', data, position + 2)
        if marker < 0xFFC0 or length < 2:
            raise ImageError('corrupt_data', f'the jpeg is damaged at byte {position}')
        yield marker, position, length
        position += 2 + length


def is_truncated_jpeg(data: bytes) -> bool:
    """Return whether this is a JPEG without its end, of any variant.

    Where the segments before the first scan are damaged, a mark anywhere counts as the end.
    """
    if not data.startswith(JPEG_SIGNATURE):
        return False
    try:
        for marker, position, length in _jpeg_segments(data):
            if marker == START_OF_SCAN:
                return lacks_end('jpeg', data, position + 2 + length)
    except ImageError:
        return lacks_end('jpeg', data)
    return True


def lacks_end(codec: str, data: bytes, start: int = 0) -> bool:
    """Return whether a file has no mark of its end: it was cut off.

    Compressed data of a JPEG stuff every ff with 00, so the mark cannot occur inside a scan.

    :param codec: ``jpeg`` or ``png``; others have no such mark.
    :param data: the file, or its last bytes.
    :param start: where a mark may be: of a JPEG behind the segments before its first scan, since
        a thumbnail in them has an end of its own.
    """
    mark = END_MARKS.get(codec)
    return mark is not None and data.rfind(mark, start) < 0
