"""The base of a translator's three trainings: batches, trained parts, balanced losses."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rgb2swir_ros.diffusion.lpl import latent_perceptual_loss
from rgb2swir_ros.lab.training.batches import Stores, draw, to_tensors
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.preset import Stage, TranslatorTrainingConfig
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.translator import STAGES, Translator

Features = tuple[Tensor, Tensor, Tensor]
MEAN_DECAY = .98  # of the moving averages that balance two parts of a loss


@dataclass(frozen=True)
class Batch:
    """The batch of one step.

    :param rgb: (B, 3, H, W) in [0, 1]; ``sqrt_radiance``: (B, 1, H, W), square root of radiance.
    :param generator: on the CPU; draws noise, times and dropped skip connections.
    :param step: of the stage.
    """

    rgb: Tensor
    sqrt_radiance: Tensor
    generator: torch.Generator
    step: int

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its images on a device."""
        return replace(self, rgb=self.rgb.to(device, non_blocking=True),
                       sqrt_radiance=self.sqrt_radiance.to(device, non_blocking=True))

    def uniform(self, *shape: int) -> Tensor:
        """Draw from [0, 1) on the CPU, so that the numbers are the same for every device."""
        return torch.rand(shape, generator=self.generator)

    def normal_like(self, latent: Tensor) -> Tensor:
        """Draw noise of a latent's shape, float32, on its device."""
        return torch.randn(latent.shape, generator=self.generator).to(latent.device)


class LossBalance:
    """Weights one part of a loss so that it keeps a share of the total, by moving averages."""

    def __init__(self, share: float, group: ProcessGroup) -> None:
        """Begin without averages.

        :param share: of the part in the total, in [0, 1); 0: the part need not be computed.
        """
        self.share, self.group = share, group
        self.means: list[float] = []

    def weighted(self, part: Tensor, rest: Tensor) -> Tensor:
        """Return the weighted part; both are scalars and keep their gradients.

        Every process of the training must call this in the same steps. A part of 0, of a batch
        without samples for it, does not change the averages.
        """
        new = self.group.mean([part.item(), rest.item()])
        if new[0] > 0 and all(math.isfinite(value) for value in new):
            old = self.means or new
            self.means = [MEAN_DECAY * a + (1 - MEAN_DECAY) * b
                          for a, b in zip(old, new, strict=True)]
        if not self.means:
            return 0 * part
        return self.share / (1 - self.share) * self.means[1] / self.means[0] * part


@dataclass(frozen=True)
class PairBatchSource:
    """Batches of pairs for a translator's training.

    :param stores: the training's pairs.
    :param kind: of the training; each kind draws different batches.
    :param rank: of this process; each process draws different batches.
    """

    stores: Stores
    seed: int
    kind: str
    rank: int = 0

    @property
    def identity(self) -> Any:
        """The identity of the pairs."""
        return self.stores.identity

    def batch(self, number: int, stage: Stage, step: int, done: float) -> Batch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.BatchSource`."""
        rng = self._rng(number, step, self.rank)
        rgb, sqrt_radiance = to_tensors(*draw(self.stores, rng, stage.batch, stage.kind(step)))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        return Batch(rgb, sqrt_radiance, generator, step)

    def calibration_batches(self, count: int, number: int, stage: Stage) -> Iterator[Batch]:
        """Yield calibration batches, the same in all processes."""
        for step in range(count):
            arrays = draw(self.stores, self._rng(number, step), stage.batch, stage.kind(step))
            yield Batch(*to_tensors(*arrays), torch.Generator(), step)

    def _rng(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, STAGES.index(self.kind), *numbers])


class TranslatorTraining(Training):
    """One of the three trainings of a translator."""

    shown: ClassVar[str]  # how `predict` computes its images, for the record
    config: TranslatorTrainingConfig

    def __init__(self, translator: Translator, group: ProcessGroup | None = None,
                 lpl_share: float = 0.0) -> None:
        """Train this translator, in place; ``kind`` is the stage in its configuration.

        :param group: the processes of a distributed training; by default a single one.
        :param lpl_share: share of the latent perceptual loss in the loss.
        """
        super().__init__(translator, group)
        self.translator = translator
        self.lpl = LossBalance(lpl_share, self.group)

    @abstractmethod
    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""

    @abstractmethod
    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return the translator's prediction for a held-out pair: square-root radiance (H, W)."""

    def shape(self) -> dict[str, Any]:
        """Return the translator's configuration."""
        return asdict(self.translator.config)

    @property
    def state(self) -> list[float] | None:
        """The moving averages that balance the latent perceptual loss."""
        return self.lpl.means or None

    @state.setter
    def state(self, state: list[float] | None) -> None:
        self.lpl.means = state or []

    def select(self, stage: Stage) -> list[nn.Parameter]:
        """Freeze all but the trained parts of a stage; return the trained parameters."""
        chosen = [p for module in self.modules(stage) if module is not None
                  for p in module.parameters()]
        learning = {id(p) for p in chosen}
        for parameter in self.translator.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        return chosen

    def features(self, rgb: Tensor) -> Features | None:
        """Return the source features, or None if the decoder has no skip connections."""
        return None if self.translator.source is None else self.translator.source(rgb)


def perceptual_loss(translator: Translator, predicted: Tensor, truth: Tensor,
                    features: Features | None) -> Tensor:
    """Return the latent perceptual loss; both branches get the same source features."""
    with torch.no_grad():
        target = translator.decoder.maps(truth, features)
    return latent_perceptual_loss(translator.decoder.maps(predicted, features), target)
