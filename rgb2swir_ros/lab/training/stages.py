"""What the three trainings of a translator have in common: who learns, from what, judged how."""

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
from rgb2swir_ros.lab.training.parallel import World
from rgb2swir_ros.lab.training.preset import Plan, Stage
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.translator import STAGES, Translator

Features = tuple[Tensor, Tensor, Tensor]
MEMORY = .98  # of the running means that balance two parts of a loss


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    :param rgb: (B, 3, H, W) in [0, 1]; ``tone``: (B, 1, H, W), square root of radiance.
    :param generator: of the processor; draws noise, times and dropped skips.
    :param step: of the stage.
    """

    rgb: Tensor
    tone: Tensor
    generator: torch.Generator
    step: int

    def to(self, device: torch.device) -> Batch:
        """Return it with its pictures on a device."""
        return replace(self, rgb=self.rgb.to(device, non_blocking=True),
                       tone=self.tone.to(device, non_blocking=True))

    def uniform(self, *shape: int) -> Tensor:
        """Draw from [0, 1), on the processor: the same numbers on every device."""
        return torch.rand(shape, generator=self.generator)

    def normal_like(self, latent: Tensor) -> Tensor:
        """Draw noise of a latent's shape, float32, on its device."""
        return torch.randn(latent.shape, generator=self.generator).to(latent.device)


class Balance:
    """Gives one part of a loss its share of the whole, by running means of both."""

    def __init__(self, share: float, world: World) -> None:
        """Begin without means.

        :param share: of the part in the whole, in [0, 1); 0: it need not be computed.
        """
        self.share, self.world = share, world
        self.means: list[float] = []

    def weighted(self, part: Tensor, rest: Tensor) -> Tensor:
        """Return the part, weighted; both are scalars and keep their gradients.

        Every process of the training must call this in the same steps. A batch in which nothing
        counts towards the part (it is 0) says nothing of its size.
        """
        new = self.world.mean([part.item(), rest.item()])
        if new[0] > 0 and all(math.isfinite(value) for value in new):
            old = self.means or new
            self.means = [MEMORY * a + (1 - MEMORY) * b for a, b in zip(old, new, strict=True)]
        if not self.means:
            return 0 * part
        return self.share / (1 - self.share) * self.means[1] / self.means[0] * part


@dataclass(frozen=True)
class PairFeed:
    """Batches of pairs for a translator's training.

    :param stores: the training's pairs.
    :param kind: of the training; each draws others.
    :param rank: of this process; each draws its own.
    """

    stores: Stores
    seed: int
    kind: str
    rank: int = 0

    @property
    def identity(self) -> Any:
        """What tells the pairs from others."""
        return self.stores.identity

    def batch(self, number: int, stage: Stage, step: int, done: float) -> Batch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.Feed`."""
        rng = self._rng(number, step, self.rank)
        rgb, tone = to_tensors(*draw(self.stores, rng, stage.batch, stage.kind(step)))
        return Batch(rgb, tone, torch.Generator().manual_seed(int(rng.integers(1 << 62))), step)

    def measured(self, count: int, number: int, stage: Stage) -> Iterator[Batch]:
        """Yield batches that the finished networks are measured on, the same in all processes."""
        for step in range(count):
            arrays = draw(self.stores, self._rng(number, step), stage.batch, stage.kind(step))
            yield Batch(*to_tensors(*arrays), torch.Generator(), step)

    def _rng(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, STAGES.index(self.kind), *numbers])


class TranslatorTraining(Training):
    """One of the three trainings of a translator."""

    shown: ClassVar[str]  # how `predict` comes to its pictures
    plan: Plan

    def __init__(self, translator: Translator, world: World | None = None,
                 lpl_share: float = 0.0) -> None:
        """Train this translator, in place; its ``kind`` is the stage that it is marked with.

        :param world: the processes that train it together; by default this one is alone.
        :param lpl_share: of the latent perceptual loss in the loss.
        """
        super().__init__(translator, world)
        self.translator = translator
        self.lpl = Balance(lpl_share, self.world)

    @abstractmethod
    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""

    @abstractmethod
    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return what the translator makes of a held-out pair: tone (H, W)."""

    def shape(self) -> dict[str, Any]:
        """Return the translator's configuration."""
        return asdict(self.translator.config)

    @property
    def state(self) -> list[float] | None:
        """The means that balance the latent perceptual loss."""
        return self.lpl.means or None

    @state.setter
    def state(self, state: list[float] | None) -> None:
        self.lpl.means = state or []

    def select(self, stage: Stage) -> list[nn.Parameter]:
        """Let the parts of a stage learn and freeze the others; return what learns."""
        chosen = [p for module in self.modules(stage) if module is not None
                  for p in module.parameters()]
        learning = {id(p) for p in chosen}
        for parameter in self.translator.parameters():
            parameter.requires_grad_(id(parameter) in learning)
        return chosen

    def features(self, rgb: Tensor) -> Features | None:
        """Return the source's features, or None where the decoder has no skips."""
        return None if self.translator.source is None else self.translator.source(rgb)


def perceptual_loss(translator: Translator, predicted: Tensor, truth: Tensor,
                    features: Features | None) -> Tensor:
    """Return LPL of a latent, both branches with the same source features."""
    with torch.no_grad():
        target = translator.decoder.maps(truth, features)
    return latent_perceptual_loss(translator.decoder.maps(predicted, features), target)
