"""What is trained, by which loss, from which batches: what the one trainer asks of a training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rgb2swir_ros.lab.training.optimization import Optimization, rate_factor
from rgb2swir_ros.lab.training.parallel import World
from rgb2swir_ros.lab.training.preset import Stage


class Plan(Protocol):
    """The stages of a training, and its settings."""

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages in their order."""

    def steering(self) -> dict[str, Any]:
        """Return all that the weights in a checkpoint depend on, for JSON."""


class Feed(Protocol):
    """Where the batches of a training come from."""

    @property
    def identity(self) -> Any:
        """What tells its data from other data, for JSON."""

    def batch(self, number: int, stage: Stage, step: int, done: float) -> Any:
        """Return the batch of a step; it has ``to(device)``.

        It follows from the arguments alone, and is made in a thread beside the training.

        :param number: of the stage, from 0; ``step``: of the stage, from 0.
        :param done: share of the stage that is done, in [0, 1].
        """

    def measured(self, count: int, number: int, stage: Stage) -> Iterable[Any]:
        """Yield batches that a finished network is measured on.

        :param number: one more than that of the last stage; ``stage``: the last one.
        """


class Training(ABC):
    """A network and its loss."""

    kind: ClassVar[str]
    plan: Plan
    # what the loss remembers from step to step of a stage, for JSON; None where one begins
    state: Any = None

    def __init__(self, network: nn.Module, world: World | None = None) -> None:
        """Train this network, in place.

        :param world: the processes that train it together; by default this one is alone.
        """
        self.network, self.world = network, world or World()
        self.facts: dict[str, float] = {}  # of the finished training, for its record

    @abstractmethod
    def shape(self) -> dict[str, Any]:
        """Return what shapes the network, for JSON."""

    @abstractmethod
    def parts(self, stage: Stage, batch: Any) -> dict[str, Tensor]:
        """Return the weighted parts of the loss of a batch, float32."""

    def select(self, stage: Stage) -> list[nn.Parameter]:
        """Let the parts of a stage learn and freeze the others; return what learns."""
        return list(self.network.parameters())

    def optimization(self, stage: Stage, average: AveragedModel) -> Optimization:
        """Return the optimisation of a stage, begun anew."""
        return Optimization(self.network, self.select(stage), stage.rate, average)

    def rate_factor(self, step: int, steps: int | None, done: float) -> float:
        """Return the factor of the learning rate in a step.

        :param steps: of the stage, None where they are not known yet.
        :param done: share of the stage that is done, in [0, 1].
        """
        return rate_factor(done)

    @property
    def measured(self) -> int:
        """How many batches `scale` wants."""
        return 0

    def scale(self, batches: Iterable[Any]) -> None:  # noqa: B027 - most have nothing to scale
        """Scale what must be, after the last stage, by what some batches say."""
