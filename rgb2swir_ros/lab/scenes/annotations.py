"""Reader of annotated frames as ``rgb2swir scenes`` writes them: COCO files and pictures.

``DIR/annotations/{train,validation,test}.json`` name the SWIR picture (``file_name``) and the RGB
one (``rgb_file_name``) relative to DIR. 16-bit pictures are linear radiance, 65535 = 1.0; 8-bit
ones are display values, ``radiance ** (1 / 2.2)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.luma import DISPLAY_GAMMA

GAMMA = DISPLAY_GAMMA
SPLITS = ('train', 'validation', 'test')


@dataclass(frozen=True)
class AnnotatedFrame:
    """One frame and its objects.

    :param path: of the SWIR picture; ``names``: relative paths of the SWIR and the RGB picture,
        under which another folder may hold a translated picture.
    :param size: (height, width).
    :param boxes: (N, 4) float32, left, top, width, height in pixels.
    :param labels: (N,) int64, index into the classes; ``areas``: (N,) visible pixels;
        ``ignored``: (N,) bool, crowds, which count neither as hits nor as misses.
    :param scene: frames of one scene share geometry and are not independent; without a scene in
        the file, each picture is a scene.
    """

    path: Path
    names: tuple[str, ...]
    size: tuple[int, int]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    ignored: NDArray[np.bool_]
    scene: str
    weather: str
    place: str


@dataclass(frozen=True)
class AnnotatedSet:
    """A split: its frames, and its class names by category id."""

    frames: tuple[AnnotatedFrame, ...]
    classes: tuple[str, ...]


def read_annotations(data: Path, split: str) -> AnnotatedSet:
    """Read a split without opening pictures.

    :raises UserError: if the file is missing, not a COCO file, or inconsistent.
    """
    path = Path(data) / 'annotations' / f'{split}.json'
    try:
        content = json.loads(path.read_text())
    except OSError as error:
        there = ', '.join(sorted(p.stem for p in path.parent.glob('*.json'))) or 'none'
        raise UserError(f'cannot read {path}: {error.strerror}; splits there: {there}. '
                        '--data must be a folder that rgb2swir scenes wrote') from error
    except ValueError as error:
        raise UserError(f'{path} is no JSON: {error}') from error
    try:
        return _parse(Path(data), content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f'{path} is no COCO file of ours: {type(error).__name__} {error}; '
                        'it needs images, annotations and categories') from error


def read_training(data: Path) -> AnnotatedSet:
    """Read the split ``train``.

    :raises UserError: as `read_annotations`, and if one of its scenes or pictures is also in
        another split: the model would be validated on training data.
    """
    train = read_annotations(data, SPLITS[0])
    for split in SPLITS[1:]:
        if not (Path(data) / 'annotations' / f'{split}.json').is_file():
            continue
        held_out = read_annotations(data, split).frames
        for what, shared in (
                ('scene', {f.scene for f in train.frames} & {f.scene for f in held_out}),
                ('picture', {f.names[0] for f in train.frames} & {f.names[0] for f in held_out})):
            if shared:
                raise UserError(f"{data}: {what} '{min(shared)}' is in train and in {split} "
                                f'({len(shared)} in all): keep each in one split')
    return train


def with_min_side(annotated: AnnotatedSet, side: float) -> AnnotatedSet:
    """Return the same frames, with boxes thinner than ``side`` pixels as ignore regions."""
    return replace(annotated, frames=tuple(
        replace(frame, ignored=frame.ignored | (frame.boxes[:, 2:].min(axis=1, initial=np.inf)
                                                < side))
        for frame in annotated.frames))


def _parse(data: Path, content: dict[str, Any]) -> AnnotatedSet:
    categories = sorted(content['categories'], key=lambda c: int(c['id']))
    index = {c['id']: k for k, c in enumerate(categories)}
    by_image: dict[Any, list[dict[str, Any]]] = {image['id']: [] for image in content['images']}
    if len(by_image) != len(content['images']) or not by_image:
        raise ValueError('there are no images, or two with the same id')
    for annotation in content['annotations']:
        by_image[annotation['image_id']].append(annotation)
    frames = []
    for image in content['images']:
        objects = by_image[image['id']]
        boxes = np.array([o['bbox'] for o in objects], np.float32).reshape(-1, 4)
        if not np.isfinite(boxes).all() or (boxes[:, 2:] <= 0).any():
            raise ValueError(f"image {image['id']} has a box without an area")
        names = [image['file_name']]
        if image.get('rgb_file_name'):
            names.append(image['rgb_file_name'])
        frames.append(AnnotatedFrame(
            data / image['file_name'], tuple(names), (int(image['height']), int(image['width'])),
            boxes, np.array([index[o['category_id']] for o in objects], np.int64),
            np.array([o.get('area', o['bbox'][2] * o['bbox'][3]) for o in objects], float),
            np.array([bool(o.get('iscrowd', 0)) for o in objects], bool),
            str(image.get('scene', image['file_name'])), str(image.get('weather', '')),
            str(image.get('place', ''))))
    return AnnotatedSet(tuple(frames), tuple(str(c['name']) for c in categories))


def read_display_value(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """Return the display value of a picture, radiance ** (1 / 2.2), (H, W) float32 in [0, 1].

    :param size: (height, width) that the picture must have, or None.
    :raises UserError: if it cannot be read or has another size.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise UserError(f'{path} is missing or no picture of 8 or 16 bits')
    if size is not None and pixels.shape[:2] != tuple(size):
        raise UserError(f'{path} has {pixels.shape[1]}x{pixels.shape[0]} pixels, its annotations '
                        f'{size[1]}x{size[0]}: give the pictures the size of the true frames')
    grey = pixels[..., :3].mean(axis=2) if pixels.ndim == 3 else pixels.astype(np.float32)
    if pixels.dtype == np.uint16:
        return np.asarray((grey / 65535) ** (1 / GAMMA), np.float32)
    return np.asarray(grey / 255, np.float32)


def find_counterparts(frames: Iterable[AnnotatedFrame], folder: Path) -> list[Path]:
    """Return the picture that corresponds to each frame in another folder.

    Its path relative to the folder is that of the frame's SWIR or RGB picture, with any common
    picture suffix.

    :raises UserError: if any is missing; the message counts them and names the first.
    """
    found: list[Path] = []
    missing: list[Path] = []
    for frame in frames:
        candidates = [(Path(folder) / name).with_suffix(suffix) for name in frame.names
                      for suffix in (Path(name).suffix, '.png', '.tif', '.tiff', '.jpg')]
        path = next((c for c in candidates if c.is_file()), None)
        if path is None:
            missing.append(candidates[0])
        else:
            found.append(path)
    if missing:
        raise UserError(f'{len(missing)} of {len(missing) + len(found)} pictures are missing in '
                        f'{folder}, the first is {missing[0]} (or at its RGB path): translate '
                        'all frames of the split first')
    return found


def rgb_paths(data: Path, frames: Iterable[AnnotatedFrame]) -> list[Path]:
    """Return the RGB picture of each frame.

    :raises UserError: if the annotations name none, or files are missing.
    """
    try:
        paths = [data / f.names[1] for f in frames]
    except IndexError as error:
        raise UserError(f'the annotations of {data} name no RGB pictures (rgb_file_name): there '
                        'is nothing to translate') from error
    if missing := [p for p in paths if not p.is_file()]:
        raise UserError(f'{len(missing)} of {len(paths)} RGB pictures are missing, the first is '
                        f'{missing[0]}: call rgb2swir scenes again, it fills in what is not there')
    return paths
