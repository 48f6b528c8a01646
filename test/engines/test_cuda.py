"""The CUDA engine: what a GPU is needed for is skipped without one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines import build, cuda
from rgb2swir_ros.engines.base import EngineSpec
from rgb2swir_ros.engines.devices import describe_device, resolve_device
from rgb2swir_ros.errors import UserError

SIZE = (32, 48)
SPEC = EngineSpec('tiny', *SIZE, 2, 'eager', 'float16', 1, 'cuda')
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs an NVIDIA GPU')


class PaperLane:
    """A lane without a GPU: gives each frame's first pixel back, and notes what happens when."""

    events: list[str]
    made = 0

    def __init__(self, program, spec, *, capture):
        PaperLane.made += 1
        self.number = PaperLane.made
        self.shape = (spec.batch, spec.height, spec.width)

    def submit(self, full):
        assert full.shape == (*self.shape, 3)
        PaperLane.events.append(f'submit {full[0, 0, 0, 0]} to {self.number}')
        self.values = full[:, :, :, 0].astype(np.float32)

    def collect(self):
        PaperLane.events.append(f'collect {self.values[0, 0, 0]:g}')
        return self.values


@pytest.fixture
def paper(monkeypatch):
    monkeypatch.setattr(cuda, 'Lane', PaperLane)
    PaperLane.events, PaperLane.made = [], 0
    return PaperLane


def batches(count):
    return [np.full((1, *SIZE, 3), number, np.uint8) for number in range(1, count + 1)]


def test_two_frames_fly_and_land_in_order(paper):
    engine = cuda.CudaEngine(lambda rgb: rgb, SPEC)
    landed = list(engine.overlapped(batches(4)))
    assert [radiance[0, 0, 0] for radiance in landed] == [1, 2, 3, 4]
    assert all(radiance.shape == (1, *SIZE) for radiance in landed)  # the padding is gone
    assert paper.events == [
        'submit 1 to 1', 'submit 2 to 2', 'collect 1', 'submit 3 to 1', 'collect 2',
        'submit 4 to 2', 'collect 3', 'collect 4']


def test_a_program_with_graphs_of_its_own_has_one_lane(paper):
    engine = cuda.CudaEngine(lambda rgb: rgb, SPEC, capture=False)
    assert [radiance[0, 0, 0] for radiance in engine.overlapped(batches(3))] == [1, 2, 3]
    assert paper.made == 1
    assert paper.events[:3] == ['submit 1 to 1', 'collect 1', 'submit 2 to 1']


def test_a_call_takes_one_lane_and_checks_the_frames(paper):
    engine = cuda.CudaEngine(lambda rgb: rgb, SPEC)
    assert engine(np.full((2, *SIZE, 3), 7, np.uint8)).shape == (2, *SIZE)
    assert engine(batches(1)[0]).shape == (1, *SIZE)
    assert paper.made == 1
    with pytest.raises(UserError, match='1 to 2 frames'):
        engine(np.zeros((3, *SIZE, 3), np.uint8))


def test_devices_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(torch.version, 'cuda', None)
    assert resolve_device('auto') == 'cpu'
    with pytest.raises(UserError, match=r"'cuda' cannot be used: .* is built without CUDA"):
        resolve_device('cuda')
    monkeypatch.setattr(torch.version, 'cuda', '12.6')
    with pytest.raises(UserError, match=r'\(CUDA 12.6\) finds no GPU and driver'):
        resolve_device('cuda')
    assert describe_device('cpu').startswith('cpu (')


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert resolve_device('auto') == 'cuda'
    assert resolve_device('cpu') == 'cpu'


@needs_gpu
@pytest.mark.parametrize('backend', ['eager', 'inductor'])
def test_on_the_gpu_it_computes_what_the_translator_does(model, reference, frame, backend,
                                                         tmp_path):
    engine = build.open_engine(model, SIZE, backend=backend, device='cuda', batch=2,
                               cache=tmp_path)
    pair = np.stack([frame, 255 - frame])
    with torch.inference_mode():
        expected = reference(torch.from_numpy(pair)).numpy()
    assert np.abs(engine(pair) - expected).mean() * 255 < .5
    assert (engine(pair) == engine(pair)).all()
    assert (engine(frame[None])[0] == engine(pair)[0]).all()
    flown = list(engine.overlapped([pair, pair[::-1], pair]))
    assert (flown[0] == engine(pair)).all()
    assert (flown[1] == engine(pair[::-1])).all()
    assert engine.describe()['precision'] == 'float16'
