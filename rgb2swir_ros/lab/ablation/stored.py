"""Detections and rendered frames on disk, so that each is made once for all rows."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.materials import SceneJob, rendered
from rgb2swir_ros.lab.scenes.frames import RenderedFrame
from rgb2swir_ros.lab.scenes.material_map import MaterialMap
from rgb2swir_ros.progress import ProgressDisplay


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays to an ``.npz`` file that appears when it is whole."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, Any]:
    """Read the arrays of `write_arrays`.

    :raises UserError: if the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            return dict(content)
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(f'cannot read {path} ({type(error).__name__}: {error}): remove it, and '
                        'it is made again') from error


def pack(found: Sequence[Detections]) -> dict[str, Any]:
    """Return detections of frames as arrays."""
    return {'counts': np.array([len(d.scores) for d in found], np.int64),
            'boxes': np.concatenate([d.boxes for d in found]).reshape(-1, 4),
            'scores': np.concatenate([d.scores for d in found]),
            'labels': np.concatenate([d.labels for d in found])}


def unpack(arrays: dict[str, Any]) -> list[Detections]:
    """Return the detections of `pack`."""
    ends = np.cumsum(arrays['counts'])
    return [Detections(arrays['boxes'][a:b], arrays['scores'][a:b], arrays['labels'][a:b])
            for a, b in zip(ends - arrays['counts'], ends, strict=True)]


class MaterialFrames:
    """Frames with a map of their materials, rendered once and stored."""

    def __init__(self, folder: Path, jobs: Sequence[SceneJob]) -> None:
        """Store them in a folder of their own."""
        self.folder, self.jobs = folder, jobs

    @property
    def count(self) -> int:
        """How many frames there are, if none could not be rendered."""
        return sum(job.looks for job in self.jobs)

    def render(self, workers: int, lost: list[str]) -> None:
        """Render the scenes that are not there.

        :param lost: receives a line for each scene that could not be rendered.
        """
        todo = [job for job in self.jobs if not self._path(str(job.seed)).exists()]
        if not todo:
            return
        with ProgressDisplay(len(todo), 'scenes') as progress, \
                closing(rendered(todo, workers, lost)) as scenes:
            for name, frames in scenes:
                write_arrays(self._path(name), _as_arrays(frames))
                progress.advance()

    def scenes(self) -> Iterator[tuple[str, list[RenderedFrame]]]:
        """Yield each scene's name and frames, as `materials.measure` takes them."""
        for job in self.jobs:
            path = self._path(str(job.seed))
            if path.exists():
                yield str(job.seed), _as_frames(read_arrays(path))

    def _path(self, name: str) -> Path:
        return self.folder / f'scene_{name}.npz'


def _as_arrays(frames: Sequence[RenderedFrame]) -> dict[str, Any]:
    maps = [frame.materials for frame in frames]
    known = [one for one in maps if isinstance(one, MaterialMap)]
    if len(known) < len(maps):
        raise ValueError('these frames have no map of their materials')
    return {'rgb': np.stack([f.rgb for f in frames]),
            'swir': np.rint(np.stack([f.swir for f in frames]) * 65535).astype(np.uint16),
            'names': np.array(known[0].names), 'index': known[0].index}


def _as_frames(arrays: dict[str, Any]) -> list[RenderedFrame]:
    materials = MaterialMap(tuple(str(n) for n in arrays['names']), arrays['index'])
    return [RenderedFrame(rgb, (swir / np.float32(65535)).astype(np.float32), (), '', '',
                          materials)
            for rgb, swir in zip(arrays['rgb'], arrays['swir'], strict=True)]
