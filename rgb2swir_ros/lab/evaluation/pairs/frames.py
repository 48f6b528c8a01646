"""The frames that are judged: read, aligned, masked and scaled to a common width."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.lab.evaluation.pairs.measures import WIDTH, Mask, Plane
from rgb2swir_ros.lab.evaluation.pairs.rig import Rig
from rgb2swir_ros.lab.scenes.units import SPLITS
from rgb2swir_ros.lab.training.data.files import (
    PairFiles,
    Skipped,
    SwirCoding,
    UnreadableError,
    check,
    read_rgb,
    read_swir,
    size_of,
)
from rgb2swir_ros.lab.training.data.folders import PairedFolders
from rgb2swir_ros.lab.training.data.pairs import find_pairs, reasons
from rgb2swir_ros.lab.training.data.rasmd import RAW_PREFIXES, find_rasmd

HORIZON = .5  # of the height, where nothing says better
ABOUT = 'set.json'
MOST_FITTED = 200  # frames that the colour-and-row function is fitted on


@dataclass(frozen=True)
class JudgedFrame:
    """One pair as it is judged.

    :param rgb: uint8 (H, W, 3); ``truth``: float32 (H, W), linear; ``mask``: bool (H, W).
    :param horizon: the first row below the horizon; ``number``: in the scene.
    """

    name: str
    scene: str
    number: int
    rgb: NDArray[np.uint8]
    truth: Plane
    mask: Mask
    horizon: int


@dataclass(frozen=True)
class FrameOptions:
    """What is judged of a data set, and how it is read.

    :param split: '' for the usual one: test of rendered scenes, all of anything else.
    :param numbers: the first and the last frame of each scene, by `frame_number`; None: all.
    :param every: every so many of them.
    :param horizon: share of the height; None: as `ABOUT` beside the folders says, or `HORIZON`.
    :param masks: folder of masks; None: a folder ``mask`` beside those of the pairs.
    :param split_seed: by which data without splits of its own is split, as in a training.
    """

    split: str = ''
    numbers: tuple[int, int] | None = None
    every: int = 1
    horizon: float | None = None
    masks: Path | None = None
    coding: SwirCoding = field(default_factory=SwirCoding)
    split_seed: int = 0


class PairFrames:
    """The pairs of a data set: those that are judged, and others that something may be fitted on.

    :ivar judged: in their order. ``others``: up to `MOST_FITTED` that are not judged: of training
        scenes, or the other part of the scenes of which a part is judged.
    :ivar skipped: files that are left out, with the reason.
    """

    def __init__(self, path: Path | PairedFolders, options: FrameOptions, *,
                 aligned: bool = True) -> None:
        """Find the pairs and choose among them.

        :param aligned: RGB and SWIR frames have the same pixels; otherwise ``rig`` must be set
            before a frame is read.
        :raises UserError: if there is no usable pair.
        """
        self.options = options
        self.rig: Rig | None = None
        raw = None
        if isinstance(path, Path) and path.is_dir():
            raw = find_rasmd(path, RAW_PREFIXES)
        if raw and raw.pairs and aligned and isinstance(path, Path) and not find_rasmd(path):
            raise UserError(f"'{path}' has raw frames, {RAW_PREFIXES[0]}* beside "
                            f'{RAW_PREFIXES[1]}*, which are not aligned: give --homography FILE, '
                            'or --align')
        found = raw if raw and raw.pairs and not aligned else find_pairs(path, options.split_seed)
        split = options.split or ('test' if found.layout == 'rendered scenes' else 'all')
        self.layout, self.split = found.layout, split
        numbers = _numbers(found.pairs)
        inside = [p for p in found.pairs if split in {'all', p.split} and (
            options.numbers is None
            or options.numbers[0] <= numbers[p.name] <= options.numbers[1])]
        self._numbers = numbers
        self.skipped: list[Skipped] = list(found.skipped)
        self.judged: list[PairFiles] = []
        for pair in inside[::options.every]:
            problem = check(pair) if aligned else check_apart(pair)
            if problem:
                self.skipped.append(problem)
            else:
                self.judged.append(pair)
        if not self.judged:
            raise UserError(self._nothing(path, len(found.pairs), len(inside)))
        others = _others(found.pairs, inside, options.numbers is not None)
        self.others = [p for p in others[::max(-(-len(others) // MOST_FITTED), 1)]
                       if not (check(p) if aligned else check_apart(p))]

    def __len__(self) -> int:
        return len(self.judged)

    def scenes(self) -> Iterator[tuple[int, Iterator[JudgedFrame]]]:
        """Yield each scene's number of judged frames and the frames, read when asked for."""
        members: dict[str, list[PairFiles]] = {}
        for pair in self.judged:
            members.setdefault(pair.scene, []).append(pair)
        for pairs in members.values():
            yield len(pairs), map(self.read, pairs)

    def fitting(self) -> Iterator[JudgedFrame]:
        """Yield the frames of `others`."""
        for pair in self.others:
            yield self.read(pair)

    def read(self, pair: PairFiles) -> JudgedFrame:
        """Read a pair.

        :raises UserError: naming the file that cannot be used.
        """
        path = pair.rgb
        try:
            rgb = read_rgb(path)
            path = pair.swir
            truth = read_swir(path, self.options.coding)
        except UnreadableError as error:
            raise UserError(f"'{path}' {error}") from error
        mask = self.mask(pair, rgb.shape[:2])
        if self.rig is not None:
            truth, seen = self.rig.warp(truth, rgb.shape[:2])
            mask &= seen
        size = working_size(rgb.shape[:2])
        if not mask.any():
            raise UserError(f"'{pair.rgb}': its mask leaves no pixel")
        return JudgedFrame(
            pair.name, pair.scene, self._numbers[pair.name], resize(rgb, size),
            np.asarray(cv2.resize(truth, size[::-1], interpolation=cv2.INTER_AREA), np.float32),
            cv2.resize(mask.astype(np.uint8) * 255, size[::-1],
                       interpolation=cv2.INTER_AREA) == 255,
            int(size[0] * self._horizon(pair)))

    def mask(self, pair: PairFiles, size: tuple[int, int]) -> Mask:
        """Return the mask of an RGB frame of a size; all of it without a file.

        :raises UserError: if it is missing in `FrameOptions.masks`, or has another size.
        """
        path = mask_path(pair, self.options.masks)
        if path is None:
            return np.ones(size, bool)
        stored = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if stored is None or stored.shape != size:
            found = 'cannot be read' if stored is None else (
                f'has {stored.shape[1]}x{stored.shape[0]} pixels')
            raise UserError(f"mask '{path}' {found}, its frame {size[1]}x{size[0]}")
        return np.asarray(stored == 255)

    def _horizon(self, pair: PairFiles) -> float:
        if self.options.horizon is not None:
            return self.options.horizon
        about = pair.rgb.parents[1] / ABOUT
        if not about.is_file():
            return HORIZON
        try:
            share = json.loads(about.read_text())['horizon']
            if not 0 < float(share) < 1:
                raise ValueError(f'{share} is not between 0 and 1')
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise UserError(f"'{about}' names no horizon ({type(error).__name__}: {error}): it "
                            'needs {"horizon": 0.6}, as a share of the height') from error
        return float(share)

    def _nothing(self, path: Path | PairedFolders, pairs: int, inside: int) -> str:
        name = f'{path.rgb} + {path.swir}' if isinstance(path, PairedFolders) else str(path)
        if not inside:
            chosen = f'--split {self.split}'
            if self.options.numbers is not None:
                chosen += ' --frames {}-{}'.format(*self.options.numbers)
            return f"none of the {pairs} pairs of '{name}' is in {chosen}"
        text = f"none of the {inside} pairs of '{name}' can be used"
        if any(' beside RGB ' in item.reason for item in self.skipped):
            text += ' as aligned; give --homography FILE, or --align, for a rig that is not'
        return text + ':\n' + '\n'.join(reasons(self.skipped))


def check_apart(pair: PairFiles) -> Skipped | None:
    """Return why a pair of any two sizes cannot be used according to the headers, or None."""
    for path in (pair.rgb, pair.swir):
        try:
            size_of(path)
        except UnreadableError as error:
            return Skipped(path, str(error))
    return None


def mask_path(pair: PairFiles, masks: Path | None) -> Path | None:
    """Return a pair's mask: of the RGB file's stem in ``masks`` or in ``mask`` beside its folder.

    White counts. In ``masks`` the folders of the pair's name may lead to it. None without one.

    :raises UserError: if ``masks`` is given and lacks it.
    """
    if masks is None:
        beside = pair.rgb.parents[1] / 'mask' / f'{pair.rgb.stem}.png'
        return beside if beside.is_file() else None
    for path in (masks / f'{pair.name}.png', masks / f'{pair.rgb.stem}.png'):
        if path.is_file():
            return path
    raise UserError(f"--masks: '{masks}' has no {pair.rgb.stem}.png")


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) that a frame is judged at: at most `WIDTH` wide."""
    height, width = size
    return size if width <= WIDTH else (round(height * WIDTH / width), WIDTH)


def _others(pairs: Sequence[PairFiles], judged: Sequence[PairFiles],
            part: bool) -> list[PairFiles]:
    """Return the pairs that a function may be fitted on which then judges nothing it has seen.

    :param part: a part of each scene is judged, so that its other part may serve.
    """
    taken, scenes = {p.name for p in judged}, {p.scene for p in judged}
    if part or len({p.scene for p in pairs}) == 1:
        return [p for p in pairs if p.name not in taken]
    return [p for p in pairs if p.split == SPLITS[0] and p.scene not in scenes]


def _numbers(pairs: Sequence[PairFiles]) -> dict[str, int]:
    """Return each pair's number in its scene: that in its file's name, else its place."""
    scenes: dict[str, list[PairFiles]] = {}
    for pair in pairs:
        scenes.setdefault(pair.scene, []).append(pair)
    numbers: dict[str, int] = {}
    for members in scenes.values():
        known = [n for p in members if (n := frame_number(p.rgb.stem)) is not None]
        if len(set(known)) < len(members):
            known = list(range(len(members)))
        numbers |= {p.name: n for p, n in zip(members, known, strict=True)}
    return numbers


def frame_number(stem: str) -> int | None:
    """Return the last number in a file's name, or None."""
    found = re.findall(r'\d+', stem)
    return int(found[-1]) if found else None
