"""The brightness of each material, on rendered scenes that are in no training set.

A detector relies on edges and tolerates a lawn that is too dark; other users of SWIR images may
not. Each material of each frame is one observation: the mean true radiance of its pixels, and
the mean radiance in the output of a model.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import (
    RESAMPLES,
    Figure,
    draw_groups,
    ratio_of_sums,
)
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.dataset import SEEDS
from rgb2swir_ros.lab.scenes.frames import RenderedFrame, render_frames
from rgb2swir_ros.lab.scenes.material_map import MaterialMap
from rgb2swir_ros.pool import map_unordered
from rgb2swir_ros.progress import ProgressDisplay

MIN_SHARE = .002     # share of a frame's pixels; smaller patches of a material are left out
DARKEST = .02        # mean true radiance; the ratio of darker patches is unreliable
CLEAR_ORDER = 1.5    # true ratio of two materials, from which a model must keep their order
HELD_ORDER = 1.15    # smallest ratio in the model's output of a pair in order
MIN_PATCHES = 10     # of a material in the table


@dataclass(frozen=True)
class Patch:
    """One material in one frame.

    :param scene: its frames are not independent; ``frame``: number of the frame.
    :param true: mean true radiance; ``made``: mean radiance of each model, by its name.
    """

    scene: str
    frame: int
    material: str
    true: float
    made: Mapping[str, float]


@dataclass(frozen=True)
class MaterialResult:
    """The figures of a model for one material, over all patches.

    :param true: median true radiance; ``made``: median radiance in the model's output.
    :param factor: median of made over true; 1 is right, below 1 is too dark.
    :param low: 10th percentile of the factor; ``high``: 90th percentile.
    """

    patches: int
    true: float
    made: float
    factor: float
    low: float
    high: float


@dataclass(frozen=True)
class ModelResult:
    """The figures of a model for all materials.

    :param error: mean absolute logarithm of made over true, over patches, to base 2 (stops).
    :param order: of pairs of materials in one frame with a true ratio of at least `CLEAR_ORDER`,
        the share with a ratio of at least `HELD_ORDER` in the model's output.
    :param by_material: by descending number of patches.
    """

    error: Figure
    order: Figure
    pairs: int
    by_material: dict[str, MaterialResult]


@dataclass(frozen=True)
class SceneJob:
    """A scene to render: see `rgb2swir_ros.lab.scenes.frames.render_frames`."""

    seed: int
    size: tuple[int, int]
    looks: int


def jobs(scenes: int, looks: int, size: tuple[int, int], seed: int) -> list[SceneJob]:
    """Return the first scenes of the data set of a seed.

    :raises UserError: if a figure is out of range.
    """
    if min(scenes, looks) < 1 or seed < 0:
        raise UserError(f'--scenes {scenes} --looks {looks} --scene-seed {seed}: give at least '
                        'one scene, one look, and a seed that is not negative')
    return [SceneJob(seed * SEEDS + k, size, looks) for k in range(scenes)]


def render(job: SceneJob) -> list[RenderedFrame]:
    """Render one scene, in a worker process."""
    return render_frames(job.seed, job.size, looks=job.looks)


def rendered(todo: Sequence[SceneJob], workers: int,
             lost: list[str]) -> Generator[tuple[str, list[RenderedFrame]], None, None]:
    """Yield each scene's name and frames, in the order of completion.

    :param lost: receives a line for each scene that could not be rendered.
    """
    for result in map_unordered(render, todo, workers):
        if result.failure:
            lost.append(f'scene {result.job.seed}: {result.failure}')
        else:
            yield str(result.job.seed), result.value


def measure(scenes: Iterable[tuple[str, list[RenderedFrame]]], models: Sequence[Candidate],
            total: int) -> list[Patch]:
    """Translate every frame by every model; return the patches, ordered by scene.

    :param total: number of frames, for the progress on stderr.
    """
    patches: list[Patch] = []
    with ProgressDisplay(total) as progress:
        for scene, frames in scenes:
            for number, frame in enumerate(frames):
                made = {model.name: model.radiance(frame.rgb) for model in models}
                patches += frame_patches(scene, number, frame, made)
                progress.advance()
    return sorted(patches, key=lambda p: (int(p.scene), p.frame, p.material))


def frame_patches(scene: str, number: int, frame: RenderedFrame,
                  made: Mapping[str, NDArray[np.float32]]) -> Iterator[Patch]:
    """Yield the patches of a frame that are large and bright enough."""
    known = frame.materials
    if not isinstance(known, MaterialMap):
        raise ValueError('this frame has no map of its materials')
    for name in known.names:
        mask = known.mask(name)
        if mask.mean() < MIN_SHARE:
            continue
        true = float(frame.swir[mask].mean(dtype=np.float64))
        if true >= DARKEST:
            yield Patch(scene, number, name, true, {
                model: float(picture[mask].mean(dtype=np.float64))
                for model, picture in made.items()})


def summarise(patches: Sequence[Patch], model: str, *, resamples: int = RESAMPLES,
              seed: int = 0) -> ModelResult:
    """Return a model's figures, with intervals over scenes.

    :raises UserError: if there is no patch.
    """
    if not patches:
        raise UserError('no frame shows a material large and bright enough to measure: render '
                        'more scenes, or larger frames')
    factors = np.array([max(p.made[model], 1e-4) / p.true for p in patches])
    draws = draw_groups([p.scene for p in patches], resamples, seed)
    names = [p.material for p in patches]
    by_material = {}
    for name in sorted(set(names), key=lambda n: (-names.count(n), n)):
        rows = np.array([n == name for n in names])
        if rows.sum() < MIN_PATCHES:
            continue
        low, middle, high = np.percentile(factors[rows], (10, 50, 90))
        chosen = [p for p, row in zip(patches, rows, strict=True) if row]
        by_material[name] = MaterialResult(
            len(chosen), float(np.median([p.true for p in chosen])),
            float(np.median([p.made[model] for p in chosen])),
            float(middle), float(low), float(high))
    held, scenes = _orders(patches, model)
    pairs = draw_groups(scenes, resamples, seed)
    return ModelResult(
        ratio_of_sums(np.abs(np.log2(factors)), np.ones(len(factors)), draws),
        ratio_of_sums(held, np.ones(len(held)), pairs), len(held), by_material)


def _orders(patches: Sequence[Patch], model: str) -> tuple[NDArray[np.float64], list[str]]:
    """Return for each clear pair of one frame whether the model keeps its order, and its scene."""
    frames: dict[tuple[str, int], list[Patch]] = {}
    for patch in patches:
        frames.setdefault((patch.scene, patch.frame), []).append(patch)
    held, scenes = [], []
    for (scene, _), group in frames.items():
        for bright in group:
            for dark in group:
                if bright.true >= CLEAR_ORDER * dark.true:
                    held.append(bright.made[model] >= HELD_ORDER * dark.made[model])
                    scenes.append(scene)
    return np.array(held, float), scenes
