"""The compiling backends, all with the same four methods: versions, tools, compile, open."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Protocol

from rgb2swir_ros.engines.base import Engine, EngineSpec, ProgressCallback, Unavailable
from rgb2swir_ros.engines.inductor import InductorEngine, compile_package, open_cuda_package
from rgb2swir_ros.engines.openvino import (
    OpenVinoEngine,
    compile_blob,
    find_openvino,
    openvino_version,
)
from rgb2swir_ros.engines.processor import find_compiler
from rgb2swir_ros.engines.tensorrt import (
    compile_engine,
    find_tensorrt,
    open_tensorrt,
    tensorrt_versions,
)
from rgb2swir_ros.translator import SwirModel

COMPILER_REMEDY = ('install g++ (Debian, Ubuntu: sudo apt install g++), '
                   'or set CXX to your C++ compiler')
# The libraries that an engine may depend on besides torch; None for what it does not use
NO_LIBRARIES: dict[str, str | None] = {'torch_tensorrt': None, 'tensorrt': None, 'openvino': None}


class Backend(Protocol):
    """The interface between `rgb2swir_ros.engines.build` and a backend that compiles."""

    def versions(self) -> dict[str, str | None]:
        """Return `NO_LIBRARIES` with the versions of what its engines use.

        :raises Unavailable: if engines of this backend cannot even be loaded here.
        """

    def require_tools(self, device: str) -> None:
        """Check that engines can be built here.

        :raises Unavailable: if not.
        """

    def compile(self, translator: SwirModel, spec: EngineSpec, folder: Path, shared: Path,
                progress: ProgressCallback) -> Path:
        """Build an engine of a float32 model.

        :param folder: an empty folder for the engine's file.
        :param shared: the cache's folder, for data that builds share.
        :return: the file.
        :raises CompileError: if the compiler fails.
        """

    def open(self, file: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> Engine:
        """Load an engine that `compile` wrote; ``facts`` are added to its description."""


class Inductor:
    """TorchInductor, ahead of time, for processors and for GPUs."""

    def versions(self) -> dict[str, str | None]:
        """Return the versions: see `Backend`."""
        return {**NO_LIBRARIES}

    def require_tools(self, device: str) -> None:
        """Look for the compilers: see `Backend`."""
        if find_compiler() is None:
            raise Unavailable('no C++ compiler was found', COMPILER_REMEDY)
        if device == 'cuda' and importlib.util.find_spec('triton') is None:
            raise Unavailable('triton is not installed', 'install the triton of your torch')

    def compile(self, translator: SwirModel, spec: EngineSpec, folder: Path, shared: Path,
                progress: ProgressCallback) -> Path:
        """Build a package: see `Backend`."""
        compiler = find_compiler()
        assert compiler is not None
        return compile_package(translator, spec, folder, compiler, progress)

    def open(self, file: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> Engine:
        """Load a package: see `Backend`."""
        if spec.device == 'cpu':
            return InductorEngine(file, spec, facts)
        return open_cuda_package(file, spec, facts)


class TensorRT:
    """TensorRT, through torch_tensorrt."""

    def versions(self) -> dict[str, str | None]:
        """Return the versions: see `Backend`."""
        return {**NO_LIBRARIES, **tensorrt_versions()}

    def require_tools(self, device: str) -> None:
        """Look for the libraries: see `Backend`."""
        find_tensorrt()

    def compile(self, translator: SwirModel, spec: EngineSpec, folder: Path, shared: Path,
                progress: ProgressCallback) -> Path:
        """Build an engine: see `Backend`."""
        return compile_engine(translator, spec, folder, shared / 'tensorrt' / 'timings', progress)

    def open(self, file: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> Engine:
        """Load an engine: see `Backend`."""
        return open_tensorrt(file, spec, facts)


class OpenVino:
    """OpenVINO, for processors, where it is installed."""

    def versions(self) -> dict[str, str | None]:
        """Return the versions: see `Backend`."""
        return {**NO_LIBRARIES, 'openvino': openvino_version()}

    def require_tools(self, device: str) -> None:
        """Look for the library: see `Backend`."""
        find_openvino()

    def compile(self, translator: SwirModel, spec: EngineSpec, folder: Path, shared: Path,
                progress: ProgressCallback) -> Path:
        """Build a blob: see `Backend`."""
        return compile_blob(translator, spec, folder, progress)

    def open(self, file: Path, spec: EngineSpec, facts: dict[str, Any] | None = None) -> Engine:
        """Load a blob: see `Backend`."""
        return OpenVinoEngine(file, spec, facts)


COMPILING: dict[str, Backend] = {
    'inductor': Inductor(), 'openvino': OpenVino(), 'tensorrt': TensorRT()}
