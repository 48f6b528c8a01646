"""Batches for the detector's training: crops of true SWIR frames, scaled, mirrored, re-toned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame, read_display_value

CACHE_BYTES = 2 << 30  # tones kept in memory as uint16; frames beyond are read each time
SCALES = (0.6, 1.6)
NATIVE_SHARE = 0.4  # of the samples at the frame's own scale, as in use
LEAST_VISIBLE = 0.35  # share of a box that a crop must keep
LEAST_SIDE = 1.5  # pixels: what is smaller after scaling cannot be told from noise


@dataclass(frozen=True)
class Sample:
    """One training sample.

    :param tone: (H, W) float32; ``boxes``: (N, 4) left, top, right, bottom; ``labels``: (N,).
    :param ignored: (M, 4) regions whose cells are not judged: crowds and slivers at the edge.
    """

    tone: NDArray[np.float32]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    ignored: NDArray[np.float32]


class FrameCache:
    """Tones of frames, read once as long as memory allows."""

    def __init__(self, frames: Sequence[AnnotatedFrame], limit: int = CACHE_BYTES) -> None:
        """Take the frames; none is read yet."""
        self.frames = frames
        self._kept: dict[int, NDArray[np.uint16]] = {}
        self._free = limit

    def tone(self, index: int) -> NDArray[np.float32]:
        """Return a frame's tone, (H, W) float32 in [0, 1].

        :raises UserError: if its picture cannot be read or has another size than annotated.
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
    frame, tone = cache.frames[index], cache.tone(index)
    height, width = frame.size
    scale = 1.0 if rng.random() < NATIVE_SHARE else float(np.exp(rng.uniform(*np.log(SCALES))))
    left, top = (rng.uniform(min(0., whole * scale - part), max(0., whole * scale - part))
                 for whole, part in ((width, size[1]), (height, size[0])))
    if scale == 1:  # whole pixels: no blur by interpolation
        left, top = round(left), round(top)
    mirror = rng.random() < .5
    if scale < 1:  # take away what the smaller frame cannot carry
        blur = .5 * float(np.sqrt(scale ** -2 - 1))
        tone = np.asarray(cv2.GaussianBlur(tone, (0, 0), blur), np.float32)
    sign, shift = (-scale, width * scale - left) if mirror else (scale, -left)
    boxes = frame.boxes.astype(float)
    corners = np.stack([boxes[:, 0] * sign + shift, (boxes[:, 0] + boxes[:, 2]) * sign + shift])
    lower = boxes[:, 1] * scale - top
    moved = np.stack([corners.min(axis=0), lower, corners.max(axis=0),
                      lower + boxes[:, 3] * scale], axis=1)
    # warpAffine maps pixel centres, boxes are in edge coordinates: half a pixel apart
    matrix = np.array([[sign, 0, shift + .5 * sign - .5], [0, scale, -top + .5 * scale - .5]])
    picture = cv2.warpAffine(tone, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR,
                             borderMode=cv2.BORDER_CONSTANT, borderValue=float(tone.mean()))
    clipped = moved.clip(0, [size[1], size[0]] * 2)
    sides = clipped[:, 2:] - clipped[:, :2]
    area = np.prod(moved[:, 2:] - moved[:, :2], axis=1)
    partly = (sides > 0).all(axis=1)
    kept = (partly & (np.prod(sides, axis=1) >= LEAST_VISIBLE * area) & ~frame.ignored
            & (sides.min(axis=1, initial=np.inf) >= LEAST_SIDE))
    return Sample(retone(np.asarray(picture, np.float32), rng),
                  clipped[kept].astype(np.float32), frame.labels[kept],
                  clipped[partly & ~kept].astype(np.float32))


def retone(tone: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a tone picture with another exposure, curve, sharpness and noise, in [0, 1].

    Mild on purpose: the judge should forgive another camera, not a blurred or flat picture.
    """
    if rng.random() < .8:
        tone = tone * np.float32(np.exp(rng.normal(0, .15))) + np.float32(rng.normal(0, .02))
        tone = tone.clip(0, 1) ** np.float32(np.exp(rng.normal(0, .15)))
    if rng.random() < .15:
        tone = cv2.GaussianBlur(tone, (0, 0), rng.uniform(.3, .7)).astype(np.float32)
    if rng.random() < .5:
        noise = rng.standard_normal(tone.shape, np.float32)
        tone = tone + noise * np.float32(rng.uniform(0, .02))
    return tone.clip(0, 1)


def order(count: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """Return the frames of one step's batch: every epoch is a shuffle of its own."""
    places = step * batch + np.arange(batch)
    epochs = {int(e): np.random.default_rng([seed, 1, int(e)]).permutation(count)
              for e in np.unique(places // count)}
    return np.array([epochs[int(p // count)][p % count] for p in places])


def draw_batch(cache: FrameCache, batch: int, size: tuple[int, int], step: int,
               seed: int) -> list[Sample]:
    """Return one step's batch; it follows from the seed and the step alone."""
    return [draw(cache, int(index), size, np.random.default_rng([seed, 2, step, k]))
            for k, index in enumerate(order(len(cache.frames), batch, step, seed))]
