"""The timing of frames that the node, or a replay, has recorded with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rgb2swir_ros.replay.message_types import message_types
from rgb2swir_ros.replay.message_writer import DIAGNOSTICS, TIMING
from rgb2swir_ros.replay.storage.recording import Recording


def read_timing(bag: Path) -> dict[str, list[float]]:
    """Return each value of a bag's timing by its name, one a frame; durations end in ``_ms``."""
    found: dict[str, list[float]] = {}
    for _, _, data in Recording(bag).messages(
            lambda one: one.topic == TIMING and one.msgtype == DIAGNOSTICS):
        message: Any = message_types().deserialize_cdr(data, DIAGNOSTICS)
        for status in message.status:
            for pair in status.values:
                found.setdefault(pair.key, []).append(float(pair.value))
    return found
