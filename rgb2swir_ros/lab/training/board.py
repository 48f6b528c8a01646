"""What a training shows on TensorBoard, and what it judges on held-out pairs while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.judge import judge, judge_latent, sheet, spread
from rgb2swir_ros.lab.training.stages import TranslatorTraining

GLANCED, SHOWN = 8, 4  # held-out pairs of a judgement on the way, and those that are shown


class Board:
    """Events for TensorBoard; nothing where it is not installed."""

    def __init__(self, folder: Path, step: int, log: Callable[[str], None]) -> None:
        """Open the folder.

        :param step: number of steps of the whole training that are done: what an earlier run
            wrote of later ones, after its last checkpoint, is not shown any more.
        """
        self.writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            log('TensorBoard is not installed, so nothing is written for it: '
                "pip install 'rgb2swir_ros[train]'")
            return
        self.writer = SummaryWriter(str(folder), purge_step=step + 1)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write figures by their names."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)

    def picture(self, name: str, pixels: Any, step: int) -> None:
        """Write a picture, uint8 RGB (H, W, 3)."""
        if self.writer is not None:
            self.writer.add_image(name, pixels, step, dataformats='HWC')
            self.writer.flush()

    def close(self) -> None:
        """Write what waits."""
        if self.writer is not None:
            self.writer.close()


class Watch:
    """Judges a training on held-out pairs."""

    def __init__(self, frames: Sequence[Pair]) -> None:
        """Judge on these pairs, at least one."""
        self.frames = frames
        self.few = spread(frames, GLANCED)

    def glance(self, training: TranslatorTraining, board: Board, step: int) -> None:
        """Write the figures of a few pairs and show some of them."""
        board.scalars(_named(judge(training.predict, self.few)), step)
        board.picture('held_out/rgb_made_true', sheet(training.predict, self.few[:SHOWN]), step)

    def judge(self, training: TranslatorTraining, board: Board, step: int) -> dict[str, float]:
        """Return and write the figures of all pairs, and whether the decoder uses its latent."""
        figures = (judge(training.predict, self.frames)
                   | judge_latent(training.translator, self.frames))
        board.scalars({f'stage_end/{name}': value for name, value in figures.items()}, step)
        return figures


def _named(figures: Mapping[str, float]) -> dict[str, float]:
    return {'held_out/psnr' if name == 'model' else f'held_out/{name}': value
            for name, value in figures.items()}
