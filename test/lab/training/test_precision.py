"""Trainings compute in bfloat16 where that is faster, in float32 elsewhere."""

import pytest
import torch

from rgb2swir_ros.lab.training import precision
from rgb2swir_ros.lab.training.muon import Float32Muon
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


def test_the_optimiser_follows_the_processor(monkeypatch):
    layer = torch.nn.Conv2d(4, 16, 3)
    for native, kind in ((True, torch.optim.Muon), (False, Float32Muon)):
        monkeypatch.setattr(precision, 'has_bfloat16', lambda native=native: native)
        optimization = Optimization(layer, layer.parameters(), .1, moving_average(layer))
        assert any(type(one) is kind for one in optimization.optimizers)
