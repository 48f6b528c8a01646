"""Read image topics of ROS 2 bags (mcap and sqlite3) without ROS."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.replay.frames import CompressedImage, FootageError, Frame, RawImage

RAW = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
STORAGES = ('.mcap', '.db3')
# A CameraInfo has its image's stamp by convention, and may be recorded before or after it: an
# image waits for so many later ones before it goes without, so that no bag is read twice.
PATIENCE = 2
KEPT_INFOS = 100


def is_bag(path: Path) -> bool:
    """Say whether a path is a bag: a storage file, or a folder with one or a metadata.yaml."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file() or any(_storages(path))
    return path.suffix.lower() in STORAGES


def stamp_ns(cdr: bytes) -> int:
    """Return the header stamp in nanoseconds of a serialized message that begins with a header.

    The CDR encapsulation is four bytes, its second says the byte order (1: little endian);
    ``std_msgs/Header`` begins with ``int32 sec`` and ``uint32 nanosec``.

    :raises ValueError: if there are too few bytes.
    """
    if len(cdr) < 12:
        raise ValueError(f'{len(cdr)} bytes are too few for a message with a header')
    order = 'little' if cdr[1] & 1 else 'big'
    seconds = int.from_bytes(cdr[4:8], order, signed=True)  # type: ignore[arg-type]
    return seconds * 10**9 + int.from_bytes(cdr[8:12], order)  # type: ignore[arg-type]


class BagSource:
    """The frames of one image topic of a bag."""

    kind = 'bag'

    def __init__(self, path: Path, topic: str | None = None) -> None:
        """Open the bag and find its image topic.

        :param path: the bag's folder, or its bare ``.mcap`` or ``.db3`` file.
        :param topic: which image topic; needed if there are several.
        :raises FootageError: if the bag is unreadable, or has no image topic, or several and
            none was named, or not the one that was named, or no message on it.
        """
        self.path = path
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._file = _readable_path(path)
        with _Opened(self._file) as reader:
            connections = list(reader.connections)
        self.topic, self._type = _choose(connections, topic, path)
        self.count: int | None = sum(c.msgcount for c in connections
                                     if (c.topic, c.msgtype) == (self.topic, self._type))
        self._info = _info_topic(connections, self.topic)
        if not self.count:
            raise FootageError(f"topic {self.topic} of the bag '{path}' holds no message; "
                               f"it has {_listing(connections)}")

    def frames(self) -> Iterator[Frame]:
        """Yield the topic's messages in recorded order, each with its CameraInfo if there is one.

        :raises FootageError: where the bag cannot be read any further.
        """
        waiting: deque[Frame] = deque()
        infos: dict[int, bytes] = {}
        broken: FootageError | None = None
        read = 0
        with _Opened(self._file) as reader:
            messages = self._messages(reader)
            while True:
                try:
                    item = next(messages, None)
                except FootageError as error:
                    item, broken = None, error
                if isinstance(item, Frame):
                    waiting.append(item)
                    read += 1
                elif item is not None:
                    infos[stamp_ns(item)] = item
                while waiting and (item is None or not self._info or len(waiting) > PATIENCE
                                   or waiting[0].stamp_ns in infos):
                    frame = waiting.popleft()
                    yield replace(frame, info_cdr=infos.get(frame.stamp_ns))
                while len(infos) > KEPT_INFOS:
                    del infos[next(iter(infos))]
                if item is None:
                    break
        if broken is not None:
            raise broken
        if self.count is not None and read < self.count:
            raise FootageError(f"the bag '{self.path}' ends early: {read} of the {self.count} "
                               f'messages it announces on {self.topic}')

    def _messages(self, reader: Reader) -> Iterator[Frame | bytes]:
        """Yield the images as frames and the CameraInfos serialized, as they come."""
        wanted = [c for c in reader.connections if (c.topic, c.msgtype) in (
            (self.topic, self._type), (self._info, INFO))]
        messages = reader.messages(connections=wanted)
        read = 0
        while True:
            try:
                item = next(messages, None)
                if item is None:
                    return
                connection, log_ns, cdr = item
                if connection.topic == self.topic:
                    found: Frame | bytes = self._frame(bytes(cdr), read, log_ns)
                    read += 1
                else:
                    stamp_ns(cdr)
                    found = bytes(cdr)
            except Exception as error:
                # the library raises whatever its parsers meet: struct, zstd, sqlite, assert
                raise FootageError(f"the bag '{self.path}' cannot be read past frame {read}: "
                                   f'{_text(error)}') from error
            yield found

    def _frame(self, cdr: bytes, index: int, log_ns: int) -> Frame:
        message: Any = self._types.deserialize_cdr(cdr, self._type)
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        content: RawImage | CompressedImage
        if self._type == RAW:
            content = RawImage(message.height, message.width, message.encoding,
                               message.is_bigendian, message.step, message.data)
        else:
            content = CompressedImage(message.format, message.data.tobytes())
        return Frame(stamp, message.header.frame_id, self.topic, content,
                     f'frame {index}', cdr, log_ns=log_ns)


class _Opened:
    """A bag's reader, opened and closed; whatever the library raises as a FootageError."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Reader:
        try:
            self._reader = Reader(self._path)
            self._reader.open()
        except Exception as error:
            raise FootageError(f"the bag '{self._path}' cannot be opened: {_text(error)}; if its "
                               'recording was cut off, `mcap recover` or `ros2 bag reindex` may '
                               'save it') from error
        return self._reader

    def __exit__(self, *_: object) -> None:
        self._reader.close()


def _storages(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.lower() in STORAGES)


def _readable_path(path: Path) -> Path:
    """Return what to open: a folder without metadata.yaml is read through its only storage."""
    if path.is_dir() and not (path / 'metadata.yaml').is_file():
        storages = _storages(path)
        if len(storages) != 1:
            names = ', '.join(p.name for p in storages)
            raise FootageError(f"the folder '{path}' has no metadata.yaml and several storage "
                               f'files ({names}): name one of them, or run `ros2 bag reindex`')
        return storages[0]
    return path


def _choose(connections: list[Any], topic: str | None, path: Path) -> tuple[str, str]:
    images = sorted({(c.topic, c.msgtype) for c in connections if c.msgtype in (RAW, COMPRESSED)})
    if not images:
        raise FootageError(f"the bag '{path}' has no topic of type {RAW} or {COMPRESSED}; "
                           f'it has {_listing(connections)}')
    if topic is not None:
        wanted = topic if topic.startswith('/') else f'/{topic}'
        found = [image for image in images if image[0] in (wanted, topic)]
        if not found:
            raise FootageError(f"the bag '{path}' has no image topic '{topic}'; its image topics: "
                               + ', '.join(name for name, _ in images))
        return found[0]
    if len(images) > 1:
        raise FootageError(f"the bag '{path}' has several image topics: "
                           + ', '.join(name for name, _ in images)
                           + '; choose one with --topic')
    return images[0]


def _info_topic(connections: list[Any], topic: str) -> str:
    """Return the CameraInfo topic beside an image topic: ``C/image_raw[/compressed]`` has
    ``C/camera_info``."""
    base = topic.removesuffix('/compressed').rpartition('/')[0]
    names = {c.topic for c in connections if c.msgtype == INFO}
    return f'{base}/camera_info' if f'{base}/camera_info' in names else ''


def _listing(connections: list[Any]) -> str:
    shown = [f'{c.topic} ({c.msgtype}, {c.msgcount})' for c in connections]
    return ', '.join(shown) if shown else 'no topic at all'


def _text(error: BaseException) -> str:
    return ' '.join(str(error).split()) or type(error).__name__
