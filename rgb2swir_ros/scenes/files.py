"""Write files so that what has its final name is whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rgb2swir_ros.errors import UserError


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a path ending in ``.part`` beside the target, renamed to it when the block ends well.

    If the block raises, that file is removed and the target stays as it was.

    :raises UserError: if the folder cannot be made or written, or the disk is full.
    """
    part = target.with_name(f'.{target.name}.part')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, target)
    except OSError as error:
        raise UserError(f"'{target}' cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_bytes(target: Path, data: bytes) -> int:
    """Write a file; return its size in bytes. :raises UserError: see `whole`."""
    with whole(target) as part:
        part.write_bytes(data)
    return len(data)


def write_png(target: Path, pixels: np.ndarray) -> int:
    """Write a PNG and return its size in bytes.

    :param pixels: uint8 (H, W, 3) RGB, or uint8 or uint16 (H, W).
    :raises UserError: see `whole`.
    """
    shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    encoded, data = cv2.imencode('.png', shown)
    if not encoded:
        raise ValueError(f'{pixels.shape} {pixels.dtype} cannot be stored as PNG')
    return write_bytes(target, data.tobytes())


def write_json(target: Path, value: Any) -> int:
    """Write a JSON file and return its size in bytes. :raises UserError: see `whole`."""
    return write_bytes(target, (json.dumps(value, indent=1) + '\n').encode())
