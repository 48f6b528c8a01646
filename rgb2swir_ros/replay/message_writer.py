"""Fill the messages that bags of this tool hold, without ROS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from rgb2swir_ros.replay.cameras import COMPRESSED, INFO, RAW
from rgb2swir_ros.replay.message_types import message_types

DIAGNOSTICS = 'diagnostic_msgs/msg/DiagnosticArray'
TIMING = '/translator/timing'  # how long each frame took; of a node with the default name


class MessageWriter(ABC):
    """Serializes messages of known types; a writer of bags derives from it."""

    def __init__(self) -> None:
        """Load the types of ROS 2."""
        self._types = message_types()

    @abstractmethod
    def write(self, topic: str, msgtype: str, cdr: bytes, log_ns: int) -> None:
        """Append a serialized message at a record time in nanoseconds."""

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
                          values: Mapping[str, str], log_ns: int | None = None) -> None:
        """Append a ``diagnostic_msgs/DiagnosticArray`` of one OK status."""
        types = self._types.types
        status = types['diagnostic_msgs/msg/DiagnosticStatus'](
            level=0, name=name, message='', hardware_id='', values=[
                types['diagnostic_msgs/msg/KeyValue'](key=key, value=value)
                for key, value in values.items()])
        self._serialize(topic, DIAGNOSTICS, types[DIAGNOSTICS](
            header=self._header(stamp_ns, ''), status=[status]),
            stamp_ns if log_ns is None else log_ns)

    def _header(self, stamp_ns: int, frame_id: str) -> Any:
        types = self._types.types
        seconds, nanoseconds = divmod(stamp_ns, 10**9)
        return types['std_msgs/msg/Header'](
            stamp=types['builtin_interfaces/msg/Time'](sec=seconds, nanosec=nanoseconds),
            frame_id=frame_id)

    def _serialize(self, topic: str, msgtype: str, message: Any, log_ns: int) -> None:
        self.write(topic, msgtype, bytes(self._types.serialize_cdr(message, msgtype)), log_ns)
