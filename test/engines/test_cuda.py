"""The CUDA engine; tests that need a GPU are skipped without one."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines import build, cuda
from rgb2swir_ros.engines.base import EngineSpec
from rgb2swir_ros.engines.devices import describe_device, resolve_device
from rgb2swir_ros.engines.fair_lock import FairLock
from rgb2swir_ros.errors import UserError

SIZE = (32, 48)
SPEC = EngineSpec('tiny', *SIZE, 2, 'eager', 'float16', 1, 'cuda')
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='needs an NVIDIA GPU')


class PaperLane:
    """A lane without a GPU: it returns each frame's first pixel and records the calls."""

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


def test_two_frames_are_in_flight_and_return_in_order(paper):
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


class PaperGpu:
    """A fake of torch.cuda: it records the calls, and can be paused at any step."""

    def __init__(self, monkeypatch):
        self.events: list[str] = []
        self.modes: list[str] = []
        self.reached = {step: threading.Event() for step in ('warm', 'record')}
        self.go_on = {step: threading.Event() for step in ('warm', 'record')}
        for event in self.go_on.values():
            event.set()
        zeros = torch.zeros

        def plain_zeros(*shape, pin_memory=False, device=None, **rest):
            return zeros(*shape, **rest)
        monkeypatch.setattr(torch, 'zeros', plain_zeros)
        nothing = SimpleNamespace(wait_stream=lambda _: None, synchronize=lambda: None)
        monkeypatch.setattr(torch.cuda, 'Stream', lambda: nothing)
        monkeypatch.setattr(torch.cuda, 'current_stream', lambda: nothing)
        monkeypatch.setattr(torch.cuda, 'stream', lambda _: nullcontext())
        monkeypatch.setattr(torch.cuda, 'Event', lambda: SimpleNamespace(
            record=lambda: self.events.append('copy'),
            synchronize=lambda: self.events.append('collect')))
        monkeypatch.setattr(torch.cuda, 'CUDAGraph', lambda: SimpleNamespace(
            replay=lambda: self.events.append('replay')))
        monkeypatch.setattr(torch.cuda, 'graph', self.graph)

    @contextmanager
    def graph(self, graph, *, stream, capture_error_mode='global'):
        self.modes.append(capture_error_mode)
        self.events.append('record')
        self.step('record')
        yield
        self.events.append('recorded')

    def step(self, name):
        self.reached[name].set()
        assert self.go_on[name].wait(20)

    def hold(self, name):
        self.reached[name].clear()
        self.go_on[name].clear()

    def engine(self, *, capture=True):
        def program(rgb):
            self.step('warm')
            return rgb[..., 0].float()
        return cuda.CudaEngine(program, SPEC, capture=capture)


@pytest.fixture
def gpu(monkeypatch):
    return PaperGpu(monkeypatch)


def in_thread(call):
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


def build_held_at(gpu, step, *, capture=True):
    """Stop the building of an engine at a step, then have another engine translate a frame.

    :return: the threads of both.
    """
    serving, built = gpu.engine(), gpu.engine(capture=capture)
    serving.warm_up()
    gpu.events.clear()
    gpu.hold(step)
    builder = in_thread(built.warm_up)
    assert gpu.reached[step].wait(20)
    return builder, in_thread(lambda: serving(batches(1)[0]))


def test_a_graph_is_recorded_for_its_thread_alone(gpu):
    """In the default mode, a CUDA call of another thread invalidates the recording."""
    gpu.engine().warm_up()
    assert gpu.modes == ['thread_local']


def test_no_frame_is_translated_while_a_graph_is_recorded(gpu):
    builder, camera = build_held_at(gpu, 'record')
    camera.join(0.3)
    assert gpu.events == ['record']
    gpu.go_on['record'].set()
    for thread in (builder, camera):
        thread.join(20)
    assert gpu.events == ['record', 'recorded', 'replay', 'copy', 'collect']


def test_frames_are_translated_while_an_engine_is_built(gpu):
    """Long steps before the recording do not block the cameras."""
    builder, camera = build_held_at(gpu, 'warm')
    camera.join(20)
    assert gpu.events == ['replay', 'copy', 'collect']
    gpu.go_on['warm'].set()
    builder.join(20)


def test_a_program_that_records_by_itself_does_so_alone(gpu):
    """As TensorRT's program does, in its first calls and in the default mode."""
    builder, camera = build_held_at(gpu, 'warm', capture=False)
    camera.join(0.3)
    assert gpu.events == []
    gpu.go_on['warm'].set()
    for thread in (builder, camera):
        thread.join(20)
    assert gpu.events == ['replay', 'copy', 'collect']


def test_the_lock_is_granted_in_the_order_of_requests():
    turns, order = FairLock(), []

    def greedy():  # asks again at once, as a builder that warms up does
        for _ in range(50):
            with turns:
                order.append('builder')

    def patient():
        with turns:
            order.append('camera')

    with turns:
        threads = [in_thread(greedy), in_thread(patient)]
        while len(turns._queue) < 3:
            time.sleep(0.001)
    for thread in threads:
        thread.join(20)
    assert 'camera' in order[:2]
    assert len(order) == 51


def test_an_interrupted_request_does_not_block_the_lock():
    turns = FairLock()
    with pytest.raises(ZeroDivisionError), turns:
        raise ZeroDivisionError
    taken = in_thread(turns.__enter__)
    taken.join(20)
    assert not taken.is_alive()


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
