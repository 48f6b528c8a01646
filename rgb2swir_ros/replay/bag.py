"""Read the cameras of ROS recordings (mcap, sqlite3, ROS 1) without ROS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.imaging.raw import ImageFields
from rgb2swir_ros.replay.cameras import (
    COMPRESSED,
    INFO,
    RAW,
    cameras,
    choose,
    image_connections,
    listing,
)
from rgb2swir_ros.replay.frames import CompressedImage, FootageError, Frame
from rgb2swir_ros.replay.infos import Pairing
from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.storage.base import ROS1, Connection, Message, Wanted, reason
from rgb2swir_ros.replay.storage.recording import Recording
from rgb2swir_ros.replay.storage.recording import is_recording as is_bag
from rgb2swir_ros.replay.window import FOREVER, WHOLE, Window

__all__ = ['COMPRESSED', 'INFO', 'RAW', 'BagSource', 'CameraBag', 'is_bag', 'stamp_ns']


def stamp_ns(cdr: bytes) -> int:
    """Return the header stamp in nanoseconds of a serialized message that begins with a header.

    The CDR encapsulation has four bytes; the second is the byte order (1: little endian);
    ``std_msgs/Header`` begins with ``int32 sec`` and ``uint32 nanosec``.

    :raises ValueError: if there are too few bytes.
    """
    if len(cdr) < 12:
        raise ValueError(f'{len(cdr)} bytes are too few for a message with a header')
    order = 'little' if cdr[1] & 1 else 'big'
    seconds = int.from_bytes(cdr[4:8], order, signed=True)  # type: ignore[arg-type]
    return seconds * 10**9 + int.from_bytes(cdr[8:12], order)  # type: ignore[arg-type]


class CameraBag:
    """The cameras of a bag.

    :ivar cameras: the cameras that are read.
    :ivar left_out: (topic, reason) of each other image topic.
    :ivar count: number of frames, None if it is not known before they are read.
    :ivar recording: what the bag holds besides.
    :ivar faults: what could not be read, a short text each; complete when :meth:`items` has ended.
    """

    kind = 'bag'

    def __init__(self, path: Path, topics: Sequence[str] = (),
                 true_swir: str = '') -> None:
        """Open the bag and find its cameras.

        :param path: a folder with metadata.yaml, or a file (``.mcap``, ``.db3``, ``.bag``).
        :param topics: the image topics to read; by default every colour camera.
        :param true_swir: the topic of a SWIR camera, which is none of those.
        :raises FootageError: if nothing can be read, if there is no camera or no camera of a given
            name, or if a camera has no message.
        """
        self.path = path
        self._types = message_types()
        self.recording = Recording(path)
        self.faults: list[str] = []
        connections = self.recording.connections
        images = image_connections(connections)
        if not images:
            raise FootageError(f"the bag '{path}' has no topic of type {RAW} or {COMPRESSED}; "
                               f'it has {listing(connections)}' + self._damage())
        looks = self._first_looks(images)
        self.left_out: list[tuple[str, str]] = []
        if topics:
            chosen = [self._named(topic, images, looks) for topic in topics]
        else:
            chosen, self.left_out = choose(images, looks)
            self.left_out += [(c.topic, 'true SWIR') for c in chosen if c.topic == true_swir]
            chosen = [c for c in chosen if c.topic != true_swir]
        if not chosen:
            raise FootageError(self._no_camera(connections, images, looks) + self._damage())
        self.cameras = cameras(list(dict.fromkeys(chosen)), connections)
        counts = [camera.connection.count for camera in self.cameras]
        known = [count for count in counts if count is not None]
        self.count: int | None = sum(known) if len(known) == len(counts) else None

    def frames(self) -> Iterator[Frame]:
        """Yield the cameras' messages in recorded order, each with its CameraInfo if there is one.

        :raises FootageError: at the end, if not everything could be read.
        """
        for item in self.items():
            assert isinstance(item, Frame)
            yield item
        if self.faults:
            raise FootageError(f"the bag '{self.path}' could not be read whole: "
                               f'{"; ".join(self.faults)}')

    def items(self, window: Window = WHOLE,
              others: Wanted = lambda _: False) -> Iterator[Frame | Message]:
        """Yield the cameras' frames, and the messages of other connections as they are stored.

        Each topic is in recorded order; a frame comes a few messages late, after its CameraInfo.
        The frames of a window are the same as those of the whole bag: their CameraInfo may lie
        before it or after it.

        :param window: which record times.
        :param others: chooses the connections; those of cameras and CameraInfos may be among
            them.
        """
        pairs = {camera.topic: Pairing(bool(camera.info)) for camera in self.cameras}
        by_connection = {camera.connection: camera for camera in self.cameras}
        by_info: dict[str, list[str]] = {}
        for camera in self.cameras:
            by_info.setdefault(camera.info, []).append(camera.topic)
        read: Counter[str] = Counter()
        refused: dict[str, list[str]] = {}

        def used(one: Connection) -> bool:
            return one in by_connection or (one.msgtype == INFO and one.topic in by_info)

        def wanted(one: Connection) -> bool:
            return used(one) or others(one)

        def past(log_ns: int) -> bool:
            return window.is_past(log_ns) and not any(
                pair.waits_before(window.end_ns) for pair in pairs.values())

        for message in self.recording.messages(wanted, past if window.end_ns < FOREVER else None):
            connection, log_ns, data = message
            if log_ns in window and others(connection):
                yield message
            if not used(connection):
                continue
            topic = connection.topic
            read[topic] += 1
            try:
                cdr = self._cdr(connection, data)
                if connection in by_connection:
                    frame = self._frame(connection, cdr, read[topic] - 1, log_ns)
                    ready = pairs[topic].see_image(frame)
                else:
                    stamp = self._stamp(cdr)
                    ready = (frame for camera_topic in by_info[topic]
                             for frame in pairs[camera_topic].see_info(stamp, cdr))
            except _Malformed as error:
                refused.setdefault(topic, []).append(str(error))
                continue
            yield from (frame for frame in ready if frame.log_ns in window)
        for pair in pairs.values():
            yield from (frame for frame in pair.rest() if frame.log_ns in window)
        self.faults = self._faults(read, refused, whole=window.end_ns == FOREVER)

    def _faults(self, read: Counter[str], refused: dict[str, list[str]], *,
                whole: bool) -> list[str]:
        """Return what could not be read, a short text each."""
        faults = list(self.recording.faults)
        for topic, reasons in refused.items():
            faults.append(f'{len(reasons)} messages of {topic} are malformed ({reasons[0]})')
        for camera in self.cameras:
            count = camera.connection.count
            if whole and count is not None and read[camera.topic] < count:
                faults.append(f'{camera.topic} has {read[camera.topic]} of the {count} messages '
                              'that it announces')
        return faults

    def _cdr(self, connection: Connection, data: bytes) -> bytes:
        if connection.encoding != ROS1:
            return data
        try:
            return bytes(self._types.ros1_to_cdr(data, connection.msgtype))
        except Exception as error:  # malformed bytes raise errors of many kinds
            raise _Malformed(reason(error)) from error

    def _stamp(self, info: bytes) -> int:
        """Return the stamp of a CameraInfo that is known to be readable."""
        try:
            self._types.deserialize_cdr(info, INFO)
            return stamp_ns(info)
        except Exception as error:  # as in _frame
            raise _Malformed(reason(error)) from error

    def _frame(self, connection: Connection, cdr: bytes, index: int, log_ns: int) -> Frame:
        try:
            message: Any = self._types.deserialize_cdr(cdr, connection.msgtype)
        except Exception as error:  # malformed bytes raise errors of many kinds
            raise _Malformed(f'frame {index}: {reason(error)}') from error
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        content: ImageFields | CompressedImage
        if connection.msgtype == RAW:
            content = ImageFields(message.height, message.width, message.encoding,
                                  message.is_bigendian, message.step, message.data)
        else:
            content = CompressedImage(message.format, message.data.tobytes())
        return Frame(stamp, message.header.frame_id, connection.topic, content,
                     f'frame {index}', cdr, log_ns=log_ns)

    def _first_looks(self, images: Sequence[Connection]) -> dict[Connection, str]:
        """Return the encoding or format of each topic's first readable message."""
        missing = {one for one in images if one.count != 0}
        looks: dict[Connection, str] = {}
        if not missing:
            return looks
        for connection, log_ns, data in self.recording.messages(missing.__contains__):
            if connection not in looks:
                try:
                    frame = self._frame(connection, self._cdr(connection, data), 0, log_ns)
                except _Malformed:
                    continue
                content = frame.content
                looks[connection] = (content.encoding if isinstance(content, ImageFields)
                                     else getattr(content, 'format', ''))
                missing.discard(connection)
            if not missing:
                break
        return looks

    def _named(self, topic: str, images: Sequence[Connection],
               looks: dict[Connection, str]) -> Connection:
        """Return the connection of a requested topic."""
        found = [one for one in images if one.topic in (f'/{topic}', topic)]
        if not found:
            raise FootageError(
                f"the bag '{self.path}' has no image topic '{topic}'; its image topics: "
                + ', '.join(dict.fromkeys(one.topic for one in images)))
        for one in found:
            if one in looks:
                return one
        raise FootageError(f"topic {found[0].topic} of the bag '{self.path}' holds no message "
                           f'that can be read; it has {listing(self.recording.connections)}'
                           + self._damage())

    def _no_camera(self, connections: Sequence[Connection], images: Sequence[Connection],
                   looks: dict[Connection, str]) -> str:
        if not looks:
            topics = ', '.join(dict.fromkeys(one.topic for one in images))
            return (f"topic {topics} of the bag '{self.path}' holds no message that can be read; "
                    f'it has {listing(connections)}')
        shown = ', '.join(f'{topic} ({why})' for topic, why in self.left_out)
        return (f"the bag '{self.path}' has no colour camera: {shown}; --topic translates one of "
                'them all the same')

    def _damage(self) -> str:
        faults = self.recording.faults
        return f'; it is damaged: {"; ".join(faults)}' if faults else ''


class BagSource(CameraBag):
    """The frames of one image topic of a bag.

    :ivar topic: that topic.
    """

    def __init__(self, path: Path, topic: str | None = None) -> None:
        """Open the bag and find its camera.

        :param topic: which image topic; needed if there are several cameras.
        :raises FootageError: as :class:`CameraBag`, and if there are several and none was named.
        """
        super().__init__(path, () if topic is None else (topic,))
        if len(self.cameras) > 1:
            raise FootageError(f"the bag '{path}' has several image topics: "
                               + ', '.join(camera.topic for camera in self.cameras)
                               + '; choose one with --topic')
        self.topic = self.cameras[0].topic


class _Malformed(Exception):
    """A message does not fit its type."""
