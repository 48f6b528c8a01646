"""The names of a camera's topics, resolved in this module only.

rclpy takes an unresolved name and remaps it; the graph, parameters, logs and diagnostics use the
resolved name. Both are needed: a resolved name may match another remapping rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rclpy.node import Node

from rgb2swir_ros.errors import UserError


@dataclass(frozen=True)
class Topic:
    """One topic.

    :param unresolved: the name that rclpy takes.
    :param name: the full name in the graph, with namespace and remapping applied.
    """

    unresolved: str
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Topics:
    """The topics of one camera: three inputs, three outputs."""

    raw: Topic
    compressed: Topic
    info: Topic
    swir: Topic
    swir_compressed: Topic
    swir_info: Topic


def camera_topics(node: Node, camera: str) -> Topics:
    """Return the topics of a camera.

    If an image topic is remapped, the topics that belong to it follow, as in image_transport,
    unless they are remapped themselves: ``/compressed`` is appended to the new name, and the
    input's CameraInfo is in the new name's namespace. The output's CameraInfo does not follow:
    for an image remapped to ``/swir`` it would be ``/camera_info``, which is another camera's.

    :param camera: the camera's name, the prefix of its topics.
    """
    raw, swir = f'{camera}/image_raw', f'{camera}/swir/image_raw'
    info = node.resolve_topic_name(raw).rpartition('/')[0] + '/camera_info'
    return Topics(
        raw=_topic(node, raw), compressed=_compressed(node, raw),
        info=_companion(node, f'{camera}/camera_info', raw, info),
        swir=_topic(node, swir), swir_compressed=_compressed(node, swir),
        swir_info=_topic(node, f'{camera}/swir/camera_info'))


def refuse_collisions(cameras: Mapping[str, Topics]) -> None:
    """Refuse cameras whose outputs are another camera's outputs, or any camera's inputs.

    Remapping can cause this, or cameras called ``/front`` and ``front``.

    :raises UserError: naming the topic and the cameras.
    """
    owners = {topic.name: camera for camera, topics in cameras.items()
              for topic in (topics.raw, topics.compressed, topics.info)}
    verbs = dict.fromkeys(owners, 'reads')
    for camera, topics in cameras.items():
        for topic in (topics.swir, topics.swir_compressed, topics.swir_info):
            if topic.name in owners:
                raise UserError(f"camera '{camera}' would publish {topic}, which camera "
                                f"'{owners[topic.name]}' {verbs[topic.name]}: give each camera "
                                'its own name, and remap each topic to a name of its own')
            owners[topic.name], verbs[topic.name] = camera, 'publishes, too'


def _compressed(node: Node, image: str) -> Topic:
    return _companion(node, f'{image}/compressed', image,
                      f'{node.resolve_topic_name(image)}/compressed')


def _companion(node: Node, unresolved: str, image: str, beside: str) -> Topic:
    """Return the topic that belongs to an image: ``beside`` if only the image is remapped."""
    moved = _is_remapped(node, image) and not _is_remapped(node, unresolved)
    return _topic(node, beside if moved else unresolved)


def _topic(node: Node, unresolved: str) -> Topic:
    return Topic(unresolved, node.resolve_topic_name(unresolved))


def _is_remapped(node: Node, unresolved: str) -> bool:
    return bool(node.resolve_topic_name(unresolved)
                != node.resolve_topic_name(unresolved, only_expand=True))
