"""A model compiled by OpenVINO for the processor, into one ``.blob`` file; an optional extra.

The model is traced with its casts written out, a bfloat16 trunk and a float32 head, and the
precision hint ``dynamic`` has OpenVINO compute in the types that it finds. Its hint ``bf16`` on a
float32 model computes the head in bfloat16 too; that saves no time, and the mean error is twice
as large, past the parity gate (``benchmark/cpu_backends.py``, docs/design.md).

OpenVINO reports its use over the network, by the package ``openvino_telemetry``, from the moment
it is imported. Here that package counts as absent, for which OpenVINO has a stand-in.
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
    Progress,
    Radiance,
    Unavailable,
    first_line,
    padded_batch,
)
from rgb2swir_ros.engines.eager import own_copy, use_threads
from rgb2swir_ros.translator import SwirModel

ENGINE_FILE = 'engine.blob'
REMEDY = "pip install 'rgb2swir_ros[openvino]' (from a checkout: pip install '.[openvino]')"


def find_openvino() -> ModuleType:
    """Return the library, imported.

    :raises NotInstalled: if it is not there.
    :raises Unavailable: if it is there and cannot be imported.
    """
    if importlib.util.find_spec('openvino') is None:
        raise NotInstalled('openvino is not installed', REMEDY)
    module, problem = _import_once()
    if module is None:
        raise Unavailable(f'openvino is installed but cannot be imported ({problem})', REMEDY)
    return module


@functools.lru_cache(maxsize=1)
def _import_once() -> tuple[ModuleType | None, str]:
    """Return the library, or None and why it does not serve; a failed import is not repeated."""
    # None makes its import fail; what somebody has imported before stays
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
    """Return what OpenVINO is told, when it compiles and again when it loads.

    Its threads are not pinned to cores, so that the kernel can move them away from busy ones.
    """
    return {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_NUM_THREADS': threads,
            'INFERENCE_PRECISION_HINT': 'dynamic', 'ENABLE_CPU_PINNING': False}


def compile_blob(translator: SwirModel, spec: EngineSpec, folder: Path,
                 progress: Progress) -> Path:
    """Trace and compile a float32 model.

    :param folder: where ``engine.blob`` is written.
    :return: the file's path.
    :raises CompileError: if OpenVINO cannot convert or compile it.
    :raises Unavailable: as `find_openvino`.
    """
    library = find_openvino()
    use_threads(spec.threads)
    progress(f'building {spec}: tracing')
    own = own_copy(translator, spec.precision)
    shape = (spec.batch, spec.height, spec.width, 3)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            # sizes become constants, of which tracing warns and which is what a graph here has
            warnings.simplefilter('ignore')
            graph = library.convert_model(
                own, input=[shape], example_input=torch.zeros(shape, dtype=torch.uint8))
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
    """Return an error in one line: of OpenVINO's text the first that says more than where."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.endswith(':')]
    return f'{type(error).__name__}: {said[0]}' if said else first_line(error)


class OpenVinoEngine:
    """Run a compiled blob at the size it was built for.

    The blob is code: open only what `rgb2swir_ros.engines.cache` vouches for.
    """

    def __init__(self, blob: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> None:
        """Load a blob; ``facts`` join the description.

        :raises CompileError: if OpenVINO does not take it.
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
        """Return what it is: see `Engine`."""
        return {**self.spec.fields(), **self.facts}
