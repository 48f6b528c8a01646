"""Write bags (mcap) that `ros2 bag` and Foxglove open, without ROS."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.rosbag2.errors import WriterError
from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.replay.bag import COMPRESSED, INFO, RAW

DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
VERSION = 9  # the metadata version that Jazzy writes


class BagWriter:
    """A bag folder with one mcap file, the definition of every type inside it, and metadata.yaml.

    It is written in a hidden folder beside the target and takes its name when closed, also when
    the block ends by an exception: what was written until then can be read. After a kill the
    hidden folder remains, its mcap file readable by ``mcap recover``.
    """

    def __init__(self, folder: Path) -> None:
        """Start the bag.

        :param folder: the bag to make; a bag that is already there is replaced at the end.
        :raises UserError: if something that is no bag is there, or the place cannot be written.
        """
        self.folder = folder
        refuse_foreign(folder)
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._connections: dict[str, Any] = {}
        self.counts: dict[str, int] = {}
        self._parent = folder.parent / f'.{folder.name}.partial-{os.getpid()}'
        try:
            shutil.rmtree(self._parent, ignore_errors=True)
            self._writer = Writer(self._parent / folder.name, version=VERSION,
                                  storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (OSError, WriterError) as error:
            raise UserError(f"the bag '{folder}' cannot be written: {error}") from error

    def declare(self, topic: str, msgtype: str) -> None:
        """Make a topic known, so that it is listed even if no message follows."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, msgtype, typestore=self._types)
            self.counts[topic] = 0

    def write(self, topic: str, msgtype: str, cdr: bytes, stamp_ns: int) -> None:
        """Append a serialized message.

        :param stamp_ns: where on the bag's time line, in nanoseconds.
        """
        self.declare(topic, msgtype)
        self._writer.write(self._connections[topic], stamp_ns, cdr)
        self.counts[topic] += 1

    def write_image(self, topic: str, stamp_ns: int, frame_id: str, fields: Any) -> None:
        """Append a ``sensor_msgs/Image``.

        :param fields: height, width, encoding, is_bigendian, step, data (a buffer of bytes).
        """
        message = self._types.types[RAW](
            header=self._header(stamp_ns, frame_id), height=fields.height, width=fields.width,
            encoding=fields.encoding, is_bigendian=int(fields.is_bigendian), step=fields.step,
            data=np.frombuffer(fields.data, np.uint8))
        self._serialize(topic, RAW, message, stamp_ns)

    def write_compressed(self, topic: str, stamp_ns: int, frame_id: str, data: bytes,
                         codec: str) -> None:
        """Append a ``sensor_msgs/CompressedImage`` of encoded bytes and their format text."""
        message = self._types.types[COMPRESSED](
            header=self._header(stamp_ns, frame_id), format=codec,
            data=np.frombuffer(data, np.uint8))
        self._serialize(topic, COMPRESSED, message, stamp_ns)

    def write_camera_info(self, topic: str, stamp_ns: int, frame_id: str, fields: Any) -> None:
        """Append a ``sensor_msgs/CameraInfo``.

        :param fields: height, width, distortion_model, d, k, r, p, binning_x, binning_y and roi
            (x_offset, y_offset, height, width, do_rectify).
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
        self._serialize(topic, INFO, message, stamp_ns)

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
        """Write index and metadata, and put the bag in its place; again it does nothing."""
        if not self._parent.exists():
            return
        self._writer.close()
        refuse_foreign(self.folder)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        os.replace(self._parent / self.folder.name, self.folder)
        self._parent.rmdir()

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

    def _serialize(self, topic: str, msgtype: str, message: Any, stamp_ns: int) -> None:
        self.write(topic, msgtype, bytes(self._types.serialize_cdr(message, msgtype)), stamp_ns)


def refuse_foreign(folder: Path) -> None:
    """Raise UserError if something is at the path that is no bag: it would be deleted."""
    if not folder.exists():
        return
    inside = {p.name for p in folder.iterdir()} if folder.is_dir() else None
    if inside is None or not all(name == 'metadata.yaml' or Path(name).suffix == '.mcap'
                                 for name in inside):
        raise UserError(f"'{folder}' exists and is not a bag of this tool: name another place")
