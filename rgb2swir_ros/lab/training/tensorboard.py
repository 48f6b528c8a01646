"""TensorBoard events of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class TensorBoardWriter:
    """Writes events for TensorBoard; does nothing if TensorBoard is not installed."""

    def __init__(self, folder: Path, step: int, log: Callable[[str], None]) -> None:
        """Open the folder.

        :param step: completed steps of the whole training; events of later steps, which an
            interrupted run wrote after its last checkpoint, are purged.
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
        """Write scalars by their names."""
        if self.writer is not None:
            for name, value in values.items():
                self.writer.add_scalar(name, value, step)

    def picture(self, name: str, pixels: Any, step: int) -> None:
        """Write an image, uint8 RGB (H, W, 3)."""
        if self.writer is not None:
            self.writer.add_image(name, pixels, step, dataformats='HWC')
            self.writer.flush()

    def close(self) -> None:
        """Flush and close the file."""
        if self.writer is not None:
            self.writer.close()
