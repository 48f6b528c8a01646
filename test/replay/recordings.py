"""Recordings of six small images, and what is read of them."""

from __future__ import annotations

from pathlib import Path

from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError

from .footage import START, image, picture

IMAGE = 'sensor_msgs/msg/Image'
TIMES = [START + 10**8 * n for n in range(6)]
SMALL = (16, 18)


def messages() -> list[tuple[str, object]]:
    return [('/i', image(picture(n, SMALL), time)) for n, time in enumerate(TIMES)]


def stamps(path: Path) -> tuple[list[int], str]:
    """Return the stamps of the frames, and what is told of the damage."""
    found: list[int] = []
    try:
        found.extend(frame.stamp_ns for frame in BagSource(path).frames())
    except FootageError as error:
        return found, str(error)
    return found, ''


ROS1 = get_typestore(Stores.ROS1_NOETIC)


def ros1(message: object) -> bytes:
    """Return a ROS 2 message serialized as ROS 1 does: with a counter, D K R P in capitals."""
    kind = message.__msgtype__
    head = message.header
    fields = {name: getattr(message, name) for name in vars(message) if name != '__msgtype__'}
    fields['header'] = ROS1.types['std_msgs/msg/Header'](
        seq=7, stamp=ROS1.types['builtin_interfaces/msg/Time'](
            sec=head.stamp.sec, nanosec=head.stamp.nanosec), frame_id=head.frame_id)
    for name in {'d', 'k', 'r', 'p'} & fields.keys():
        fields[name.upper()] = fields.pop(name)
    return bytes(ROS1.serialize_ros1(ROS1.types[kind](**fields), kind))
