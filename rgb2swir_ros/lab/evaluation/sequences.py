"""Clips for the temporal evaluation: sequences from ``rgb2swir scenes``, and real footage.

A clip yields RGB frames with the true square-root radiance, if known, and the optical flow to the
next frame. ``DIR/sequences/index.json`` lists the rendered sequences;
``rgb2swir_ros/lab/scenes/units.py`` describes the files.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.fit import fit_size
from rgb2swir_ros.lab.evaluation.warp import Flow, Image, Mask, estimate_flow
from rgb2swir_ros.replay.bag import is_bag
from rgb2swir_ros.replay.frames import decode_or_fail, resized
from rgb2swir_ros.replay.pictures import natural_key, read_picture
from rgb2swir_ros.replay.source import open_source
from rgb2swir_ros.replay.video import is_video
from rgb2swir_ros.sizes import size_of

STILL, MOVING, FOOTAGE = 'still', 'moving', 'footage'
REMEDY = ('render some by rgb2swir scenes --count 4 --sequences 8 --length 30 -o DIR, for a scene '
          'in which nothing moves with --still')


@dataclass(frozen=True)
class ClipFrame:
    """A frame of a clip, and its flow to the next frame.

    :param rgb: uint8 (H, W, 3).
    :param true: square-root radiance float32 (H, W) of the true SWIR frame, or None.
    :param flow: (H, W, 2), pixels to the next frame; None if nothing moves, and in the last.
    :param seen: (H, W), True where the next frame shows the same point; None in the last.
    """

    rgb: NDArray[np.uint8]
    true: Image | None = None
    flow: Flow | None = None
    seen: Mask | None = None


class Clip(Protocol):
    """A sequence of frames.

    :param name: for reports; ``kind``: `STILL`, `MOVING` or `FOOTAGE`.
    :param count: number of frames, None if it is not known before reading.
    """

    name: str
    kind: str
    count: int | None

    def clip_frames(self) -> Iterator[ClipFrame]:
        """Yield the frames, read one by one."""
        ...


@dataclass(frozen=True)
class FrameFiles:
    """Files of one frame of a rendered sequence; the last has no ``flow``."""

    rgb: Path
    swir: Path
    flow: Path | None


class RenderedClip:
    """A sequence that ``rgb2swir scenes`` wrote, with its true SWIR frames and true flow."""

    def __init__(self, name: str, still: bool, frames: Sequence[FrameFiles]) -> None:
        """Keep the list of files; none is read yet."""
        self.name, self.kind = name, STILL if still else MOVING
        self.frames = frames
        self.count: int | None = len(frames)

    def clip_frames(self) -> Iterator[ClipFrame]:
        """Yield the frames.

        :raises UserError: if a file is missing, damaged, or of another size than the others.
        """
        for frame in self.frames:
            rgb = read_picture(frame.rgb)
            true = read_radiance(frame.swir)
            _same_size(frame.swir, true.shape, rgb)
            if frame.flow is None:
                yield ClipFrame(rgb, true)
            elif self.kind == STILL:  # its flow is zero up to rounding
                yield ClipFrame(rgb, true, None, np.ones(true.shape, bool))
            else:
                flow, seen = read_flow(frame.flow)
                _same_size(frame.flow, seen.shape, rgb)
                yield ClipFrame(rgb, true, flow, seen)


class FootageClip:
    """Real footage, without true SWIR frames; flow is estimated from the RGB frames."""

    kind = FOOTAGE

    def __init__(self, path: Path, box: tuple[int, int], max_frames: int) -> None:
        """Open a video, a bag or a folder of images.

        :param box: (height, width) that frames are scaled down to fit, as ``translate`` does.
        :param max_frames: largest number of frames, from the beginning.
        :raises FootageError: if it cannot be opened.
        """
        self.name = path.name
        self._source, self._box, self._max_frames = open_source(path), box, max_frames
        count = self._source.count
        self.count = None if count is None else min(count, max_frames)

    def clip_frames(self) -> Iterator[ClipFrame]:
        """Yield the frames.

        :raises FootageError: if reading fails.
        """
        now: NDArray[np.uint8] | None = None
        for frame in islice(self._source.frames(), self._max_frames):
            rgb = decode_or_fail(frame, self._source)
            rgb = resized(rgb, fit_size(size_of(rgb), self._box))
            if now is not None:
                if now.shape != rgb.shape:
                    raise UserError(f'{self.name}: {frame.name} has another size than the frame '
                                    'before it')
                yield ClipFrame(now, None, *estimate_flow(now, rgb))
            now = rgb
        if now is not None:
            yield ClipFrame(now)


def rendered_clips(data: Path) -> list[RenderedClip]:
    """List the sequences of a data set.

    :raises UserError: if there are none, or the index is damaged.
    """
    path = Path(data) / 'sequences' / 'index.json'
    try:
        entries = json.loads(path.read_text())
    except OSError as error:
        raise UserError(f'cannot read {path} ({error.strerror}): {data} holds no sequences; '
                        f'{REMEDY}') from error
    except ValueError as error:
        raise UserError(f'{path} is no JSON ({error}); {REMEDY}') from error
    try:
        return [_clip(Path(data), entry) for entry in entries]
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f'{path} is no index of sequences ({type(error).__name__} {error}); '
                        f'{REMEDY}') from error


def footage_clips(path: Path, box: tuple[int, int], max_frames: int) -> list[FootageClip]:
    """Open a piece of footage, or all videos below a folder.

    :raises UserError: if there is nothing at the path, or no video in it.
    """
    if path.is_dir() and not is_bag(path):
        files = sorted((p for p in path.rglob('*') if p.is_file() and is_video(p)),
                       key=natural_key)
        if not files:
            raise UserError(f'the folder {path} holds no video')
    else:
        files = [path]
    return [FootageClip(file, box, max_frames) for file in files]


def read_radiance(path: Path) -> Image:
    """Return the square-root radiance (H, W) of a 16-bit linear image.

    :raises UserError: if it is missing or no such image.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 2:
        raise UserError(f'{path} is missing or no 16-bit grey picture; {REMEDY}')
    return np.sqrt(pixels.astype(np.float32) / 65535)


def read_flow(path: Path) -> tuple[Flow, Mask]:
    """Return flow (H, W, 2) and the mask of points that are visible in both frames (H, W).

    :raises UserError: if the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            flow, seen = content['flow'].astype(np.float32), content['seen'].astype(bool)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zlib.error,
            zipfile.BadZipFile) as error:  # what numpy raises for truncated or other files
        raise UserError(f'cannot read the flow {path} ({type(error).__name__}); {REMEDY}'
                        ) from error
    if flow.shape != (*seen.shape, 2):
        raise UserError(f'{path}: flow {flow.shape} and seen {seen.shape} do not fit; {REMEDY}')
    return flow, seen


def _clip(data: Path, entry: dict[str, Any]) -> RenderedClip:
    frames = [FrameFiles(data / f['rgb'], data / f['swir'],
                            data / f['flow'] if 'flow' in f else None) for f in entry['frames']]
    return RenderedClip(Path(entry['folder']).name, bool(entry['still']), frames)


def _same_size(path: Path, shape: tuple[int, ...], rgb: NDArray[np.uint8]) -> None:
    if tuple(shape) != rgb.shape[:2]:
        raise UserError(f'{path} has the size {shape}, its RGB frame {rgb.shape[:2]}; {REMEDY}')
