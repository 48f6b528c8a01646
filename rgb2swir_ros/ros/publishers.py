"""Who else publishes a topic."""

from __future__ import annotations

from collections import Counter
from typing import Any

# A publisher is discovered before the name of its node, by a tenth of a second on an idle machine
NAMED_S = 5.0  # how long to wait for the name
UNNAMED = 'a node of unknown name'
_UNKNOWN = '_NODE_NAMESPACE_UNKNOWN_/_NODE_NAME_UNKNOWN_'  # what rmw returns until then


def other_nodes(node: Any, topic: str) -> Counter[str]:
    """Return how many publishers of a topic each other node has; `UNNAMED` is one of them.

    :param node: an rclpy node, one of whose publishers is left out.
    :param topic: the name as rclpy takes it: it is remapped here.
    """
    names = Counter(f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                    for info in node.get_publishers_info_by_topic(topic))
    names[node.get_fully_qualified_name()] -= 1
    if unnamed := names.pop(_UNKNOWN, 0):
        names[UNNAMED] = unnamed
    return +names
