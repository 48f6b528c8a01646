"""Open an engine for a model and a size: choose the backend, build on first use, check parity."""

from __future__ import annotations

import functools
import logging
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

from rgb2swir_ros.engines.arguments import check_level, check_request, resolve_engine_device
from rgb2swir_ros.engines.backends import COMPILING, Backend
from rgb2swir_ros.engines.base import (
    CompileError,
    Engine,
    EngineSpec,
    ModelSource,
    NotInstalled,
    ProgressCallback,
    TransientError,
    Unavailable,
    first_line,
)
from rgb2swir_ros.engines.cache import EngineCache, Entry
from rgb2swir_ros.engines.code_hash import code_hash
from rgb2swir_ros.engines.cuda import CudaEngine, open_eager_cuda
from rgb2swir_ros.engines.devices import describe_device, device_facts
from rgb2swir_ros.engines.eager import EagerEngine, use_threads
from rgb2swir_ros.engines.parity import ParityError, require_parity
from rgb2swir_ros.engines.processor import has_bfloat16, processor_identity, resolve_threads
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import SwirModel, load_model

OPTIMIZATION_LEVEL = 3  # TensorRT's default
# The backends that `auto` tries, in this order
AUTO_ORDER = {'cuda': ('tensorrt', 'inductor', 'eager'), 'cpu': ('openvino', 'inductor', 'eager')}
FALLBACKS = {'inductor': 'the engine is compiled by TorchInductor',
             'eager': 'the engine runs eagerly, layer by layer'}
# Parts of the messages of errors whose cause may pass; see `is_transient`
TRANSIENT = ('out of memory', 'cannot allocate memory', 'bad_alloc', 'no space left',
             'too many open files', 'permission denied')
log = logging.getLogger('rgb2swir_ros.engines')


def open_engine(model: str | Path, size: tuple[int, int], *, batch: int = 1,
                backend: str = 'auto', precision: str = 'auto', threads: int = 0,
                device: str = 'auto', optimization_level: int = OPTIMIZATION_LEVEL,
                cache: str | Path | None = None,
                progress: ProgressCallback | None = None) -> Engine:
    """Return an engine in this process; it is built if the cache does not hold it.

    A build takes seconds with OpenVINO, half a minute with TorchInductor and minutes with
    TensorRT. Backend ``auto`` is the first of `AUTO_ORDER` that works here. For each that does
    not, a warning is logged once per process with the remedy (but not if OpenVINO is missing,
    which is optional). Precision ``auto`` is float16 on a GPU, and bfloat16 on a processor with
    native bfloat16, if the model passes the parity gate in it; else float32.

    :param model: a model's name (``nano``) or folder.
    :param size: (height, width) in pixels, at least 16 each.
    :param batch: frames per call.
    :param backend: ``auto`` or one of `BACKENDS`.
    :param precision: ``auto`` or one of `PRECISIONS`; float16 needs a GPU.
    :param threads: processor cores to use; 0: all that this process may use.
    :param device: ``auto``, ``cpu`` or ``cuda``.
    :param optimization_level: TensorRT's, 0 to 5: higher builds longer and may run faster.
    :param cache: folder of built engines; by default the user's cache folder.
    :param progress: called with one line of text at each new step.
    :raises UserError: if the model, the cache or an argument is wrong, if a backend that is
        requested by name cannot be built, or if the engine fails the parity gate.
    """
    check_request(size, batch, backend, precision)
    check_level(optimization_level)
    folder = model_directory(model)
    return _EngineOpener(
        source=ModelSource(folder, model_hash(folder)), size=size, batch=batch, backend=backend,
        precision=precision, threads=resolve_threads(threads),
        device=resolve_engine_device(device, backend, precision), level=optimization_level,
        cache=cache or None, progress=progress or (lambda _: None)).open()


class _EngineOpener:
    """One call of `open_engine`: its arguments, and the model, which is loaded on first use."""

    def __init__(self, *, source: ModelSource, size: tuple[int, int], batch: int, backend: str,
                 precision: str, threads: int, device: str, level: int,
                 cache: str | Path | None, progress: ProgressCallback) -> None:
        self.source, self.size, self.batch = source, size, batch
        self.backend, self.precision, self.threads = backend, precision, threads
        self.device, self.level, self.cache, self.progress = device, level, cache, progress

    @functools.cached_property
    def translator(self) -> SwirModel:
        """The float32 model; it is loaded to build an engine, not to load a built one."""
        return load_model(self.source.folder)

    def open(self) -> Engine:
        order = AUTO_ORDER[self.device] if self.backend == 'auto' else (self.backend,)
        for name, following in zip(order, (*order[1:], ''), strict=True):
            try:
                if name == 'eager':
                    return self._open_eager()
                return self._open_compiled(name, COMPILING[name])
            except Unavailable as error:
                if not following:  # a backend requested by name has no fallback
                    raise UserError(
                        f'cannot build the {name} engine: {error}; {error.remedy}') from error
                if not isinstance(error, NotInstalled):
                    warn_once(f'{error}, so {FALLBACKS[following]}: {error.remedy}')
            except ParityError as error:
                if not following:
                    raise
                warn_once(f'{error}. Here {FALLBACKS[following]} instead')
        raise AssertionError('eager is always available')

    def spec(self, backend: str, precision: str) -> EngineSpec:
        level = self.level if backend == 'tensorrt' else None
        return EngineSpec(self.source.folder.name, *self.size, self.batch, backend, precision,
                          self.threads, self.device, level)

    def _open_compiled(self, name: str, backend: Backend) -> Engine:
        cache = EngineCache(self.cache)
        versions = backend.versions()
        spec = self.spec(name, self._preferred_precision())
        # A built engine needs neither a compiler nor the weights
        found = cache.find(engine_fields(spec, self.source.sha256, versions))
        if found:
            try:
                return self._load(backend, found, spec)
            except Unavailable:  # a library is missing; the engine is intact
                raise
            except ImportError as error:
                raise Unavailable(f'the {name} engine cannot be loaded ({first_line(error)})',
                                  'install what is missing') from error
            except Exception as error:  # intact, but this machine's libraries do not load it
                if is_transient(error):
                    raise TransientError(
                        f'the engine in {found.file.parent} cannot be loaded now, and is kept '
                        f'({first_line(error)}): fix the cause and try again') from error
                self.progress(f'the engine in {found.file.parent} cannot be loaded '
                         f'({first_line(error)}); rebuilding')
        backend.require_tools(self.device)
        spec = self.spec(name, self._verified_precision())
        build = functools.partial(self._build, backend, spec, cache.folder)
        try:
            entry = cache.get(engine_fields(spec, self.source.sha256, versions), build,
                              self.progress, instead_of=found)
            return self._load(backend, entry, spec)
        except CompileError as error:
            raise Unavailable(f'compiling with {name} failed ({error})',
                              'check the compiler that is named here, or choose backend eager'
                              ) from error

    def _build(self, backend: Backend, spec: EngineSpec, shared: Path,
               folder: Path) -> tuple[Path, dict[str, Any]]:
        started = time.monotonic()
        file = backend.compile(self.translator, spec, folder, shared, self.progress)
        self.progress(f'building {spec}: checking parity')
        parity = require_parity(backend.open(file, spec), self.translator, spec)
        return file, {'parity': parity.fields(), 'built_at': now(),
                      'build_s': round(time.monotonic() - started, 2)}

    def _load(self, backend: Backend, entry: Entry, spec: EngineSpec) -> Engine:
        self.progress(f'loading {spec}')
        facts = {**self._facts(), **entry.facts, 'from_cache': entry.from_cache,
                 'file': str(entry.file)}
        return backend.open(entry.file, spec, facts)

    def _open_eager(self) -> Engine:
        started = time.monotonic()
        spec = self.spec('eager', self._verified_precision())
        engine = self._eager(spec)
        self.progress(f'opening {spec}: checking parity')
        use_threads(self.threads)
        parity = require_parity(engine, self.translator, spec)
        engine.facts = {**self._facts(), 'parity': parity.fields(), 'built_at': now(),
                        'build_s': round(time.monotonic() - started, 2), 'from_cache': False,
                        'file': None}
        return engine

    def _eager(self, spec: EngineSpec) -> EagerEngine | CudaEngine:
        if spec.device == 'cuda':
            return open_eager_cuda(self.translator, spec)
        return EagerEngine(self.translator, spec)

    def _preferred_precision(self) -> str:
        if self.precision != 'auto':
            return self.precision
        if self.device == 'cuda':
            return 'float16'
        return 'bfloat16' if has_bfloat16() else 'float32'

    def _verified_precision(self) -> str:
        """Return a precision in which the eager model passes the parity gate.

        It is checked before the build, which can take long.
        """
        precision = self._preferred_precision()
        if self.precision != 'auto' or precision == 'float32':
            return precision
        spec = self.spec('eager', precision)
        use_threads(self.threads)
        try:
            require_parity(self._eager(spec), self.translator, spec)
        except ParityError as error:
            log.warning('%s; using float32', error)
            return 'float32'
        return precision

    def _facts(self) -> dict[str, Any]:
        return {'model_hash': self.source.sha256, 'torch': torch.__version__,
                'device': describe_device(self.device)}


def is_transient(error: BaseException) -> bool:
    """Return whether a loading error is due to the machine's state and not to the engine.

    Examples are lack of memory or disk space, too many open files and missing permissions: a new
    engine would fail as well. Native libraries report these by their messages only.
    """
    if isinstance(error, (MemoryError, OSError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return any(words in text for words in TRANSIENT)


def engine_fields(spec: EngineSpec, model_sha256: str,
                  versions: dict[str, str | None]) -> dict[str, Any]:
    """Return everything that a compiled engine depends on: the fields of its manifest.

    :param versions: see `rgb2swir_ros.engines.backends.Backend.versions`.
    """
    fields = {**spec.fields(), 'model_hash': model_sha256, 'code_hash': code_hash(),
              'torch': torch.__version__, 'processor': processor_identity(),
              **versions, **device_facts(spec.device)}
    if spec.device == 'cuda':
        del fields['threads']  # only a processor's engine depends on it
    return fields


@functools.cache
def warn_once(text: str) -> None:
    """Log a warning, once per process and text."""
    log.warning('%s', text)


def now() -> str:
    """Return the current time as ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec='seconds')
