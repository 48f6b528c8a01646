"""The two files of a pair: search, checks of their headers, decoding."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from rgb2swir_ros.engines.manifest import file_sha256
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.headers import lacks_end

SUFFIXES = ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.bmp', '.webp')
TAIL = 1 << 16  # bytes in which a complete file has the mark of its end
# Largest mean difference between the channels of a grey image in three channels, in 8-bit units:
# rounding only.
GREY_TOLERANCE = 8.0


def content_hash(paths: Iterable[Path]) -> str:
    """Return a SHA-256 of the contents of files, in their order.

    :raises UserError: if one cannot be read.
    """
    whole = hashlib.sha256()
    for path in paths:
        try:
            whole.update(file_sha256(path).encode())
        except OSError as error:
            raise UserError(f'cannot read {path}: {error.strerror or error}') from error
    return whole.hexdigest()


class UnreadableError(ValueError):
    """An image cannot be used; the text gives the reason."""


@dataclass(frozen=True)
class Skipped:
    """A file that is not used, and the reason."""

    path: Path
    reason: str


@dataclass(frozen=True)
class PairFiles:
    """The files of a pair.

    :param name: unique in its data set.
    :param scene: pairs of one scene must be in the same split.
    :param split: the split that the data set itself assigns, or ''.
    """

    rgb: Path
    swir: Path
    name: str
    scene: str
    split: str = ''


@dataclass
class Found:
    """The pairs of a layout on disk, in a fixed order; ``note`` is a remark for the user."""

    layout: str
    pairs: list[PairFiles]
    skipped: list[Skipped] = field(default_factory=list)
    note: str = ''


@dataclass(frozen=True)
class SwirCoding:
    """The conversion of the values in a SWIR file to radiance.

    :param gamma: of 8-bit frames: radiance = (value / full scale) ** gamma. Frames of 16 bits and
        of floats are linear.
    :param full_scale: value of radiance 1.0; by default 255, 65535, and 1 for floats. 12-bit
        frames stored in 16 bits without scaling need 4095.
    """

    gamma: float = 2.2
    full_scale: float | None = None

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """Return radiance float32 (H, W) in [0, 1] of a single-channel frame."""
        if stored.dtype == np.uint8:
            levels = np.arange(256, dtype=np.float32) / (self.full_scale or 255)
            return np.asarray(np.clip(levels, 0, 1) ** np.float32(self.gamma))[stored]
        if stored.dtype == np.uint16:
            scale = self.full_scale or 65535
        elif np.issubdtype(stored.dtype, np.floating):
            scale = self.full_scale or 1.0
        else:
            raise UnreadableError(f'{stored.dtype} is no pixel type of SWIR frames')
        return np.clip(stored.astype(np.float32) / np.float32(scale), 0, 1)

    def describe(self) -> str:
        """Return a description for log lines."""
        scale = f' over {self.full_scale:g}' if self.full_scale else ''
        return f'8-bit SWIR with gamma {self.gamma:g}, deeper linear{scale}'


def size_of(path: Path) -> tuple[int, int]:
    """Return (height, width) from an image's header; check the end of the file, decode nothing.

    :raises UnreadableError: if the file is no image, is cut off or cannot be read.
    """
    try:
        with path.open('rb') as stream, Image.open(stream) as picture:
            width, height = picture.size
            codec = picture.format or ''
            stream.seek(-min(TAIL, path.stat().st_size), 2)
            if lacks_end(codec.lower(), stream.read()):
                raise UnreadableError(f'{codec} that was cut off')
    except UnidentifiedImageError as error:
        raise UnreadableError('no picture' if path.stat().st_size else 'empty file') from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableError(f'cannot be read: {error}') from error
    return height, width


def check(pair: PairFiles) -> Skipped | None:
    """Return why a pair cannot be used according to the headers, or None."""
    sizes = []
    for path in (pair.rgb, pair.swir):
        try:
            sizes.append(size_of(path))
        except UnreadableError as error:
            return Skipped(path, str(error))
    if sizes[0] != sizes[1]:
        (rh, rw), (sh, sw) = sizes
        return Skipped(pair.swir, f'SWIR {sw}x{sh} beside RGB {rw}x{rh}')
    return None


def read_rgb(path: Path) -> np.ndarray:
    """Return uint8 (H, W, 3) as stored, without rotation, to match the pixels of the SWIR file.

    :raises UnreadableError: if it cannot be decoded.
    """
    return cv2.cvtColor(_read(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def read_swir(path: Path, coding: SwirCoding) -> np.ndarray:
    """Return radiance float32 (H, W) in [0, 1].

    :raises UnreadableError: if it cannot be decoded, or is a colour image.
    """
    stored = _read(path, cv2.IMREAD_UNCHANGED)
    if stored.ndim == 3:
        channels = stored[..., :3].astype(np.float32)  # without transparency
        unit = 1.0 if stored.dtype == np.uint8 else np.iinfo(np.uint16).max / 255
        spread = float(np.ptp(channels, axis=2).mean())
        if spread > GREY_TOLERANCE * unit:
            raise UnreadableError('a coloured picture (false colours?), not one band')
        stored = channels.mean(axis=2).round().astype(stored.dtype)
    return coding.decode(stored)


def _read(path: Path, flags: int) -> np.ndarray:
    try:
        picture = cv2.imread(str(path), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise UnreadableError(f'cannot be decoded: {error.err}') from error
    if picture is None:
        raise UnreadableError('cannot be decoded')
    return np.asarray(picture)


def match(rgb: Iterable[Path], swir: Iterable[Path], key: Callable[[Path], str],
          make: Callable[[Path, Path], PairFiles]) -> tuple[list[PairFiles], list[Skipped]]:
    """Match files of equal keys as pairs, in the order of the keys.

    :param key: returns the key of a file.
    :param make: returns the pair of an RGB and a SWIR file.
    :return: the pairs, and every file without a partner or with more than one.
    """
    skipped: list[Skipped] = []
    sides: list[dict[str, Path]] = []
    for files in (rgb, swir):
        side: dict[str, Path] = {}
        for path in sorted(files):
            first = side.setdefault(key(path), path)
            if first is not path:
                skipped.append(Skipped(path, f'another file of the same name: {first.name}'))
        sides.append(side)
    for side, other, name in ((sides[0], sides[1], 'SWIR'), (sides[1], sides[0], 'RGB')):
        skipped += [Skipped(path, f'no {name} frame of that name')
                    for found, path in side.items() if found not in other]
    pairs = [make(path, sides[1][found])
             for found, path in sorted(sides[0].items()) if found in sides[1]]
    return pairs, skipped
