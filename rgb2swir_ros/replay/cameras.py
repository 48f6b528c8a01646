"""Select the topics of a recording that are cameras to translate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rgb2swir_ros.replay.storage.base import CDR, ROS1, Connection

RAW = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
DEPTH = ('16UC1', '32FC1')
# Maps of labels, vectors and distances: REP 118 and sensor_msgs/image_encodings.hpp name them by
# type and channels; these types are never colours.
_NUMBERS = ('8S', '16S', '32S', '32F', '64F')


@dataclass(frozen=True)
class RecordedCamera:
    """An image topic that is translated.

    :param info: the topic of its CameraInfo, or ''.
    :param base: namespace of its outputs: ``base/image_raw`` and ``base/camera_info``.
    """

    connection: Connection
    info: str
    base: str

    @property
    def topic(self) -> str:
        """Return the topic of the images."""
        return self.connection.topic


def image_connections(connections: Sequence[Connection]) -> list[Connection]:
    """Return the connections of images that can be read, sorted by topic, raw ones first."""
    images = [c for c in connections if c.msgtype in (RAW, COMPRESSED)
              and c.encoding in (CDR, ROS1)]
    return sorted(images, key=lambda c: (c.topic, c.msgtype != RAW, c.encoding))


def choose(images: Sequence[Connection],
           looks: Mapping[Connection, str]) -> tuple[list[Connection], list[tuple[str, str]]]:
    """Return the colour cameras among image topics, and (topic, reason) of the others.

    :param images: in the order of :func:`image_connections`.
    :param looks: the encoding or format of each topic's first message; a topic that it lacks has
        no message.
    """
    kept: list[Connection] = []
    left: list[tuple[str, str]] = []
    raw = {c.topic for c in images if c.msgtype == RAW and c in looks}
    for one in images:
        why = _why_not(one, looks, raw, {c.topic for c in kept})
        if why:
            left.append((one.topic, why))
        else:
            kept.append(one)
    return kept, left


def _why_not(one: Connection, looks: Mapping[Connection, str], raw: set[str],
             kept: set[str]) -> str:
    """Return why an image topic is not an independent colour camera, or ''."""
    if one not in looks:
        return 'no messages'
    encoding = looks[one].partition(';')[0].strip()
    parent = one.topic.rpartition('/')[0]
    cases = (
        ('compressedDepth' in looks[one] or one.topic.endswith('/compressedDepth'),
         'depth, compressed'),
        (encoding in DEPTH, f'depth, {encoding}'),
        (encoding.startswith(_NUMBERS), f'no colours, {encoding}'),
        (_is_swir_of(one.topic, {c.topic for c in looks}), 'SWIR already'),
        (one.msgtype == COMPRESSED and parent in raw, f'the same as {parent}'),
        (one.topic in kept, f'a second type of this topic, {one.msgtype}'))
    return next((why for holds, why in cases if holds), '')


def _is_swir_of(topic: str, others: set[str]) -> bool:
    """Return whether a topic is the node's output for another recorded camera."""
    camera, found, _ = topic.partition('/swir/')
    return bool(found) and any(
        other.startswith(f'{camera}/') and '/swir/' not in other for other in others)


def cameras(chosen: Sequence[Connection],
            connections: Sequence[Connection]) -> list[RecordedCamera]:
    """Return the chosen topics with their CameraInfo and the names of their outputs.

    ``C/image_raw[/compressed]`` has its CameraInfo at ``C/camera_info`` and the output
    ``C/swir/image_raw``, as in the node. Of several topics in one namespace only ``image_raw``
    gets that output; that of ``C/image_rect`` is ``C/image_rect/swir/image_raw``.
    """
    infos = {c.topic for c in connections if c.msgtype == INFO and c.encoding in (CDR, ROS1)}
    plain = [_plain(one) for one in chosen]
    owner: dict[str, str] = {}
    for name in sorted(plain, key=lambda name: (not name.endswith('/image_raw'), name)):
        owner.setdefault(name.rpartition('/')[0], name)
    found: list[RecordedCamera] = []
    taken: set[str] = set()
    for one, name in zip(chosen, plain, strict=True):
        parent = name.rpartition('/')[0]
        base = (parent if owner[parent] == name else name) + '/swir'
        while base in taken:  # a raw topic and its compressed twin were both requested
            base = f'{one.topic}/swir' if f'{one.topic}/swir' not in taken else f'{base}_2'
        taken.add(base)
        info = f'{parent}/camera_info'
        found.append(RecordedCamera(one, info if info in infos else '', base))
    return found


def _plain(one: Connection) -> str:
    return one.topic.removesuffix('/compressed') if one.msgtype == COMPRESSED else one.topic


def listing(connections: Sequence[Connection]) -> str:
    """Return the topics of a recording with their types and counts, for error messages."""
    shown = [f'{c.topic} ({c.msgtype or "no type"}, '
             + ('' if c.encoding == CDR else f'{c.encoding}, ')
             + f'{"?" if c.count is None else c.count})' for c in connections]
    return ', '.join(shown) if shown else 'no topic at all'
