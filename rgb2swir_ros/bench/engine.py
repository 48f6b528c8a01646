"""``rgb2swir bench engine``: how long one inference takes, and against what.

Machines differ and are busy with other things, so the engine is timed in turns with two things of
the same precision: one 32->32 3x3 convolution of the same size, and one large matrix product. The
ratios of the medians move far less than the medians. The one against the matrix product, operation
for operation, says how far the engine is from what the processor can multiply at best.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size, parse_size

REFERENCE_CHANNELS = 32
MATRIX = 2048  # side of the matrices: 17 GFLOP, about what nano takes at 640x512
WARM_UPS = 5
BLOCK = 10
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
EXAMPLE = 'example:\n  rgb2swir bench engine --model nano --size 640x512 --json'


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rgb2swir bench engine``."""
    parser.epilog = EXAMPLE
    parser.add_argument('--model', default='nano', help='name or folder (default: nano)')
    parser.add_argument('--size', default='640x512', metavar='WIDTHxHEIGHT',
                        help='of a frame, in pixels (default: 640x512)')
    parser.add_argument('--backend', default='auto',
                        help='auto, eager, inductor, openvino or tensorrt')
    parser.add_argument('--precision', default='auto', help='auto, bfloat16 or float32')
    parser.add_argument('--threads', type=int, default=0, help='processor cores (0: all)')
    parser.add_argument('--runs', type=int, default=60, help='inferences measured (default: 60)')
    parser.add_argument('--cache', default=None, help='folder of built engines')
    parser.add_argument('--json', action='store_true', help='print one JSON object, nothing else')


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; return 0."""
    result = measure(
        arguments.model, parse_size(arguments.size), backend=arguments.backend,
        precision=arguments.precision, threads=arguments.threads, runs=arguments.runs,
        cache=arguments.cache, progress=lambda text: print(text, file=sys.stderr))
    if arguments.json:
        print(json.dumps(result))
    else:
        print_table(result)
    return 0


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
        which only training uses), and what was measured.
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
        'reference_ms': round(middle_ms, 3), 'reference_ratio': round(median_ms / middle_ms, 3),
        'floor_ms': round(floor_ms, 6), 'floor_ratio': round(median_ms / floor_ms, 3),
        'parameters': parameters, 'gflop': round(gflop, 3), 'parity': facts['parity'],
        'device': facts['device'], 'torch': facts['torch'], 'model_hash': facts['model_hash'],
    }


def reference_convolution(size: tuple[int, int], precision: str) -> Callable[[], object]:
    """Return a call of one 32->32 3x3 convolution over a (height, width), as PyTorch runs it.

    Eager and in PyTorch's default layout (NCHW): what anybody measures who writes down a
    convolution. In channels-last layout it takes about half of the time.
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
    """Have glibc keep what is freed, where there is glibc.

    By default it hands buffers as large as the reference's (21 MB) back to the kernel and gets
    them anew, page by page, in every call: 12 ms became 13 to 25 ms, differently in each process.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, 32 * 2**20)  # the highest that it takes
    mallopt(M_TRIM_THRESHOLD, 2**30)


def timed_block(call: Callable[[], object]) -> list[float]:
    """Return the times in ms of calls in a row, without the first.

    In turns, so that a busy machine hits the engine and the reference alike; in rows, because
    the first call after something else finds the caches full of that.
    """
    call()
    return [timed_ms(call) for _ in range(BLOCK)]


def timed_ms(call: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
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


def print_table(result: dict[str, Any]) -> None:
    """Print the figures for people."""
    rows = [
        ('engine', f'{result["model"]}, {result["backend"]} {result["precision"]}, '
                   f'threads {result["threads"]}'),
        ('frame', result['size']),
        ('median', f'{result["median_ms"]:.1f} ms ({1000 / result["median_ms"]:.1f} a second)'),
        ('95th percentile', f'{result["p95_ms"]:.1f} ms'),
        ('reference', f'{result["reference_ms"]:.1f} ms for one '
                      f'{REFERENCE_CHANNELS}->{REFERENCE_CHANNELS} 3x3 convolution'),
        ('ratio', f'{result["reference_ratio"]:.2f} of those'),
        ('floor', f'{result["floor_ratio"]:.2f} times its operations as one matrix product'),
        ('work', f'{result["gflop"]:.1f} GFLOP, {result["parameters"] / 1e6:.2f} M parameters'),
        ('parity', f'mean {result["parity"]["mean_255"]:.3f}/255, 99.9th percentile '
                   f'{result["parity"]["tail_255"]:.2f}/255 off float32'),
        ('device', result['device']),
    ]
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print('\n'.join(f'{name:<16} {text}' for name, text in rows))
        return
    table = Table(show_header=False)
    for name, text in rows:
        table.add_row(name, text)
    Console().print(table)
