"""Mcap files byte by byte, as no writer at hand would make them (https://mcap.dev/spec)."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Callable

import lz4.frame
import zstandard

from .footage import TYPES

MAGIC = b'\x89MCAP0\r\n'
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    '': bytes, 'zstd': zstandard.ZstdCompressor().compress, 'lz4': lz4.frame.compress}


def text(value: str) -> bytes:
    return struct.pack('<I', len(value.encode())) + value.encode()


def record(opcode: int, content: bytes) -> bytes:
    return bytes([opcode]) + struct.pack('<Q', len(content)) + content


class McapBytes:
    """Schemas, channels and messages, put together by :meth:`finish`."""

    def __init__(self, profile: str = 'ros2') -> None:
        self.head = MAGIC + record(1, text(profile) + text('test'))
        self.definitions = b''
        self.messages: list[tuple[int, int, bytes]] = []

    def channel(self, number: int, topic: str, kind: str, encoding: str = 'cdr',
                schema: str = 'ros2msg', definition: bytes | None = None) -> McapBytes:
        if definition is None:
            definition = TYPES.generate_msgdef(kind)[0].encode()
        self.definitions += record(3, struct.pack('<H', number) + text(kind) + text(schema)
                                   + struct.pack('<I', len(definition)) + definition)
        self.definitions += record(4, struct.pack('<HH', number, number) + text(topic)
                                   + text(encoding) + struct.pack('<I', 0))
        return self

    def message(self, number: int, time: int, data: bytes) -> McapBytes:
        self.messages.append((number, time, data))
        return self

    def finish(self, *, chunk: int = 0, packing: str = '', message_index: bool = True,
               chunk_index: bool = True, summary: bool = True, statistics: bool = True,
               crc: int | None = None, end: bool = True) -> bytes:
        """Return the file.

        :param chunk: messages in a chunk; 0 for none.
        :param crc: written in place of each chunk's checksum.
        :param end: whether the data section is closed, and the file.
        """
        out, indexes, chunks = self.head, b'', 0
        if not chunk:
            out += self.definitions + b''.join(_message(*m) for m in self.messages)
        for at in range(0, len(self.messages) if chunk else 0, chunk or 1):
            part = self.messages[at:at + chunk]
            body = self.definitions if not at else b''
            offsets: dict[int, list[tuple[int, int]]] = {}
            for number, time, data in part:
                offsets.setdefault(number, []).append((time, len(body)))
                body += _message(number, time, data)
            packed = PACKERS[packing](body)
            times = [time for _, time, _ in part]
            span = struct.pack('<QQ', min(times), max(times))
            start = len(out)
            checksum = zlib.crc32(body) if crc is None else crc
            out += record(6, span + struct.pack('<QI', len(body), checksum) + text(packing)
                          + struct.pack('<Q', len(packed)) + packed)
            length, chunks = len(out) - start, chunks + 1
            where, before = b'', len(out)
            for number, pairs in offsets.items() if message_index else ():
                where += struct.pack('<HQ', number, len(out))
                entries = b''.join(struct.pack('<QQ', *pair) for pair in pairs)
                out += record(7, struct.pack('<HI', number, len(entries)) + entries)
            indexes += record(8, span + struct.pack('<QQI', start, length, len(where)) + where
                              + struct.pack('<Q', len(out) - before) + text(packing)
                              + struct.pack('<QQ', len(packed), len(body)))
        if not end:
            return out
        out += record(15, struct.pack('<I', 0))
        section = self.definitions + indexes * chunk_index if summary else b''
        if summary and statistics:
            counts = Counter(number for number, _, _ in self.messages)
            told = b''.join(struct.pack('<HQ', *item) for item in counts.items())
            section += record(11, struct.pack('<QHIIIIQQI', len(self.messages), 1, 1, 0, 0, chunks,
                                              0, 0, len(told)) + told)
        return out + section + record(2, struct.pack(
            '<QQI', len(out) if section else 0, 0, 0)) + MAGIC


def _message(number: int, time: int, data: bytes) -> bytes:
    return record(5, struct.pack('<HIQQ', number, 0, time % 2**64, time % 2**64) + data)
