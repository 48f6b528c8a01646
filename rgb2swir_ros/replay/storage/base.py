"""The interface of a storage of messages, and the order of messages from many blocks."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rgb2swir_ros.replay.frames import FootageError

CDR, ROS1 = 'cdr', 'ros1'


@dataclass(frozen=True)
class Connection:
    """A topic with messages of one type; several publishers of one topic are one connection.

    :param msgtype: as ROS 2 names it, such as ``sensor_msgs/msg/Image``; '' if it is not known.
    :param encoding: of the messages: ``cdr``, ``ros1``, ``protobuf``, ``json``, ...
    :param schema_encoding: of the definition: ``ros2msg``, ``ros2idl``, ``ros1msg``, ...; or ''.
    :param definition: the message's definition as it was stored, or empty.
    :param qos: the profiles that its publishers offered, as they were stored (YAML), or ''.
    :param count: number of messages; None if it is not known before they are read.
    """

    topic: str
    msgtype: str
    encoding: str
    schema_encoding: str = field(default='', compare=False)
    definition: bytes = field(default=b'', compare=False, repr=False)
    qos: str = field(default='', compare=False, repr=False)
    count: int | None = field(default=None, compare=False)


class Attachment(NamedTuple):
    """A file inside a recording: its name, media type and content; times in nanoseconds."""

    name: str
    media_type: str
    data: bytes
    log_ns: int = 0
    create_ns: int = 0


class Message(NamedTuple):
    """A recorded message, serialized; its record time in nanoseconds."""

    connection: Connection
    log_ns: int
    data: bytes


Wanted = Callable[[Connection], bool]


class Storage(Protocol):
    """One file of a recording.

    :param connections: its connections, also those without a message.
    :param faults: what cannot be read, a short text each; complete when :meth:`messages` has
        ended.
    :param in_time_order: whether :meth:`messages` keeps the order of time; without the times of
        its chunks an mcap or ROS 1 file is read in the order of its bytes.
    """

    connections: list[Connection]
    faults: list[str]
    in_time_order: bool

    def messages(self, wanted: Wanted) -> Iterator[Message]:
        """Yield the messages of some connections in the order of their record times."""
        ...


class Unreadable(FootageError):
    """A file is no recording of its kind, or nothing in it can be read."""


def ros_type(name: str) -> str:
    """Return a type's name as ROS 2 writes it: ``a/B`` of ROS 1 becomes ``a/msg/B``."""
    package, _, last = name.partition('/')
    return f'{package}/msg/{last}' if last and '/' not in last else name


def merged(connections: Iterable[Connection]) -> list[Connection]:
    """Return one connection for each topic, type and encoding, with the sum of the counts."""
    found: dict[Connection, Connection] = {}
    for one in connections:
        known = found.get(one)
        if known is None:
            found[one] = one
            continue
        count = None if one.count is None or known.count is None else one.count + known.count
        found[one] = Connection(
            one.topic, one.msgtype, one.encoding, known.schema_encoding or one.schema_encoding,
            known.definition or one.definition, known.qos or one.qos, count)
    return list(found.values())


Loaded = tuple[int, int, bytes]  # record time, channel, data


def in_order(starts: Sequence[int | None],
             load: Callable[[int], Iterable[Loaded]]) -> Iterator[Loaded]:
    """Yield the messages of many blocks in the order of their record times.

    A block is loaded when a message of its earliest time could be next, so that only blocks that
    overlap are in memory together.

    :param starts: the earliest record time in each block. If one is None, the blocks are taken in
        the order of the file, and only the messages of each block are sorted.
    :param load: returns the messages of a block by its number, in any order.
    """
    known = None not in starts
    order = sorted(range(len(starts)), key=lambda n: starts[n] or 0) if known else range(
        len(starts))
    waiting: list[tuple[int, int, int, bytes]] = []
    serial = 0
    for number in order:
        start = starts[number] if known else None
        while waiting and (start is None or waiting[0][0] < start):
            log_ns, _, channel, data = heapq.heappop(waiting)
            yield log_ns, channel, data
        for log_ns, channel, data in load(number):
            heapq.heappush(waiting, (log_ns, serial, channel, data))
            serial += 1
    while waiting:
        log_ns, _, channel, data = heapq.heappop(waiting)
        yield log_ns, channel, data


def reason(error: BaseException) -> str:
    """Return an error's text in one line, or its type if it has no text."""
    return ' '.join(str(error).split()) or type(error).__name__
