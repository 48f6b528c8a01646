"""Open an engine for a model and a size: choose the backend, build on first use, check parity."""

from __future__ import annotations

import functools
import hashlib
import logging
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from rgb2swir_ros import translator as translator_module
from rgb2swir_ros.engines.base import (
    BACKENDS,
    PRECISIONS,
    Engine,
    EngineSpec,
    ModelSource,
    Progress,
)
from rgb2swir_ros.engines.cache import EngineCache, Entry
from rgb2swir_ros.engines.eager import EagerEngine, use_threads
from rgb2swir_ros.engines.inductor import CompileError, InductorEngine, compile_package
from rgb2swir_ros.engines.parity import ParityError, require_parity
from rgb2swir_ros.engines.processor import (
    find_compiler,
    has_bfloat16,
    processor_identity,
    processor_name,
    resolve_threads,
)
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import SwirModel, load_model, model_hash

MINIMUM_SIZE = 16
log = logging.getLogger('rgb2swir_ros.engines')


def open_engine(model: str | Path, size: tuple[int, int], *, batch: int = 1,
                backend: str = 'auto', precision: str = 'auto', threads: int = 0,
                cache: str | Path | None = None, progress: Progress | None = None) -> Engine:
    """Return an engine in this process; the first time for a size it is built, in half a minute.

    Backend ``auto`` compiles where there is a C++ compiler, and else runs eagerly, with one
    warning that says what to install. Precision ``auto`` is bfloat16 where the processor computes
    in it and the model passes the parity gate in it, else float32.

    :param model: a model's name (``nano``) or folder.
    :param size: (height, width) in pixels, at least 16 each.
    :param batch: frames a call.
    :param backend: ``auto``, ``eager`` or ``inductor``.
    :param precision: ``auto``, ``float32`` or ``bfloat16``.
    :param threads: processor cores to use; 0: all that this process may use.
    :param cache: folder of built engines; by default the user's cache folder.
    :param progress: told in one line what is being done, whenever that changes.
    :raises UserError: if the model, the cache or an argument is wrong, if a backend that was
        asked for by name cannot be built, or if the engine fails the parity gate.
    """
    _check(size, batch, backend, precision)
    folder = model_directory(model)
    return _Opening(
        source=ModelSource(folder, model_hash(folder)), size=size, batch=batch, backend=backend,
        precision=precision, threads=resolve_threads(threads), cache=cache or None,
        say=progress or (lambda _: None)).open()


def check_model(model: str | Path) -> None:
    """Read a model once, so that damage is found before anything is built from it.

    :raises UserError: if there is no such model, or its files are damaged.
    """
    load_model(model_directory(model))


class _Opening:
    """One call of `open_engine`: its arguments, and the model once it is needed."""

    def __init__(self, *, source: ModelSource, size: tuple[int, int], batch: int, backend: str,
                 precision: str, threads: int, cache: str | Path | None, say: Progress) -> None:
        self.source, self.size, self.batch = source, size, batch
        self.backend, self.precision, self.threads = backend, precision, threads
        self.cache, self.say = cache, say

    @functools.cached_property
    def translator(self) -> SwirModel:
        """The float32 model: loaded when building, not when a built engine is found."""
        return load_model(self.source.folder)

    def open(self) -> Engine:
        if self.backend == 'eager':
            return self._open_eager()
        return self._open_inductor()

    def spec(self, backend: str, precision: str) -> EngineSpec:
        return EngineSpec(self.source.folder.name, *self.size, self.batch, backend, precision,
                          self.threads)

    def _open_inductor(self) -> Engine:
        cache = EngineCache(self.cache)
        preferred = self._preferred_precision()
        # What is built already needs neither a compiler nor the weights
        if found := cache.find(self._fields(self.spec('inductor', preferred))):
            return self._load(found, preferred)
        compiler = find_compiler()
        if compiler is None:
            return self._without_compiler('no C++ compiler was found')
        precision = self._passing_precision()
        spec = self.spec('inductor', precision)
        build = functools.partial(self._build, spec, compiler)
        try:
            return self._load(cache.get(self._fields(spec), build, self.say), precision)
        except CompileError as error:
            return self._without_compiler(f'compiling with {compiler} failed ({error})')

    def _build(self, spec: EngineSpec, compiler: str, folder: Path) -> tuple[Path, dict[str, Any]]:
        started = time.monotonic()
        file = compile_package(self.translator, spec, folder, compiler, self.say)
        self.say(f'building {spec}: checking parity')
        parity = require_parity(InductorEngine(file, spec), self.translator, spec)
        return file, {'parity': parity.fields(), 'built_at': _now(),
                      'build_s': round(time.monotonic() - started, 2)}

    def _load(self, entry: Entry, precision: str) -> Engine:
        spec = self.spec('inductor', precision)
        self.say(f'loading {spec}')
        facts = {**self._facts(), **entry.facts, 'from_cache': entry.from_cache}
        return InductorEngine(entry.file, spec, facts)

    def _open_eager(self) -> Engine:
        started = time.monotonic()
        spec = self.spec('eager', self._passing_precision())
        engine = EagerEngine(self.translator, spec)
        self.say(f'opening {spec}: checking parity')
        use_threads(self.threads)
        parity = require_parity(engine, self.translator, spec)
        engine.facts = {**self._facts(), 'parity': parity.fields(), 'built_at': _now(),
                        'build_s': round(time.monotonic() - started, 2), 'from_cache': False}
        return engine

    def _without_compiler(self, reason: str) -> Engine:
        """Fall back to eager with the one warning; a backend asked for by name is not swapped."""
        remedy = ('install g++ (Debian, Ubuntu: sudo apt install g++), '
                  'or set CXX to your C++ compiler')
        if self.backend == 'inductor':
            raise UserError(f'cannot build the inductor engine: {reason}; {remedy}')
        log.warning('%s, so the engine runs eagerly, layer by layer: %s', reason, remedy)
        return self._open_eager()

    def _preferred_precision(self) -> str:
        if self.precision != 'auto':
            return self.precision
        return 'bfloat16' if has_bfloat16() else 'float32'

    def _passing_precision(self) -> str:
        """Settle the precision before a long build, by trying the eager model in it."""
        precision = self._preferred_precision()
        if self.precision != 'auto' or precision == 'float32':
            return precision
        spec = self.spec('eager', precision)
        use_threads(self.threads)
        try:
            require_parity(EagerEngine(self.translator, spec), self.translator, spec)
        except ParityError as error:
            log.warning('%s; using float32', error)
            return 'float32'
        return precision

    def _facts(self) -> dict[str, Any]:
        return {'model_hash': self.source.sha256, 'torch': torch.__version__,
                'device': f'cpu ({processor_name()})'}

    def _fields(self, spec: EngineSpec) -> dict[str, Any]:
        """Return all that a compiled engine depends on."""
        return {**spec.fields(), 'model_hash': self.source.sha256, 'code_hash': code_hash(),
                'torch': torch.__version__, 'processor': processor_identity()}


@functools.lru_cache(maxsize=1)
def code_hash() -> str:
    """Return a hash of the source files that shape the graph: an update makes engines anew."""
    package = Path(translator_module.__file__).parent
    files = [package / 'translator.py', package / 'engines' / 'inductor.py',
             *sorted(package.glob('nets/*.py')), *sorted(package.glob('diffusion/*.py'))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _check(size: tuple[int, int], batch: int, backend: str, precision: str) -> None:
    if len(size) != 2 or min(size) < MINIMUM_SIZE:
        raise UserError(f'size {size!r}: give (height, width), at least {MINIMUM_SIZE} each')
    if batch < 1:
        raise UserError(f'batch {batch}: give at least 1')
    if backend not in ('auto', *BACKENDS):
        raise UserError(f"no backend '{backend}': choose auto, {' or '.join(BACKENDS)}")
    if precision not in ('auto', *PRECISIONS):
        raise UserError(f"no precision '{precision}': choose auto, {' or '.join(PRECISIONS)}")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
