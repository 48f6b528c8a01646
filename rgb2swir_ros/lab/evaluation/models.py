"""The evaluated models: a deployed model, a teacher, or grey-scale conversion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.processor import resolve_threads
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.lookup import grey_sqrt_radiance
from rgb2swir_ros.replay.offline import OfflineTranslator, Options
from rgb2swir_ros.resources import model_directory

if TYPE_CHECKING:
    from rgb2swir_ros.translator import Translator

GREY = 'grey'
TEACHER_STEPS = 50

Translate = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Candidate:
    """One evaluated model, with the times of its calls.

    :param name: as the user gave it.
    :param calls: of the denoiser for each frame; 0 without a denoiser.
    """

    def __init__(self, name: str, calls: int, translate: Translate) -> None:
        """Use a function from uint8 RGB (H, W, 3) to radiance float32 (H, W) in [0, 1]."""
        self.name, self.calls = name, calls
        self._translate = translate
        self._seconds: list[float] = []
        self._warm: set[tuple[int, ...]] = set()

    def radiance(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Translate a frame at its own size."""
        if rgb.shape not in self._warm:  # not timed: opens its engine, fills caches
            self._translate(rgb)
            self._warm.add(rgb.shape)
        begun = time.perf_counter()
        radiance = self._translate(rgb)
        self._seconds.append(time.perf_counter() - begun)
        return radiance

    @property
    def milliseconds(self) -> float:
        """The median time of a call, without the first of each size; NaN before any call."""
        return float(np.median(self._seconds)) * 1e3 if self._seconds else float('nan')


def open_candidates(names: Sequence[str], frames: int, *, backend: str = 'auto',
                    steps: int = TEACHER_STEPS, seed: int = 0) -> list[Candidate]:
    """Return the named models, in their order.

    :param names: model names or folders, or ``grey`` for the grey-scale conversion.
    :param frames: expected number of frames of a size, by which backend auto decides to compile.
    :param steps: denoiser calls of a teacher; ``seed``: of the noise it starts from.
    :raises UserError: if there is no such model, it is named twice, or cannot translate yet.
    """
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f'--model {twice[0]} is given twice')
    if steps < 1:
        raise UserError(f'--teacher-steps {steps}: give at least 1')
    return [open_candidate(name, backend=backend, steps=steps, seed=seed, frames=frames)
            for name in names]


def open_candidate(name: str, *, backend: str = 'auto', steps: int = TEACHER_STEPS, seed: int = 0,
                   frames: int = 1) -> Candidate:
    """Return one model: see `open_candidates`.

    :param steps: of a teacher; ``seed``: of the noise it starts from.
    """
    if name == GREY:
        return Candidate(name, 0, lambda rgb: np.square(grey_sqrt_radiance(rgb)).clip(0, 1))
    # imported here, because --help needs no torch
    from rgb2swir_ros.translator import Translator, load_model, require_finished

    folder = model_directory(name)
    model = load_model(folder, unfinished=True)
    if isinstance(model, Translator) and model.config.stage == 'teacher':
        return Candidate(name, steps, _teacher(model, steps, seed))
    require_finished(model, folder)
    engine = OfflineTranslator(Options(model=str(folder), backend=backend))
    return Candidate(name, model.config.steps if isinstance(model, Translator) else 0,
                     lambda rgb: engine.radiance(rgb, frames))


def _teacher(model: Translator, steps: int, seed: int) -> Translate:
    """Return a teacher's translation, layer by layer in float32; on the GPU where there is one.

    Every frame starts from the same noise, so that a result depends on its frame only, and the
    noise causes no flicker.
    """
    import torch

    from rgb2swir_ros.engines.eager import use_threads

    threads = resolve_threads(0)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'  # as the engines choose
    model.to(device)

    def translate(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        use_threads(threads)
        frame = torch.from_numpy(np.ascontiguousarray(rgb)[None]).to(device)
        with torch.inference_mode():
            radiance = model.sample(frame, steps, torch.Generator().manual_seed(seed))
        return np.asarray(radiance[0].float().cpu().numpy(), np.float32)

    return translate
