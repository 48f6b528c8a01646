"""What every training here does with a loss: rate, gradient step, running average."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.parallel import World

AVERAGE_DECAY = 0.998
MOST_LEFT_OUT = 20
DECAY = 1e-4
FEWEST_ROWS = 16  # of a matrix whose updates are made orthogonal


class Optimization:
    """Muon and AdamW over some parameters of a model, and the average over its recent weights.

    Muon (K. Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") makes
    the update of a matrix orthogonal, so that rare features learn as fast as common ones; a
    convolution is a matrix from all that one output sees to the outputs. Its updates are as large
    as AdamW's (Liu et al. 2025, arXiv 2502.16982), so one rate serves both. All else (linear
    layers, biases) is AdamW's, and so are convolutions of few outputs: the last layers.
    """

    def __init__(self, model: nn.Module, parameters: Iterable[nn.Parameter], rate: float,
                 average: dict[str, Tensor], world: World | None = None) -> None:
        """Start with empty moments.

        :param rate: the highest learning rate.
        :param average: averaged weights by name, changed in place.
        :param world: the processes whose gradients are averaged; by default this one is alone.
        :raises UserError: if torch has no Muon yet.
        """
        self.model, self.rate, self.average = model, rate, average
        self.world = world or World()
        self.parameters = list(parameters)
        self.left_out = 0
        wide = [p for p in self.parameters if p.ndim == 4 and len(p) >= FEWEST_ROWS]
        taken = {id(p) for p in wide}
        rest = [p for p in self.parameters if id(p) not in taken]
        self.matrices = [(p, as_matrix(p.detach(), p)) for p in wide]
        self.optimizers: list[torch.optim.Optimizer] = []
        if rest:
            self.optimizers.append(torch.optim.AdamW(rest, lr=rate, weight_decay=DECAY))
        if wide:
            self.optimizers.append(_muon([matrix for _, matrix in self.matrices], rate))

    def step(self, loss: Tensor, done: float, number: int) -> float:
        """Take one step.

        :param done: share of the training (or stage) that is done, in [0, 1].
        :param number: of the step, counted from 0.
        :return: the loss.
        :raises UserError: if too many steps had no finite gradient; each was left out.
        """
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = self.rate * schedule(done)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        self.world.average_gradients(self.parameters)
        if not torch.isfinite(torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)):
            # one infinite number would be in every weight from here on
            self.left_out += 1
            if self.left_out > MOST_LEFT_OUT:
                raise UserError(f'the training diverges: {self.left_out} steps had no finite '
                                f'gradient, the last was step {number}; lower the learning rate')
            return loss.item()
        for parameter, matrix in self.matrices:
            gradient = parameter.grad
            matrix.grad = None if gradient is None else as_matrix(gradient, parameter)
        for optimizer in self.optimizers:
            optimizer.step()
        # shorter at first, or the first weights would weigh on a short training to its end
        decay = min(AVERAGE_DECAY, number / (number + 9))
        for name, tensor in self.model.state_dict().items():
            self.average[name].lerp_(tensor, 1 - decay)
        return loss.item()


def as_matrix(tensor: Tensor, weight: Tensor) -> Tensor:
    """Return a convolution's weight or gradient as (outputs, all that one output sees).

    The columns are in the order of the weight's memory, contiguous or channels last, so that of
    the weight itself it is a view: what is written into it is in the weight.
    """
    last = weight.movedim(1, -1).is_contiguous()
    return (tensor.movedim(1, -1) if last else tensor).reshape(len(tensor), -1)


def _muon(matrices: list[Tensor], rate: float) -> torch.optim.Optimizer:
    if not hasattr(torch.optim, 'Muon'):
        raise UserError(f'training needs torch 2.9 or newer, this is {torch.__version__}; '
                        'trained models run with older ones')
    return torch.optim.Muon(matrices, lr=rate, weight_decay=DECAY,
                            adjust_lr_fn='match_rms_adamw')


def schedule(done: float) -> float:
    """Return the learning rate's factor: up over 2 %, then half a cosine down to 2 %."""
    done = min(done, 1.0)
    return min(done / .02 + .02, 1.0) * (.02 + .98 * .5 * (1 + math.cos(math.pi * done)))


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's weights by name."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
