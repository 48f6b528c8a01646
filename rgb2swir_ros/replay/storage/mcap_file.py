"""Read mcap files in any state: without an index, without an end, with damaged chunks.

The ``mcap`` library parses the records. They are found by a scan of the file, since an index may
be missing and the library's readers stop at the first fault; the summary adds only what the scan
cannot reach. Format: https://mcap.dev/spec.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from mcap import records as mcap_library
from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, ChunkIndex, Schema, Statistics
from mcap.stream_reader import StreamReader
from mcap.summary import Summary

from rgb2swir_ros.replay.storage.base import (
    Attachment,
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
from rgb2swir_ros.replay.storage.mcap_records import (
    CHUNK,
    DAMAGED,
    MAGIC,
    MESSAGE,
    PREFIX,
    records,
    signed,
    unpacked,
)

FOOTER_BYTES = PREFIX.size + 20 + len(MAGIC)


@dataclass
class _Block:
    """A chunk, or a message outside of chunks: the place of its content in the file.

    :param size: bytes of content in the file.
    :param start: earliest log time, None if it is not known.
    :param counts: messages by channel, None if they are not known before decompression.
    """

    at: int
    size: int
    is_chunk: bool
    start: int | None
    counts: Counter[int] | None = None


class McapFile:
    """An mcap file; its log times are the record times."""

    def __init__(self, path: Path) -> None:
        """Scan the file; decompress only the chunks whose counts are not in an index.

        :raises Unreadable: if it is no mcap file.
        """
        self.path = path
        self.faults: list[str] = []
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._blocks: list[_Block] = []
        self._extras: list[tuple[int, int, int]] = []  # opcode, place and size
        with path.open('rb') as stream:
            size = os.fstat(stream.fileno()).st_size
            if stream.read(len(MAGIC)) != MAGIC:
                raise Unreadable(f"'{path}' is " + ('no mcap file' if size else 'an empty file'))
            summary = _summary(stream, size)
            self._scan(stream, size, summary)
            totals = self._totals(stream, summary)
        self.connections = merged(
            self._connection(channel, None if totals is None else totals[number])
            for number, channel in self._channels.items())
        self._found = list(self.faults)
        self.in_time_order = all(block.start is not None for block in self._blocks)

    def messages(self, wanted: Wanted) -> Iterator[Message]:
        """Yield the messages of some connections in the order of their log times."""
        self.faults = list(self._found)
        chosen = {number: connection for number, channel in self._channels.items()
                  if wanted(connection := self._connection(channel, None))}
        blocks = [block for block in self._blocks
                  if block.counts is None or not chosen.keys().isdisjoint(block.counts)]
        with self.path.open('rb') as stream:
            def load(number: int) -> Iterator[Loaded]:
                return self._load(stream, blocks[number], chosen)

            for log_ns, number, data in in_order([block.start for block in blocks], load):
                yield Message(chosen[number], log_ns, data)

    def attachments(self) -> Iterator[Attachment]:
        """Yield the attachments in the order of the file."""
        for content in self._extra(Opcode.ATTACHMENT):
            one = mcap_library.Attachment.read(content)
            yield Attachment(one.name, one.media_type, one.data, one.log_time, one.create_time)

    def metadata(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the name and entries of each metadata record."""
        for content in self._extra(Opcode.METADATA):
            one = mcap_library.Metadata.read(content)
            yield one.name, one.metadata

    def _extra(self, wanted: int) -> Iterator[ReadDataStream]:
        with self.path.open('rb') as stream:
            for opcode, at, size in self._extras:
                if opcode == wanted:
                    stream.seek(at)
                    yield ReadDataStream(BytesIO(stream.read(size)))

    def _connection(self, channel: Channel, count: int | None) -> Connection:
        schema = self._schemas.get(channel.schema_id)
        return Connection(
            channel.topic, ros_type(schema.name) if schema else '', channel.message_encoding,
            schema.encoding if schema else '', schema.data if schema else b'',
            channel.metadata.get('offered_qos_profiles', ''), count)

    # -- the scan of the records ----------------------------------------------------------

    def _scan(self, stream: BinaryIO, size: int, summary: Summary | None) -> None:
        """Find all chunks, messages and definitions by the records' lengths."""
        at = len(MAGIC)
        while True:
            stream.seek(at)
            prefix = stream.read(PREFIX.size)
            if len(prefix) < PREFIX.size:
                self.faults.append(f'it was cut off, or never closed, at byte {at}')
                break
            opcode, length = PREFIX.unpack(prefix)
            content = at + PREFIX.size
            if opcode in {Opcode.DATA_END, Opcode.FOOTER}:
                if summary is None and not _is_closed(stream, size):
                    self.faults.append('its index is missing: it was cut off after its messages')
                break
            left = size - content
            if not opcode or (length > left and summary is not None):
                self.faults.append(f'it is damaged at byte {at}')
                break
            self._take(stream, opcode, content, min(length, left), whole=length <= left)
            if length > left:
                self.faults.append(f'it was cut off at byte {size}')
                break
            at = content + length
        if self.faults and self._blocks and self._blocks[-1].is_chunk:
            self._blocks[-1].counts = None  # its index may be incomplete
        if summary is not None:
            self._add_summary(summary, reached=at)

    def _take(self, stream: BinaryIO, opcode: int, at: int, size: int, *, whole: bool) -> None:
        if opcode == Opcode.CHUNK and size >= CHUNK.size:
            start, end, _, _ = CHUNK.unpack(stream.read(CHUNK.size))
            # some writers leave both times at zero
            self._blocks.append(_Block(at, size, True, signed(start) if end else None))
        elif opcode == Opcode.MESSAGE and whole and size >= MESSAGE.size:
            number, _, log_time, _ = MESSAGE.unpack(stream.read(MESSAGE.size))
            self._blocks.append(_Block(at, size, False, signed(log_time), Counter([number])))
        elif opcode == Opcode.MESSAGE_INDEX and whole and size >= 6 and self._blocks:
            number, length = struct.unpack('<HI', stream.read(6))
            block = self._blocks[-1]
            if block.is_chunk and length == size - 6:
                block.counts = (block.counts or Counter()) + Counter({number: length // 16})
        elif opcode in {Opcode.SCHEMA, Opcode.CHANNEL} and whole:
            self._define(opcode, stream.read(size))
        elif opcode in {Opcode.ATTACHMENT, Opcode.METADATA} and whole:
            self._extras.append((opcode, at, size))

    def _define(self, opcode: int, content: bytes) -> None:
        fields = ReadDataStream(BytesIO(content))
        try:
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(fields)
                self._schemas.setdefault(schema.id, schema)
            else:
                channel = Channel.read(fields)
                self._channels.setdefault(channel.id, channel)
        except Exception as error:  # damaged bytes raise errors of many kinds
            self.faults.append(f'a definition cannot be read: {reason(error)}')

    def _add_summary(self, summary: Summary, reached: int) -> None:
        """Add the definitions, and the chunks after a fault that ended the scan."""
        for schema in summary.schemas.values():
            self._schemas.setdefault(schema.id, schema)
        for channel in summary.channels.values():
            self._channels.setdefault(channel.id, channel)
        for index in sorted(summary.chunk_indexes, key=lambda index: index.chunk_start_offset):
            if index.chunk_start_offset > reached and self.faults:
                self._blocks.append(_indexed(index))

    def _totals(self, stream: BinaryIO, summary: Summary | None) -> Counter[int] | None:
        """Return the number of messages of each channel, None if it is not known."""
        if summary is not None and summary.statistics is not None and (
                not summary.statistics.message_count
                or summary.statistics.channel_message_counts):
            totals = Counter(summary.statistics.channel_message_counts)
            if totals.keys() <= self._channels.keys():
                return totals
        totals = Counter()
        complete = True
        for block in self._blocks:
            known = block.counts is not None and block.counts.keys() <= self._channels.keys()
            if block.is_chunk and not known:
                # the definitions may be only in the chunks
                data, _ = unpacked(_content(stream, block))
                for opcode, start, end in records(data):
                    if opcode in {Opcode.SCHEMA, Opcode.CHANNEL}:
                        self._define(opcode, data[start:end])
            if block.counts is None:
                complete = False
            else:
                totals += block.counts
        return totals if complete else None

    # -- content ----------------------------------------------------------------------------

    def _load(self, stream: BinaryIO, block: _Block,
              chosen: dict[int, Connection]) -> Iterator[Loaded]:
        if not block.is_chunk:
            data = _content(stream, block)
            number, _, log_time, _ = MESSAGE.unpack_from(data)
            yield signed(log_time), number, data[MESSAGE.size:]
            return
        data, fault = unpacked(_content(stream, block))
        kept = 0
        for opcode, start, end in records(data):
            if opcode == Opcode.MESSAGE and end - start >= MESSAGE.size:
                number, _, log_time, _ = MESSAGE.unpack_from(data, start)
                kept += 1
                if number in chosen:
                    yield signed(log_time), number, data[start + MESSAGE.size:end]
            elif opcode == DAMAGED:
                fault = fault or 'its records do not fit it'
        if fault:
            expected = '' if block.counts is None else f' of {sum(block.counts.values())}'
            self.faults.append(f'the chunk at byte {block.at - PREFIX.size} is damaged ({fault}): '
                               f'{kept}{expected} messages of it were read')


def _content(stream: BinaryIO, block: _Block) -> bytes:
    stream.seek(block.at)
    return stream.read(block.size)


def _indexed(index: ChunkIndex) -> _Block:
    return _Block(index.chunk_start_offset + PREFIX.size, index.chunk_length - PREFIX.size, True,
                  signed(index.message_start_time) if index.message_end_time else None)


def _is_closed(stream: BinaryIO, size: int) -> bool:
    """Return whether the file ends as its writer ends it: with a footer and the magic bytes."""
    if size < FOOTER_BYTES + len(MAGIC):
        return False
    stream.seek(size - FOOTER_BYTES)
    footer = stream.read(FOOTER_BYTES)
    return footer[-len(MAGIC):] == MAGIC and PREFIX.unpack_from(footer) == (Opcode.FOOTER, 20)


def _summary(stream: BinaryIO, size: int) -> Summary | None:
    """Return the summary at the file's end, None if there is none that can be read."""
    if not _is_closed(stream, size):
        return None
    stream.seek(size - FOOTER_BYTES + PREFIX.size)
    (start,) = struct.unpack('<Q', stream.read(8))
    if not 0 < start < size:
        return None
    stream.seek(start)
    summary = Summary()
    try:
        for record in StreamReader(BytesIO(stream.read()), skip_magic=True).records:
            if isinstance(record, Schema):
                summary.schemas[record.id] = record
            elif isinstance(record, Channel):
                summary.channels[record.id] = record
            elif isinstance(record, ChunkIndex):
                summary.chunk_indexes.append(record)
            elif isinstance(record, Statistics):
                summary.statistics = record
    except Exception:  # the scan of the file finds the same
        return None
    return summary
