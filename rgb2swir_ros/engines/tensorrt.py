"""The core compiled by TensorRT, through torch_tensorrt 2.8 (Jetson Orin) to 2.13 and later.

Two packages bring the module ``torch_tensorrt``: torch-tensorrt, for TensorRT, and, for desktop
GPUs, torch-tensorrt-rtx, for TensorRT for RTX. Whichever is installed is used as it is.

**Not run on hardware yet.** What is tested: that the compiler of TensorRT for RTX builds the
exported core of every preset through the converters of both versions, and which arguments are
passed to which version.

Below 2.10 types are weak unless asked otherwise, from 2.13 ``enabled_precisions`` is ignored; so
the model itself is in half precision with a float32 head, and types are explicit everywhere.
"""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from rgb2swir_ros.engines.base import (
    CompileError,
    EngineSpec,
    ProgressCallback,
    Unavailable,
    first_line,
)
from rgb2swir_ros.engines.cuda import CudaEngine
from rgb2swir_ros.engines.devices import why_no_cuda
from rgb2swir_ros.engines.eager import copy_in_precision
from rgb2swir_ros.engines.export import core_example, core_input, export_core
from rgb2swir_ros.translator import SwirModel

ENGINE_FILE = 'engine.pt2'
OLDEST = (2, 8)
EXPLICIT_TYPING = (2, 10)  # from here on it is the default, and the argument is gone
REMEDY = ('install torch, torch_tensorrt and TensorRT builds that belong together (JetPack 6: '
          'torch_tensorrt 2.8 with TensorRT 10.3; JetPack 7.2 and data centres: 2.13 or later; '
          'desktop RTX GPUs: pip install torch-tensorrt-rtx)')
PRODUCTS = {'tensorrt': 'TensorRT', 'tensorrt_rtx': 'TensorRT for RTX'}


def find_tensorrt() -> ModuleType:
    """Return torch_tensorrt, imported and able to build.

    :raises Unavailable: if there is no GPU, or torch_tensorrt or TensorRT cannot be used.
    """
    if not torch.cuda.is_available():
        raise Unavailable(f'TensorRT needs a GPU, and {why_no_cuda()}', REMEDY)
    module, problem = _import_once()
    if module is None:
        raise Unavailable(problem, REMEDY)
    return module


@functools.lru_cache(maxsize=1)
def _import_once() -> tuple[ModuleType | None, str]:
    """Return torch_tensorrt, or None and why it does not serve; a failed import is not repeated.

    The package can be there without the libraries it needs: then importing it fails in many ways.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints; ours may be JSON
            import torch_tensorrt
    except ModuleNotFoundError as error:
        return None, f'{error.name} is not installed'
    except Exception as error:
        return None, f'torch_tensorrt is installed but cannot be imported ({first_line(error)})'
    version = getattr(torch_tensorrt, '__version__', '0')
    if release(version) < OLDEST:
        return None, f'torch_tensorrt {version} is older than {OLDEST[0]}.{OLDEST[1]}'
    if not torch_tensorrt.ENABLED_FEATURES.torch_tensorrt_runtime:
        return None, f'torch_tensorrt {version} has no runtime library (libtorchtrt)'
    return torch_tensorrt, ''


def release(version: str) -> tuple[int, int]:
    """Return major and minor of a version like ``2.8.0a0+cu126``."""
    major, minor, *_ = *(int(number) for number in re.findall(r'\d+', version)), 0, 0
    return major, minor


def tensorrt_versions() -> dict[str, str]:
    """Return the versions that an engine depends on, with the name of the product.

    :return: ``torch_tensorrt`` (2.13.0) and ``tensorrt`` (TensorRT for RTX 1.6.1).
    :raises Unavailable: as `find_tensorrt`.
    """
    module = find_tensorrt()
    return {'torch_tensorrt': module.__version__, 'tensorrt': product()}


def product() -> str:
    """Return which TensorRT the imported torch_tensorrt uses, and its version.

    torch_tensorrt-rtx puts TensorRT for RTX where others import ``tensorrt``, and notes its name;
    older releases of torch_tensorrt know of no other and note none.
    """
    library = sys.modules['tensorrt']
    name = getattr(library, '_package_name', None) or 'tensorrt'
    return f'{PRODUCTS.get(name, name)} {library.__version__}'


def compile_arguments(version: str, optimization_level: int, timing_cache: Path) -> dict[str, Any]:
    """Return what ``torch_tensorrt.dynamo.compile`` is told.

    torch_tensorrt's own engine cache stays off: it works only for engines whose weights can be
    replaced, which are slower, and it reads pickles. `rgb2swir_ros.engines.cache` keeps engines.

    :param version: torch_tensorrt's.
    :param optimization_level: 0 to 5; at 5 it searches longest.
    """
    arguments: dict[str, Any] = {
        'min_block_size': 1, 'require_full_compilation': True,
        'optimization_level': optimization_level, 'timing_cache_path': str(timing_cache)}
    if release(version) < EXPLICIT_TYPING:
        arguments['use_explicit_typing'] = True
    return arguments


def compile_engine(translator: SwirModel, spec: EngineSpec, folder: Path, timings: Path,
                   progress: ProgressCallback) -> Path:
    """Export a float32 model's core in the spec's precision and compile it with TensorRT.

    Not run on hardware yet.

    :param folder: where ``engine.pt2`` is written.
    :param timings: TensorRT's cache of measured kernels, which makes later builds shorter; read
        if it is there, and replaced as a whole after the build.
    :return: the engine's path.
    :raises CompileError: if TensorRT cannot build it.
    :raises Unavailable: as `find_tensorrt`.
    """
    assert spec.optimization_level is not None
    module = find_tensorrt()
    path, working = folder / ENGINE_FILE, folder / 'timings'
    progress(f'building {spec}: exporting')
    own = copy_in_precision(translator, spec.precision).to(spec.device)
    program = export_core(own, spec)
    example = core_example(spec)
    if timings.is_file():
        shutil.copyfile(timings, working)
    progress(f'building {spec}: {product()}, which can take minutes')
    try:
        compiled = module.dynamo.compile(
            program, arg_inputs=(example,),
            **compile_arguments(module.__version__, spec.optimization_level, working))
        module.save(compiled, str(path), arg_inputs=(example,))
    except Exception as error:
        raise CompileError(first_line(error)) from error
    if working.is_file():
        timings.parent.mkdir(mode=0o700, exist_ok=True)
        working.replace(timings)
    return path


def open_tensorrt(file: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> CudaEngine:
    """Load an engine that `compile_engine` wrote; CUDA graphs are on from the first call.

    Not run on hardware yet. The file is code: open only what `rgb2swir_ros.engines.cache`
    vouches for.
    """
    module = find_tensorrt()  # imported first: it teaches torch to read the file
    core = torch.export.load(str(file)).module()
    # kept by the process and not by the engine; the warm-up then records
    module.runtime.set_cudagraphs_mode(True)
    dtype = getattr(torch, spec.precision)

    def program(rgb: Tensor) -> Tensor:
        radiance = core(core_input(rgb, dtype))
        # whether one output comes alone or in a tuple differs by version
        return (radiance if isinstance(radiance, Tensor) else radiance[0])[:, 0]

    engine = CudaEngine(program, spec, {**(facts or {}), 'tensorrt': product()}, capture=False)
    engine.warm_up()
    return engine
