"""The trainings of the ablation's rows, each in folders of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.pace import canary_config
from rgb2swir_ros.lab.ablation.presets import VariantPresets
from rgb2swir_ros.lab.ablation.rows import Task
from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.canary import train_canary
from rgb2swir_ros.lab.training.checkpoint import read_checkpoint
from rgb2swir_ros.lab.training.command import Request, train_translator
from rgb2swir_ros.lab.training.preset import Preset
from rgb2swir_ros.lab.training.record import RECORD_FILE, write_record
from rgb2swir_ros.marks import record_run

HELD_OUT = 4  # pairs of a validation, which only watches: rows are judged by their own measures

Log = Callable[[str], None]


@dataclass(frozen=True)
class Trainings:
    """Trains what rows need, all in the same share of steps.

    :param folder: of the ablation; a training's model is in ``models/NAME``, its checkpoints are
        in ``work/NAME``.
    :param preset: of the U-Net; all variants have its stages.
    :param batch_share: of the canary's batch; that of the preset's is in ``preset``.
    """

    folder: Path
    data: Sequence[Path]
    presets: VariantPresets
    preset: Preset
    stores: Stores
    share: float
    batch_share: float = 1.0

    def model(self, task: Task) -> Path:
        """Return the folder of a training's model."""
        return self.folder / 'models' / task.name

    def is_done(self, task: Task) -> bool:
        """Say whether a training has ended: its record is written last."""
        return (self.model(task) / RECORD_FILE).exists()

    def seconds(self, task: Task) -> float:
        """Return the duration of a finished training, all resumed runs together.

        :raises UserError: if its record is damaged.
        """
        path = self.model(task) / RECORD_FILE
        try:
            return 60 * float(yaml.safe_load(path.read_text())['minutes'])
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
            raise UserError(f'cannot read {path}: {error}') from error

    def run(self, task: Task, log: Log) -> None:
        """Train from the beginning, or from where a killed run was."""
        if task.what == 'canary':
            self._canary(task, log)
            return
        train_translator(Request(
            task.what, list(self.data), self.model(task), self.folder / 'work' / task.name,
            str(self.presets.write(task)), task.seed, self.share, None,
            self.model(task.start) if task.start else None, task.steps,
            pairs=self.folder / 'work' / 'pairs', held_out=HELD_OUT), log)

    def _canary(self, task: Task, log: Log) -> None:
        work, output = self.folder / 'work' / task.name, self.model(task)
        config = canary_config(self.preset, self.share, self.batch_share)
        model = train_canary(self.stores, config, work, seed=task.seed, log=log)
        _, state = read_checkpoint(work / 'checkpoint.safetensors')
        record_run(output, (task, self.share))
        model.save(output)
        write_record(output, {'training': 'canary', 'seed': task.seed, 'share': self.share,
                              'batch_share': self.batch_share, 'steps': config.steps,
                              'batch': config.batch, 'minutes': round(state['seconds'] / 60, 1)})
