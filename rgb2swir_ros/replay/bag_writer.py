"""Write bags (mcap) that `ros2 bag` and Foxglove open, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError

from rgb2swir_ros.errors import OutputError
from rgb2swir_ros.marks import TOOL, UNSEALED, seal_bag
from rgb2swir_ros.ownership import place_folder, require_free, workspace
from rgb2swir_ros.replay.message_writer import DIAGNOSTICS, MessageWriter

__all__ = ['DIAGNOSTICS', 'BagWriter']
VERSION = 9  # the metadata version that Jazzy writes


class BagWriter(MessageWriter):
    """A bag folder with one mcap file, the definition of every type inside it, and metadata.yaml.

    It is written in a hidden folder beside the target, and gets its name when it is closed. If the
    block ends by an exception, the bag is closed as well and holds what was written. If the disk
    fails (it is full), nothing is kept, since there is no space for the index. After a kill the
    hidden folder remains; ``mcap recover`` reads its mcap file.
    """

    def __init__(self, folder: Path, *, replace: bool = True) -> None:
        """Start the bag.

        :param folder: the bag to make.
        :param replace: whether a bag that is as this tool wrote it may be replaced at the end;
            any other target never is.
        :raises UserError: if the target may not be replaced, or cannot be written.
        """
        super().__init__()
        require_free([folder], overwrite=replace)
        self.folder = folder
        self._replace = replace
        self._failed = self._closed = False
        self._connections: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self._open = ExitStack()
        try:
            parent = self._open.enter_context(workspace(folder))
            self._writer = Writer(parent / folder.name, version=VERSION,
                                  storage_plugin=StoragePlugin.MCAP)
            self._writer.set_custom_data(TOOL, UNSEALED)
            self._writer.open()
        except (OSError, WriterError) as error:
            self._open.close()
            raise OutputError(folder, error) from error

    def declare(self, topic: str, msgtype: str) -> None:
        """Add a topic, so that it is listed even without a message."""
        if topic not in self._connections:
            with self._kept_whole():
                self._connections[topic] = self._writer.add_connection(
                    topic, msgtype, typestore=self._types)
            self.counts[topic] = 0

    def write(self, topic: str, msgtype: str, cdr: bytes, log_ns: int) -> None:
        """Append a serialized message.

        :param log_ns: record time in nanoseconds; a negative one becomes 0, since mcap has no time
            before 1970.
        :raises OutputError: if the disk fails; nothing of the bag is then kept.
        """
        self.declare(topic, msgtype)
        with self._kept_whole():
            self._writer.write(self._connections[topic], max(log_ns, 0), cdr)
        self.counts[topic] += 1

    def close(self) -> None:
        """Write index and metadata, and rename the bag to its target; idempotent.

        :raises OutputError: if the disk fails, or the target has appeared meanwhile.
        """
        opened, self._open = self._open, ExitStack()
        with opened:
            if self._closed or self._failed:
                return
            self._closed = True
            with self._kept_whole():
                self._writer.close()
                seal_bag(self._writer.path)
                place_folder(self._writer.path, self.folder, replace=self._replace)

    @contextmanager
    def _kept_whole(self) -> Iterator[None]:
        """Keep nothing of the bag if the disk fails, since it would have no index."""
        try:
            yield
        except OSError as error:
            self._failed = True
            with suppress(OSError, AttributeError):
                self._writer.storage.abort()
            self._open.close()
            raise OutputError(self.folder, error, '; the unfinished bag is removed') from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
