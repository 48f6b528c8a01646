"""Trainings compute in bfloat16 where that is faster, in float32 elsewhere."""

import pytest
import torch

from rgb2swir_ros.lab.training import optimization as optimization_module
from rgb2swir_ros.lab.training import precision
from rgb2swir_ros.lab.training.muon import Float32Muon, StackedMuon
from rgb2swir_ros.lab.training.optimization import Optimization, moving_average
from rgb2swir_ros.lab.training.precision import mixed_precision


@pytest.mark.parametrize(('native', 'dtype'), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_processor_without_bfloat16_does_not_emulate_it(monkeypatch, native, dtype):
    monkeypatch.setattr(precision, 'has_bfloat16', lambda: native)
    layer = torch.nn.Conv2d(1, 1, 3)
    with mixed_precision(torch.device('cpu')):
        assert layer(torch.rand(1, 1, 8, 8)).dtype == dtype
    assert mixed_precision(torch.device('cuda')).fast_dtype == torch.bfloat16


@pytest.mark.parametrize('shape', [(16, 90), (90, 16), (24, 24)])
def test_muon_in_float32_takes_the_steps_of_pytorchs(shape):
    torch.manual_seed(0)
    matrix, gradients = torch.randn(shape), torch.randn(4, *shape)
    ours, theirs = matrix.clone(), matrix.clone()
    optimizers = (Float32Muon([ours], 1e-2, 1e-1),
                  torch.optim.Muon([theirs], lr=1e-2, weight_decay=1e-1,
                                   adjust_lr_fn='match_rms_adamw'))
    for gradient in gradients:
        for one, optimizer in zip((ours, theirs), optimizers, strict=True):
            one.grad = gradient.clone()
            optimizer.step()
    moved = theirs - matrix
    assert (ours - theirs).norm() < .03 * moved.norm()  # their iterations round to bfloat16
    assert list(optimizers[0].state_dict()['state'][0]) == ['momentum_buffer']


def test_stacked_muon_takes_the_steps_of_pytorchs_for_every_shape_at_once():
    torch.manual_seed(0)
    shapes = [(16, 90), (90, 16), (24, 24), (16, 90), (90, 16), (16, 90)]
    start = [torch.randn(shape) for shape in shapes]
    ours, theirs = ([matrix.clone() for matrix in start] for _ in range(2))
    optimizers = (StackedMuon(ours, 1e-2, 1e-1),
                  torch.optim.Muon(theirs, lr=1e-2, weight_decay=1e-1,
                                   adjust_lr_fn='match_rms_adamw'))
    for step in range(4):
        gradients = [torch.randn(shape) for shape in shapes]
        if step == 1:
            gradients[3] = None  # a skip connection that this step left out
        for matrices, optimizer in zip((ours, theirs), optimizers, strict=True):
            for matrix, gradient in zip(matrices, gradients, strict=True):
                matrix.grad = None if gradient is None else gradient.clone()
            optimizer.step()
    for matrix, one, other in zip(start, ours, theirs, strict=True):
        assert (one - other).norm() < .03 * (other - matrix).norm()
    assert len(optimizers[0].state_dict()['state']) == len(shapes)
    with pytest.raises(ValueError, match='closure'):
        optimizers[0].step(lambda: None)


def test_a_gpu_gets_the_stacked_one():
    matrix = torch.empty((16, 20), device='meta')
    assert type(optimization_module._muon([matrix], .1)) is torch.optim.Muon

    class OnGpu:
        is_cuda, device = True, torch.device('cuda')

    made = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimization_module, 'StackedMuon', lambda *given: made.append(given))
        optimization_module._muon([OnGpu()], .1)
    assert len(made) == 1


def test_the_optimiser_follows_the_processor(monkeypatch):
    layer = torch.nn.Conv2d(4, 16, 3)
    for native, kind in ((True, torch.optim.Muon), (False, Float32Muon)):
        monkeypatch.setattr(precision, 'has_bfloat16', lambda native=native: native)
        optimization = Optimization(layer, layer.parameters(), .1, moving_average(layer))
        assert any(type(one) is kind for one in optimization.optimizers)
