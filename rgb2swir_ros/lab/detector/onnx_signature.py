"""The inputs and outputs of an ONNX detector, read from file and YAML, and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.network import DIVISOR, DetectorConfig

ENTRIES = ('scale', 'mean', 'std', 'divisor', 'classes')
HELP = "see the description in rgb2swir_ros/lab/detector/onnx.py"


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of one ONNX detector; the module `onnx` describes the format.

    :param size: (height, width) of a fixed input, or None; ``channels``: 1 or 3.
    :param mean: (channels,); ``std``: the same.
    :param classes: names of the classes; ``labels``: the index into them of each of its labels.
    """

    path: Path
    input: str
    outputs: tuple[str, ...]
    channels: int
    size: tuple[int, int] | None
    scale: float
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    divisor: int
    classes: tuple[str, ...]
    labels: dict[int, int]

    def fit(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """Return a frame (H, W) fitted to the input, and the scale of its pixels in the input."""
        height, width = image.shape[:2]
        if self.size is None:
            target, scale = tuple(-(-s // self.divisor) * self.divisor for s in image.shape), 1.0
        else:
            target = self.size
            scale = min(1.0, target[0] / height, target[1] / width)
        if scale < 1:
            image = np.asarray(cv2.resize(  # INTER_AREA avoids aliasing
                image, (max(int(width * scale), 1), max(int(height * scale), 1)),
                interpolation=cv2.INTER_AREA), np.float32)
        below, right = target[0] - image.shape[0], target[1] - image.shape[1]
        return np.pad(image, ((0, below), (0, right)), mode='edge'), scale

    def prepare(self, display_value: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the input (1, channels, H, W), float32."""
        planes = np.repeat(display_value[None, None] * self.scale, self.channels, axis=1)
        scaled = (planes - self.mean[:, None, None]) / self.std[:, None, None]
        return np.ascontiguousarray(scaled, np.float32)

    def check(self, values: dict[str, NDArray[Any]]) -> None:
        """Check the shapes and values of the outputs.

        :raises UserError: if the shapes are not as described, or a value is not finite.
        """
        shapes = {k: tuple(v.shape) for k, v in values.items()}
        boxes, scores = shapes['boxes'], shapes['scores']
        if 'labels' in shapes:
            count = boxes[-2] if len(boxes) in (2, 3) else -1
            good = (boxes in ((count, 4), (1, count, 4))
                    and scores in ((count,), (1, count)) and shapes['labels'] == scores)
            wanted = 'boxes (N, 4), scores (N,), labels (N,)'
        else:
            good = (len(boxes) == 3 and len(scores) == 3 and boxes[2] == 4
                    and boxes[:2] == scores[:2] and boxes[0] == 1)
            wanted = 'boxes (1, N, 4), scores (1, N, classes), or an output labels besides'
        if not good:
            found = ', '.join(f'{k} {v}' for k, v in shapes.items())
            raise UserError(f'{self.path} gives {found} where {wanted} is wanted; {HELP}')
        if not all(np.isfinite(v).all() for v in values.values()):
            raise UserError(f'{self.path} gives values that are not finite')

    def translate(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return indices into ``classes``, -1 for labels that are not among them."""
        return np.array([self.labels.get(int(k), -1) for k in labels], np.int64)


def read_signature(path: Path, inputs: Sequence[Any], outputs: Sequence[Any],
                   own: tuple[str, ...] | None) -> Signature:
    """Check a file's inputs and outputs, and read the YAML beside it if there is one.

    :param inputs: with ``name``, ``type``, ``shape``, as onnxruntime has them; ``outputs`` too.
    :param own: the classes in the metadata of a file that `export_onnx` wrote, else None.
    :raises UserError: if it is not as described; the text names the inputs and outputs.
    """
    found = '; '.join(f'{kind} {", ".join(f"{n.name} {n.type} {n.shape}" for n in nodes)}'
                      for kind, nodes in (('inputs', inputs), ('outputs', outputs)))
    if len(inputs) != 1 or inputs[0].type != 'tensor(float)' or len(inputs[0].shape) != 4:
        raise UserError(f'{path} must have one float32 input (batch, 1 or 3, H, W); it has '
                        f'{found}; {HELP}')
    batch, channels, height, width = inputs[0].shape
    if channels not in (1, 3) or (isinstance(batch, int) and batch != 1):
        raise UserError(f'{path} must take 1 or 3 channels in batches of 1; it has {found}; '
                        f'{HELP}')
    names = {n.name for n in outputs}
    if not {'boxes', 'scores'} <= names:
        raise UserError(f"{path} must have outputs 'boxes', 'scores' and, unless scores are by "
                        f"class, 'labels'; it has {found}; {HELP}")
    entries = _read_yaml(path.with_suffix('.yaml'))
    if isinstance(height, int) != isinstance(width, int):
        raise UserError(f'{path}: height and width must both be fixed or both free; it has '
                        f'{found}')
    classes, labels = _classes(entries, own, path)
    return Signature(
        path, inputs[0].name, tuple(n for n in ('boxes', 'scores', 'labels') if n in names),
        channels, (height, width) if isinstance(height, int) else None,
        float(_numbers(entries, 'scale', 1.0, 1, path)[0]),
        _numbers(entries, 'mean', 0.0, channels, path),
        _numbers(entries, 'std', 1.0, channels, path, positive=True),
        int(_numbers(entries, 'divisor', DIVISOR, 1, path, positive=True)[0]), classes, labels)


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'cannot read {path}: {error}') from error
    if not isinstance(entries, dict) or (unknown := sorted({*map(str, entries)} - {*ENTRIES})):
        what = f"unknown entry '{unknown[0]}'" if isinstance(entries, dict) else 'it is no mapping'
        raise UserError(f'{path}: {what}; known are {", ".join(ENTRIES)}')
    return entries


def _numbers(entries: dict[str, Any], name: str, default: float, count: int, path: Path, *,
             positive: bool = False) -> NDArray[np.float32]:
    value = entries.get(name, default)
    try:
        numbers = np.broadcast_to(np.asarray(value, np.float32).ravel(), (count,))
    except (TypeError, ValueError):
        numbers = np.array([np.nan], np.float32)
    if not np.isfinite(numbers).all() or (positive and (numbers <= 0).any()):
        raise UserError(f"{path.with_suffix('.yaml')}: {name}: {value!r} must be "
                        f"{'positive' if positive else 'finite'}: one number"
                        + (f' or {count}' if count > 1 else ''))
    return numbers


def _classes(entries: dict[str, Any], own: tuple[str, ...] | None,
             path: Path) -> tuple[tuple[str, ...], dict[int, int]]:
    given = entries.get('classes')
    if given is None:
        names = own or DetectorConfig().classes
        return names, {k: k for k in range(len(names))}
    if (not isinstance(given, dict) or not given
            or not all(isinstance(k, int) and isinstance(v, str) for k, v in given.items())):
        raise UserError(f"{path.with_suffix('.yaml')}: classes: {given!r} must map labels to "
                        'names, like {0: person, 2: car}')
    names = tuple(dict.fromkeys(given.values()))
    return names, {k: names.index(v) for k, v in given.items()}
