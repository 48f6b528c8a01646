"""Batches for the detector's training: augmented crops of true SWIR frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame, read_display_value

CACHE_BYTES = 2 << 30  # of display values in memory, as uint16; other frames are read each time
SCALES = (0.6, 1.6)
NATIVE_SHARE = 0.4  # share of the samples at the frame's own scale, as at inference
MIN_VISIBLE = 0.35  # share of a box that a crop must contain
MIN_SIDE = 1.5  # pixels; smaller objects cannot be distinguished from noise


@dataclass(frozen=True)
class Sample:
    """One training sample.

    :param display_value: (H, W) float32 in [0, 1], ``radiance ** (1 / 2.2)``.
    :param boxes: (N, 4) left, top, right, bottom; ``labels``: (N,).
    :param ignored: (M, 4) regions whose cells have no loss: crowds, and objects cut by the edge.
    """

    display_value: NDArray[np.float32]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    ignored: NDArray[np.float32]


class FrameCache:
    """Cache of the display values of frames, up to a limit of memory."""

    def __init__(self, frames: Sequence[AnnotatedFrame], limit: int = CACHE_BYTES) -> None:
        """Keep the list of frames; none is read yet."""
        self.frames = frames
        self._kept: dict[int, NDArray[np.uint16]] = {}
        self._free = limit

    def display_value(self, index: int) -> NDArray[np.float32]:
        """Return a frame's display values, (H, W) float32 in [0, 1].

        :raises UserError: if its file cannot be read or has another size than annotated.
        """
        kept = self._kept.get(index)
        if kept is None:
            frame = self.frames[index]
            kept = np.round(read_display_value(frame.path, frame.size) * 65535).astype(np.uint16)
            if kept.nbytes <= self._free:
                self._kept[index] = kept
                self._free -= kept.nbytes
        return np.asarray(kept / np.float32(65535), np.float32)


def draw(cache: FrameCache, index: int, size: tuple[int, int],
         rng: np.random.Generator) -> Sample:
    """Return an augmented crop of one frame.

    :param size: (height, width) of the crop.
    """
    frame, image = cache.frames[index], cache.display_value(index)
    height, width = frame.size
    scale = 1.0 if rng.random() < NATIVE_SHARE else float(np.exp(rng.uniform(*np.log(SCALES))))
    left, top = (rng.uniform(min(0., whole * scale - part), max(0., whole * scale - part))
                 for whole, part in ((width, size[1]), (height, size[0])))
    if scale == 1:  # whole pixels avoid blur by interpolation
        left, top = round(left), round(top)
    mirror = rng.random() < .5
    if scale < 1:  # against aliasing
        blur = .5 * float(np.sqrt(scale ** -2 - 1))
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur), np.float32)
    sign, shift = (-scale, width * scale - left) if mirror else (scale, -left)
    boxes = frame.boxes.astype(float)
    corners = np.stack([boxes[:, 0] * sign + shift, (boxes[:, 0] + boxes[:, 2]) * sign + shift])
    lower = boxes[:, 1] * scale - top
    moved = np.stack([corners.min(axis=0), lower, corners.max(axis=0),
                      lower + boxes[:, 3] * scale], axis=1)
    # warpAffine maps pixel centres; boxes are in edge coordinates, half a pixel apart
    matrix = np.array([[sign, 0, shift + .5 * sign - .5], [0, scale, -top + .5 * scale - .5]])
    picture = cv2.warpAffine(image, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_CONSTANT, borderValue=float(image.mean()))
    clipped = moved.clip(0, [size[1], size[0]] * 2)
    sides = clipped[:, 2:] - clipped[:, :2]
    area = np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    partly = (sides > 0).all(axis=1)
    kept = (partly & (np.prod(sides, axis=1) >= MIN_VISIBLE * area) & ~frame.ignored
            & (sides.min(axis=1, initial=np.inf) >= MIN_SIDE))
    return Sample(augment_display_values(np.asarray(picture, np.float32), rng),
                  clipped[kept].astype(np.float32), frame.labels[kept],
                  clipped[partly & ~kept].astype(np.float32))


def augment_display_values(image: NDArray[np.float32],
                           rng: np.random.Generator) -> NDArray[np.float32]:
    """Return an image with another exposure, tone curve, sharpness and noise, in [0, 1].

    The augmentation is mild: the detector should tolerate another camera, but respond to blur and
    to lost contrast.
    """
    if rng.random() < .8:
        image = image * np.float32(np.exp(rng.normal(0, .15))) + np.float32(rng.normal(0, .02))
        image = image.clip(0, 1) ** np.float32(np.exp(rng.normal(0, .15)))
    if rng.random() < .15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(.3, .7)).astype(np.float32)
    if rng.random() < .5:
        noise = rng.standard_normal(image.shape, np.float32)
        image = image + noise * np.float32(rng.uniform(0, .02))
    return image.clip(0, 1)


def order(count: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """Return the indices of the frames of one step's batch, shuffled anew in each epoch."""
    places = step * batch + np.arange(batch)
    epochs = {int(e): np.random.default_rng([seed, 1, int(e)]).permutation(count)
              for e in np.unique(places // count)}
    return np.array([epochs[int(p // count)][p % count] for p in places])


def draw_batch(cache: FrameCache, batch: int, size: tuple[int, int], step: int,
               seed: int) -> list[Sample]:
    """Return one step's batch, which depends on the seed and the step alone."""
    return [draw(cache, int(index), size, np.random.default_rng([seed, 2, step, k]))
            for k, index in enumerate(order(len(cache.frames), batch, step, seed))]
