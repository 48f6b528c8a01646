"""Read ROS 1 bags (``.bag``, format 2.0), with or without their index.

``rosbags`` parses the records. Its reader takes complete, indexed bags only, so the records are
found here by a scan of the file. Format: https://wiki.ros.org/Bags/Format/2.0.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from rosbags.rosbag1.reader import Header, RecordType, decompressors

from rgb2swir_ros.replay.storage.base import (
    ROS1,
    Connection,
    Loaded,
    Message,
    Unreadable,
    Wanted,
    in_order,
    merged,
    reason,
    ros_type,
)

MAGIC = b'#ROSBAG V2.0\n'
# The profile of a ROS 2 publisher that latches, as rosbag2 writes it
LATCHED = '''- history: 1
  depth: 1
  reliability: 1
  durability: 1
  deadline: {sec: 9223372036, nsec: 854775807}
  lifespan: {sec: 9223372036, nsec: 854775807}
  liveliness: 1
  liveliness_lease_duration: {sec: 9223372036, nsec: 854775807}
  avoid_ros_namespace_conventions: false
'''


@dataclass
class _Block:
    """A chunk: its place in the file, compression, and earliest time and counts if known."""

    at: int
    size: int
    compression: str
    start: int | None = None
    counts: Counter[int] | None = None


class Ros1File:
    """A ROS 1 bag; types have their names in ROS 2."""

    def __init__(self, path: Path) -> None:
        """Scan the file; chunks are decompressed only if the index is missing.

        :raises Unreadable: if it is no such bag, or encrypted.
        """
        self.path = path
        self.faults: list[str] = []
        self._by_number: dict[int, Connection] = {}
        self._blocks: list[_Block] = []
        with path.open('rb') as stream:
            size = os.fstat(stream.fileno()).st_size
            magic = stream.read(len(MAGIC))
            if magic != MAGIC:
                what = ('an empty file' if not size else
                        'a ROS 1 bag of another version than 2.0' if magic.startswith(b'#ROSBAG')
                        else 'no ROS 1 bag')
                raise Unreadable(f"'{path}' is {what}")
            indexed = self._scan(stream, size)
            found = list(self.faults)
            totals: Counter[int] | None = Counter()
            for block in self._blocks:
                if not indexed or block.counts is None:
                    for _ in self._load(stream, block, set()):
                        pass
                totals = None if totals is None or block.counts is None else totals + block.counts
        self.faults = found  # a damaged chunk is reported when its messages are read
        if not indexed:
            self.faults.insert(0, 'it was never closed, or cut off (it has no index)')
        self.connections = merged(
            Connection(c.topic, c.msgtype, c.encoding, c.schema_encoding, c.definition, c.qos,
                       None if totals is None else totals[number])
            for number, c in self._by_number.items())
        self._found = list(self.faults)
        self.in_time_order = all(block.start is not None for block in self._blocks)

    def messages(self, wanted: Wanted) -> Iterator[Message]:
        """Yield the messages of some connections in the order of their record times."""
        self.faults = list(self._found)
        chosen = {number for number, c in self._by_number.items() if wanted(c)}
        blocks = [block for block in self._blocks
                  if block.counts is None or not chosen.isdisjoint(block.counts)]
        with self.path.open('rb') as stream:
            def load(number: int) -> Iterator[Loaded]:
                return self._load(stream, blocks[number], chosen)

            for log_ns, number, data in in_order([block.start for block in blocks], load):
                yield Message(self._by_number[number], log_ns, data)

    def _scan(self, stream: BinaryIO, size: int) -> bool:
        """Find the chunks; return whether the bag has its index."""
        indexed = False
        while stream.tell() < size:
            at = stream.tell()
            try:
                header, content, length = _record(stream)
                op = header.get_uint8('op')
                if op == RecordType.BAGHEADER:
                    if header.get('encryptor'):
                        raise Unreadable(f"the bag '{self.path}' is encrypted")
                    indexed = header.get_uint64('index_pos') != 0
                elif op == RecordType.CHUNK:
                    self._blocks.append(_Block(content, min(length, size - content),
                                               header.get_string('compression')))
                elif op == RecordType.CONNECTION:
                    self._connect(header, stream.read(length))
                elif op == RecordType.CHUNK_INFO:
                    self._inform(header, stream.read(length))
            except Unreadable:
                raise
            except Exception as error:  # damaged bytes raise errors of many kinds
                stream.seek(at)
                (length,) = struct.unpack('<I', stream.read(4).ljust(4, b'\xff'))
                self.faults.append(
                    f'it was cut off at byte {size}' if at + 8 + length > size else
                    f'it cannot be read on from byte {at}: {reason(error)}')
                indexed = False
                break
            if content + length > size:
                self.faults.append(f'it was cut off at byte {size}')
                indexed = False
                break
            stream.seek(content + length)
        return indexed

    def _connect(self, header: Any, content: bytes) -> None:
        number = header.get_uint32('conn')
        if number in self._by_number:
            return
        fields = Header.read(_framed(content))
        topic = '/' * header.get_string('topic').startswith('/') + '/'.join(
            part for part in header.get_string('topic').split('/') if part)
        self._by_number[number] = Connection(
            topic, ros_type(fields.get_string('type')), ROS1, 'ros1msg',
            fields.get('message_definition', b''),
            LATCHED if fields.get('latching', b'') == b'1' else '')

    def _inform(self, header: Any, content: bytes) -> None:
        """Store a chunk's times and counts from the index."""
        pairs = struct.iter_unpack('<II', content[:len(content) // 8 * 8])
        counts = Counter(dict(pairs))
        position = header.get_uint64('chunk_pos')
        for block in self._blocks:
            # the index has the position of the record, whose header is before the content
            if position < block.at <= position + 4096 and block.counts is None:
                block.counts = counts
                block.start = header.get_time('start_time') if counts else None
                return

    def _load(self, stream: BinaryIO, block: _Block, chosen: set[int]) -> Iterator[Loaded]:
        stream.seek(block.at)
        content = stream.read(block.size)
        kept: Counter[int] = Counter()
        try:
            if block.compression not in decompressors:
                raise ValueError(f"compression '{block.compression}' is not known")
            inside = BytesIO(decompressors[block.compression](content))
            size = len(inside.getbuffer())
            while inside.tell() < size:
                header, start, length = _record(inside)
                if start + length > size:
                    raise ValueError('it was cut off')
                data = inside.read(length)
                op = header.get_uint8('op')
                if op == RecordType.CONNECTION:
                    self._connect(header, data)
                elif op == RecordType.MSGDATA:
                    number = header.get_uint32('conn')
                    kept[number] += 1
                    if number in chosen:
                        yield header.get_time('time'), number, data
        except Exception as error:  # damaged bytes raise errors of many kinds
            expected = '' if block.counts is None else f' of {sum(block.counts.values())}'
            self.faults.append(f'the chunk at byte {block.at} is damaged ({reason(error)}): '
                               f'{sum(kept.values())}{expected} messages of it were read')
        if block.counts is None:
            block.counts = kept


def _record(stream: BinaryIO) -> tuple[Any, int, int]:
    """Return a record's header, and the position and length of its data."""
    header = Header.read(stream)
    (length,) = struct.unpack('<I', stream.read(4))
    return header, stream.tell(), length


def _framed(content: bytes) -> BytesIO:
    """Return a header's fields with their length before them, as the parser expects."""
    return BytesIO(struct.pack('<I', len(content)) + content)
