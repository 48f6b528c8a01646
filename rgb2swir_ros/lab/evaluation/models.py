"""What is judged: RGB frames to radiance, by a model as it ships, a teacher, or grey-scale."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.engines.processor import resolve_threads
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.lookup import grey_tone
from rgb2swir_ros.replay.offline import OfflineTranslator, Options
from rgb2swir_ros.resources import model_directory

if TYPE_CHECKING:
    from rgb2swir_ros.translator import Translator

GREY = 'grey'
TEACHER_STEPS = 50

Translate = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Candidate:
    """One model to judge, its calls timed.

    :param name: as the user gave it.
    :param calls: of the denoiser for each frame; 0 where there is none.
    """

    def __init__(self, name: str, calls: int, translate: Translate) -> None:
        """Take what maps uint8 RGB (H, W, 3) to radiance float32 (H, W) in [0, 1]."""
        self.name, self.calls = name, calls
        self._translate = translate
        self._seconds: list[float] = []
        self._warm: set[tuple[int, ...]] = set()

    def radiance(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Translate a frame at its own size."""
        if rgb.shape not in self._warm:  # opens its engine, fills its caches: not to be timed
            self._translate(rgb)
            self._warm.add(rgb.shape)
        begun = time.perf_counter()
        radiance = self._translate(rgb)
        self._seconds.append(time.perf_counter() - begun)
        return radiance

    @property
    def milliseconds(self) -> float:
        """The median time of a call, the first of each size left out; NaN before any."""
        return float(np.median(self._seconds)) * 1e3 if self._seconds else float('nan')


def open_candidates(names: Sequence[str], frames: int, *, backend: str = 'auto',
                    steps: int = TEACHER_STEPS, seed: int = 0) -> list[Candidate]:
    """Return the models that were named, in their order.

    :param names: model names or folders, or ``grey`` for the grey-scale conversion.
    :param frames: how many frames of a size to expect: decides whether backend auto compiles.
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
        return Candidate(name, 0, lambda rgb: np.square(grey_tone(rgb)).clip(0, 1))
    # here, so that --help needs no torch
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

    Every frame starts from the same noise: a frame's result depends on nothing but the frame, and
    a teacher that draws anew for each one flickers for that reason alone.
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
