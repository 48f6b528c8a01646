"""Distributed training: the processes that ``torchrun`` starts, one for each GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import torch

# The other processes wait while the first one reads the pairs: hours for a large data set.
TIMEOUT = timedelta(hours=12)
MOST_WORKERS = 12


def training_device() -> torch.device:
    """Return the device of this process: the GPU of its local rank, or the CPU without CUDA."""
    if torch.cuda.is_available():
        return torch.device('cuda', int(os.environ.get('LOCAL_RANK', '0')))
    return torch.device('cpu')


@dataclass(frozen=True)
class ProcessGroup:
    """This process within the training's processes; a single one does not use torch.distributed.

    :param rank: of this process; rank 0 writes files, logs and validates.
    :param size: number of processes.
    :param device: the device of this process.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=training_device)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files, logs and validates."""
        return self.rank == 0

    def mean(self, values: Sequence[float]) -> list[float]:
        """Return the means of some numbers over all processes, identical in each."""
        if self.size == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(numbers)
        return [float(number) for number in (numbers / self.size).tolist()]

    def wait(self) -> None:
        """Wait until all processes have called this (a barrier)."""
        self.mean([0.0])


def batch_workers(device: torch.device) -> int:
    """Return the number of processes that prepare batches for a training on a device.

    A GPU takes a batch in less time than a core prepares one. Of the cores that this process may
    use, half serve its workers, at most `MOST_WORKERS`; the processes of ``torchrun`` share them.
    A training on the CPU needs the cores itself, and one thread keeps up with it.
    """
    if device.type == 'cpu':
        return 0
    cores = len(os.sched_getaffinity(0)) // int(os.environ.get('LOCAL_WORLD_SIZE', '1'))
    return min(max(cores // 2, 1), MOST_WORKERS)


@contextmanager
def joined_process_group() -> Iterator[ProcessGroup]:
    """Join the processes that ``torchrun`` started, if any; leave them at the end of the block.

    The device is the GPU of the process's local rank, or the CPU without CUDA.
    """
    size, rank = int(os.environ.get('WORLD_SIZE', '1')), int(os.environ.get('RANK', '0'))
    group = ProcessGroup(rank, size)
    on_gpu = group.device.type == 'cuda'
    if on_gpu:
        torch.cuda.set_device(group.device)
    if size == 1:
        yield group
        return
    torch.distributed.init_process_group('nccl' if on_gpu else 'gloo',
                                         timeout=TIMEOUT)
    try:
        yield group
    finally:
        torch.distributed.destroy_process_group()
