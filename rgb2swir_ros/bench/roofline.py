"""Operations and memory traffic of a model, and predicted times: ``rgb2swir bench roofline``.

**Predicted, not measured.** A layer takes the longer of two times: that of its operations at
a share of the device's rate for half-precision matrices, and that of its bytes at a share of its
memory's rate (the roofline model, Williams et al., CACM 52(4), 2009). The times of the layers add
up. Copies between host and device, kernel launches and unfused operations are not included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rgb2swir_ros.sizes import format_size

NOTE = 'predicted, not measured'
# Shares of the peaks that are assumed. Convolutions of 16 to 112 channels fill matrix units
# poorly; a copy reaches about four fifths of a memory's peak.
COMPUTE_SHARE = 0.35
MEMORY_SHARE = 0.70


@dataclass(frozen=True)
class Device:
    """A device's peaks.

    :param teraflops: half precision, matrix units, dense (data sheets often give twice that,
        for sparse matrices).
    :param gigabytes: per second, of its memory.
    :param source: of both figures.
    """

    teraflops: float
    gigabytes: float
    source: str


DEVICES = {
    'Orin NX 16GB': Device(
        15.0, 102.4, 'Jetson Orin NX data sheet: 8 SM at 918 MHz, 60 sparse INT8 TOPS of the GPU; '
        'a quarter of that in dense FP16'),
    'AGX Orin 64GB': Device(
        42.5, 204.8, 'Jetson AGX Orin technical brief v1.2: 170 sparse INT8 TOPS of the GPU; '
        'a quarter of that in dense FP16'),
    'Thor T5000': Device(
        259.0, 273.0, 'Jetson Thor data sheet: 2070 sparse FP4 TFLOPS; an eighth of that in '
        'dense FP16'),
    'H200 SXM': Device(
        989.0, 4800.0, 'NVIDIA H200 data sheet: 1979 sparse FP16 TFLOPS, half of that dense'),
}


def predict_all(models: Sequence[str], sizes: Sequence[tuple[int, int]],
                batch: int = 1) -> dict[str, Any]:
    """Return the report: the assumptions, the devices, and a row for each model and size.

    :param models: names or folders; none: all models and presets.
    :param sizes: (height, width) each.
    :raises UserError: if there is no such model.
    """
    from rgb2swir_ros.bench.models import known_models

    rows = [predict(model, size, batch) for model in models or known_models() for size in sizes]
    return {'note': NOTE, 'compute_share': COMPUTE_SHARE, 'memory_share': MEMORY_SHARE,
            'precision': 'float16',
            'devices': {name: vars(device) for name, device in DEVICES.items()}, 'rows': rows}


def predict(name: str, size: tuple[int, int], batch: int = 1) -> dict[str, Any]:
    """Return a model's operations, bytes and predicted times.

    :param name: see `rgb2swir_ros.bench.models.measurable_model`.
    :param size: (height, width).
    :return: ``gflop`` and ``megabytes`` of one call, ``parameters`` that it uses, and
        ``predicted_ms`` for each device.
    :raises UserError: if there is no such model.
    """
    from rgb2swir_ros.bench.models import measurable_model
    from rgb2swir_ros.bench.work import count_layers, used_parameters

    model, _ = measurable_model(name)
    parameters = used_parameters(model)
    layers = count_layers(model, size, batch)
    times = {key: sum(layer_ms(work.operations, work.bytes, device) for work in layers)
             for key, device in DEVICES.items()}
    return {'model': name, 'size': format_size(size), 'batch': batch, 'parameters': parameters,
            'layers': len(layers),
            'gflop': round(sum(work.operations for work in layers) / 1e9, 3),
            'megabytes': round(sum(work.bytes for work in layers) / 1e6, 3),
            'predicted_ms': {key: round(ms, 3) for key, ms in times.items()}}


def layer_ms(operations: float, moved: float, device: Device) -> float:
    """Return the milliseconds of one layer: the longer time of its operations and its bytes.

    :param moved: bytes.
    """
    computing = operations / (device.teraflops * 1e12 * COMPUTE_SHARE)
    moving = moved / (device.gigabytes * 1e9 * MEMORY_SHARE)
    return 1e3 * max(computing, moving)


def table(report: dict[str, Any]) -> str:
    """Return the report for people."""
    head = f'{"model":<12} {"size":>10} {"GFLOP":>8} {"MB":>8}  ' + '  '.join(
        f'{name:>14}' for name in DEVICES)
    lines = [f'Milliseconds a call of {report["rows"][0]["batch"]}, {NOTE}: half precision, at '
             f'{COMPUTE_SHARE:.0%} of the rate', f'for dense matrices and {MEMORY_SHARE:.0%} of '
             "the memory's; copies and starts of kernels not counted.", '', head]
    for row in report['rows']:
        times = '  '.join(f'{ms:>14.2f}' for ms in row['predicted_ms'].values())
        lines.append(f'{row["model"]:<12} {row["size"]:>10} {row["gflop"]:>8.1f} '
                     f'{row["megabytes"]:>8.1f}  {times}')
    lines += ['', 'MB: what the matrix layers read (weights too) and write; the rest counts as '
              'fused into them.']
    lines += [f'{name}: {device.teraflops:g} TFLOPS, {device.gigabytes:g} GB/s ({device.source})'
              for name, device in DEVICES.items()]
    return '\n'.join(lines)
