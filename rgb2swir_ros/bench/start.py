"""From the start of the node's process to its first published frame: ``rgb2swir bench start``.

The engine is built beforehand, and a camera and a listener run already, as on a vehicle whose node
is restarted. The time ends when the frame arrives at the listener.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

from rgb2swir_ros.bench import peers
from rgb2swir_ros.bench.node import NodeBench, NodeSettings
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size

PEERS_S = 3.0  # until camera and listener run
TARGET_S = 3.0
CAMERA_RATE_HZ = 30.0


def measure_starts(settings: NodeSettings, starts: int, limit_s: float) -> dict[str, Any]:
    """Build the engine, then start the node several times.

    :param limit_s: that each start may take.
    :return: ``starts_s``, their ``median_s`` and ``max_s``, ``target_s``, and what was measured.
    :raises UserError: if the engine cannot be built, or no frame comes in time.
    """
    with NodeBench(settings) as bench:
        bench.await_engine()
    measured = [measure(settings, limit_s) for _ in range(starts)]
    return {'model': settings.model, 'size': format_size(settings.size),
            'backend': settings.backend, 'starts_s': [round(seconds, 3) for seconds in measured],
            'median_s': round(statistics.median(measured), 3),
            'max_s': round(max(measured), 3), 'target_s': TARGET_S}


def measure(settings: NodeSettings, limit_s: float) -> float:
    """Start the node once and return the seconds until the listener has its first frame.

    :raises UserError: if none comes in time.
    """
    bench = NodeBench(settings)
    listener = bench.listener()
    camera = bench.camera(CAMERA_RATE_HZ, PEERS_S + limit_s, unwatched=True)
    try:
        time.sleep(PEERS_S)
        started = time.time_ns()
        with bench:
            time.sleep(limit_s)
        frames = listener.result(20, 'the listener')['frames']
    finally:
        peers.stop([camera, listener])
    return first_frame_s(frames, started, limit_s)


def first_frame_s(frames: Sequence[Any], started: int, limit_s: float) -> float:
    """Return the seconds from a start to the first frame's arrival.

    :param frames: (stamp, arrival) in nanoseconds, in order of arrival.
    :param started: in nanoseconds.
    :raises UserError: if there is none.
    """
    if not frames:
        raise UserError(f'no frame came within {limit_s:g} s of the start: give more --seconds, '
                        'or look at what the node said above')
    return float(frames[0][1] - started) / 1e9
