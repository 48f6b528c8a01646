"""How many pictures a file has: pages of a TIFF, frames of an animated PNG or WebP."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from rgb2swir_ros.imaging.headers import PNG_SIGNATURE

PREVIEW = 1  # bit of NewSubfileType (TIFF 6.0, tag 254): a smaller copy of another page
SUBFILE_TYPE = 254


def pictures_in(path: Path) -> int:
    """Return the number of pictures in a file that can be read; 1 where it is not known.

    OpenCV decodes the first. Previews of other pages of a TIFF do not count.
    """
    try:
        with path.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return max(1, _count(data))
    except (OSError, ValueError, struct.error, IndexError):  # no file to map, or a damaged one
        return 1


def _count(data: mmap.mmap) -> int:
    if data[:2] in (b'II', b'MM'):
        return _tiff(data, '<' if data[:2] == b'II' else '>')
    if data[:8] == PNG_SIGNATURE:
        return _png(data)
    if data[:4] == b'RIFF' and data[8:12] == b'WEBP':
        return _webp(data)
    return 1


def _tiff(data: mmap.mmap, order: str) -> int:
    """Count the directories that are no previews (TIFF 6.0, section 2; BigTIFF has 64 bits)."""
    version, = struct.unpack_from(f'{order}H', data, 2)
    big = version == 43
    offset, count, entry = ('Q', 'Q', 20) if big else ('I', 'H', 12)
    at, = struct.unpack_from(order + offset, data, 8 if big else 4)
    pages, seen = 0, set()
    while at and at not in seen:
        seen.add(at)
        entries, = struct.unpack_from(order + count, data, at)
        first = at + struct.calcsize(order + count)
        if first + entries * entry > len(data):
            break
        preview = False
        for place in range(first, first + entries * entry, entry):
            if struct.unpack_from(f'{order}H', data, place)[0] == SUBFILE_TYPE:
                kind, = struct.unpack_from(f'{order}I', data, place + (12 if big else 8))
                preview = bool(kind & PREVIEW)
        pages += not preview
        at, = struct.unpack_from(order + offset, data, first + entries * entry)
    return pages


def _png(data: mmap.mmap) -> int:
    """Return the frames that an animated PNG announces in acTL, before its first IDAT."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from('>I4s', data, at)
        if kind == b'acTL':
            return int(struct.unpack_from('>I', data, at + 8)[0])
        if kind == b'IDAT':
            break
        at += length + 12
    return 1


def _webp(data: mmap.mmap) -> int:
    """Count the frames of an animated WebP: the chunks ANMF (RIFF: padded to even lengths)."""
    at, frames = 12, 0
    while at + 8 <= len(data):
        kind, length = struct.unpack_from('<4sI', data, at)
        frames += kind == b'ANMF'
        at += 8 + length + length % 2
    return frames
