#!/usr/bin/env python3
"""Measure every backend on this machine's NVIDIA GPU against the two floors of the hardware.

Usage: python benchmark/gpu.py [--output out/gpu] [--models nano base] [--backends eager inductor]

For each model (of a preset without weights the same network untrained, which takes as long), size
(640x512, 1280x1024) and batch (1, 4): the parity with float32; milliseconds a frame of a call from
host to host, and with two batches in flight; each as a multiple of two floors measured here, the
operations at the rate of a large half-precision matrix product and the bytes at the rate of a
large copy; and where a call's time goes, kernel by kernel. Writes gpu.json and table.md after
every row; a row that fails says why, and the next one follows. Exits with 2 where there is no GPU.
docs/design.md has the figures of an H100 with backend eager; the others were not run there.

On a machine without network it needs this checkout and, beside torch and NumPy, two small wheels;
`--no-deps` keeps its torch. For Python 3.12, on a machine that has a network:

    pip download --no-deps --only-binary=:all: --python-version 312 -d wheels safetensors PyYAML

and there `pip install --no-deps --no-index -f wheels safetensors PyYAML`, then
`PYTHONPATH=. python benchmark/gpu.py`. Backend ``tensorrt`` needs torch-tensorrt-rtx of that torch
(2.11.0 for 2.11) with the TensorRT for RTX that its wheel asks for; ``wheels.tar.xz`` of them,
`split -b 64M`, travels in parts. TensorRT for RTX serves GPUs of the RTX series: those of data
centres need TensorRT itself, which is on no registry that this project builds from.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rgb2swir_ros.bench.models import known_models, measurable_model
from rgb2swir_ros.bench.work import count_layers
from rgb2swir_ros.cli.shared import add_overwrite
from rgb2swir_ros.engines.base import first_line
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.cuda import CudaEngine
from rgb2swir_ros.engines.devices import describe_device, why_no_cuda
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes, write_json
from rgb2swir_ros.ownership import require_free
from rgb2swir_ros.report.markdown import markdown_table
from rgb2swir_ros.sizes import format_size

SIZES = ((512, 640), (1024, 1280))
BATCHES = (1, 4)
BACKENDS = ('eager', 'inductor', 'tensorrt')
CALLS, PROFILED = 200, 20
MATRIX, COPIED = 8192, 2**30
SHOWN_KERNELS = 8
COLUMNS = ('model', 'size', 'batch', 'backend', 'ms_per_frame', 'overlapped_ms_per_frame',
           'kernels_ms_per_frame', 'times_operations_floor', 'times_bytes_floor',
           'parity_mean_255')


def gpu_ms(call: Callable[[], object], runs: int = 20) -> float:
    """Return the milliseconds that a call keeps the GPU busy."""
    for _ in range(3):
        call()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(runs):
        call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) / runs


def measure_floors() -> dict[str, float]:
    """Return the rates of this GPU: operations (half precision) and bytes a second."""
    a = torch.randn(MATRIX, MATRIX, dtype=torch.float16, device='cuda')
    source = torch.zeros(COPIED, dtype=torch.uint8, device='cuda')
    target = torch.empty_like(source)
    matmul_ms, copy_ms = gpu_ms(lambda: a @ a), gpu_ms(lambda: target.copy_(source))
    return {'operations_per_s': 2 * MATRIX**3 / (matmul_ms / 1e3),
            'bytes_per_s': 2 * COPIED / (copy_ms / 1e3)}


def profile(engine: CudaEngine, frames: Any) -> tuple[float, list[dict[str, Any]]]:
    """Return the GPU's busy milliseconds of a call, and its longest kernels and copies."""
    from torch.profiler import ProfilerActivity
    with torch.profiler.profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as trace:
        for _ in range(PROFILED):
            engine(frames)
    kernels = [(event.key, event.self_device_time_total / 1e3 / PROFILED)
               for event in trace.key_averages() if event.self_device_time_total]
    kernels.sort(key=lambda kernel: -kernel[1])
    return sum(ms for _, ms in kernels), [
        {'kernel': name[:100], 'ms': round(ms, 4)} for name, ms in kernels[:SHOWN_KERNELS]]


def measure(folder: Path, size: tuple[int, int], batch: int, backend: str, cache: Path,
            floors: dict[str, float]) -> dict[str, Any]:
    """Measure one engine.

    :raises UserError: if it cannot be built here or fails the parity gate.
    """
    engine = open_engine(folder, size, batch=batch, backend=backend, device='cuda', cache=cache,
                         progress=lambda text: print(text, file=sys.stderr, flush=True))
    assert isinstance(engine, CudaEngine)
    frames = np.random.default_rng(0).integers(0, 256, (batch, *size, 3), np.uint8)
    for _ in range(20):
        engine(frames)
    calls = []
    for _ in range(CALLS):
        started = time.perf_counter()
        engine(frames)
        calls.append(1e3 * (time.perf_counter() - started))
    list(engine.overlapped([frames] * 20))
    started = time.perf_counter()
    list(engine.overlapped([frames] * CALLS))
    overlapped = 1e3 * (time.perf_counter() - started) / CALLS
    busy, kernels = profile(engine, frames)
    layers = count_layers(measurable_model(str(folder))[0], size, batch)
    operations_ms = 1e3 * sum(w.operations for w in layers) / floors['operations_per_s']
    bytes_ms = 1e3 * sum(w.bytes for w in layers) / floors['bytes_per_s']
    call, facts = statistics.median(calls), engine.describe()
    return {
        'precision': facts['precision'], 'ms_per_frame': call / batch,
        'p95_ms_per_call': float(np.percentile(calls, 95)),
        'overlapped_ms_per_frame': overlapped / batch, 'kernels_ms_per_frame': busy / batch,
        'waiting_ms_per_frame': (call - busy) / batch,
        'operations_floor_ms_per_frame': operations_ms / batch,
        'bytes_floor_ms_per_frame': bytes_ms / batch,
        'times_operations_floor': call / operations_ms, 'times_bytes_floor': call / bytes_ms,
        'parity_mean_255': facts['parity']['mean_255'],
        'parity_tail_255': facts['parity']['tail_255'], 'build_s': facts['build_s'],
        'longest_kernels': kernels}


def table(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    floors = report['floors']
    lines = [f'# {report["device"]}', '',
             f'torch {report["torch"]}; floors: {floors["operations_per_s"] / 1e12:.1f} TFLOPS of '
             f'a {MATRIX}x{MATRIX} product, {floors["bytes_per_s"] / 1e9:.0f} GB/s of a copy', '',
             # what could not be measured says why in every empty cell
             *markdown_table(COLUMNS, [dict.fromkeys(COLUMNS, row.get('problem', '')) | row
                                       for row in report['rows']])]
    return '\n'.join([*lines, ''])


def main() -> int:
    """Measure all and write the report."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--output', type=Path, default=Path('out/gpu'))
    parser.add_argument('--models', nargs='+', default=[
        name for name in ('nano', 'base') if name in known_models()])
    parser.add_argument('--backends', nargs='+', default=BACKENDS, choices=BACKENDS)
    add_overwrite(parser)
    arguments = parser.parse_args()
    try:
        require_free((arguments.output / name for name in ('gpu.json', 'table.md')),
                     overwrite=arguments.overwrite)
    except UserError as error:
        parser.error(str(error))
    if not torch.cuda.is_available():
        print(f'benchmark/gpu.py needs an NVIDIA GPU, and {why_no_cuda()}', file=sys.stderr)
        return 2
    floors = measure_floors()
    report: dict[str, Any] = {'device': describe_device('cuda'), 'torch': torch.__version__,
                              'floors': floors, 'rows': []}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.models:
            model, trained = measurable_model(name)
            model.save(folder := Path(scratch) / 'models' / name)
            for size, batch, backend in product(SIZES, BATCHES, arguments.backends):
                row = {'model': name, 'trained': trained, 'size': format_size(size),
                       'batch': batch, 'backend': backend}
                try:
                    row |= measure(folder, size, batch, backend, Path(scratch) / 'engines',
                                   floors)
                except UserError as error:
                    row['problem'] = str(error)
                except Exception as error:  # of a backend that has never run; the others go on
                    row['problem'] = first_line(error)
                report['rows'].append(row)
                write_json(arguments.output / 'gpu.json', report)
                write_bytes(arguments.output / 'table.md', table(report).encode())
    print(table(report))
    return 0


if __name__ == '__main__':
    sys.exit(main())
