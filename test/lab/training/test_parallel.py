"""One training in several processes: the same weights in all, the gradients of all batches."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import PatchPairs, tiny_translator
from two_processes import ONE_STEP, SEED

from rgb2swir_ros.lab.detector.train import DetectorTraining, DetectorTrainingConfig
from rgb2swir_ros.lab.training.batches import Stores, draw, to_tensors
from rgb2swir_ros.lab.training.canary import CanaryConfig, CanaryTraining
from rgb2swir_ros.lab.training.checkpoint import read_checkpoint
from rgb2swir_ros.lab.training.optimization import Optimization, moving_average, rate_factor
from rgb2swir_ros.lab.training.parallel import (
    MOST_WORKERS,
    ProcessGroup,
    batch_workers,
    joined_process_group,
)
from rgb2swir_ros.lab.training.stages import Batch
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.translator import STAGES

torch.set_num_threads(1)


def torchrun(*words: str, processes: int = 2, **environment: str) -> subprocess.CompletedProcess:
    """Start processes that talk over the loopback interface."""
    return subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--local-addr',
         '127.0.0.1', '--nproc-per-node', str(processes), *words],
        env={**os.environ, 'GLOO_SOCKET_IFNAME': 'lo', 'OMP_NUM_THREADS': '1', **environment},
        capture_output=True, text=True, timeout=300)


@pytest.fixture(scope='module')
def trained(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp('two')
    ended = torchrun(str(Path(__file__).parent / 'two_processes.py'), str(folder))
    assert ended.returncode == 0, ended.stderr
    return folder, ended.stdout


@pytest.mark.slow
def test_both_processes_end_with_the_same_bits(trained):
    folder, _ = trained
    first, second = (load_file(folder / f'whole{rank}.safetensors') for rank in range(2))
    start = tiny_translator().state_dict()
    assert set(first) == set(second)
    for name, tensor in first.items():
        assert torch.equal(second[name], tensor), name
    assert not torch.equal(first['decoder.inlet.weight'], start['decoder.inlet.weight'])


@pytest.mark.slow
def test_only_the_first_process_writes_and_logs(trained):
    folder, printed = trained
    assert printed.count('latent 3/3') == 1
    _, state = read_checkpoint(folder / 'whole' / 'checkpoint.safetensors')
    assert state['identity']['processes'] == 2


@pytest.mark.slow
def test_a_step_of_two_processes_is_a_step_on_both_batches(trained):
    folder, _ = trained
    translator = tiny_translator().to(memory_format=torch.channels_last)
    training = StudentTraining(translator, ONE_STEP)
    stage, pairs = ONE_STEP.stages[0], PatchPairs(8, (64, 96))
    losses, dropped = [], []
    parameters = training.select(stage)
    for rank in range(2):
        rng = np.random.default_rng([SEED, STAGES.index('student'), 0, 0, rank])
        arrays = draw(Stores(pairs, pairs), rng, stage.batch, stage.kind(0))
        rgb, sqrt_radiance = to_tensors(*arrays)
        seed = int(rng.integers(1 << 62))
        dropped.append(float(torch.rand((), generator=torch.Generator().manual_seed(seed))) < .5)
        batch = Batch(rgb, sqrt_radiance, torch.Generator().manual_seed(seed), 0)
        losses.append(sum(training.parts(stage, batch).values()))
    assert set(dropped) == {True, False}  # so that one process has gradients the other has not
    Optimization(training.translator, parameters, stage.rate,
                 moving_average(training.translator)).step(sum(losses) / 2, rate_factor(0), 0)
    ours = load_file(folder / 'one0.safetensors')
    for name, parameter in training.translator.named_parameters():
        assert (f'grad.{name}' in ours) == (parameter.grad is not None), name
        if parameter.grad is not None:
            assert torch.allclose(ours[f'grad.{name}'], parameter.grad, rtol=1e-3, atol=1e-6), name
            sure = parameter.grad.abs() > 1e-4  # Adam's first step is the sign of the gradient
            assert torch.allclose(ours[name][sure], parameter[sure], atol=1e-7), name


def test_alone_nothing_is_distributed():
    group = ProcessGroup()
    assert group.mean([1.0, 2.5]) == [1.0, 2.5]
    with joined_process_group() as joined:
        assert (joined.rank, joined.size, joined.is_first) == (0, 1, True)
        assert not torch.distributed.is_initialized()


def test_a_gpu_has_half_of_the_cores_prepare_its_batches(monkeypatch):
    gpu = torch.device('cuda')
    for cores, processes, workers in ((16, 1, 8), (16, 4, 2), (2, 1, 1), (1, 1, 1), (2, 8, 1),
                                      (128, 1, MOST_WORKERS)):
        monkeypatch.setattr(os, 'sched_getaffinity', lambda _pid, n=cores: set(range(n)))
        monkeypatch.setenv('LOCAL_WORLD_SIZE', str(processes))
        assert batch_workers(gpu) == workers
        assert batch_workers(torch.device('cpu')) == 0  # the network needs the cores itself


def test_the_single_process_trainings_take_the_gpu_too(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    detector = DetectorTraining(torch.nn.Linear(1, 1), DetectorTrainingConfig(1), torch.empty(0))
    canary = CanaryTraining(torch.nn.Linear(1, 1), CanaryConfig(steps=1))
    assert {one.group.device for one in (detector, canary)} == {torch.device('cuda', 0)}
    assert {one.group.size for one in (detector, canary)} == {1}
