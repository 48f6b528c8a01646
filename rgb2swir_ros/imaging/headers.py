"""The header of a JPEG or PNG, read and checked before the image is decoded.

OpenCV decodes a truncated JPEG to an image with a grey remainder and a line on stderr, and
allocates whatever size a header claims. So size and completeness are checked first.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from rgb2swir_ros.imaging.errors import ImageError

# 8192x8192: more than any camera on a vehicle, and 200 MB once decoded to RGB. A PNG of a few
# kilobytes can claim far more.
MAX_PIXELS = 1 << 26

PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
JPEG_SIGNATURE = b'\xff\xd8\xff'
JPEG_END = b'\xff\xd9'


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
    """Walk the marker segments up to the first scan, then look for the end (ITU-T T.81, B.1)."""
    header, position = None, 2
    while position + 4 <= len(data):
        marker, = struct.unpack_from('>H', data, position)
        if marker == 0xFFFF:  # fill byte
            position += 1
            continue
        length, = struct.unpack_from('>H', data, position + 2)
        if marker < 0xFFC0 or length < 2:
            raise ImageError('corrupt_data', f'the jpeg is damaged at byte {position}')
        # Start of frame; C4, C8 and CC are tables that share the range.
        if 0xFFC0 <= marker <= 0xFFCF and marker not in {0xFFC4, 0xFFC8, 0xFFCC}:
            if position + 9 > len(data):
                break
            bits, height, width = struct.unpack_from('>BHH', data, position + 4)
            if bits != 8:
                known = 'unsupported_format' if 2 <= bits <= 16 else 'corrupt_data'
                raise ImageError(known, f'the jpeg has {bits} bits a sample; only 8 are read')
            header = Header('jpeg', height, width, bits)
        if marker == 0xFFDA:
            if header is None:
                raise ImageError('corrupt_data', 'the jpeg has a scan before its frame header')
            # Compressed data stuff every ff with 00, so the marker cannot occur inside a scan;
            # a thumbnail's own end lies before it.
            if data.rfind(JPEG_END, position + 2 + length) < 0:
                raise ImageError('corrupt_data', 'the jpeg is cut short: '
                                 f'no end of image in {len(data)} bytes')
            return header
        position += 2 + length
    raise ImageError('corrupt_data', f'the jpeg is cut short at {len(data)} bytes')
