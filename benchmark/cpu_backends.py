#!/usr/bin/env python3
"""Measure the processor's backends, and two ways to run the same model elsewhere.

Usage: python benchmark/cpu_backends.py [--model nano] [--size 640x512] [--threads 0] [--runs 60]

The engines of this package (OpenVINO's where its extra is installed) and, as a comparison only,
ONNX Runtime and OpenVINO left to choose bfloat16 itself, the head included (`pip install onnx
onnxruntime`). All take uint8 frames and give float32 radiance. They take turns with one another
and with one 32->32 3x3 convolution in eager bfloat16, so that a machine that is busy for a while
slows all alike: compare the ratios. Writes nothing; prints a table, or JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.engines.processor import has_bfloat16, resolve_threads, waiting_environment
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size, parse_size

os.environ.update(waiting_environment())  # before torch is loaded, as the engine process does

import torch

from rgb2swir_ros.bench.engine import (
    WARM_UPS,
    keep_freed_memory,
    reference_convolution,
    timed_block,
)
from rgb2swir_ros.engines.base import Unavailable
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.eager import use_threads
from rgb2swir_ros.engines.openvino import compile_options, find_openvino
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import load_model

Frames = Any
Call = Callable[[Frames], Any]


def own(backend: str, precision: str) -> Callable[..., Call]:
    """Return a function that opens an engine of this package."""
    def opened(model: str, size: tuple[int, int], threads: int, _: Path) -> Call:
        return open_engine(model, size, backend=backend, precision=precision, threads=threads,
                           device='cpu', progress=say)
    return opened


def onnx_file(model: str, size: tuple[int, int], folder: Path) -> Path:
    """Write a model with its casts as an ONNX file, once.

    :raises ImportError: without onnx.
    """
    import onnx  # noqa: F401

    file = folder / 'model.onnx'
    if not file.is_file():
        translator = load_model(model_directory(model))
        example = torch.zeros(1, *size, 3, dtype=torch.uint8)
        # the exporter through TorchScript: the newer one needs one more package
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of an old exporter and of constant sizes
            torch.onnx.export(translator, (example,), file, dynamo=False, opset_version=17,
                              input_names=['rgb'], output_names=['radiance'])
    return file


def open_onnxruntime(model: str, size: tuple[int, int], threads: int, folder: Path) -> Call:
    """Return a call of ONNX Runtime, which computes in float32.

    :raises ImportError: if it is not installed.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(onnx_file(model, size, folder)), options,
                                           providers=['CPUExecutionProvider'])
    return lambda frames: session.run(None, {'rgb': frames})[0]


def open_openvino_bf16(model: str, size: tuple[int, int], threads: int, folder: Path) -> Call:
    """Return a call of OpenVINO that computes all convolutions in bfloat16.

    :raises UserError: if it is not installed.
    """
    try:
        library = find_openvino()
    except Unavailable as error:
        raise UserError(str(error)) from error
    compiled = library.Core().compile_model(
        onnx_file(model, size, folder), 'CPU',
        {**compile_options(threads), 'INFERENCE_PRECISION_HINT': 'bf16'})
    request = compiled.create_infer_request()
    return lambda frames: request.infer([frames])[0]


BACKENDS: dict[str, Callable[..., Call]] = {
    'AOTInductor bfloat16': own('inductor', 'bfloat16'),
    'AOTInductor float32': own('inductor', 'float32'),
    'eager bfloat16': own('eager', 'bfloat16'),
    'eager float32': own('eager', 'float32'),
    'OpenVINO bfloat16': own('openvino', 'bfloat16'),
    'OpenVINO float32': own('openvino', 'float32'),
    'OpenVINO bfloat16, head too': open_openvino_bf16,
    'ONNX Runtime float32': open_onnxruntime,
}


def measure(model: str, size: tuple[int, int], threads: int, runs: int) -> dict[str, Any]:
    """Time all backends in turns.

    :return: for each backend ``median_ms``, ``p95_ms``, ``reference_ratio`` and the mean
        difference from float32 in levels of 255, or ``problem``.
    """
    keep_freed_memory()
    frames = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    use_threads(threads)
    with torch.inference_mode():
        expected = load_model(model_directory(model))(torch.from_numpy(frames)).numpy()
    calls: dict[str, Call] = {}
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, opener in BACKENDS.items():
            say(f'opening {name}')
            try:
                calls[name] = opener(model, size, threads, Path(scratch))
                difference = float(np.abs(calls[name](frames) - expected).mean() * 255)
                rows[name] = {'difference_255': difference}
            except (ImportError, UserError) as error:
                rows[name] = {'problem': str(error)}
                calls.pop(name, None)
    precision = 'bfloat16' if has_bfloat16() else 'float32'
    reference = reference_convolution(size, precision)
    times: dict[str, list[float]] = {name: [] for name in ('', *calls)}
    for _ in range(WARM_UPS):
        for call in calls.values():
            call(frames)
    say(f'measuring {runs} inferences of each')
    while len(times['']) < runs:
        use_threads(threads)  # others may have changed it
        times[''] += timed_block(reference)
        for name, call in calls.items():
            times[name] += timed_block(lambda call=call: call(frames))  # type: ignore[misc]
    reference_ms = float(np.median(times.pop('')))
    for name, measured in times.items():
        median = float(np.median(measured))
        rows[name] |= {'median_ms': median, 'p95_ms': float(np.percentile(measured, 95)),
                       'reference_ratio': median / reference_ms}
    return {'model': model, 'size': format_size(size), 'threads': threads,
            'reference': f'one 32->32 3x3 convolution, eager {precision}',
            'reference_ms': reference_ms, 'torch': torch.__version__, 'backends': rows}


def say(text: str) -> None:
    """Print what is being done."""
    print(text, file=sys.stderr, flush=True)


def table(result: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = [f'{result["model"]}, {result["size"]}, {result["threads"]} threads; '
             f'{result["reference"]}: {result["reference_ms"]:.1f} ms', '',
             '| backend | ms | 95th percentile | reference convolutions | off float32, /255 |',
             '| --- | --- | --- | --- | --- |']
    for name, row in result['backends'].items():
        if 'problem' in row:
            lines.append(f'| {name} | not measured: {row["problem"]} | | | |')
        else:
            lines.append(f'| {name} | {row["median_ms"]:.1f} | {row["p95_ms"]:.1f} | '
                         f'{row["reference_ratio"]:.2f} | {row["difference_255"]:.3f} |')
    return '\n'.join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', default='nano')
    parser.add_argument('--size', default='640x512', metavar='WIDTHxHEIGHT')
    parser.add_argument('--threads', type=int, default=0, help='0: all cores')
    parser.add_argument('--runs', type=int, default=60)
    parser.add_argument('--json', action='store_true')
    arguments = parser.parse_args()
    try:
        result = measure(arguments.model, parse_size(arguments.size),
                         resolve_threads(arguments.threads), max(arguments.runs, 1))
    except UserError as error:
        print(f'benchmark/cpu_backends.py: {error}', file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1) if arguments.json else table(result))
    return 0


if __name__ == '__main__':
    sys.exit(main())
