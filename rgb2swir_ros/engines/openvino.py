"""A model compiled by OpenVINO for the processor, into one ``.blob`` file; an optional extra.

The model is traced with explicit casts, a bfloat16 trunk and a float32 head, and the precision
hint ``dynamic`` makes OpenVINO compute in these types. Its hint ``bf16`` on a float32 model would
compute the head in bfloat16 too; that saves no time, and the mean error is twice as large, past
the parity gate (``benchmark/cpu_backends.py``, docs/design.md).

OpenVINO reports its use over the network with the package ``openvino_telemetry``, as soon as it
is imported. This module makes that package's import fail, for which OpenVINO has a substitute.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import io
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from rgb2swir_ros.engines.base import (
    CompileError,
    EngineSpec,
    Frames,
    NotInstalled,
    ProgressCallback,
    Radiance,
    Unavailable,
    first_line,
    padded_batch,
)
from rgb2swir_ros.engines.eager import copy_in_precision, use_threads
from rgb2swir_ros.translator import SwirModel

ENGINE_FILE = 'engine.blob'
REMEDY = "pip install 'rgb2swir_ros[openvino]' (from a checkout: pip install '.[openvino]')"


def find_openvino() -> ModuleType:
    """Return the library, imported.

    :raises NotInstalled: if it is not installed.
    :raises Unavailable: if it is installed and cannot be imported.
    """
    if importlib.util.find_spec('openvino') is None:
        raise NotInstalled('openvino is not installed', REMEDY)
    module, problem = _import_once()
    if module is None:
        raise Unavailable(f'openvino is installed but cannot be imported ({problem})', REMEDY)
    return module


@functools.lru_cache(maxsize=1)
def _import_once() -> tuple[ModuleType | None, str]:
    """Return the library, or None and the reason; a failed import is not repeated."""
    # None makes its import fail; a module that is already imported stays
    sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
    try:
        return importlib.import_module('openvino'), ''
    except Exception as error:
        return None, first_line(error)


def openvino_version() -> str:
    """Return the version that an engine depends on, with its build: ``2026.4.1-22982-...``.

    :raises Unavailable: as `find_openvino`.
    """
    return str(find_openvino().__version__)


def compile_options(threads: int) -> dict[str, Any]:
    """Return OpenVINO's options, which it needs both to compile and to load.

    Its threads are not pinned to cores, so that the kernel can move them away from busy ones.
    """
    return {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_NUM_THREADS': threads,
            'INFERENCE_PRECISION_HINT': 'dynamic', 'ENABLE_CPU_PINNING': False}


def compile_blob(translator: SwirModel, spec: EngineSpec, folder: Path,
                 progress: ProgressCallback) -> Path:
    """Trace and compile a float32 model.

    :param folder: folder for ``engine.blob``.
    :return: the file's path.
    :raises CompileError: if OpenVINO cannot convert or compile it.
    :raises Unavailable: as `find_openvino`.
    """
    library = find_openvino()
    use_threads(spec.threads)
    progress(f'building {spec}: tracing')
    copied = copy_in_precision(translator, spec.precision)
    shape = (spec.batch, spec.height, spec.width, 3)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # tracing warns that sizes become constants, which is intended
            warnings.simplefilter('ignore')
            graph = library.convert_model(
                copied, input=[shape], example_input=torch.zeros(shape, dtype=torch.uint8))
        progress(f'building {spec}: compiling')
        compiled = library.Core().compile_model(graph, 'CPU', compile_options(spec.threads))
        blob = io.BytesIO()
        compiled.export_model(blob)
    except Exception as error:
        raise CompileError(f'openvino {library.__version__}: {reason(error)}') from error
    path = folder / ENGINE_FILE
    path.write_bytes(blob.getvalue())
    return path


def reason(error: BaseException) -> str:
    """Return an error in one line: the first of OpenVINO's that is not a source location."""
    lines = [line.strip() for line in str(error).splitlines()]
    texts = [line for line in lines if line and not line.endswith(':')]
    return f'{type(error).__name__}: {texts[0]}' if texts else first_line(error)


class OpenVinoEngine:
    """Run a compiled blob at the size it was built for.

    The blob is code: open only files that `rgb2swir_ros.engines.cache` has verified.
    """

    def __init__(self, blob: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> None:
        """Load a blob; ``facts`` are added to the description.

        :raises CompileError: if OpenVINO cannot load it.
        """
        self.spec = spec
        self.facts = facts or {}
        library = find_openvino()
        try:
            self.compiled = library.Core().import_model(blob.read_bytes(), 'CPU',
                                                        compile_options(spec.threads))
        except RuntimeError as error:
            raise CompileError(f'openvino {library.__version__}: {reason(error)}') from error
        self._request = self.compiled.create_infer_request()

    def __call__(self, rgb: Frames) -> Radiance:
        """Translate camera frames: see `Engine`."""
        full = padded_batch(rgb, self.spec)
        radiance: Radiance = self._request.infer([full])[0]
        return radiance[:len(rgb)]

    def describe(self) -> dict[str, Any]:
        """Return the description: see `Engine`."""
        return {**self.spec.fields(), **self.facts}
