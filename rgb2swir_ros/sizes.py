"""Sizes as text and as tuples: WIDTHxHEIGHT on a command line, (height, width) in Python."""

from __future__ import annotations

import re

import numpy as np

from rgb2swir_ros.errors import UserError

SMALLEST_SIDE = 16  # pixels: of frames, and of what the networks take


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) of a text like ``640x512``, which has the width first.

    :raises UserError: if the text is no such size.
    """
    match = re.fullmatch(r'(\d{1,5})[xX](\d{1,5})', text.strip())
    if not match or min(int(match[1]), int(match[2])) < SMALLEST_SIDE:
        raise UserError(
            f"'{text}' is no size: give WIDTHxHEIGHT in pixels, at least "
            f'{SMALLEST_SIDE}x{SMALLEST_SIDE}, like 640x512')
    return int(match[2]), int(match[1])


def size_of(image: np.ndarray) -> tuple[int, int]:
    """Return (height, width) of an image of the shape (H, W) or (H, W, channels)."""
    return image.shape[0], image.shape[1]


def format_size(size: tuple[int, int]) -> str:
    """Return ``WIDTHxHEIGHT`` for a (height, width)."""
    return f'{size[1]}x{size[0]}'
