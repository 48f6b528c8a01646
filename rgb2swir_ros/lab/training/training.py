"""The interface between the trainer and a training: network, loss and batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rgb2swir_ros.lab.training.optimization import Optimization, rate_factor
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.preset import Stage


class TrainingConfig(Protocol):
    """The stages and settings of a training."""

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages in their order."""

    def checkpoint_identity(self) -> dict[str, Any]:
        """Return the settings that the weights in a checkpoint depend on, JSON-serialisable."""


class BatchSource(Protocol):
    """The source of a training's batches."""

    @property
    def identity(self) -> Any:
        """The identity of the data, JSON-serialisable."""

    def batch(self, number: int, stage: Stage, step: int, done: float) -> Any:
        """Return the batch of a step; it has a method ``to(device)``.

        The batch depends on the arguments alone. A prefetching thread or process calls this.

        :param number: of the stage, from 0; ``step``: within the stage, from 0.
        :param done: completed share of the stage, in [0, 1].
        """

    def calibration_batches(self, count: int, number: int, stage: Stage) -> Iterable[Any]:
        """Yield batches for the calibration of a trained network.

        :param number: one more than the number of the last stage; ``stage``: the last one.
        """


class Training(ABC):
    """A network and its loss."""

    kind: ClassVar[str]
    config: TrainingConfig
    # state of the loss between the steps of a stage, JSON-serialisable; None at its beginning
    state: Any = None

    def __init__(self, network: nn.Module, group: ProcessGroup | None = None) -> None:
        """Train this network, in place.

        :param group: the processes of a distributed training; by default a single one.
        """
        self.network, self.group = network, group or ProcessGroup()
        self.facts: dict[str, float] = {}  # about the finished training, for its record

    @abstractmethod
    def shape(self) -> dict[str, Any]:
        """Return the network's configuration, JSON-serialisable."""

    @abstractmethod
    def parts(self, stage: Stage, batch: Any) -> dict[str, Tensor]:
        """Return the weighted parts of the loss of a batch, float32."""

    def select(self, stage: Stage) -> list[nn.Parameter]:
        """Freeze all but the trained parts of a stage; return the trained parameters."""
        return list(self.network.parameters())

    def optimization(self, stage: Stage, average: AveragedModel) -> Optimization:
        """Return a new optimisation for a stage."""
        return Optimization(self.network, self.select(stage), stage.rate, average)

    def rate_factor(self, step: int, steps: int | None, done: float) -> float:
        """Return the factor of the learning rate in a step.

        :param steps: number of steps of the stage, None while it is not known.
        :param done: completed share of the stage, in [0, 1].
        """
        return rate_factor(done)

    @property
    def calibration_count(self) -> int:
        """Number of batches that `calibrate` needs."""
        return 0

    def calibrate(self, batches: Iterable[Any]) -> None:  # noqa: B027 - optional
        """Calibrate the trained network on some batches, after the last stage."""
