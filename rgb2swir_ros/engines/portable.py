"""Export of a model's core, to be compiled elsewhere, with a manifest: ``--backend export``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from torch.export import ExportedProgram

from rgb2swir_ros.engines.arguments import check_request
from rgb2swir_ros.engines.backends import NO_LIBRARIES
from rgb2swir_ros.engines.base import EngineSpec, ProgressCallback
from rgb2swir_ros.engines.build import engine_fields, now
from rgb2swir_ros.engines.devices import resolve_device
from rgb2swir_ros.engines.eager import copy_in_precision
from rgb2swir_ros.engines.export import ExportedCore, export_core
from rgb2swir_ros.engines.parity import require_parity
from rgb2swir_ros.engines.processor import resolve_threads
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import load_model

BACKEND = 'export'


def export_model(model: str | Path, size: tuple[int, int], *, batch: int = 1,
                 precision: str = 'auto', device: str = 'auto', threads: int = 0,
                 progress: ProgressCallback) -> tuple[ExportedProgram, dict[str, Any]]:
    """Export the float core of a model at a size, and check its parity with the model.

    :param precision: ``auto`` is float16, which suits GPUs.
    :param device: the device of the program's weights; ``auto`` is ``cpu``, which loads anywhere.
    :return: the program, and the fields and facts of its manifest.
    :raises UserError: if an argument is wrong, or the program fails the parity gate.
    """
    check_request(size, batch, 'auto', precision)
    folder = model_directory(model)
    spec = EngineSpec(folder.name, *size, batch, BACKEND,
                      'float16' if precision == 'auto' else precision, resolve_threads(threads),
                      'cpu' if device == 'auto' else resolve_device(device))
    started = time.monotonic()
    progress(f'building {spec}: exporting')
    reference = load_model(folder)
    program = export_core(copy_in_precision(reference, spec.precision).to(spec.device), spec)
    progress(f'building {spec}: checking parity')
    parity = require_parity(ExportedCore(program, spec), reference, spec)
    return program, {
        'fields': engine_fields(spec, model_hash(folder), NO_LIBRARIES),
        'facts': {'parity': parity.fields(), 'built_at': now(),
                  'build_s': round(time.monotonic() - started, 2)}}
