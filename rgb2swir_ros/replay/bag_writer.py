"""Write bags (mcap) that `ros2 bag` and Foxglove open, without ROS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.errors import OutputError
from rgb2swir_ros.marks import TOOL, UNSEALED, seal_bag
from rgb2swir_ros.ownership import place_folder, require_free, workspace
from rgb2swir_ros.replay.cameras import COMPRESSED, INFO, RAW

DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
VERSION = 9  # the metadata version that Jazzy writes


class BagWriter:
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
        require_free([folder], overwrite=replace)
        self.folder = folder
        self._replace = replace
        self._failed = self._closed = False
        self._types = get_typestore(Stores.ROS2_JAZZY)
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

    def write_image(self, topic: str, stamp_ns: int, frame_id: str, fields: Any,
                    log_ns: int | None = None) -> None:
        """Append a ``sensor_msgs/Image``.

        :param fields: height, width, encoding, is_bigendian, step, data (a buffer of bytes).
        :param log_ns: where on the bag's time line; by default at its stamp.
        """
        message = self._types.types[RAW](
            header=self._header(stamp_ns, frame_id), height=fields.height, width=fields.width,
            encoding=fields.encoding, is_bigendian=int(fields.is_bigendian), step=fields.step,
            data=np.frombuffer(fields.data, np.uint8))
        self._serialize(topic, RAW, message, stamp_ns if log_ns is None else log_ns)

    def write_compressed(self, topic: str, stamp_ns: int, frame_id: str, data: bytes,
                         codec: str) -> None:
        """Append a ``sensor_msgs/CompressedImage`` of encoded bytes and their format text."""
        message = self._types.types[COMPRESSED](
            header=self._header(stamp_ns, frame_id), format=codec,
            data=np.frombuffer(data, np.uint8))
        self._serialize(topic, COMPRESSED, message, stamp_ns)

    def write_camera_info(self, topic: str, stamp_ns: int, frame_id: str, fields: Any,
                          log_ns: int | None = None) -> None:
        """Append a ``sensor_msgs/CameraInfo``.

        :param fields: height, width, distortion_model, d, k, r, p, binning_x, binning_y and roi
            (x_offset, y_offset, height, width, do_rectify).
        :param log_ns: where on the bag's time line; by default at its stamp.
        """
        roi = fields.roi
        numbers = {name: np.asarray(getattr(fields, name), np.float64) for name in 'dkrp'}
        message = self._types.types[INFO](
            header=self._header(stamp_ns, frame_id), height=fields.height, width=fields.width,
            distortion_model=fields.distortion_model, binning_x=fields.binning_x,
            binning_y=fields.binning_y, **numbers,
            roi=self._types.types['sensor_msgs/msg/RegionOfInterest'](
                x_offset=roi.x_offset, y_offset=roi.y_offset, height=roi.height,
                width=roi.width, do_rectify=roi.do_rectify))
        self._serialize(topic, INFO, message, stamp_ns if log_ns is None else log_ns)

    def write_diagnostics(self, topic: str, stamp_ns: int, name: str,
                          values: dict[str, str]) -> None:
        """Append a ``diagnostic_msgs/DiagnosticArray`` of one OK status."""
        types = self._types.types
        status = types['diagnostic_msgs/msg/DiagnosticStatus'](
            level=0, name=name, message='', hardware_id='', values=[
                types['diagnostic_msgs/msg/KeyValue'](key=key, value=value)
                for key, value in values.items()])
        self._serialize(topic, DIAGNOSTICS, types[DIAGNOSTICS](
            header=self._header(stamp_ns, ''), status=[status]), stamp_ns)

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

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        types = self._types.types
        seconds, nanoseconds = divmod(stamp_ns, 10**9)
        return types['std_msgs/msg/Header'](
            stamp=types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds),
            frame_id=frame_id)

    def _serialize(self, topic: str, msgtype: str, message: Any, log_ns: int) -> None:
        self.write(topic, msgtype, bytes(self._types.serialize_cdr(message, msgtype)), log_ns)
