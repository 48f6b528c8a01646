"""Rate, step and running average."""

import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.training.optimization import (
    AVERAGE_DECAY,
    MOST_LEFT_OUT,
    Optimization,
    copy_weights,
    schedule,
)


def test_the_rate_rises_shortly_and_falls_to_a_fiftieth():
    assert schedule(0) == pytest.approx(.02)
    assert schedule(.02) > .95
    assert schedule(.5) == pytest.approx(.51)
    assert schedule(1) == schedule(1.7) == pytest.approx(.02)
    later = [schedule(k / 100) for k in range(2, 101)]
    assert later == sorted(later, reverse=True)


@pytest.mark.parametrize(('number', 'decay'), [(0, 0), (9, .5), (10 ** 6, AVERAGE_DECAY)])
def test_the_average_lags_behind_the_weights_more_as_they_settle(number, decay):
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .1, copy_weights(layer))
    before = optimization.average['weight'].clone()
    optimization.step(layer(torch.rand(8, 2)).square().mean(), .5, number)
    assert not torch.equal(layer.weight, before)
    expected = decay * before + (1 - decay) * layer.weight
    assert torch.allclose(optimization.average['weight'], expected, atol=1e-7)


def test_a_step_returns_its_loss_and_lowers_it():
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .05, copy_weights(layer))
    x = torch.rand(8, 2)
    losses = [optimization.step((layer(x) - 3).square().mean(), .1, k) for k in range(50)]
    assert losses[-1] < .3 * losses[0]


def test_a_step_without_a_finite_gradient_is_left_out_and_too_many_end_the_training():
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .05, copy_weights(layer))
    before = layer.weight.detach().clone()
    broken = torch.full((4, 2), float('inf'))
    for number in range(MOST_LEFT_OUT):
        optimization.step(layer(broken).mean(), .1, number)
    assert optimization.left_out == MOST_LEFT_OUT
    assert torch.equal(layer.weight, before)
    optimization.step(layer(torch.rand(4, 2)).square().mean(), .1, 30)
    assert not torch.equal(layer.weight, before)
    with pytest.raises(UserError, match='diverges: 21 steps'):
        optimization.step(layer(broken).mean(), .1, 31)
