"""``benchmark/gpu.py`` without a GPU: it refuses, its figures hang together, a row may fail."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rgb2swir_ros.engines.cuda import CudaEngine
from rgb2swir_ros.errors import UserError

SCRIPT = Path(__file__).parents[2] / 'benchmark' / 'gpu.py'
FLOORS = {'operations_per_s': 1e12, 'bytes_per_s': 1e11}


@pytest.fixture
def gpu():
    spec = importlib.util.spec_from_file_location('benchmark_gpu', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Standing(CudaEngine):
    """An engine in name only."""

    def __init__(self):
        self.calls = 0

    def __call__(self, rgb):
        self.calls += 1

    def overlapped(self, batches):
        yield from map(self, batches)

    def describe(self):
        return {'precision': 'float16', 'parity': {'mean_255': .1, 'tail_255': 1.}, 'build_s': 2.}


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU here')
def test_without_a_gpu_it_says_so(tmp_path):
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True,
                          cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('benchmark/gpu.py needs an NVIDIA GPU, and ')
    assert done.stderr.count('\n') == 1


def test_times_are_multiples_of_the_floors(gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, 'open_engine', lambda *_, **__: Standing())
    monkeypatch.setattr(gpu, 'profile', lambda *_: (4., []))
    monkeypatch.setattr(gpu, 'CALLS', 3)
    monkeypatch.setattr(gpu.statistics, 'median', lambda calls: 8. if len(calls) == 3 else None)
    one, four = (gpu.measure('nano', (64, 96), batch, 'eager', tmp_path, FLOORS)
                 for batch in (1, 4))
    for row, batch in (one, 1), (four, 4):
        assert row['ms_per_frame'] == 8 / batch
        assert row['waiting_ms_per_frame'] == 4 / batch
        for floor in 'operations', 'bytes':
            assert row[f'times_{floor}_floor'] == pytest.approx(
                8 / batch / row[f'{floor}_floor_ms_per_frame'])
    # all of the work grows with the batch but reading the weights, and the work on the time
    assert four['operations_floor_ms_per_frame'] == pytest.approx(
        one['operations_floor_ms_per_frame'], rel=.05)
    assert four['bytes_floor_ms_per_frame'] < one['bytes_floor_ms_per_frame']


def test_a_row_that_fails_says_why_and_the_next_follows(gpu, monkeypatch, tmp_path, capsys):
    failures = iter([RuntimeError('CUDA error: no kernel\nand more'), UserError('no TensorRT')])

    def measure(*_):
        raise next(failures)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(gpu, 'describe_device', lambda _: 'cuda (none)')
    monkeypatch.setattr(gpu, 'measure_floors', lambda: FLOORS)
    monkeypatch.setattr(gpu, 'measure', measure)
    monkeypatch.setattr(gpu, 'SIZES', gpu.SIZES[:1])
    monkeypatch.setattr(gpu, 'BATCHES', (1,))
    monkeypatch.setattr(sys, 'argv', ['gpu.py', '--output', str(tmp_path), '--models', 'nano',
                                      '--backends', 'eager', 'tensorrt'])
    assert gpu.main() == 0
    rows = json.loads((tmp_path / 'gpu.json').read_text())['rows']
    assert [row['problem'] for row in rows] == ['RuntimeError: CUDA error: no kernel',
                                                'no TensorRT']
    assert 'no TensorRT' in (tmp_path / 'table.md').read_text()
