"""The canary: a direct regression, trained for some minutes to find out what the data teaches.

If it cannot learn from the pairs, or learns them and fails on photographs, the data is wrong, and
no diffusion will mend that. It is also the plain baseline that the translator must beat.
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
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.trainer import Orders, Trainer
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor

WEIGHTS = PictureWeights()
STEPS_A_MINUTE = 200  # until the pace is known

@dataclass(frozen=True)
class CanaryPlan:
    """How long to train, and on what.

    :param minutes: of training, resumed runs added up, by the pace of the first steps; ``steps``
        instead, if given, makes the training the same on every run with one number of threads.
    :param batch: pairs of 320x256; larger frames are fewer.
    :param rate: highest learning rate.
    :param large_share: share at the end that is spent on frames of the size of use.
    """

    minutes: float = 20.0
    steps: int | None = None
    batch: int = 8
    rate: float = 1.0e-3
    large_share: float = 0.2
    network: RegressionConfig = field(default_factory=RegressionConfig)

    def __post_init__(self) -> None:
        """Refuse a budget of nothing.

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

    def steering(self) -> dict[str, Any]:
        """Return all that the weights depend on; minutes are the trainer's."""
        return {name: value for name, value in asdict(self).items()
                if name not in {'minutes', 'network'}}

    def kind(self, done: float, rng: np.random.Generator) -> str:
        """Return the kind of the next batch: see `rgb2swir_ros.lab.training.batches.draw`."""
        if done >= 1 - self.large_share:
            return 'large'
        return 'crop' if rng.random() < .4 else 'whole'


@dataclass(frozen=True)
class CanaryBatch:
    """What one step learns from.

    :param rgb: (B, 3, H, W) in [0, 1]; ``tone``: (B, 1, H, W), square root of radiance.
    :param done: share of the training that is done.
    """

    rgb: Tensor
    tone: Tensor
    done: float

    def to(self, device: torch.device) -> CanaryBatch:
        """Return it with its pictures on a device."""
        return replace(self, rgb=self.rgb.to(device), tone=self.tone.to(device))


@dataclass(frozen=True)
class CanaryFeed:
    """Batches of pairs."""

    stores: Stores
    plan: CanaryPlan
    seed: int

    @property
    def identity(self) -> Any:
        """What tells the pairs from others."""
        return self.stores.identity

    def batch(self, number: int, stage: Stage, step: int, done: float) -> CanaryBatch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.Feed`."""
        rng = np.random.default_rng([self.seed, step])
        arrays = draw(self.stores, rng, stage.batch, self.plan.kind(done, rng))
        return CanaryBatch(*to_tensors(*arrays), done)

    def measured(self, count: int, number: int, stage: Stage) -> Iterable[CanaryBatch]:
        """Return none: nothing is measured."""
        return ()


class CanaryTraining(Training):
    """The regression and its loss."""

    kind = 'canary'

    def __init__(self, model: Regressor, plan: CanaryPlan) -> None:
        """Train this regression, in place."""
        super().__init__(model)
        self.model = model
        self.plan: CanaryPlan = plan

    def shape(self) -> dict[str, Any]:
        """Return the network's configuration."""
        return asdict(self.plan.network)

    def parts(self, stage: Stage, batch: CanaryBatch) -> dict[str, Tensor]:
        """Return the parts of the loss of one batch.

        L1 on tone, on its gradients (edges) and on its means over 8x8 and 32x32 pixels (materials,
        whatever their texture); in the last third also on the amount of detail.
        """
        with torch.autocast(batch.rgb.device.type, torch.bfloat16):
            features = self.model.network.trunk(batch.rgb)
        predicted = self.model.head(features.float(), batch.rgb)
        return picture_losses(predicted, batch.tone, WEIGHTS, detailed=batch.done > 2 / 3)


def train_canary(stores: Stores, plan: CanaryPlan, work: Path, *, seed: int = 0,
                 save_every_s: float = 60.0,
                 log: Callable[[str], None] = print) -> Regressor:
    """Train from the beginning, or go on from the checkpoint in ``work``.

    :param stores: the training's pairs.
    :param work: folder of the checkpoint; a run killed and started again with the same folder
        goes on where the checkpoint was written.
    :return: the regression with averaged weights, in evaluation mode.
    :raises UserError: if the checkpoint in ``work`` is of other settings, data or another network.
    """
    torch.manual_seed(seed)
    model = Regressor(plan.network)
    orders = Orders(seed, plan.minutes if plan.steps is None else None)
    Trainer(CanaryTraining(model, plan), CanaryFeed(stores, plan, seed), work, orders,
            save_every_s=save_every_s, log=log).run()
    return model
