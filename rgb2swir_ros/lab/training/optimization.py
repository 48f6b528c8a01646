"""Optimisation shared by all trainings: learning rate, gradient step, averaged weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.muon import Float32Muon, StackedMuon
from rgb2swir_ros.lab.training.precision import saves_time

Tensors = tuple[Tensor, ...] | list[Tensor]

EMA_DECAY = 0.998
MAX_LEFT_OUT = 20
WEIGHT_DECAY = 1e-4
MIN_ROWS = 16  # smallest number of outputs of a convolution that Muon optimises


class Optimization:
    """Muon and AdamW over some parameters of a network, and a moving average of its weights.

    Muon (K. Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks") makes
    the update of a matrix orthogonal, so that rare features learn as fast as common ones. A
    convolution is taken as a matrix (outputs, inputs * kernel). The updates are scaled to the size
    of AdamW's (Liu et al. 2025, arXiv 2502.16982), so that both share one learning rate. AdamW
    optimises linear layers, biases and convolutions with few outputs, such as the last layers.
    """

    def __init__(self, network: nn.Module, parameters: Iterable[nn.Parameter], rate: float,
                 average: AveragedModel, *,
                 optimizers: Sequence[torch.optim.Optimizer] | None = None,
                 clip: float = 1.0) -> None:
        """Start with empty moments.

        :param rate: the highest learning rate.
        :param average: from `moving_average`; each step updates it.
        :param optimizers: used in place of Muon and AdamW.
        :param clip: largest norm of the gradient.
        :raises UserError: if this version of torch has no Muon.
        """
        self.network, self.rate, self.average, self.clip = network, rate, average, clip
        self.parameters = list(parameters)
        self.left_out = 0
        self.matrices: list[tuple[nn.Parameter, Tensor]] = []
        if optimizers is not None:
            self.optimizers = list(optimizers)
            return
        wide = [p for p in self.parameters if p.ndim == 4 and len(p) >= MIN_ROWS]
        taken = {id(p) for p in wide}
        rest = [p for p in self.parameters if id(p) not in taken]
        self.matrices = [(p, as_matrix(p.detach(), p)) for p in wide]
        self.optimizers = []
        if rest:
            self.optimizers.append(torch.optim.AdamW(rest, lr=rate, weight_decay=WEIGHT_DECAY))
        if wide:
            self.optimizers.append(_muon([matrix for _, matrix in self.matrices], rate))

    def step(self, loss: Tensor, factor: float, number: int) -> float:
        """Take one step.

        :param factor: of the learning rate, in [0, 1].
        :param number: of the step, counted from 0.
        :return: the loss.
        :raises UserError: if too many steps were left out because a gradient was not finite.
        """
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group['lr'] = self.rate * factor
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()
        if not torch.isfinite(torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)):
            # one such step would make every weight infinite or NaN
            self.left_out += 1
            if self.left_out > MAX_LEFT_OUT:
                raise UserError(f'the training diverges: {self.left_out} steps had no finite '
                                f'gradient, the last was step {number}; lower the learning rate')
            return loss.item()
        for parameter, matrix in self.matrices:
            gradient = parameter.grad
            matrix.grad = None if gradient is None else as_matrix(gradient, parameter)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.update_parameters(self.network)
        return loss.item()


def moving_average(network: nn.Module) -> AveragedModel:
    """Return an exponential moving average (EMA) of a network's weights and buffers.

    It starts from the current ones. The decay rises to `EMA_DECAY` over the first steps, so that
    the initial weights do not dominate the average of a short training.
    """
    def ramped(average: Tensors, current: Tensors, count: Tensor | int) -> None:
        decay = min(EMA_DECAY, int(count) / (int(count) + 9))
        get_ema_multi_avg_fn(decay)(average, current, count)

    return AveragedModel(network, multi_avg_fn=ramped, use_buffers=True)


def as_matrix(tensor: Tensor, weight: Tensor) -> Tensor:
    """Return a convolution's weight or gradient as a matrix (outputs, inputs * kernel).

    The columns are in the memory order of the weight, contiguous or channels last, so that the
    matrix of the weight is a view of it: writing to the matrix changes the weight.
    """
    last = weight.movedim(1, -1).is_contiguous()
    return (tensor.movedim(1, -1) if last else tensor).reshape(len(tensor), -1)


def _muon(matrices: list[Tensor], rate: float) -> torch.optim.Optimizer:
    if not hasattr(torch.optim, 'Muon'):
        raise UserError(f'training needs torch 2.9 or newer, this is {torch.__version__}; '
                        'trained models run with older ones')
    if not saves_time(matrices[0].device):
        return Float32Muon(matrices, rate, WEIGHT_DECAY)
    if matrices[0].is_cuda:
        return StackedMuon(matrices, rate, WEIGHT_DECAY)
    return torch.optim.Muon(matrices, lr=rate, weight_decay=WEIGHT_DECAY,
                            adjust_lr_fn='match_rms_adamw')


def rate_factor(done: float) -> float:
    """Return the factor of the learning rate: linear warm-up over 2 %, cosine decay to 2 %.

    :param done: completed share of the training (or stage), in [0, 1].
    """
    return min(min(done, 1.0) / .02 + .02, 1.0) * cosine_decay(done)


def cosine_decay(done: float) -> float:
    """Return the factor of a cosine decay from 1 to 2 %; ``done`` in [0, 1]."""
    return .02 + .98 * .5 * (1 + math.cos(math.pi * min(done, 1.0)))


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a model's weights by name."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
