"""Halos: what a model does to the sky around tree crowns, and to the crowns along the sky.

On rendered frames, where every pixel's material is known. In a ring of `RING` pixels of sky along
crowns, and of crown along the sky, an error that is not there farther away is a halo. Errors of
the whole sky or the whole crown are none: `rgb2swir_ros.lab.evaluation.materials` has those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import (
    RESAMPLES,
    Draws,
    Figure,
    draw_groups,
    plain,
    ratio_of_sums,
)
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.scenes.frames import RenderedFrame
from rgb2swir_ros.lab.scenes.material_map import SKY, MaterialMap
from rgb2swir_ros.progress import ProgressDisplay

CROWNS = ('leaf', 'conifer')
RING = 4          # pixels
FAR = 8, 24       # pixels from the other side, where the level is taken that the ring should have
SPREAD = 8.0      # pixels, deviation of the Gaussian that carries that level to the ring
LEAST = 40        # pixels of a ring; shorter ones are left out
LEAST_CONTRAST = .1  # of square-root radiance between crown and sky, in truth

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Ring:
    """One side of the border between crowns and sky in one frame.

    :param pixels: of the ring; ``contrast``: of square-root radiance between crown and sky in
        truth, above 0.
    :param bright: by model, the mean error of the ring less that farther away; above 0 is a
        bright halo. ``size``: by model, the mean of its absolute value over pixels.
    """

    scene: str
    pixels: int
    contrast: float
    bright: Mapping[str, float]
    size: Mapping[str, float]


@dataclass(frozen=True)
class HaloResult:
    """A model's halos, as shares of the true contrast between crown and sky.

    :param sky: mean absolute error that rings of sky have and the sky farther away has not.
    :param sky_bright: the same with its sign; above 0 the sky glows along crowns.
    :param crown: as ``sky``, of crowns along the sky; ``crown_bright`` likewise.
    """

    sky: Figure
    sky_bright: Figure
    crown: Figure
    crown_bright: Figure

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes None."""
        return dict(plain(asdict(self)))


def frame_rings(scene: str, frame: RenderedFrame,
                made: Mapping[str, Plane]) -> tuple[Ring | None, Ring | None]:
    """Return a frame's ring of sky and its ring of crown; None where there is too little.

    :param made: radiance (H, W) in [0, 1] of each model.
    """
    known = frame.materials
    if not isinstance(known, MaterialMap):
        raise ValueError('this frame has no map of its materials')
    sky = known.mask(SKY)
    crown = np.logical_or.reduce([known.mask(name) for name in CROWNS])
    return (ring_errors(scene, sky, crown, frame.swir, made),
            ring_errors(scene, crown, sky, frame.swir, made))


def ring_errors(scene: str, side: Mask, other: Mask, truth: Plane,
                made: Mapping[str, Plane]) -> Ring | None:
    """Return the errors in the ring of one side along the other.

    :param side: pixels of the side that is measured; ``other``: of the side it borders on.
    """
    if not side.any() or not other.any():
        return None
    distance = cv2.distanceTransform((~other).astype(np.uint8), cv2.DIST_L2, 5)
    far = side & (distance > FAR[0]) & (distance <= FAR[1])
    weight = cv2.GaussianBlur(far.astype(np.float32), (0, 0), SPREAD)
    ring = side & (distance <= RING) & (weight > .02)
    true = np.sqrt(np.maximum(truth, 0))
    if ring.sum() < LEAST:
        return None
    contrast = abs(float(true[side].mean()) - float(true[other].mean()))
    if contrast < LEAST_CONTRAST:
        return None
    bright, size = {}, {}
    for name, radiance in made.items():
        error = np.sqrt(np.maximum(radiance, 0)) - true
        level = cv2.GaussianBlur(error * far, (0, 0), SPREAD) / np.maximum(weight, 1e-6)
        halo = (error - level)[ring]
        bright[name], size[name] = float(halo.mean()), float(np.abs(halo).mean())
    return Ring(scene, int(ring.sum()), contrast, bright, size)


def measure(scenes: Iterable[tuple[str, list[RenderedFrame]]], models: Sequence[Candidate],
            total: int) -> tuple[list[Ring], list[Ring]]:
    """Translate every frame by every model; return the rings of sky and of crowns, by scene.

    :param total: number of frames, for the progress on stderr.
    """
    found: list[tuple[Ring | None, Ring | None]] = []
    with ProgressDisplay(total) as progress:
        for scene, frames in scenes:
            for frame in frames:
                made = {model.name: model.radiance(frame.rgb) for model in models}
                found.append(frame_rings(scene, frame, made))
                progress.advance()
    sky, crown = (sorted(_known(rings), key=lambda ring: int(ring.scene))
                  for rings in zip(*found, strict=True))
    return sky, crown


def _known(rings: Iterable[Ring | None]) -> Iterator[Ring]:
    return (ring for ring in rings if ring is not None)


def summarise(sky: Sequence[Ring], crown: Sequence[Ring], model: str, *,
              resamples: int = RESAMPLES, seed: int = 0) -> HaloResult:
    """Return a model's figures, with intervals over scenes.

    :raises UserError: if no frame has a ring of sky.
    """
    if not sky or not crown:
        raise UserError('no frame shows a crown before a sky that differs from it: render more '
                        'scenes, or larger frames')
    figures = []
    for rings in (sky, crown):
        draws = draw_groups([ring.scene for ring in rings], resamples, seed)
        figures += [_share(rings, [ring.size[model] for ring in rings], draws),
                    _share(rings, [ring.bright[model] for ring in rings], draws)]
    return HaloResult(*figures)


def _share(rings: Sequence[Ring], errors: Sequence[float], draws: Draws) -> Figure:
    pixels = np.array([ring.pixels for ring in rings], np.float64)
    contrasts = np.array([ring.contrast for ring in rings])
    return ratio_of_sums(pixels * np.array(errors), pixels * contrasts, draws)


def halo_table(results: Mapping[str, HaloResult], rings: tuple[int, int]) -> str:
    """Return the table for the terminal.

    :param rings: numbers of rings of sky and of crowns.
    """
    wide = max(len(name) for name in results)
    heads = ('sky at crowns', 'with its sign', 'crown at sky', 'with its sign')
    lines = [f'{"":<{wide}}  ' + ''.join(f'{head:<26}' for head in heads).rstrip()]
    lines += [f'{name:<{wide}}  ' + ''.join(f'{figure!s:<26}' for figure in (
        r.sky, r.sky_bright, r.crown, r.crown_bright)).rstrip() for name, r in results.items()]
    return '\n'.join([*lines, '', (
        f'error of square-root radiance in a ring of {RING} pixels that is not there {FAR[0]} to '
        f'{FAR[1]} pixels away,'), (
        f'over the true contrast of crown and sky; {rings[0]} frames with sky at crowns, '
        f'{rings[1]} with crowns at sky;'), 'intervals: 95 %, by scene']) + '\n'
