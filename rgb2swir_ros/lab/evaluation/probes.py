"""Evaluation on photographs: boxes of known material, and sharpness relative to the source.

No true SWIR image of a photograph is needed: measured reflectances tell which of two materials in
an image must be darker in 900-1700 nm. A folder of photographs holds
``probes.json``::

    {"images": {"a/b.jpg": {"sky": [x0, y0, x1, y1], "tree": [...]}},
     "darker_than": [["sky", "tree"]]}

with paths relative to the folder and boxes as fractions of width and height, each inside one
material. A pair (dark, bright) counts in each image that has both boxes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_picture
from rgb2swir_ros.lab.evaluation.pairs.boxes import MARGIN, Box, as_box
from rgb2swir_ros.luma import DISPLAY_GAMMA
from rgb2swir_ros.ownership import require_apart, require_free

PROBES_FILE = 'probes.json'
SUFFIXES = {'.jpg', '.jpeg', '.png', '.tif', '.tiff'}


@dataclass(frozen=True)
class Probes:
    """Boxes of known material.

    :param images: relative path of a photograph -> material -> (x0, y0, x1, y1), fractions of
        width and height.
    :param darker_than: (dark, bright) materials.
    """

    images: dict[str, dict[str, Box]]
    darker_than: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class BrokenPair:
    """A pair in the wrong order, or with too small a ratio; the means are linear light."""

    image: str
    dark: str
    bright: str
    dark_mean: float
    bright_mean: float

    def __str__(self) -> str:
        """Return it as one line."""
        return (f'{self.image}: {self.bright} {self.bright_mean:.3f} is not {MARGIN} times '
                f'{self.dark} {self.dark_mean:.3f}')


@dataclass(frozen=True)
class PairScore:
    """The numbers of pairs that hold and of all pairs, and the pairs that do not hold."""

    held: int = 0
    total: int = 0
    broken: tuple[BrokenPair, ...] = ()

    def __add__(self, other: PairScore) -> PairScore:
        """Return the sum of two scores."""
        return PairScore(self.held + other.held, self.total + other.total,
                         self.broken + other.broken)


@dataclass(frozen=True)
class PhotographReport:
    """The figures of a model on a folder of photographs.

    :param pairs: of the model; ``grey_pairs``: of the grey-scale conversion.
    :param sharpness: of each image, by its relative path; see `sharpness`.
    :param skipped: photographs that could not be read or that ``probes.json`` names and the
        folder lacks, with the reason.
    """

    pairs: PairScore
    grey_pairs: PairScore
    sharpness: dict[str, float]
    skipped: dict[str, str]

    def fields(self) -> dict[str, Any]:
        """Return all figures as plain values, for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the figures as lines of text: broken pairs, skipped photographs, totals."""
        values = list(self.sharpness.values())
        return [*(f'broken: {pair}' for pair in self.pairs.broken),
                *(f'skipped: {name}: {reason}' for name, reason in self.skipped.items()),
                f'{self.pairs.held} of {self.pairs.total} pairs hold (grey-scale conversion: '
                f'{self.grey_pairs.held}); sharpness median {np.median(values):.2f}, lowest '
                f'{min(values):.2f}, highest {max(values):.2f}, {len(values)} photographs']


def read_probes(folder: Path) -> Probes:
    """Read a folder's ``probes.json``; without one there are no probes.

    :raises UserError: if it is no JSON, or not in the format of the module's description.
    """
    path = folder / PROBES_FILE
    if not path.exists():
        return Probes({}, ())
    try:
        entries = json.loads(path.read_text())
        images = {name: {material: as_box(box) for material, box in boxes.items()}
                  for name, boxes in entries['images'].items()}
        pairs = tuple((str(dark), str(bright)) for dark, bright in entries['darker_than'])
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f'{path} holds no probes ({type(error).__name__}: {error}): it needs '
                        '"images" with boxes [x0, y0, x1, y1] in 0 to 1 and "darker_than"'
                        ) from error
    return Probes(images, pairs)


def score_pairs(image: str, radiance: NDArray[Any], probes: Probes) -> PairScore:
    """Count the pairs that hold in an image: bright at least `MARGIN` times dark.

    :param image: its relative path, as ``probes`` names it.
    :param radiance: (H, W), linear light in any unit.
    """
    means = {material: box_mean(radiance, box)
             for material, box in probes.images.get(image, {}).items()}
    score = PairScore()
    for dark, bright in probes.darker_than:
        if dark in means and bright in means:
            holds = means[bright] >= MARGIN * means[dark]
            broken = () if holds else (
                BrokenPair(image, dark, bright, means[dark], means[bright]),)
            score += PairScore(int(holds), 1, broken)
    return score


def box_mean(picture: NDArray[Any], box: Box) -> float:
    """Return the mean of a box, given in fractions of width and height, of a picture (H, W)."""
    height, width = picture.shape
    x0, y0, x1, y1 = box
    rows = slice(int(y0 * height), max(int(y1 * height), int(y0 * height) + 1))
    columns = slice(int(x0 * width), max(int(x1 * width), int(x0 * width) + 1))
    return float(picture[rows, columns].mean())


def grey_radiance(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the grey-scale conversion (Rec. 601) of RGB (H, W, 3) as linear light (H, W)."""
    return np.power(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) / 255.0, DISPLAY_GAMMA)


def sharpness(rgb: NDArray[np.uint8], radiance: NDArray[Any]) -> float:
    """Return the sharpness of a SWIR image relative to its source; 1 is equally sharp.

    The root of the energy in the finest octave (which a Gaussian blur of 0.7 px removes) over that
    in two coarser ones (1.4 to 5.6 px), of display values (gamma 2.2), divided by the same ratio
    of the grey-scale source at that size. Only edges of the source count: the steepest 5 % of its
    pixels (Sobel), dilated by two. As a ratio of ratios it does not depend on contrast. On
    photographs a Gaussian blur of 0.7 px gives about 0.7, of 1 px 0.55, of 2 px 0.3; noise and
    grid patterns give more than 1.3.

    :param rgb: the source, uint8 (H, W, 3), of any size.
    :param radiance: the SWIR image (h, w), linear, in [0, 1].
    """
    display_value = np.power(np.clip(radiance, 0, 1), 1 / DISPLAY_GAMMA).astype(np.float32)
    grey: NDArray[Any] = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    if grey.shape != display_value.shape:
        grey = cv2.resize(grey, display_value.shape[::-1], interpolation=cv2.INTER_AREA)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    edges = (steep > np.percentile(steep, 95)).astype(np.uint8)
    mask = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    if not mask.any():  # an image of one colour has no edges
        return 1.0
    return _octave_ratio(display_value, mask) / max(_octave_ratio(grey, mask), 1e-9)


def evaluate_photographs(
        folder: Path, translate: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
        output: Path | None = None, *, overwrite: bool = True) -> PhotographReport:
    """Translate every photograph of a folder and score pairs and sharpness.

    :param translate: maps RGB uint8 (H, W, 3) to radiance float32 (h, w) in [0, 1].
    :param output: folder for the translations (16-bit, linear PNG), with the tree of ``folder``;
        by default they are not written.
    :param overwrite: whether images of an earlier call may be replaced.
    :raises UserError: if the folder holds no photograph, its probes are damaged, or an output
        exists that may not be replaced.
    """
    probes = read_probes(folder)
    photographs = photographs_in(folder)
    if output is not None:
        require_apart([output], [folder])
        require_free(pictures_of(folder, output), overwrite=overwrite)
    pairs, grey_pairs = PairScore(), PairScore()
    ratios: dict[str, float] = {}
    skipped = {name: 'not in the folder' for name in sorted(probes.images)
               if not (folder / name).is_file()}
    for path in photographs:
        name = path.relative_to(folder).as_posix()
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            skipped[name] = 'no readable picture'
            continue
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
        radiance = translate(rgb)
        ratios[name] = sharpness(rgb, radiance)
        pairs += score_pairs(name, radiance, probes)
        grey_pairs += score_pairs(name, grey_radiance(rgb), probes)
        if output is not None:
            write_picture(output / Path(name).with_suffix('.png'),
                          (np.clip(radiance, 0, 1) * 65535 + .5).astype(np.uint16))
    if not ratios:
        raise UserError(f'{folder} holds no photograph ({", ".join(sorted(SUFFIXES))})')
    return PhotographReport(pairs, grey_pairs, ratios, skipped)


def photographs_in(folder: Path) -> list[Path]:
    """Return the photographs of a folder's tree, sorted."""
    return sorted(p for p in folder.rglob('*') if p.suffix.lower() in SUFFIXES)


def pictures_of(folder: Path, output: Path) -> list[Path]:
    """Return the paths of the translations that `evaluate_photographs` writes."""
    return [output / p.relative_to(folder).with_suffix('.png') for p in photographs_in(folder)]


def _octave_ratio(picture: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    blurred = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (.7, 1.4, 2.8, 5.6))
    energy = [float(np.square(fine - coarse)[mask].mean())
              for fine, coarse in itertools.pairwise([picture, *blurred])]
    return float(np.sqrt(energy[0] / max(energy[2] + energy[3], 1e-12)))
