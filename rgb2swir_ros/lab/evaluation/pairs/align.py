"""Fit the homography of a fixed rig to matches between translations and SWIR frames.

A translation lies on the colour camera's pixels and looks like SWIR, so the same things can be
found in it and in the SWIR frame. One homography serves all frames, because the cameras are fixed
to each other. Matches of many frames are pooled: things at many distances, of which most are far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.lab.evaluation.pairs.frames import PairFrames, working_size
from rgb2swir_ros.lab.evaluation.pairs.measures import Mask, Plane
from rgb2swir_ros.lab.evaluation.pairs.rig import Matrix, Rig, Size, apply, fault
from rgb2swir_ros.lab.training.data.files import PairFiles, UnreadableError, read_rgb, read_swir
from rgb2swir_ros.sizes import size_of

MOST_FRAMES = 26      # that matches are taken from, evenly spaced
FEATURES = 3000       # of a frame
RATIO = .8            # a match must be so much nearer than the next one (Lowe 2004)
# In pixels of frames 640 wide: reach of the first search; distance at which a match counts a
# quarter in the refined fit; and how far a match may be off in the end.
SEARCHED, SCALE, REACH = 1.5, 2.0, 3.0
REFINED = 20          # steps
# A fit that misses one of these is refused.
LEAST_MATCHES = 60
LEAST_CELLS = 6       # of 4x4 regions of the RGB frame with matches
WORST_RESIDUAL = 1.8  # pixels, mean distance of the matches; chance alone gives 2
WORST_HALVES = 6.0    # pixels between the fits of every other frame, in the middle of the frame

Points = NDArray[np.float64]
Translate = Callable[[NDArray[np.uint8]], Plane]


@dataclass(frozen=True)
class Fit:
    """A fitted rig, and how good it is; distances are pixels of frames 640 wide.

    :param frames: that matches were taken from; ``found``: matches before, ``matches`` after
        outliers were left out; ``cells``: of 4x4 regions of the RGB frame, those with matches.
    :param residual: mean distance of the matches.
    :param halves: largest distance in the middle half of the frame between the fits to every other
        frame alone; NaN where one has none.
    """

    rig: Rig
    frames: int
    found: int
    matches: int
    cells: int
    residual: float
    halves: float

    def describe(self) -> str:
        """Return it as a line."""
        return (f'aligned: {self.matches} of {self.found} matches of {self.frames} frames in '
                f'{self.cells} of 16 regions, mean residual {self.residual:.2f} pixels of 640; '
                f'two halves of the frames differ by {self.halves:.1f}')

    def entries(self) -> dict[str, object]:
        """Return it for JSON, as `rgb2swir_ros.lab.evaluation.pairs.rig.read_rig` reads it."""
        return {**self.rig.entries(), 'frames': self.frames, 'matches': self.matches,
                'cells': self.cells, 'residual': round(self.residual, 3),
                'halves': None if np.isnan(self.halves) else round(self.halves, 3)}

    def problem(self) -> str:
        """Return why the fit is too poor to judge with, or ''."""
        if self.matches < LEAST_MATCHES:
            return f'less than {LEAST_MATCHES} matches'
        if self.cells < LEAST_CELLS:
            return f'matches in less than {LEAST_CELLS} regions'
        if self.residual > WORST_RESIDUAL:
            return f'a mean residual above {WORST_RESIDUAL} pixels'
        if not self.halves <= WORST_HALVES:
            return f'two halves of the frames disagree by more than {WORST_HALVES} pixels'
        return fault(self.rig)


def fit_rig(frames: PairFrames, translate: Translate) -> Fit:
    """Fit the homography that maps the SWIR camera's pixels onto the colour camera's.

    :param translate: from RGB uint8 (H, W, 3) to radiance (H, W).
    :raises UserError: if the fit is poor, or frames have different sizes.
    """
    step = max(-(-len(frames) // MOST_FRAMES), 1)
    chosen = frames.judged[::step]
    sizes: set[tuple[Size, Size]] = set()
    pooled: list[tuple[Points, Points]] = []
    for pair in chosen:
        rgb, swir = _read(pair, frames)
        sizes.add((size_of(rgb), size_of(swir)))
        if len(sizes) > 1:
            raise UserError(f"--align: '{pair.rgb}' or its SWIR frame has another size than those "
                            'before it: a rig has one')
        small = resize(rgb, working_size(size_of(rgb)))
        places = match(resize(swir, working_size(size_of(swir))), translate(small))
        pooled.append(_inside(places, frames.mask(pair, size_of(rgb))))
    rgb_size, swir_size = sizes.pop()
    fit = fit_matches(pooled, rgb_size, swir_size)
    problem = 'no homography fits them' if fit is None else fit.problem()
    if problem:
        said = fit.describe() if fit else f'{sum(len(a) for a, _ in pooled)} matches'
        raise UserError(f'--align: {problem} ({said}): the alignment is too poor to judge with; '
                        'give --homography FILE, or more frames with far and near detail')
    assert fit is not None
    return fit


def _read(pair: PairFiles, frames: PairFrames) -> tuple[NDArray[np.uint8], Plane]:
    path = pair.rgb
    try:
        rgb = read_rgb(path)
        path = pair.swir
        return rgb, read_swir(path, frames.options.coding)
    except UnreadableError as error:
        raise UserError(f"'{path}' {error}") from error


def match(swir: Plane, made: Plane) -> tuple[Points, Points]:
    """Return places (N, 2) in a SWIR frame and the same things' places in a translation."""
    sift = cv2.SIFT_create(FEATURES)  # type: ignore[attr-defined]
    (a, da), (b, db) = (sift.detectAndCompute(_shown(plane), None) for plane in (swir, made))
    none = np.zeros((0, 2))
    if da is None or db is None or min(len(a), len(b)) < 2:
        return none, none
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    there = {m.queryIdx: m.trainIdx for m, *n in matcher.knnMatch(da, db, 2)
             if n and m.distance < RATIO * n[0].distance}
    back = {m.queryIdx: m.trainIdx for m, *_ in matcher.knnMatch(db, da, 1)}
    mutual = [(i, j) for i, j in there.items() if back.get(j) == i]
    if not mutual:
        return none, none
    return (np.array([a[i].pt for i, _ in mutual], np.float64),
            np.array([b[j].pt for _, j in mutual], np.float64))


def _inside(places: tuple[Points, Points], mask: Mask) -> tuple[Points, Points]:
    """Return the matches that lie in the mask of the RGB frame, which may be larger."""
    scale = mask.shape[1] / working_size((mask.shape[0], mask.shape[1]))[1]
    x, y = (places[1] * scale).astype(int).T
    keep = mask[y.clip(0, mask.shape[0] - 1), x.clip(0, mask.shape[1] - 1)]
    return places[0][keep], places[1][keep]


def _shown(plane: Plane) -> NDArray[np.uint8]:
    """Return a plane as 8 bits of even local contrast, so that exposure and curve count less."""
    value = np.sqrt(np.maximum(plane, 0))
    low, high = np.percentile(value, (.5, 99.5))
    scaled = np.clip((value - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply((255 * scaled + .5).astype(np.uint8)))


def fit_matches(pooled: Sequence[tuple[Points, Points]], rgb_size: Size,
                swir_size: Size) -> Fit | None:
    """Fit one homography to the matches of many frames; None where there are too few.

    :param pooled: of each frame, places in SWIR and in RGB frames of `working_size`.
    :param rgb_size: (height, width) of whole RGB frames; ``swir_size`` likewise.
    """
    whole = _robust(pooled)
    if whole is None:
        return None
    homography, inside = whole
    source, target = (np.concatenate([p[k] for p in pooled])[inside] for k in (0, 1))
    (height, width), small = rgb_size, working_size(rgb_size)
    off = np.linalg.norm(apply(homography, source) - target, axis=1)
    regions = np.floor(target / np.array(small[::-1]) * 4).clip(0, 3)
    rig = Rig(_resized(working_size(swir_size), swir_size, homography, small, rgb_size),
              (height, width), swir_size)
    return Fit(rig, len(pooled), len(inside), int(inside.sum()),
               len(np.unique(regions @ [1, 4])), float(off.mean()),
               _between([_robust(pooled[k::2]) for k in (0, 1)], homography, small))


def _robust(pooled: Sequence[tuple[Points, Points]]) -> tuple[Matrix, NDArray[np.bool_]] | None:
    if sum(len(a) for a, _ in pooled) < 8:
        return None
    source, target = (np.concatenate([p[k] for p in pooled]) for k in (0, 1))
    # its random numbers start alike in each call: the same matches give the same fit
    found, _ = cv2.findHomography(source, target, cv2.USAC_ACCURATE, SEARCHED, maxIters=20000,
                                  confidence=.9999)
    if found is None or abs(found[2, 2]) < 1e-9:
        return None
    homography = refine(np.asarray(found, np.float64), source, target)
    off = np.linalg.norm(apply(homography, source) - target, axis=1)
    return homography, np.asarray(off <= REACH)


def refine(homography: Matrix, source: Points, target: Points) -> Matrix:
    """Return a homography refined on all matches, each weighted by how well it fits.

    Iteratively reweighted least squares with the weights of Geman and McClure (1985). A search
    alone takes whichever plane has the most matches within its reach, which differs between halves
    of the frames; near things and chance have next to no weight here.
    """
    h = homography / homography[2, 2]
    points = np.column_stack([source, np.ones(len(source))])
    none = np.zeros_like(points)
    for _ in range(REFINED):
        depth = points @ h[2]
        mapped = (points @ h[:2].T) / depth[:, None]
        off = mapped - target
        weight = np.tile(1 / (1 + np.square(off).sum(axis=1) / SCALE ** 2), 2)  # its square root
        scaled = points / depth[:, None]
        jacobian = np.concatenate([
            np.hstack([scaled, none, -scaled[:, :2] * mapped[:, :1]]),
            np.hstack([none, scaled, -scaled[:, :2] * mapped[:, 1:]])]) * weight[:, None]
        sizes = np.linalg.norm(jacobian, axis=0) + 1e-12
        step = np.linalg.lstsq(jacobian / sizes, -off.T.ravel() * weight, rcond=None)[0] / sizes
        h = h + np.append(step, 0).reshape(3, 3)
    return np.asarray(h)


def _between(halves: Sequence[tuple[Matrix, NDArray[np.bool_]] | None], whole: Matrix,
             size: Size) -> float:
    """Return the largest distance between two fits over the middle half of the RGB frame."""
    known = [half[0] for half in halves if half is not None]
    if len(known) < 2:
        return float('nan')
    grid = np.stack(np.meshgrid(*(np.linspace(.25, .75, 5) * side for side in size[::-1])),
                    axis=-1).reshape(-1, 2).astype(np.float64)
    there = apply(np.asarray(np.linalg.inv(whole), np.float64), grid)
    a, b = (apply(homography, there) for homography in known)
    return float(np.linalg.norm(a - b, axis=1).max())


def _resized(small_swir: Size, swir: Size, homography: Matrix, small_rgb: Size,
             rgb: Size) -> Matrix:
    """Return a homography of working frames as one of whole frames."""
    down = np.diag([small_swir[1] / swir[1], small_swir[0] / swir[0], 1.])
    up = np.diag([rgb[1] / small_rgb[1], rgb[0] / small_rgb[0], 1.])
    return np.asarray(up @ homography @ down)
