"""Copy the rest of a recording: every other topic as it was stored, unparsed, with its QoS.

Messages of ROS 1 are the exception: rosbag2 knows no ``ros1`` serialization, so they are converted
by the definitions that the bag itself holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rgb2swir_ros.replay.storage.base import CDR, ROS1, Connection, Message, reason


class Copier:
    """Chooses the connections that are copied, and converts those of ROS 1.

    :ivar left_out: by topic, why it is not copied.
    :ivar failed: by topic, messages that could not be converted, and the first error.
    """

    def __init__(self, connections: Sequence[Connection], taken: set[str]) -> None:
        """Choose.

        :param connections: of the recording.
        :param taken: topics that the output has already.
        """
        self.left_out: dict[str, str] = {}
        self.failed: dict[str, tuple[int, str]] = {}
        self._outputs: dict[Connection, Connection] = {}
        self._counts: Counter[str] = Counter()
        self._types = get_typestore(Stores.ROS2_JAZZY)
        for one in connections:
            if one.topic in taken:
                self.left_out[one.topic] = 'this run writes that topic'
            elif not one.msgtype:
                self.left_out[one.topic] = f'it has no type ({one.encoding or "no encoding"})'
            elif one.encoding == ROS1:
                self._add_ros1(one)
            else:
                self._outputs[one] = self._defined(one)

    @property
    def outputs(self) -> list[Connection]:
        """Return the connections of the output, in the order of the recording."""
        return list(self._outputs.values())

    def wants(self, one: Connection) -> bool:
        """Return whether a connection is copied."""
        return one in self._outputs

    def convert(self, message: Message) -> Message | None:
        """Return a message as it is written; None, counted, if it cannot be converted."""
        one = message.connection
        target = self._outputs[one]
        if one.encoding != ROS1:
            return message._replace(connection=target)
        try:
            data = bytes(self._types.ros1_to_cdr(message.data, one.msgtype))
            if not self._counts[one.topic]:
                self._require_same_fields(one, message.data, data)
        except Exception as error:  # malformed bytes raise errors of many kinds
            count, first = self.failed.get(one.topic, (0, reason(error)))
            self.failed[one.topic] = count + 1, first
            return None
        self._counts[one.topic] += 1
        return message._replace(connection=target, data=data)

    def faults(self) -> list[str]:
        """Return what could not be copied, a line a topic."""
        return [f'{count} messages of {topic} cannot be converted to ROS 2 ({first})'
                for topic, (count, first) in self.failed.items()]

    def _defined(self, one: Connection) -> Connection:
        """Return a connection with its definition, if it was stored without and is known here."""
        if one.definition or one.encoding != CDR:
            return one
        try:
            text, _ = self._types.generate_msgdef(one.msgtype, ros_version=2)
        except Exception:  # a type that the library does not know stays without
            return one
        return replace(one, schema_encoding='ros2msg', definition=text.encode())

    def _add_ros1(self, one: Connection) -> None:
        try:
            found = get_types_from_msg(one.definition.decode(), one.msgtype)
            self._types.register({name: fields for name, fields in found.items()
                                  if name not in self._types.fielddefs})
            text, _ = self._types.generate_msgdef(one.msgtype, ros_version=2)
        except Exception as error:  # definitions of any shape
            self.left_out[one.topic] = f'its ROS 1 definition cannot be read: {reason(error)}'
            return
        self._outputs[one] = Connection(one.topic, one.msgtype, CDR, 'ros2msg', text.encode(),
                                        one.qos, one.count)

    def _require_same_fields(self, one: Connection, before: bytes, after: bytes) -> None:
        """Check by the way back that ROS 2's type has the fields of ROS 1's.

        A header's ``seq`` does not exist in ROS 2, so only lengths can be compared.

        :raises ValueError: if it has not.
        """
        if len(self._types.cdr_to_ros1(after, one.msgtype)) != len(before):
            raise ValueError(f'{one.msgtype} has other fields in ROS 2')
