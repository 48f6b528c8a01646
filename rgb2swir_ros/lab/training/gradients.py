"""The loss of a training whose gradients are the means over several processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.training import Training


class _Loss(nn.Module):
    """A training's loss as a module, which DistributedDataParallel needs."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.network, self.parts = training.network, training.parts

    def forward(self, stage: Stage, batch: Any) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch."""
        return self.parts(stage, batch)


def loss_over_processes(training: Training) -> Callable[[Stage, Any], dict[str, Tensor]]:
    """Return the loss; each of several processes gets the mean of all gradients.

    A parameter without a gradient in one process (of a dropped skip connection) counts as zero
    there. A parameter without a gradient in all processes keeps none, so that the optimiser does
    not change it.
    """
    if training.group.size == 1:
        return training.parts
    return DistributedDataParallel(_Loss(training), broadcast_buffers=False,
                                   find_unused_parameters=True)
