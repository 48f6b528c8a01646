"""Translate frames in this process, with one engine for each size."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.code_hash import code_hash
from rgb2swir_ros.engines.processor import processor_identity
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.imaging.sensor import SensorSettings, VirtualSensor
from rgb2swir_ros.replay.frames import resized
from rgb2swir_ros.sizes import size_of

# Compiling takes half a minute or more and saves a few milliseconds per frame: it does not pay
# below this number of frames of one size.
WORTH_COMPILING = 3000
# what a description holds that does not decide over pixels
CIRCUMSTANCES = {'built_at', 'build_s', 'from_cache', 'file', 'parity'}


@dataclass(frozen=True)
class Options:
    """The settings of a translation; the names are those of the node's parameters.

    :param box: (height, width) that outputs are scaled down to fit.
    """

    model: str = 'nano'
    box: tuple[int, int] = (512, 640)
    backend: str = 'auto'
    precision: str = 'auto'
    threads: int = 0
    linear16: bool = False
    gamma: float = 2.2


class OfflineTranslator:
    """Translates RGB frames of any size to SWIR pixels; keeps the engines for later frames."""

    def __init__(self, options: Options, *, opener: Callable[..., Any] | None = None,
                 log: Callable[[str], None] | None = None,
                 known: Mapping[tuple[int, int], Mapping[str, Any]] | None = None) -> None:
        """Store the options; engines are opened when they are needed.

        :param opener: replaces ``engines.build.open_engine``; it has the same parameters.
        :param log: called with one line when an engine is opened.
        :param known: descriptions of engines that an earlier run has used, by (height, width): a
            size that is among them gets the same engine.
        """
        self.options = options
        self._opener = opener
        self._log = log or (lambda _: None)
        self._engines: dict[tuple[int, int], Any] = {}
        self._known = dict(known or {})
        self.opening_s = 0.0
        self._eight = VirtualSensor(SensorSettings(encoding='mono8', gamma=options.gamma))
        self._sixteen = VirtualSensor(SensorSettings(encoding='mono16'))

    def size_for(self, source: tuple[int, int]) -> tuple[int, int]:
        """Return the output's (height, width) for a source's."""
        return fit_size(source, self.options.box)

    def fit(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the frame scaled to the size its engine takes."""
        return resized(rgb, self.size_for(size_of(rgb)))

    def radiance(self, fitted: NDArray[np.uint8], frames: int = 1) -> NDArray[np.float32]:
        """Translate one fitted frame.

        :param fitted: uint8 RGB (h, w, 3) as :meth:`fit` returns it.
        :param frames: expected number of frames of this size, by which backend ``auto`` decides
            whether to compile.
        :return: radiance float32 (h, w) in [0, 1].
        """
        engine = self._engine(size_of(fitted), frames)
        return np.asarray(engine(np.ascontiguousarray(fitted)[None])[0], np.float32)

    def pixels(self, radiance: NDArray[np.float32], stamp_ns: int = 0, *,
               sixteen: bool | None = None) -> NDArray[Any]:
        """Return the output of the virtual sensor for radiance: uint8, or uint16 (linear)."""
        deep = self.options.linear16 if sixteen is None else sixteen
        sensor = self._sixteen if deep else self._eight
        return sensor(radiance, 'camera', stamp_ns)

    def require_known(self) -> None:
        """Open every engine that an earlier run has used.

        :raises UserError: if one is not here, or is another one.
        """
        for size in self._known:
            self._engine(size, WORTH_COMPILING)

    def engines(self) -> dict[tuple[int, int], dict[str, Any]]:
        """Return the description of each engine with its ``engine_hash``, by (height, width)."""
        opened = {size: described(engine) for size, engine in self._engines.items()}
        return {**{size: dict(one) for size, one in self._known.items()}, **opened}

    def describe(self) -> list[dict[str, Any]]:
        """Return the description of each opened engine."""
        return [dict(engine.describe()) for engine in self._engines.values()]

    def _engine(self, size: tuple[int, int], frames: int) -> Any:
        if size not in self._engines:
            started = time.perf_counter()  # the first opening imports torch, for seconds
            if self._opener is None:
                self._opener = _import_opener()
            options, known = self.options, self._known.get(size)
            backend, precision, threads = options.backend, options.precision, options.threads
            if known is not None:
                backend, precision = known['backend'], known.get('precision', precision)
                threads = known.get('threads', threads)
            if backend == 'auto' and frames < WORTH_COMPILING:
                backend = 'eager'
            self._log(f'opening the {backend} engine for {size[1]}x{size[0]}')
            engine = self._opener(options.model, size, backend=backend, precision=precision,
                                  threads=threads)
            self.opening_s += time.perf_counter() - started
            if known is not None:
                _require_same(known, described(engine))
            self._engines[size] = engine
        return self._engines[size]


def described(engine: Any) -> dict[str, Any]:
    """Return an engine's description with its ``engine_hash``.

    The hash covers all that decides over pixels: model, backend, precision, size, threads,
    device, libraries, processor and the code of the graph; not when and where it was built.
    """
    found = dict(engine.describe())
    if found.get('backend') == 'openvino':
        found['openvino'] = version('openvino')
    facts = {key: value for key, value in found.items() if key not in CIRCUMSTANCES}
    facts.update(processor=processor_identity(), code=code_hash())
    text = json.dumps(facts, sort_keys=True, default=str)
    return {**found, 'engine_hash': hashlib.sha256(text.encode()).hexdigest()}


def _require_same(known: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    if known['engine_hash'] == found['engine_hash']:
        return
    differing = [f'{key} was {known.get(key)} and is {found.get(key)}'
                 for key in sorted({*known, *found} - CIRCUMSTANCES)
                 if known.get(key) != found.get(key) and key != 'engine_hash']
    raise UserError('the engine is another one than that of the run which was begun ('
                    f'{"; ".join(differing) or "processor or code of the graph differ"}), and '
                    'its frames would differ: go on with the same one, or give --overwrite to '
                    'begin anew')


def _import_opener() -> Callable[..., Any]:
    """Return ``open_engine``, after a setting by which torch's waiting threads sleep.

    torch reads it when it is imported. Decoder and encoder run beside the engine: on two loaded
    cores, 38 frames of 640x360 took 44.6 s with spinning threads and 7.3 s with sleeping ones.
    """
    from rgb2swir_ros.engines.processor import waiting_environment
    os.environ.update(waiting_environment())
    from rgb2swir_ros.engines.build import open_engine
    return open_engine
