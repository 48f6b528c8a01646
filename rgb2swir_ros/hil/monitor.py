"""The monitor, a process of its own, receives what the system under test answers.

``python -m rgb2swir_ros.hil.monitor TOPIC --record FILE`` prints ``monitoring`` when it has
subscribed, and writes its record and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.peer import serve
from rgb2swir_ros.hil.result import Responses
from rgb2swir_ros.replay.bag import stamp_ns

DEPTH = 500
DRAIN_S = 0.5
WAIT_S = 30.0  # for somebody who publishes
HEADER = 'std_msgs/Header'


def message_class(name: str) -> Any:
    """Return the class of a type like ``vision_msgs/msg/Detection2DArray``.

    :raises UserError: if it cannot be imported, or its messages do not begin with a header.
    """
    package, _, rest = name.partition('/')
    try:
        kind = getattr(import_module(f'{package}.msg'), rest.rpartition('/')[2])
    except (ImportError, AttributeError) as error:
        raise UserError(f"monitor: type '{name}' cannot be imported ({error}): source the "
                        'workspace that has it, or install its package') from error
    fields = list(kind.get_fields_and_field_types().items())
    if not fields or fields[0] != ('header', HEADER):
        raise UserError(f"monitor: messages of the type '{name}' do not begin with a header, by "
                        'whose stamp a response names its frame')
    return kind


class Monitor:
    """The subscription, and what came."""

    def __init__(self, topic: str, kind: str, wait_s: float = WAIT_S) -> None:
        """Prepare.

        :param topic: of the responses.
        :param kind: their type; empty: found out from who publishes.
        :param wait_s: how long somebody may take to publish there.
        """
        self.responses = Responses(topic)
        self._kind, self._wait_s = kind, wait_s
        self._last_ns = time.monotonic_ns()

    def subscribe(self, node: Any) -> Callable[[], int]:
        """Wait for the publisher and subscribe.

        :return: when the last message came.
        :raises UserError: if nobody publishes, or messages have no stamp.
        """
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from rgb2swir_ros.ros.qos import with_info
        from rgb2swir_ros.ros.sequence_numbers import SequenceTracker
        tracker = SequenceTracker()
        topic, kind, reliable = self._offered(node)
        self.responses.topic = topic

        def receive(cdr: bytes, about: Mapping[str, Any]) -> None:
            wall, now = time.time_ns(), time.monotonic_ns()
            self._last_ns = now
            self.responses.lost += tracker.see(about.get('publication_sequence_number'))
            self.responses.responses.append((stamp_ns(cdr), wall, now))

        policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        node.create_subscription(
            message_class(kind), topic, with_info(receive),
            QoSProfile(depth=DEPTH, reliability=policy), raw=True)
        return lambda: self._last_ns

    def _offered(self, node: Any) -> tuple[str, str, bool]:
        """Return topic, type, and whether everybody there publishes reliably."""
        from rclpy.qos import ReliabilityPolicy
        topic = node.resolve_topic_name(self.responses.topic)
        deadline = time.monotonic() + self._wait_s
        while not (offers := node.get_publishers_info_by_topic(topic)):
            if time.monotonic() > deadline:
                raise UserError(f"monitor: nobody publishes '{topic}' within {self._wait_s:g} s: "
                                'start the system under test first, or name a responder')
            time.sleep(0.05)
        kinds = sorted({offer.topic_type for offer in offers})
        if (self._kind and self._kind not in kinds) or len(kinds) > 1:
            raise UserError(f"monitor: '{topic}' has messages of the type {', '.join(kinds)}"
                            + (f", not '{self._kind}'" if self._kind else ': one is needed'))
        return topic, kinds[0], all(
            offer.qos_profile.reliability == ReliabilityPolicy.RELIABLE for offer in offers)


def main(arguments: list[str] | None = None) -> int:
    """Monitor until the standard input closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument('topic')
    parser.add_argument('--type', default='')
    parser.add_argument('--record', type=Path, required=True)
    given = parser.parse_args(arguments)
    monitor = Monitor(given.topic, given.type)
    try:
        serve('hil_monitor', 'monitoring', monitor.subscribe, DRAIN_S)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    given.record.write_text(json.dumps(asdict(monitor.responses)))
    return 0


if __name__ == '__main__':
    sys.exit(main())
