"""Checks of the arguments of `rgb2swir_ros.engines.build.open_engine`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rgb2swir_ros.engines.base import BACKENDS, OPTIMIZATION_LEVELS, PRECISIONS
from rgb2swir_ros.engines.devices import resolve_device
from rgb2swir_ros.engines.processor import resolve_threads
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.sizes import SMALLEST_SIDE
from rgb2swir_ros.translator import load_model


def check_arguments(*, model: str | Path, backend: str, precision: str, threads: int,
                    device: str, optimization_level: int, **_: Any) -> None:
    """Check the arguments of `open_engine` that do not depend on the size.

    :raises UserError: naming the first that is wrong.
    """
    check_request((SMALLEST_SIDE, SMALLEST_SIDE), 1, backend, precision)
    check_level(optimization_level)
    resolve_threads(threads)
    resolve_engine_device(device, backend, precision)
    check_model(model)


def check_model(model: str | Path) -> None:
    """Read a model once, so that damage is found before an engine is built from it.

    :raises UserError: if there is no such model, or its files are damaged.
    """
    load_model(model_directory(model))


def resolve_engine_device(device: str, backend: str, precision: str) -> str:
    """Return the device for a backend and a precision, ``cpu`` or ``cuda``.

    :raises UserError: if the backend or the precision cannot be used there.
    """
    if device == 'cuda' and backend == 'openvino':
        raise UserError("backend 'openvino' runs on the processor: choose device cpu or another "
                        'backend')
    settled = resolve_device('cpu' if device == 'auto' and backend == 'openvino' else device)
    if device == 'cpu' and backend == 'tensorrt':
        raise UserError("backend 'tensorrt' runs on a GPU: choose device cuda or another backend")
    # with tensorrt, the missing GPU is reported later
    if settled == 'cpu' and precision == 'float16' and backend != 'tensorrt':
        raise UserError("precision 'float16' needs a GPU, and the engine is for the processor: "
                        'choose bfloat16 or float32')
    return settled


def check_request(size: tuple[int, int], batch: int, backend: str, precision: str) -> None:
    """Check the arguments of an engine.

    :raises UserError: naming the first that is wrong.
    """
    if len(size) != 2 or min(size) < SMALLEST_SIDE:
        raise UserError(f'size {size!r}: give (height, width), at least {SMALLEST_SIDE} each')
    if batch < 1:
        raise UserError(f'batch {batch}: give at least 1')
    if backend not in ('auto', *BACKENDS):
        raise UserError(f"no backend '{backend}': choose auto, {' or '.join(BACKENDS)}")
    if precision not in ('auto', *PRECISIONS):
        raise UserError(f"no precision '{precision}': choose auto, {' or '.join(PRECISIONS)}")


def check_level(optimization_level: int) -> None:
    """Check TensorRT's optimization level.

    :raises UserError: if it is not 0 to 5.
    """
    if optimization_level not in OPTIMIZATION_LEVELS:
        raise UserError(f'optimization level {optimization_level}: give 0 to 5')
