"""Real pairs, where a user has some: the order of brightness in SWIR frames of the same views."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.pairs.evaluation import Judge
from rgb2swir_ros.lab.evaluation.pairs.frames import FrameOptions, PairFrames
from rgb2swir_ros.lab.evaluation.pairs.rig import read_rig
from rgb2swir_ros.lab.evaluation.pairs.summary import summarise
from rgb2swir_ros.lab.training.data.files import content_hash
from rgb2swir_ros.lab.training.data.folders import PairedFolders

COLUMNS = {'real_rank': 'whole', 'real_coarse': 'coarse', 'real_edges': 'edges'}


@dataclass(frozen=True)
class RealPairs:
    """Pairs as ``rgb2swir evaluate pairs`` takes them.

    :param data: one folder, or two, of RGB and of SWIR frames.
    :param homography: file that maps SWIR pixels to RGB pixels; None: they are aligned.
    :param rate: frames a second, by which one drive is cut into blocks; None: unknown.
    :param every: every so many of the frames.
    """

    data: tuple[Path, ...]
    homography: Path | None = None
    rate: float | None = None
    every: int = 1

    def open(self) -> PairFrames:
        """Find the frames.

        :raises UserError: if there is no usable pair, or the homography cannot be read.
        """
        rig = None if self.homography is None else read_rig(self.homography)
        path = PairedFolders(*self.data) if len(self.data) == 2 else self.data[0]
        frames = PairFrames(path, FrameOptions(every=self.every), aligned=rig is None)
        frames.rig = rig
        return frames

    def identity(self) -> list[Any]:
        """Return what the figures depend on, JSON-serialisable."""
        judged = self.open().judged
        files = [path for pair in judged for path in (pair.rgb, pair.swir)]
        return [[pair.name for pair in judged], content_hash(files), self.rate,
                None if self.homography is None else self.homography.read_text()]

    def judge(self, candidate: Candidate, resamples: int) -> dict[str, Any]:
        """Return a row's figures, by `COLUMNS`."""
        judge = Judge({candidate.name: candidate.radiance})
        for count, frames in self.open().scenes():
            judge.scene(frames, count)
        summary = summarise(judge.result, candidate.name, rate=self.rate, resamples=resamples)
        figures = summary.rows[candidate.name].figures
        return {column: asdict(figures[name]) for column, name in COLUMNS.items()}
