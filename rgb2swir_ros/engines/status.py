"""The results, errors and status of an engine client. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.channel import Size


class EngineError(Exception):
    """A frame could not be translated; the text says why."""


class EngineNotReady(EngineError):
    """There is no engine of this size yet: it is starting, building, restarting or failed."""


class EngineCrashed(EngineError):
    """The engine or its process failed during the frame; it is restarted in the background."""


class EngineHung(EngineError):
    """The engine process stopped answering and was killed; it is restarted in the background."""


@dataclass(frozen=True)
class Inference:
    """A translated frame.

    :param radiance: (H, W), float32, linear, in [0, 1]; a new array.
    :param transfer_ms: time to move pixels and messages between the processes.
    :param inference_ms: time of the engine's call, measured in its process.
    """

    radiance: NDArray[np.float32]
    transfer_ms: float
    inference_ms: float


@dataclass(frozen=True)
class EngineStatus:
    """The status of the engine process and its engines.

    :param state: stopped, starting, building, ready, failed or restarting.
    :param detail: the current step, or why it failed, in one line.
    :param restarts: how often the process was restarted.
    :param heartbeat_age_s: seconds since its last message; None if there is no process.
    :param engines: for each (height, width) that is ready, the engine's description.
    :param failed: for each (height, width) that has failed, the reason; others are not affected.
    """

    state: str
    detail: str = ''
    restarts: int = 0
    heartbeat_age_s: float | None = None
    engines: dict[Size, dict[str, Any]] = field(default_factory=dict)
    failed: dict[Size, str] = field(default_factory=dict)
