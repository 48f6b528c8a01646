"""Marked boxes of pairs: which of two things in a frame is darker in the true SWIR frame.

A file of marked boxes holds, as JSON::

    {"frames": {"000000": {"road": [x0, y0, x1, y1], "tree": [...]}},
     "darker_than": {"000000": [["road", "tree"]]}}

with boxes as fractions of width and height, and pairs with the darker one first. A frame is named
by its file's stem, or by scene and stem (``overcast/000000``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError

# Smallest ratio of bright to dark in linear light: less may be due to exposure, noise or an
# inaccurate box.
MARGIN = 1.15

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class MarkedFrame:
    """The boxes of one frame by label, and its pairs of labels (darker, brighter)."""

    boxes: dict[str, Box]
    darker_than: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MarkedBoxes:
    """The frames of a file of marked boxes, by name."""

    frames: dict[str, MarkedFrame]

    def of(self, name: str) -> MarkedFrame | None:
        """Return the marks of a frame, or None.

        :param name: of the pair, ``overcast/000000`` or ``000000``; the whole name goes first.
        """
        return self.frames.get(name) or self.frames.get(name.rsplit('/', 1)[-1])


def read_boxes(path: Path) -> MarkedBoxes:
    """Read a file of marked boxes.

    :raises UserError: if it is no JSON, not of this format, or a pair names a box that its frame
        lacks.
    """
    try:
        entries = json.loads(path.read_text())
        pairs = entries['darker_than']
        frames = {str(name): _frame(boxes, pairs.get(name, []))
                  for name, boxes in entries['frames'].items()}
        if unknown := sorted(set(pairs) - set(frames)):
            raise ValueError(f'pairs of {unknown[0]}, which has no boxes')
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"'{path}' holds no marked boxes ({type(error).__name__}: {error}): it "
                        'needs "frames" with boxes [x0, y0, x1, y1] in 0 to 1 and "darker_than" '
                        'with pairs of their labels') from error
    return MarkedBoxes(frames)


def _frame(boxes: dict[str, Any], pairs: Sequence[Sequence[str]]) -> MarkedFrame:
    known = {label: as_box(box) for label, box in boxes.items()}
    for dark, bright in pairs:
        if missing := {dark, bright} - set(known):
            raise ValueError(f'no box {missing.pop()!r}')
    return MarkedFrame(known, tuple((dark, bright) for dark, bright in pairs))


def as_box(values: Any) -> Box:
    """Return four numbers as a box.

    :raises ValueError: if they are none, in fractions of width and height.
    """
    x0, y0, x1, y1 = (float(value) for value in values)
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f'{values} is no box')
    return x0, y0, x1, y1


def pairs_in_order(radiance: NDArray[Any], marked: MarkedFrame) -> list[bool]:
    """Return for each pair of a frame whether it is in order: bright at least `MARGIN` times dark.

    :param radiance: (H, W), linear light in any unit.
    """
    means = {label: box_mean(radiance, box) for label, box in marked.boxes.items()}
    return [means[bright] >= MARGIN * means[dark] for dark, bright in marked.darker_than]


def box_mean(radiance: NDArray[Any], box: Box) -> float:
    """Return the mean of the pixels that a box touches."""
    height, width = radiance.shape
    x0, y0, x1, y1 = box
    rows = slice(int(y0 * height), int(y1 * height) + 1)
    columns = slice(int(x0 * width), int(x1 * width) + 1)
    return float(radiance[rows, columns].mean(dtype=np.float64))
