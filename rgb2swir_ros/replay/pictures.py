"""Read pictures: one, or a folder of them in natural order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.imaging.headers import is_truncated_jpeg
from rgb2swir_ros.replay.frames import FootageError, Frame

SUFFIXES = ('.jpg', '.jpeg', '.png', '.tif', '.tiff', '.bmp', '.webp')

_TIFF = (b'II*\0', b'MM\0*', b'II+\0', b'MM\0+')
MAC_FOLDER = '__MACOSX'  # metadata in archives of macOS


def is_shadow(path: Path) -> bool:
    """Return whether a file is macOS metadata: ``._x.jpg`` is no picture."""
    return path.name.startswith('._')


def is_picture(path: Path) -> bool:
    """Return whether a file has the name of a picture."""
    return path.suffix.lower() in SUFFIXES


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return a sort key under which ``frame2`` comes before ``frame10``."""
    parts = re.split(r'(\d+)', str(path).lower())
    return [(0, int(part), '') if part.isdecimal() else (1, 0, part) for part in parts]


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Return a picture file as uint8 RGB (H, W, 3), turned upright by its EXIF orientation.

    16-bit pictures are converted to 8 bits; transparency is dropped.

    :raises FootageError: if the file cannot be read or is damaged, or if its samples are not
        integers of 8 or 16 bits, so that the value of white is unknown.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FootageError(f"'{path}' cannot be read: {error.strerror or error}") from error
    if is_truncated_jpeg(data):  # older OpenCV fills the rest with grey, without an error
        raise FootageError(f"'{path}' is a JPEG that was cut off")
    if data[:4] in _TIFF:
        _refuse_samples(path, data)
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    except cv2.error as error:
        raise FootageError(f"'{path}' is no readable picture: {error.err or error}") from error
    if bgr is None:
        raise FootageError(f"'{path}' is " + ('no readable picture, or damaged' if data
                                              else 'an empty file'))
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _refuse_samples(path: Path, data: bytes) -> None:
    """Raise FootageError for a TIFF of floating-point or 32-bit samples."""
    try:
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return  # read_picture reports the error
    if stored is not None and stored.dtype not in (np.uint8, np.uint16):
        raise FootageError(f"'{path}' is a TIFF of {stored.dtype} samples: nothing in it says "
                           'which value is white; save it with 8 or 16 bits')


class PicturesSource:
    """A folder of pictures, or a single one, as footage of a constant rate."""

    kind = 'pictures'
    topic = ''

    def __init__(self, path: Path, rate_hz: float = 10.0) -> None:
        """List the pictures; none is read yet.

        :param path: a picture, or a folder, whose subfolders are ignored.
        :param rate_hz: the rate by which the stamps are made.
        :raises FootageError: if there is no picture.
        """
        self.path = path
        self.rate_hz = rate_hz
        files = sorted((p for p in path.iterdir()
                        if p.is_file() and is_picture(p) and not is_shadow(p)),
                       key=natural_key) if path.is_dir() else [path]
        if not files:
            found = sorted(p.name for p in path.iterdir())
            has = (f'it has {", ".join(found[:5])}' + (' ...' if len(found) > 5 else '')
                   if found else 'it is empty')
            raise FootageError(f"the folder '{path}' has no picture ({' '.join(SUFFIXES)}); {has}")
        self.files = files
        self.count: int | None = len(files)

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures as upright RGB.

        :raises FootageError: at a picture that cannot be read.
        """
        for index, file in enumerate(self.files):
            yield Frame(round(index * 1e9 / self.rate_hz), 'camera', '', read_picture(file),
                        file.name)
