"""The records of an mcap file: their framing, and the compressed chunks that hold them.

Format: https://mcap.dev/spec.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import lz4.frame
import zstandard

from rgb2swir_ros.replay.storage.base import reason

MAGIC = b'\x89MCAP0\r\n'
PREFIX = struct.Struct('<BQ')  # of every record: opcode and length
MESSAGE = struct.Struct('<HIQQ')  # channel, sequence, log time, publish time
CHUNK = struct.Struct('<QQQI')  # earliest and latest log time, unpacked size, its CRC-32
PIECE = 1 << 16  # bytes: a chunk is decompressed in pieces, so that those before damage stay
DAMAGED = -1  # in place of the opcode of a record that its chunk does not hold whole


def signed(time: int) -> int:
    """Return a 64-bit time as ROS has it: signed."""
    return time - (1 << 64) if time >> 63 else time


def unpacked(content: bytes) -> tuple[bytes, str]:
    """Return a chunk's records, as far as they can be decompressed, and the fault.

    :param content: of the chunk's record, as far as the file has it.
    :return: the records, and the fault as a short text; empty if there is none.
    """
    try:
        _, _, size, checksum = CHUNK.unpack_from(content)
        (length,) = struct.unpack_from('<I', content, CHUNK.size)
        at = CHUNK.size + 4 + length
        compression = content[CHUNK.size + 4:at].decode()
        (packed,) = struct.unpack_from('<Q', content, at)
    except (struct.error, UnicodeDecodeError):
        return b'', 'its head cannot be read'
    if compression not in {'', 'zstd', 'lz4'}:
        return b'', f"its compression '{compression}' is not known"
    held = content[at + 8:at + 8 + packed]
    data, fault = _decompressed(held, compression)
    if len(held) < packed:
        fault = 'it was cut off'
    elif not fault and len(data) != size:
        fault = f'it has {len(data)} of {size} bytes'
    elif not fault and checksum and zlib.crc32(data) != checksum:
        fault = 'its checksum is wrong'
    return data, fault


def records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the opcode, start and end of each record, with `DAMAGED` for one that is cut off."""
    at = 0
    while at < len(data):
        if at + PREFIX.size > len(data):
            yield DAMAGED, at, len(data)
            return
        opcode, length = PREFIX.unpack_from(data, at)
        at += PREFIX.size
        if at + length > len(data):
            yield DAMAGED, at, len(data)
            return
        yield opcode, at, at + length
        at += length


def _decompressed(held: bytes, compression: str) -> tuple[bytes, str]:
    """Return what can be decompressed, and the fault or ''."""
    if not compression:
        return held, ''
    unpacker = (zstandard.ZstdDecompressor().decompressobj() if compression == 'zstd'
                else lz4.frame.LZ4FrameDecompressor())
    done: list[bytes] = []
    try:
        for at in range(0, len(held), PIECE):
            done.append(unpacker.decompress(held[at:at + PIECE]))
    except (zstandard.ZstdError, RuntimeError, EOFError) as error:
        return b''.join(done), reason(error)
    return b''.join(done), ''
