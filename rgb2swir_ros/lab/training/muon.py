"""Muon for processors that emulate bfloat16, and for GPUs.

PyTorch's Muon iterates in bfloat16 always. Emulated, that takes longer than the rest of a step:
202 ms for a matrix of 112x1008, against 11 ms in float32. And it takes one matrix after the other,
in so many small kernels that a GPU waits for their launches longer than it computes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

MOMENTUM = .95
COEFFICIENTS, ITERATIONS, EPSILON = (3.4445, -4.775, 2.0315), 5, 1e-7  # PyTorch's defaults


Learned = tuple[Tensor, Tensor]  # a matrix and its gradient


class Muon(torch.optim.Optimizer):
    """`torch.optim.Muon` with ``adjust_lr_fn='match_rms_adamw'``; subclasses compute a step."""

    def __init__(self, matrices: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        """Start with empty moments.

        :param matrices: all two-dimensional.
        """
        super().__init__(matrices, {'lr': lr, 'weight_decay': weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take a step with the gradients that are there; a closure is not supported."""
        if closure is not None:
            raise ValueError('this optimiser takes no closure')
        for group in self.param_groups:
            self.move([(matrix, matrix.grad) for matrix in group['params']
                       if matrix.grad is not None], group['lr'], group['weight_decay'])

    @abstractmethod
    def move(self, learned: Sequence[Learned], lr: float, weight_decay: float) -> None:
        """Move the matrices of one group by their gradients, in place."""

    def moment(self, matrix: Tensor, gradient: Tensor) -> Tensor:
        """Return the moment of a matrix; of zeros before its first step."""
        moment: Tensor = self.state[matrix].setdefault('momentum_buffer',
                                                       torch.zeros_like(gradient))
        return moment


class Float32Muon(Muon):
    """One matrix after the other, all of it in float32."""

    def move(self, learned: Sequence[Learned], lr: float, weight_decay: float) -> None:
        """Move the matrices: see `Muon.move`."""
        for matrix, gradient in learned:
            moment = self.moment(matrix, gradient)
            moment.lerp_(gradient, 1 - MOMENTUM)
            update = orthogonal(gradient.lerp(moment, MOMENTUM))  # Nesterov's
            matrix.mul_(1 - lr * weight_decay)
            matrix.add_(update, alpha=-.2 * lr * max(matrix.shape) ** .5)


class StackedMuon(Muon):
    """All matrices of one shape at once, iterated in bfloat16."""

    def move(self, learned: Sequence[Learned], lr: float, weight_decay: float) -> None:
        """Move the matrices: see `Muon.move`."""
        alike: dict[torch.Size, list[Learned]] = {}
        for matrix, gradient in learned:
            alike.setdefault(matrix.shape, []).append((matrix, gradient))
        for shape, pairs in alike.items():
            matrices, gradients = (list(tensors) for tensors in zip(*pairs, strict=True))
            moments = [self.moment(*pair) for pair in pairs]
            torch._foreach_lerp_(moments, gradients, 1 - MOMENTUM)
            updates = stacked_orthogonal(torch.stack(
                torch._foreach_lerp(gradients, moments, MOMENTUM)))  # Nesterov's
            torch._foreach_mul_(matrices, 1 - lr * weight_decay)
            torch._foreach_add_(matrices, updates.unbind(), alpha=-.2 * lr * max(shape) ** .5)


def stacked_orthogonal(matrices: Tensor) -> Tensor:
    """Return `orthogonal` of each of some matrices, iterated in bfloat16 as PyTorch's Muon does.

    :param matrices: float32 (K, M, N).
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    wide = (matrices.mT if tall else matrices).bfloat16()
    wide = wide / wide.norm(dim=(1, 2), keepdim=True).clamp(min=EPSILON)
    for _ in range(ITERATIONS):
        gram = wide @ wide.mT
        wide = torch.baddbmm(wide, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return (wide.mT if tall else wide).to(matrices.dtype)


def orthogonal(matrix: Tensor) -> Tensor:
    """Return a matrix with its singular values brought near one by Newton-Schulz iterations.

    The quintic iteration of K. Jordan et al. 2024 (see `rgb2swir_ros.lab.training.optimization`).

    :param matrix: float32 (M, N).
    """
    a, b, c = COEFFICIENTS
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=EPSILON)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide
