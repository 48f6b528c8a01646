"""What every training here does with a loss: rate, gradient step, running average."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.training.parallel import World

AVERAGE_DECAY = 0.998
MOST_LEFT_OUT = 20


class Optimization:
    """AdamW over some parameters of a model, and the average over its recent weights."""

    def __init__(self, model: nn.Module, parameters: Iterable[nn.Parameter], rate: float,
                 average: dict[str, Tensor], world: World | None = None) -> None:
        """Start with empty moments.

        :param rate: the highest learning rate.
        :param average: averaged weights by name, changed in place.
        :param world: the processes whose gradients are averaged; by default this one is alone.
        """
        self.model, self.rate, self.average = model, rate, average
        self.world = world or World()
        self.parameters = list(parameters)
        self.left_out = 0
        self.optimizer = torch.optim.AdamW(self.parameters, lr=rate, weight_decay=1e-4)

    def step(self, loss: Tensor, done: float, number: int) -> float:
        """Take one step.

        :param done: share of the training (or stage) that is done, in [0, 1].
        :param number: of the step, counted from 0.
        :return: the loss.
        :raises UserError: if too many steps had no finite gradient; each was left out.
        """
        for group in self.optimizer.param_groups:
            group['lr'] = self.rate * schedule(done)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.world.average_gradients(self.parameters)
        if not torch.isfinite(torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)):
            # one infinite number would be in every weight from here on
            self.left_out += 1
            if self.left_out > MOST_LEFT_OUT:
                raise UserError(f'the training diverges: {self.left_out} steps had no finite '
                                f'gradient, the last was step {number}; lower the learning rate')
            return loss.item()
        self.optimizer.step()
        # shorter at first, or the first weights would weigh on a short training to its end
        decay = min(AVERAGE_DECAY, number / (number + 9))
        for name, tensor in self.model.state_dict().items():
            self.average[name].lerp_(tensor, 1 - decay)
        return loss.item()


def schedule(done: float) -> float:
    """Return the learning rate's factor: up over 2 %, then half a cosine down to 2 %."""
    done = min(done, 1.0)
    return min(done / .02 + .02, 1.0) * (.02 + .98 * .5 * (1 + math.cos(math.pi * done)))


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's weights by name."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
