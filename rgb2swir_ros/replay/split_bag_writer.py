"""Write a bag in parts (mcap), each of them whole, as rosbag2 splits a long recording.

An mcap file that was not closed has no index, and no writer goes on with it. So a long bag is
written as ``NAME_0.mcap``, ``NAME_1.mcap``, ...; a part gets its name when it is closed. After a
kill the closed parts are whole and only the part that was being written is lost.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import yaml
from mcap.writer import CompressionType, Writer
from rosbags.rosbag2.metadata import dump_qos_v8, parse_qos

from rgb2swir_ros.errors import OutputError
from rgb2swir_ros.marks import TOOL, UNSEALED, fingerprint, seal_bag
from rgb2swir_ros.replay.message_writer import MessageWriter
from rgb2swir_ros.replay.storage.base import CDR, Attachment, Connection, reason

CHUNK_BYTES = 4 * 2**20
PART = '.part'  # suffix of a file that is being written
VERSION = 8  # of the metadata: every rosbag2 from Humble on reads it, and Jazzy writes 9
OnMessage = Callable[[Connection, int, bytes], None]


@dataclass
class Segment:
    """A whole part of a bag.

    :param counts: messages by the number of their connection in the order of declaration.
    :param fingerprint: as of `rgb2swir_ros.marks.fingerprint`.
    """

    file: str
    start_ns: int
    end_ns: int
    counts: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ''


class SplitBagWriter(MessageWriter):
    """A folder of mcap files, and in the end their metadata.yaml.

    :ivar segments: the parts that are whole.
    """

    def __init__(self, folder: Path, name: str, segments: Iterable[Segment] = (),
                 on_message: OnMessage | None = None) -> None:
        """Go on after some parts that are whole; nothing is written yet.

        :param folder: holds the parts; made with the first of them.
        :param name: the bag's name; part N is called ``NAME_N.mcap``.
        :param on_message: called with each message that is written.
        """
        super().__init__()
        self.folder, self.name = folder, name
        self.segments = list(segments)
        self._on_message = on_message or (lambda *_: None)
        self._connections: list[Connection] = []
        self._number: dict[Connection, int] = {}
        self._file: IO[bytes] | None = None
        self._writer: Any = None  # of the part that is being written, like those below
        self._channels: dict[int, int] = {}
        self._schemas: dict[tuple[str, bytes], int] = {}
        self._counts: Counter[int] = Counter()
        self._range = (1 << 63, 0)

    def declare(self, topic: str, msgtype: str) -> None:
        """Add a topic of a type that this package knows; it is listed even without a message."""
        self.add(self._known(topic, msgtype))

    def add(self, one: Connection) -> None:
        """Add a connection with its definition and QoS as they were recorded.

        The order must be the same in every run, since `Segment.counts` refers to it.
        """
        if one not in self._number:
            self._number[one] = len(self._connections)
            self._connections.append(one)

    def topics(self) -> list[str]:
        """Return the topics in the order of their declaration."""
        return list(dict.fromkeys(one.topic for one in self._connections))

    def write(self, topic: str, msgtype: str, cdr: bytes, log_ns: int) -> None:
        """Append a serialized message; a negative time becomes 0, as mcap has none before 1970."""
        self.write_to(self._known(topic, msgtype), cdr, log_ns)

    def write_to(self, one: Connection, data: bytes, log_ns: int) -> None:
        """Append a message as it was recorded.

        :raises OutputError: if the disk fails; the part that was being written is then given up.
        """
        self.add(one)
        log_ns = max(log_ns, 0)
        with self._kept_whole():
            self._open()
            number = self._number[one]
            if number not in self._channels:
                self._register(one)
            self._writer.add_message(self._channels[number], log_ns, data, log_ns,
                                     self._counts[number])
        self._counts[number] += 1
        self._range = (min(self._range[0], log_ns), max(self._range[1], log_ns))
        self._on_message(one, log_ns, data)

    def attach(self, one: Attachment) -> None:
        """Add a file."""
        with self._kept_whole():
            self._open()
            self._writer.add_attachment(create_time=one.create_ns, log_time=one.log_ns,
                                        name=one.name, media_type=one.media_type, data=one.data)

    def add_metadata(self, name: str, entries: Mapping[str, str]) -> None:
        """Add a metadata record of mcap."""
        with self._kept_whole():
            self._open()
            self._writer.add_metadata(name, dict(entries))

    def split(self) -> None:
        """Close the part that is being written; without one it does nothing.

        :raises OutputError: if the disk fails.
        """
        if self._file is None:
            return
        with self._kept_whole():
            for one in self._connections:
                if self._number[one] not in self._channels:
                    self._register(one)
            part = Path(self._file.name)
            path = part.with_name(part.name.removesuffix(PART))
            counts = {str(number): count for number, count in sorted(self._counts.items())}
            start, end = self._range if counts else (0, 0)
            made = Segment(path.name, start, end, counts)
            # by which rosbag2 knows how the profiles are written, and reads the file by itself
            self._writer.add_metadata('rosbag2', {'serialized_metadata': yaml.safe_dump(
                self._metadata([made], {}), sort_keys=False)})
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.rename(part, path)
            self._file = None
            made.fingerprint = fingerprint(path)
            self.segments.append(made)

    def abandon(self) -> None:
        """Give up the part that is being written."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                os.unlink(self._file.name)
            self._file = None

    def write_metadata(self, custom: Mapping[str, str]) -> None:
        """Close the last part, write metadata.yaml and mark the bag as whole.

        :param custom: entries for the user's part of the metadata.
        :raises OutputError: if the disk fails.
        """
        self.split()
        with self._kept_whole():
            about = {'rosbag2_bagfile_information': self._metadata(
                self.segments, {**custom, TOOL: UNSEALED})}
            text = yaml.safe_dump(about, sort_keys=False, allow_unicode=True)
            (self.folder / 'metadata.yaml').write_text(text)
            seal_bag(self.folder)

    def _known(self, topic: str, msgtype: str) -> Connection:
        one = Connection(topic, msgtype, CDR)
        if one in self._number:
            return one
        text, _ = self._types.generate_msgdef(msgtype, ros_version=2)
        return Connection(topic, msgtype, CDR, 'ros2msg', text.encode())

    def _open(self) -> None:
        if self._file is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f'{self.name}_{len(self.segments)}.mcap{PART}'
        self._file = path.open('wb')
        self._channels, self._schemas = {}, {}
        self._counts, self._range = Counter(), (1 << 63, 0)
        self._writer = Writer(self._file, chunk_size=CHUNK_BYTES, compression=CompressionType.NONE)
        self._writer.start(profile='ros2', library=TOOL)

    def _register(self, one: Connection) -> None:
        key = one.msgtype, one.definition
        if key not in self._schemas:
            self._schemas[key] = self._writer.register_schema(
                one.msgtype, one.schema_encoding, one.definition)
        self._channels[self._number[one]] = self._writer.register_channel(
            one.topic, one.encoding, self._schemas[key],
            {'offered_qos_profiles': _qos_text(one.qos)})

    def _metadata(self, segments: Sequence[Segment], custom: Mapping[str, str]) -> dict[str, Any]:
        totals: Counter[int] = Counter()
        for segment in segments:
            totals.update({int(number): count for number, count in segment.counts.items()})
        filled = [segment for segment in segments if segment.counts]
        start = min((segment.start_ns for segment in filled), default=0)
        end = max((segment.end_ns for segment in filled), default=0)
        return {
            'version': VERSION, 'storage_identifier': 'mcap',
            'duration': {'nanoseconds': end - start},
            'starting_time': {'nanoseconds_since_epoch': start},
            'message_count': totals.total(),
            'topics_with_message_count': [
                {'topic_metadata': {
                    'name': one.topic, 'type': one.msgtype, 'serialization_format': one.encoding,
                    'offered_qos_profiles': _qos_text(one.qos),
                    'type_description_hash': self._type_hash(one)},
                 'message_count': totals[number]}
                for number, one in enumerate(self._connections)],
            'compression_format': '', 'compression_mode': '',
            'relative_file_paths': [segment.file for segment in segments],
            'files': [
                {'path': segment.file,
                 'starting_time': {'nanoseconds_since_epoch': segment.start_ns},
                 'duration': {'nanoseconds': segment.end_ns - segment.start_ns},
                 'message_count': sum(segment.counts.values())} for segment in segments],
            'custom_data': dict(custom), 'ros_distro': TOOL}

    def _type_hash(self, one: Connection) -> str:
        try:
            return str(self._types.hash_rihs01(one.msgtype))
        except Exception:  # a type that the library does not know
            return ''

    @contextmanager
    def _kept_whole(self) -> Iterator[None]:
        """Give the part that is being written up if the disk fails."""
        try:
            yield
        except OSError as error:
            self.abandon()
            raise OutputError(self.folder, error, '; what is whole of it is kept') from error


def qos_fault(text: str) -> str:
    """Return why recorded QoS profiles cannot be read, or ''."""
    try:
        parse_qos(text)
    except Exception as error:  # YAML of any shape
        return reason(error)
    return ''


def _qos(text: str) -> list[Any]:
    try:
        return list(parse_qos(text))
    except Exception:  # as in `qos_fault`
        return []


def _qos_text(text: str) -> str:
    """Return recorded profiles as version 8 has them: text of numbers."""
    profiles = _qos(text)
    return dump_qos_v8(profiles) if profiles else text if qos_fault(text) else ''
