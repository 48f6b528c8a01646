"""Fit how far a frame is from what a model knows: see `rgb2swir_ros.imaging.novelty`.

Known are rendered frames as the training augments them. Strange are the same frames, made into
what a camera on a vehicle does not see: upside down or on their side, as a thermal camera might
show them, cut up and put together anew, or a small part of them alone. No real picture is used.
A logistic regression of the pooled features tells the two apart; its threshold is a quantile of
known frames of scenes that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.novelty import FORMAT, NOVELTY_FILE, PooledGuidance
from rgb2swir_ros.lab.scenes.annotations import SPLITS, read_annotations, rgb_paths
from rgb2swir_ros.lab.training.data.augment import Augmentation, augment
from rgb2swir_ros.luma import REC601
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.ownership import write_bytes
from rgb2swir_ros.progress import ProgressDisplay
from rgb2swir_ros.replay.pictures import read_picture

VIEWS = 2          # of each frame: as it is, and augmented
QUANTILE = .95     # of known held-out views that lie below the threshold
DECAY = .03        # ridge of the regression, for each sample, of standardised features
FEWEST = 40        # frames to fit to, and held out
TRAIN, HELD_OUT = SPLITS[0], 'held out'  # the splits validation and test together
STEPS, TOLERANCE = 50, 1e-6  # of Newton's method
PALETTES = (cv2.COLORMAP_INFERNO, cv2.COLORMAP_JET, cv2.COLORMAP_HOT, cv2.COLORMAP_PLASMA)

Rgb = NDArray[np.uint8]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class NoveltyFit:
    """A fitted function ``features @ weight + offset``, above 0 for novel frames.

    :param passed: share of known held-out views below the threshold; ``caught``: share of
        strange held-out views above it, by kind; ``auroc``: of known against strange ones.
    """

    weight: Numbers
    offset: float
    passed: float
    caught: dict[str, float]
    auroc: float
    frames: dict[str, int]


def fit_novelty(folder: Path, data: Path, *, seed: int = 0) -> NoveltyFit:
    """Fit the novelty of a model to a data set that ``rgb2swir scenes`` wrote.

    :param folder: of the model.
    :raises UserError: if a split is missing or has fewer than `FEWEST` frames.
    """
    pooled = PooledGuidance(folder)
    paths = {TRAIN: _paths(data, TRAIN), HELD_OUT: [
        path for split in SPLITS[1:] for path in _paths(data, split)]}
    for split, files in paths.items():
        if len(files) < FEWEST:
            raise UserError(f'{data} has {len(files)} frames for {split}: render more, until it '
                            f'has at least {FEWEST}')
    features = {split: _features(files, split, pooled, np.random.default_rng([seed, k]))
                for k, (split, files) in enumerate(paths.items())}
    known, strange, _ = features[TRAIN]
    weight, offset = logistic(np.concatenate([known, strange]),
                              np.repeat([0., 1.], [len(known), len(strange)]), DECAY)
    known, strange, kinds = features[HELD_OUT]
    scores, others = known @ weight + offset, strange @ weight + offset
    threshold = float(np.quantile(scores, QUANTILE))
    caught = {name: float((others[np.array(kinds) == name] > threshold).mean())
              for name in dict.fromkeys(kinds)}
    return NoveltyFit(weight, offset - threshold, float((scores <= threshold).mean()), caught,
                      auroc(scores, others),
                      {split: len(one[0]) // VIEWS for split, one in features.items()})


def write_novelty(output: Path, fit: NoveltyFit, folder: Path, command: str) -> None:
    """Write ``novelty.safetensors`` into a folder.

    :param folder: of the model that it was fitted to.
    :param command: that repeats the fit, for the file's metadata.
    """
    from safetensors.numpy import save

    content = save({'weight': fit.weight.astype(np.float32),
                    'offset': np.array([fit.offset], np.float32)},
                   {'format': FORMAT, 'model': model_hash(folder), 'command': command,
                    **{k: str(v) for k, v in facts_of(fit).items()}})
    write_bytes(output / NOVELTY_FILE, content)


def facts_of(fit: NoveltyFit) -> dict[str, Any]:
    """Return what there is to say of a fit, for its file and for people."""
    return {'frames': ', '.join(f'{n} {split}' for split, n in fit.frames.items()),
            'views of each': VIEWS, 'known held-out views below the threshold':
            round(fit.passed, 4), 'AUROC on held-out views': round(fit.auroc, 4),
            **{f'{name} caught': round(share, 4) for name, share in fit.caught.items()}}


def auroc(known: Sequence[float] | Numbers, strange: Sequence[float] | Numbers) -> float:
    """Return how often a strange score is above a known one; equal ones count half.

    The area under the ROC curve, by ranks (Mann-Whitney).
    """
    a, b = np.sort(np.asarray(known, float)), np.asarray(strange, float)
    below = np.searchsorted(a, b, 'left') + np.searchsorted(a, b, 'right')
    return float(below.sum() / (2 * len(a) * len(b)))


def logistic(features: Numbers, labels: Numbers, decay: float) -> tuple[Numbers, float]:
    """Return weight (D,) and offset of a ridge logistic regression, by Newton's method.

    :param features: (N, D), standardised inside; ``labels``: (N,) of 0 and 1.
    :param decay: of the squared weights, for each sample.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-3
    x = np.concatenate([(features - mean) / deviation, np.ones((len(features), 1))], axis=1)
    ridge = np.full(x.shape[1], decay * len(x))
    ridge[-1] = 0
    weight = np.zeros(x.shape[1])
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-np.clip(x @ weight, -50, 50)))
        slope = x.T @ (odds - labels) + ridge * weight
        curvature = (x * (odds * (1 - odds))[:, None]).T @ x + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        weight -= step
        if np.abs(step).max() < TOLERANCE:
            break
    scaled = weight[:-1] / deviation
    return scaled, float(weight[-1] - scaled @ mean)


def _paths(data: Path, split: str) -> list[Path]:
    return rgb_paths(data, read_annotations(data, split).frames)


def _features(paths: Sequence[Path], split: str, pooled: PooledGuidance,
              rng: np.random.Generator) -> tuple[Numbers, Numbers, list[str]]:
    """Return features of known and of strange views (N, D), and the kinds of the strange ones."""
    known, strange, kinds = [], [], []
    with ProgressDisplay(len(paths), f'frames of {split}') as progress:
        for path in paths:
            rgb = read_picture(path)
            for view in range(VIEWS):
                shown = _view(rgb, rng) if view else rgb
                known.append(pooled(shown))
                kind = list(STRANGE)[int(rng.integers(len(STRANGE)))]
                strange.append(pooled(STRANGE[kind](_view(rgb, rng), rng)))
                kinds.append(kind)
            progress.advance()
    return np.array(known, float), np.array(strange, float), kinds


def _view(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    dark = np.zeros(rgb.shape[:2], np.float32)  # the SWIR half of a pair, not needed here
    return np.asarray(augment(rgb, dark, Augmentation(), rng)[0], np.uint8)


def upside_down(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return a frame upside down, mirrored or not."""
    turned = rgb[::-1] if rng.random() < .5 else rgb[::-1, ::-1]
    return np.ascontiguousarray(turned)


def on_its_side(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return a frame turned by a quarter, in the same shape."""
    turned = np.ascontiguousarray(np.rot90(rgb, int(rng.choice([1, 3]))))
    return np.asarray(cv2.resize(turned, rgb.shape[1::-1], interpolation=cv2.INTER_AREA), np.uint8)


def thermal(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return a frame about as a thermal camera shows it: one soft channel, mostly inverted.

    Skies are cold and dark there, roads warm. It is drawn in grey or in a palette.
    """
    grey = rgb.astype(np.float32) @ np.array(REC601, np.float32)
    if rng.random() < .7:
        grey = 255 - grey
    grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(.3, 1.5))))
    low, high = np.percentile(grey, (1, 99))
    grey = (grey - low) / max(float(high - low), 1.) * rng.uniform(120, 255)
    levels = np.clip(grey, 0, 255).astype(np.uint8)
    if rng.random() < .5:
        return np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2RGB), np.uint8)
    palette = PALETTES[int(rng.integers(len(PALETTES)))]
    return np.ascontiguousarray(cv2.applyColorMap(levels, palette)[..., ::-1], np.uint8)


def cut_up(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return a frame's tiles, 2x2 or 3x3, in another order and turned, in cold or warm light."""
    side = int(rng.integers(2, 4))
    height, width = rgb.shape[0] // side, rgb.shape[1] // side
    tiles = [rgb[y * height:(y + 1) * height, x * width:(x + 1) * width]
             for y in range(side) for x in range(side)]
    mixed = [cv2.resize(np.ascontiguousarray(np.rot90(tiles[k], int(rng.integers(4)))),
                        (width, height)) for k in rng.permutation(len(tiles))]
    rows = [np.hstack(mixed[k:k + side]) for k in range(0, len(mixed), side)]
    return _lit(np.vstack(rows), rng)


def close_up(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return a small part of a frame, a third of its side or less, in cold or warm light."""
    share = rng.uniform(.12, .35)
    height, width = (max(4, round(side * share)) for side in rgb.shape[:2])
    top = int(rng.integers(rgb.shape[0] - height))
    left = int(rng.integers(rgb.shape[1] - width))
    part = np.ascontiguousarray(rgb[top:top + height, left:left + width])
    return _lit(np.asarray(cv2.resize(part, rgb.shape[1::-1]), np.uint8), rng)


def _lit(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Return half of the pictures as in a lamp's light."""
    if rng.random() < .5:
        return np.ascontiguousarray(rgb, np.uint8)
    gains = rng.uniform((1., .8, .4), (1.4, 1.1, .8)).astype(np.float32)
    return np.clip(rgb * gains, 0, 255).astype(np.uint8)


STRANGE: dict[str, Callable[[Rgb, np.random.Generator], Rgb]] = {
    'upside down': upside_down, 'on its side': on_its_side, 'thermal': thermal,
    'cut up': cut_up, 'close up': close_up}
