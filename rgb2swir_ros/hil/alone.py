"""Whether the bench alone publishes its topics: two benches in one ROS domain spoil each other.

Asked before the run, and again after it: a publisher may come later, and one that was there may
be found late, since DDS repeats a lost announcement only after some seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros.publishers import NAMED_S, UNNAMED, other_nodes

# A process that was killed stays in the graph until its lease ends: 20 s in Fast DDS
LEASE_S = 25.0
POLL_S = 0.1
REMEDY = ('The images of two benches in one ROS domain cannot be told apart: end the other one, '
          'or give this one a ROS_DOMAIN_ID of its own')


def require_alone(node: Any, topics: Sequence[str], *, wait_s: float = LEASE_S,
                  say: Callable[[str], None] = lambda _: None,
                  interrupted: Callable[[], bool] = lambda: False) -> None:
    """Wait until nobody else publishes the topics of a node.

    :param node: an rclpy node that has one publisher on each topic.
    :param topics: their resolved names.
    :param wait_s: how long another publisher may take to leave the graph.
    :param say: told once that somebody is waited for: as soon as the name is known, or after
        `NAMED_S` without one.
    :param interrupted: whether to give up.
    :raises UserError: naming topic and node, if somebody else stays.
    """
    began, told = time.monotonic(), False
    while others := _others(node, topics):
        topic, names = others
        waited_s = time.monotonic() - began
        if waited_s > wait_s or interrupted():
            raise UserError(f'somebody else publishes {topic}: {names}. {REMEDY}')
        if not told and (UNNAMED not in names or waited_s > NAMED_S):
            say(f'{names} publishes {topic}, too: waiting until it has left')
            told = True
        time.sleep(POLL_S)


def joined(node: Any, topics: Sequence[str]) -> str:
    """Return who else publishes the topics of a node now, in words; empty if nobody does.

    Waits for a name that is not known yet, `NAMED_S` at most.

    :param node: as for `require_alone`; ``topics``: the same.
    """
    deadline = time.monotonic() + NAMED_S
    while ((others := _others(node, topics)) and UNNAMED in others[1]
           and time.monotonic() < deadline):
        time.sleep(POLL_S)
    if others is None:
        return ''
    topic, names = others
    return f'somebody else published {topic} during the run: {names}. {REMEDY}'


def _others(node: Any, topics: Sequence[str]) -> tuple[str, str] | None:
    """Return the first topic with a second publisher, and the names of the other nodes."""
    for topic in topics:
        if names := other_nodes(node, topic):
            return topic, ', '.join(sorted(names.elements()))
    return None
