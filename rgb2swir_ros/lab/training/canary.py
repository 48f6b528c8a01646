"""The canary: a direct regression, trained for some minutes to check the training data.

If the regression cannot fit the pairs, or fits them and fails on photographs, the data is at
fault, and a diffusion model trained on it would fail too. It is also the baseline that the
translator must beat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.batches import Stores, draw, to_tensors
from rgb2swir_ros.lab.training.losses import PictureWeights, picture_losses
from rgb2swir_ros.lab.training.precision import mixed_precision
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.trainer import RunSettings, Trainer
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor

WEIGHTS = PictureWeights()
STEPS_A_MINUTE = 200  # assumed until the pace has been measured


@dataclass(frozen=True)
class CanaryConfig:
    """The settings of the canary's training.

    :param minutes: duration of the training, all resumed runs together; the number of steps
        follows from the pace of the first ones.
    :param steps: number of steps, in place of ``minutes``. The training is then reproducible with
        the same number of threads.
    :param batch: pairs of 320x256 a step; fewer of larger frames.
    :param rate: highest learning rate.
    :param large_share: last share of the training, at the deployment resolution.
    """

    minutes: float = 20.0
    steps: int | None = None
    batch: int = 8
    rate: float = 1.0e-3
    large_share: float = 0.2
    network: RegressionConfig = field(default_factory=RegressionConfig)

    def __post_init__(self) -> None:
        """Check the budget.

        :raises UserError: if minutes or steps are not positive.
        """
        if not self.minutes > 0:
            raise UserError(f'{self.minutes} minutes of training: give more than 0')
        if self.steps is not None and self.steps < 1:
            raise UserError(f'{self.steps} steps of training: give at least 1')

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The only stage."""
        steps = self.steps or max(round(STEPS_A_MINUTE * self.minutes), 1)
        return (Stage('canary', steps, self.batch, self.rate),)

    def checkpoint_identity(self) -> dict[str, Any]:
        """Return the settings that the weights depend on; the trainer adds the minutes."""
        return {name: value for name, value in asdict(self).items()
                if name not in {'minutes', 'network'}}

    def kind(self, done: float, rng: np.random.Generator) -> str:
        """Return the kind of the next batch: see `rgb2swir_ros.lab.training.batches.draw`."""
        if done >= 1 - self.large_share:
            return 'large'
        return 'crop' if rng.random() < .4 else 'whole'


@dataclass(frozen=True)
class CanaryBatch:
    """The batch of one step.

    :param rgb: (B, 3, H, W) in [0, 1]; ``sqrt_radiance``: (B, 1, H, W), square root of radiance.
    :param done: completed share of the training.
    """

    rgb: Tensor
    sqrt_radiance: Tensor
    done: float

    def to(self, device: torch.device) -> CanaryBatch:
        """Return the batch with its images on a device."""
        return replace(self, rgb=self.rgb.to(device), sqrt_radiance=self.sqrt_radiance.to(device))


@dataclass(frozen=True)
class CanaryBatchSource:
    """Batches of pairs."""

    stores: Stores
    config: CanaryConfig
    seed: int

    @property
    def identity(self) -> Any:
        """The identity of the pairs."""
        return self.stores.identity

    def batch(self, number: int, stage: Stage, step: int, done: float) -> CanaryBatch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.BatchSource`."""
        rng = np.random.default_rng([self.seed, step])
        arrays = draw(self.stores, rng, stage.batch, self.config.kind(done, rng))
        return CanaryBatch(*to_tensors(*arrays), done)

    def calibration_batches(self, count: int, number: int, stage: Stage) -> Iterable[CanaryBatch]:
        """Return no batches: the canary needs no calibration."""
        return ()


class CanaryTraining(Training):
    """The regression and its loss."""

    kind = 'canary'

    def __init__(self, model: Regressor, config: CanaryConfig) -> None:
        """Train this regression, in place."""
        super().__init__(model)
        self.model = model
        self.config: CanaryConfig = config

    def shape(self) -> dict[str, Any]:
        """Return the network's configuration."""
        return asdict(self.config.network)

    def parts(self, stage: Stage, batch: CanaryBatch) -> dict[str, Tensor]:
        """Return the parts of the loss of one batch.

        L1 on square-root radiance, on its gradients (edges) and on its means over 8x8 and 32x32
        pixels (materials, whatever their texture). The last third of the training also has the
        loss on the amount of detail.
        """
        with mixed_precision(batch.rgb.device):
            features = self.model.network.trunk(batch.rgb)
        predicted = self.model.head(features.float(), batch.rgb)
        return picture_losses(predicted, batch.sqrt_radiance, WEIGHTS, detailed=batch.done > 2 / 3)


def train_canary(stores: Stores, config: CanaryConfig, work: Path, *, seed: int = 0,
                 save_every_s: float = 60.0,
                 log: Callable[[str], None] = print) -> Regressor:
    """Train from the beginning, or resume from the checkpoint in ``work``.

    :param stores: the training's pairs.
    :param work: folder of the checkpoint; a run that was killed resumes from it when it is
        started again with the same folder.
    :return: the regression with averaged weights, in evaluation mode.
    :raises UserError: if the checkpoint in ``work`` is of other settings, data or another network.
    """
    torch.manual_seed(seed)
    model = Regressor(config.network)
    settings = RunSettings(seed, config.minutes if config.steps is None else None)
    Trainer(CanaryTraining(model, config), CanaryBatchSource(stores, config, seed), work, settings,
            save_every_s=save_every_s, log=log).run()
    return model
