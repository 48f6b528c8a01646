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
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError


@contextmanager
def finished(target: Path) -> Iterator[Path]:
    """Give a temporary path beside the target, renamed to it when the block ends well.

    If the block raises, the temporary file is removed and the target stays as it was.

    :raises UserError: if the folder cannot be made or written.
    """
    temporary = target.with_name(f'.{target.stem}.partial-{os.getpid()}{target.suffix}')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise UserError(f"'{target}' cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(target: Path, data: bytes) -> int:
    """Write a file and return its size in bytes.

    :raises UserError: if it cannot be written.
    """
    with finished(target) as temporary:
        temporary.write_bytes(data)
    return len(data)


def write_picture(target: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> int:
    """Write a PNG file of 8 or 16 bits and return its size in bytes.

    :param pixels: uint8 or uint16, (H, W) grey or (H, W, 3) RGB.
    :raises UserError: if the file cannot be written.
    """
    shown = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    encoded, data = cv2.imencode('.png', shown)
    if not encoded:
        raise UserError(f"'{target}': {pixels.shape} {pixels.dtype} cannot be stored as PNG")
    return write_bytes(target, data.tobytes())


def write_json(target: Path, value: Any) -> int:
    """Write a JSON file and return its size in bytes.

    :raises UserError: if it cannot be written.
    """
    return write_bytes(target, (json.dumps(value, indent=1) + '\n').encode())
