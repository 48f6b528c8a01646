"""Number and latency of frames between two processes: ``rgb2swir bench transport``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rgb2swir_ros.bench import peers
from rgb2swir_ros.bench.peers import Peer
from rgb2swir_ros.ros.transport import PROFILE_VARIABLES, local_environment, profile_path
from rgb2swir_ros.sizes import format_size

# (name, the publisher has the profile, the subscriber has it)
COMBINATIONS = (
    ('defaults', False, False),
    ('profile on both sides', True, True),
    ('profile on the publisher only', True, False),
    ('profile on the subscriber only', False, True),
)


@dataclass(frozen=True)
class TransportSettings:
    """What is sent, and in which ROS domain.

    :param size: (height, width) of a frame.
    :param rate: frames a second.
    :param seconds: of sending, for each combination.
    :param profile: name of a transport profile.
    :param domain_id: ROS domain of the measurement.
    """

    size: tuple[int, int]
    rate: float
    seconds: float
    profile: str
    domain_id: int


def measure_all(settings: TransportSettings) -> Iterator[dict[str, Any]]:
    """Yield the row of each combination, as `measure` returns it.

    :raises UserError: if there is no such profile, or a process fails.
    """
    profile_path(settings.profile)
    for name, publisher, subscriber in COMBINATIONS:
        yield measure(settings, name, publisher=publisher, subscriber=subscriber)


def measure(settings: TransportSettings, name: str, *, publisher: bool,
            subscriber: bool) -> dict[str, Any]:
    """Send frames from one process to another.

    :param publisher: whether the publisher has the profile.
    :param subscriber: whether the subscriber has it.
    :return: ``transport``, ``sent``, ``arrived``, and the median and 99th percentile of the time
        from before ``publish`` to the callback, in milliseconds (None if nothing arrived).
    """
    sender, receiver = (environment(settings, profile=on) for on in (publisher, subscriber))
    listener = Peer(['listener', '--topic', 'camera/image_raw'], receiver)
    camera = Peer(['camera', '--size', format_size(settings.size), '--rate', str(settings.rate),
                   '--seconds', str(settings.seconds)], sender)
    try:
        sent = camera.result(settings.seconds + 60, 'the publisher')['sent']
        time.sleep(0.5)
        frames = listener.result(20, 'the subscriber')['frames']
    finally:
        peers.stop([camera, listener])
    latencies = np.array([arrival - stamp for stamp, arrival in frames]) / 1e6
    p50, p99 = (float(np.percentile(latencies, q)) if len(latencies) else None for q in (50, 99))
    return {'transport': name, 'sent': sent, 'arrived': len(frames),
            'latency_p50_ms': _rounded(p50), 'latency_p99_ms': _rounded(p99)}


def environment(settings: TransportSettings, *, profile: bool) -> dict[str, str]:
    """Return the environment of one side, with the profile or with Fast DDS's defaults."""
    side = local_environment(domain_id=settings.domain_id)
    for variable in PROFILE_VARIABLES:
        side[variable] = str(profile_path(settings.profile))
        if not profile:
            del side[variable]
    return side


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
