"""The Translator compiled ahead of time by TorchInductor into one ``.pt2`` file.

``torch._inductor`` takes as long to import as torch itself, so it is imported where it is used:
engines of other backends start without it.
"""

from __future__ import annotations

import os
import shutil
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from rgb2swir_ros.engines.base import (
    CompileError,
    EngineSpec,
    ProgressCallback,
    first_line,
)
from rgb2swir_ros.engines.cuda import CudaEngine
from rgb2swir_ros.engines.eager import TorchEngine, cast, use_threads
from rgb2swir_ros.translator import SwirModel

ENGINE_FILE = 'engine.pt2'


def compile_options(compiler: str, threads: int) -> dict[str, Any]:
    """Return TorchInductor's settings.

    Freezing makes the weights constants, in oneDNN's blocked layout and fused with the operators
    that follow.
    """
    options = {
        'freezing': True,
        'cpp.cxx': (None, compiler),
        'cpp.threads': threads,  # written into the generated loops
        'compile_threads': 1,  # a pool of workers would outlive the build
    }
    from torch._inductor.config import get_config_copy

    # The wrapper calls one kernel after the other: optimised it is no faster (measured with nano),
    # and users wait seconds longer for their engine. Not every version of torch has this setting,
    # nor the next ones.
    known = get_config_copy()
    if 'aot_inductor.compile_wrapper_opt_level' in known:
        options['aot_inductor.compile_wrapper_opt_level'] = 'O0'
    # Precompiled headers are kept in a folder with a predictable name under /tmp, which others
    # could create first.
    for name in ('cpp_cache_precompile_headers', 'aot_inductor.precompile_headers'):
        if name in known:
            options[name] = False
    return options


def compile_package(translator: SwirModel, spec: EngineSpec, folder: Path, compiler: str,
                    progress: ProgressCallback) -> Path:
    """Export and compile a float32 Translator.

    :param folder: folder for ``engine.pt2`` and for temporary files of the build.
    :param compiler: path of the C++ compiler.
    :return: the package's path.
    :raises CompileError: if it cannot be compiled here.
    """
    from torch._inductor import aoti_compile_and_package

    use_threads(spec.threads)
    progress(f'building {spec}: exporting')
    copied = cast(translator, spec.precision).to(spec.device)
    example = torch.zeros(spec.batch, spec.height, spec.width, 3, dtype=torch.uint8,
                          device=spec.device)
    path = folder / ENGINE_FILE
    # no_grad around both: with gradients enabled, AOTInductor silently skips freezing.
    # Not inference_mode: inference tensors in the module make the compilation fail.
    with _scratch(folder / 'inductor'), warnings.catch_warnings(), torch.no_grad():
        # torch's own deprecation warnings, which a user of this package cannot fix
        warnings.simplefilter('ignore')
        program = torch.export.export(copied, (example,))
        progress(f'building {spec}: compiling')
        try:
            aoti_compile_and_package(
                program, package_path=str(path),
                inductor_configs=compile_options(compiler, spec.threads))
        except Exception as error:
            raise CompileError(f'{compiler}: {first_line(error)}') from error
    return path


class InductorEngine(TorchEngine):
    """Run a compiled package at the size it was built for.

    The package is code: open only files that `rgb2swir_ros.engines.cache` has verified.
    """

    def __init__(self, package: Path, spec: EngineSpec,
                 facts: dict[str, Any] | None = None) -> None:
        """Load a package; ``facts`` are added to the description."""
        from torch._inductor import aoti_load_package

        with _unpacked_removed(package):
            super().__init__(aoti_load_package(str(package)), spec, facts)


def open_cuda_package(package: Path, spec: EngineSpec,
                      facts: dict[str, Any] | None = None) -> CudaEngine:
    """Load a package that was compiled for the GPU and record it as a CUDA graph.

    Not run on hardware yet.

    :param package: as for `InductorEngine`.
    """
    from torch._inductor import aoti_load_package

    with _unpacked_removed(package):
        # without the package's own locking, which queries events while a graph is recorded
        program = aoti_load_package(str(package), run_single_threaded=True)
        engine = CudaEngine(program, spec, facts)
        engine.warm_up()  # kernels are read from the unpacked files at the first call
    return engine


@contextmanager
def _scratch(folder: Path) -> Iterator[None]:
    """Make TorchInductor write to a private folder, which is removed at the end.

    Its default is a folder with a predictable name under /tmp, which others could create first.
    """
    before = os.environ.get('TORCHINDUCTOR_CACHE_DIR')
    os.environ['TORCHINDUCTOR_CACHE_DIR'] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ['TORCHINDUCTOR_CACHE_DIR']
        else:
            os.environ['TORCHINDUCTOR_CACHE_DIR'] = before
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _unpacked_removed(package: Path) -> Iterator[None]:
    """Remove the files that torch unpacks from a package in the block, and no others.

    Torch removes them when a process exits normally; an engine process may be killed, which would
    leave some megabytes each time. A mapped library does not need its file's name. A file is
    removed if the package holds it and it lies in a temporary folder that was created in the
    block and from which this process has mapped a library; folders that become empty are removed
    as well.
    """
    before, mapped = _temporary_folders(), _mapped_files()
    yield
    with zipfile.ZipFile(package) as archive:
        members = [name for name in archive.namelist() if not name.endswith('/')]
    libraries = _mapped_files() - mapped
    for folder in _temporary_folders() - before:
        if any(str(folder / name) in libraries for name in members):
            _remove_members(folder, members)


def _remove_members(folder: Path, members: list[str]) -> None:
    """Remove files of these relative names from a folder, and the folders left empty."""
    for name in members:
        path = folder / name
        with suppress(OSError):
            path.unlink(missing_ok=True)
        for parent in path.parents:
            if not parent.is_relative_to(folder):
                break
            with suppress(OSError):  # not empty
                parent.rmdir()


def _temporary_folders() -> set[Path]:
    """Return the folders where torch may unpack a package: in /tmp, or in $TMPDIR."""
    places = {'/tmp', *(os.environ.get(name, '/tmp') for name in ('TMPDIR', 'TMP', 'TEMP'))}
    folders: set[Path] = set()
    for place in places:
        with suppress(OSError), os.scandir(place) as entries:
            folders |= {Path(entry.path) for entry in entries
                        if entry.is_dir(follow_symlinks=False)}
    return folders


def _mapped_files() -> set[str]:
    lines = Path('/proc/self/maps').read_text().splitlines()
    return {parts[5] for line in lines if len(parts := line.split(maxsplit=5)) == 6}
