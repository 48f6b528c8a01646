"""Several processes of one training, a GPU each, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch

# The others wait while the first one reads the pairs, which takes hours for a large data set.
PATIENCE = timedelta(hours=12)


@dataclass(frozen=True)
class World:
    """This process among those of the training; alone, nothing of torch.distributed is used.

    :param rank: 0 is the one that writes, logs and judges.
    :param size: number of processes.
    :param device: where this one computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device('cpu'))

    @property
    def is_first(self) -> bool:
        """Say whether this is the process that writes, logs and judges."""
        return self.rank == 0

    def mean(self, values: Sequence[float]) -> list[float]:
        """Return the means of some numbers over all processes, the same ones in each."""
        if self.size == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(numbers)
        return [float(number) for number in (numbers / self.size).tolist()]

    def wait(self) -> None:
        """Wait until all processes are here."""
        self.mean([0.0])


@contextmanager
def joined_world() -> Iterator[World]:
    """Join the processes that ``torchrun`` started, or be alone; leave them in the end.

    The device is the GPU of the process's local rank where there is CUDA, else the processor.
    """
    size, rank = int(os.environ.get('WORLD_SIZE', '1')), int(os.environ.get('RANK', '0'))
    device = torch.device('cpu')
    if torch.cuda.is_available():
        device = torch.device('cuda', int(os.environ.get('LOCAL_RANK', '0')))
        torch.cuda.set_device(device)
    if size == 1:
        yield World(device=device)
        return
    torch.distributed.init_process_group('nccl' if device.type == 'cuda' else 'gloo',
                                         timeout=PATIENCE)
    try:
        yield World(rank, size, device)
    finally:
        torch.distributed.destroy_process_group()
