"""The interface of all engines: one call, one fixed size, one description. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError

ProgressCallback = Callable[[str], None]
Frames = NDArray[np.uint8]
Radiance = NDArray[np.float32]

BACKENDS = ('eager', 'inductor', 'openvino', 'tensorrt')
PRECISIONS = ('float32', 'bfloat16', 'float16')
DEVICES = ('cpu', 'cuda')
# TensorRT's levels: 0 builds fastest, 5 searches longest for the fastest engine
OPTIMIZATION_LEVELS = range(6)


class Engine(Protocol):
    """A translator compiled or prepared for one size; `open_engine` returns one.

    A backend is a class with these two methods and an entry in `rgb2swir_ros.engines.backends`.
    """

    def __call__(self, rgb: Frames) -> Radiance:
        """Translate camera frames.

        :param rgb: (B, H, W, 3), uint8, RGB; B from 1 to the engine's batch.
        :return: radiance (B, H, W), float32, linear, in [0, 1]; a new array each time.
        :raises UserError: if the frames have another shape or type.
        """

    def describe(self) -> dict[str, Any]:
        """Return a description of plain values, which can be sent as JSON.

        Keys: those of `EngineSpec` (``device`` with the device's name), and model_hash, torch,
        built_at (ISO 8601, UTC), build_s, parity (figures of `rgb2swir_ros.engines.parity`),
        from_cache, file (of a compiled engine; else None).
        """


@dataclass(frozen=True)
class EngineSpec:
    """The complete specification of an engine.

    :param model: the model's name, for people.
    :param height: pixels; fixed in the graph, like all sizes.
    :param width: pixels.
    :param batch: frames a call.
    :param backend: one of `BACKENDS`.
    :param precision: the trunk's type, one of `PRECISIONS`; the head is always float32.
    :param threads: processor cores it may use, at least 1.
    :param device: ``cpu`` or ``cuda``.
    :param optimization_level: TensorRT's, 0 to 5; None for other backends.
    """

    model: str
    height: int
    width: int
    batch: int
    backend: str
    precision: str
    threads: int
    device: str = 'cpu'
    optimization_level: int | None = None

    def __str__(self) -> str:
        """Return the name in progress lines: ``inductor bfloat16 640x360``."""
        batch = '' if self.batch == 1 else f' batch {self.batch}'
        device = '' if self.device == 'cpu' else f' on {self.device}'
        return f'{self.backend} {self.precision} {self.width}x{self.height}{batch}{device}'

    def fields(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary."""
        return asdict(self)


class TransientError(UserError):
    """An error whose cause may pass; another attempt may succeed."""


class Unavailable(Exception):
    """A backend cannot be used on this machine.

    :ivar remedy: what the user can do about it.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        """Store both, one line each."""
        super().__init__(reason)
        self.remedy = remedy


class NotInstalled(Unavailable):
    """An optional backend's package is not installed, which needs no warning."""


class CompileError(RuntimeError):
    """A compiler failed on a model; the text is one line."""


def first_line(error: BaseException) -> str:
    """Return an error's kind and the first line of its text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f'{type(error).__name__}: {lines[0] if lines else "no reason given"}'


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are, and what they hash to."""

    folder: Path
    sha256: str


def padded_batch(rgb: Frames, spec: EngineSpec) -> Frames:
    """Return frames for the engine's graph: contiguous, and padded to its batch size.

    The batch is always full, so that a frame's result never depends on the number of frames.

    :param rgb: (B, H, W, 3), uint8, 1 <= B <= spec.batch.
    :raises UserError: if shape or type differ; the text says what is expected.
    """
    expected = (spec.height, spec.width, 3)
    if (not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 4
            or rgb.shape[1:] != expected or not 1 <= len(rgb) <= spec.batch):
        found = f'{getattr(rgb, "dtype", type(rgb).__name__)} {tuple(getattr(rgb, "shape", ()))}'
        raise UserError(f'this engine takes 1 to {spec.batch} frames as uint8 (B, {spec.height}, '
                        f'{spec.width}, 3), not {found}: open one for that size')
    if len(rgb) < spec.batch:
        full = np.zeros((spec.batch, *expected), np.uint8)
        full[:len(rgb)] = rgb
        return full
    # torch warns about read-only arrays, such as frames from a message's bytes
    return np.ascontiguousarray(rgb) if rgb.flags.writeable else rgb.copy()
