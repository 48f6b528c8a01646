"""Objects in frames: labels from a COCO file keyed by stamp, and pseudo-labels of a detector."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame


@dataclass(frozen=True)
class Labels:
    """The labelled frames by stamp (nanoseconds), and the names of the classes."""

    frames: dict[int, AnnotatedFrame]
    classes: tuple[str, ...]

    def of(self, stamp_ns: int, size: tuple[int, int], group: str) -> AnnotatedFrame | None:
        """Return the objects of a frame, or None.

        :raises UserError: if the file gives the frame another size.
        """
        found = self.frames.get(stamp_ns)
        if found is None:
            return None
        if found.size != size:
            raise UserError(f'the labels of the frame {stamp_ns} are for {found.size[1]}x'
                            f'{found.size[0]} pixels, the SWIR frame has {size[1]}x{size[0]}: '
                            'give boxes in the pixels of the judged frame')
        return replace(found, scene=group)


def read_labels(path: Path) -> Labels:
    """Read a COCO file whose images have their stamp in nanoseconds.

    An image's stamp is its entry ``stamp_ns``, else the stem of its ``file_name``. Objects with
    ``iscrowd`` count neither as hits nor as misses.

    :raises UserError: if the file cannot be read, or naming what is wrong.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'cannot read the labels {path}: {error}') from error
    except ValueError as error:
        raise UserError(f'{path} is no JSON: {error}') from error
    try:
        return _parse(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f'{path} is no COCO file keyed by stamp: {type(error).__name__} {error}; '
                        'it needs images with id, width, height and stamp_ns, annotations and '
                        'categories') from error


def pseudo_labels(found: Detections, score: float, size: tuple[int, int],
                  group: str) -> AnnotatedFrame:
    """Return detections from a score on as if they were objects."""
    kept = found.scores >= score
    corners = found.boxes[kept]
    sides = corners[:, 2:] - corners[:, :2]
    return AnnotatedFrame(Path(), (), size, np.concatenate([corners[:, :2], sides], axis=1),
                          found.labels[kept], sides.prod(axis=1).astype(float),
                          np.zeros(int(kept.sum()), bool), group, '', '')


def _parse(content: dict[str, Any]) -> Labels:
    categories = sorted(content['categories'], key=lambda c: int(c['id']))
    index = {c['id']: k for k, c in enumerate(categories)}
    by_image: dict[Any, list[dict[str, Any]]] = {image['id']: [] for image in content['images']}
    if len(by_image) != len(content['images']):
        raise ValueError('two images have the same id')
    for annotation in content['annotations']:
        by_image[annotation['image_id']].append(annotation)
    frames: dict[int, AnnotatedFrame] = {}
    for image in content['images']:
        stamp = int(image.get('stamp_ns', Path(str(image.get('file_name', ''))).stem))
        if stamp in frames:
            raise ValueError(f'two images have the stamp {stamp}')
        frames[stamp] = _frame(image, by_image[image['id']], index)
    return Labels(frames, tuple(str(c['name']) for c in categories))


def _frame(image: dict[str, Any], objects: Sequence[dict[str, Any]],
           index: dict[Any, int]) -> AnnotatedFrame:
    boxes = np.array([o['bbox'] for o in objects], np.float32).reshape(-1, 4)
    if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
        raise ValueError(f"image {image['id']} has a box without an area")
    return AnnotatedFrame(
        Path(), (), (int(image['height']), int(image['width'])), boxes,
        np.array([index[o['category_id']] for o in objects], np.int64),
        np.array([o.get('area', o['bbox'][2] * o['bbox'][3]) for o in objects], float),
        np.array([bool(o.get('iscrowd', 0)) for o in objects], bool), '', '', '')
