"""The duration of one inference, absolute and relative: ``rgb2swir bench engine``.

Machines differ and run other work, so the engine is timed in turns with two references of the same
precision: one 32->32 3x3 convolution of the same size, and one large matrix product. The ratios
of the medians vary far less than the medians. The ratio to the matrix product, per operation,
shows how far the engine is from the processor's highest rate of multiplication.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size

REFERENCE_CHANNELS = 32
MATRIX = 2048  # side of the matrices: 17 GFLOP, about what nano takes at 640x512
WARM_UPS = 5
BLOCK = 10
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


def measure(model: str, size: tuple[int, int], *, backend: str = 'auto', precision: str = 'auto',
            threads: int = 0, runs: int = 60, cache: str | None = None,
            progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Time an engine, the reference convolution and the matrix product in turns.

    :param model: see `rgb2swir_ros.engines.build.open_engine`, like all but ``runs``.
    :param runs: timed inferences, at least 1; rounded up to whole rows of 10.
    :return: ``median_ms``, ``p95_ms``, ``reference_ms`` (median of the convolution),
        ``reference_ratio`` (of the medians), ``floor_ms`` (the engine's operations at the rate
        of the matrix product), ``floor_ratio`` (of the medians), ``gflop`` (two operations a
        multiply-add) and ``parameters`` of what an inference runs (not the autoencoder's encoder,
        which only training uses), and the settings of the measurement.
    :raises UserError: if an argument is wrong or the engine cannot be opened.
    """
    if runs < 1:
        raise UserError(f'runs {runs}: give at least 1')
    from rgb2swir_ros.engines.processor import waiting_environment

    os.environ.update(waiting_environment())  # as the engine process does
    keep_freed_memory()
    from rgb2swir_ros.engines.build import open_engine
    from rgb2swir_ros.engines.eager import use_threads

    engine = open_engine(model, size, backend=backend, precision=precision, threads=threads,
                         cache=cache, progress=progress)
    facts = engine.describe()
    frames = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    reference = reference_convolution(size, facts['precision'])
    product = matrix_product(facts['precision'])
    use_threads(facts['threads'])  # not every backend sets torch's own
    progress(f'measuring {runs} inferences')
    for _ in range(WARM_UPS):
        engine(frames)
        reference()
        product()
    engine_ms: list[float] = []
    reference_ms: list[float] = []
    product_ms: list[float] = []
    while len(engine_ms) < runs:
        engine_ms += timed_block(lambda: engine(frames))
        reference_ms += timed_block(reference)
        product_ms += timed_block(product)
    median_ms, middle_ms = float(np.median(engine_ms)), float(np.median(reference_ms))
    parameters, gflop = count_work(model, size)
    floor_ms = float(np.median(product_ms)) * gflop / (2 * MATRIX**3 / 1e9)
    return {
        'model': facts['model'], 'size': format_size(size), 'backend': facts['backend'],
        'precision': facts['precision'], 'threads': facts['threads'], 'runs': len(engine_ms),
        'median_ms': round(median_ms, 3),
        'p95_ms': round(float(np.percentile(engine_ms, 95)), 3),
        'reference_ms': round(middle_ms, 3), 'reference_ratio': four_digits(median_ms / middle_ms),
        'floor_ms': round(floor_ms, 6), 'floor_ratio': four_digits(median_ms / floor_ms),
        'parameters': parameters, 'gflop': round(gflop, 3), 'parity': facts['parity'],
        'device': facts['device'], 'torch': facts['torch'], 'model_hash': facts['model_hash'],
    }


def four_digits(ratio: float) -> float:
    """Return a ratio with four significant digits, small ones too."""
    return float(f'{ratio:.4g}')


def reference_convolution(size: tuple[int, int], precision: str) -> Callable[[], object]:
    """Return a call of one 32->32 3x3 convolution over a (height, width), as PyTorch runs it.

    It is eager and in PyTorch's default layout (NCHW), as people usually measure a convolution.
    In channels-last layout it takes about half of the time.
    """
    import torch

    dtype = getattr(torch, precision)
    layer = torch.nn.Conv2d(REFERENCE_CHANNELS, REFERENCE_CHANNELS, 3, padding=1).to(dtype)
    image = torch.rand(1, REFERENCE_CHANNELS, *size).to(dtype)

    def convolve() -> object:
        with torch.inference_mode():
            return layer(image)

    return convolve


def matrix_product(precision: str) -> Callable[[], object]:
    """Return a call of one product of square matrices, `MATRIX` on a side, as PyTorch runs it."""
    import torch

    dtype = getattr(torch, precision)
    a, b = (torch.rand(MATRIX, MATRIX).to(dtype) for _ in range(2))

    def multiply() -> object:
        with torch.inference_mode():
            return a @ b

    return multiply


def keep_freed_memory() -> None:
    """Make glibc keep freed memory, where there is glibc.

    By default it returns buffers as large as the reference's (21 MB) to the kernel and requests
    them again, page by page, in every call: 12 ms became 13 to 25 ms, differently in each process.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, 32 * 2**20)  # the highest that it takes
    mallopt(M_TRIM_THRESHOLD, 2**30)


def timed_block(call: Callable[[], object]) -> list[float]:
    """Return the times in ms of calls in a row, without the first.

    Turns spread other load evenly over engine and reference. Each turn has several calls, because
    the first call after other work finds the caches full of that.
    """
    call()
    return [timed_ms(call) for _ in range(BLOCK)]


def timed_ms(call: Callable[[], object]) -> float:
    """Return the duration of a call in milliseconds."""
    started = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - started) / 1e6


def count_work(model: str, size: tuple[int, int]) -> tuple[int, float]:
    """Return the parameters that an inference uses, and its GFLOP for one frame."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from rgb2swir_ros.resources import model_directory
    from rgb2swir_ros.translator import Translator, load_model

    translator = load_model(model_directory(model))
    parameters = sum(p.numel() for p in translator.parameters())
    if isinstance(translator, Translator):  # its encoder is for training alone
        parameters -= sum(p.numel() for p in translator.encoder.parameters())
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        translator(torch.zeros(1, *size, 3, dtype=torch.uint8))
    return parameters, counter.get_total_flops() / 1e9
