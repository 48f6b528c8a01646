"""Rate, step and running average."""

import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.optimization import (
    EMA_DECAY,
    MAX_LEFT_OUT,
    MIN_ROWS,
    Optimization,
    as_matrix,
    copy_weights,
    moving_average,
    rate_factor,
)


def test_the_rate_rises_shortly_and_falls_to_a_fiftieth():
    assert rate_factor(0) == pytest.approx(.02)
    assert rate_factor(.02) > .95
    assert rate_factor(.5) == pytest.approx(.51)
    assert rate_factor(1) == rate_factor(1.7) == pytest.approx(.02)
    later = [rate_factor(k / 100) for k in range(2, 101)]
    assert later == sorted(later, reverse=True)


@pytest.mark.parametrize(('number', 'decay'), [(0, 0), (9, .5), (10 ** 6, EMA_DECAY)])
def test_the_average_lags_behind_the_weights_more_as_they_settle(number, decay):
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .1, moving_average(layer))
    before = layer.weight.detach().clone()
    optimization.average.n_averaged.fill_(number)
    optimization.step(layer(torch.rand(8, 2)).square().mean(), .5, number)
    assert not torch.equal(layer.weight, before)
    expected = decay * before + (1 - decay) * layer.weight
    assert torch.allclose(optimization.average.module.weight, expected, atol=1e-7)


def test_a_step_returns_its_loss_and_lowers_it():
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .05, moving_average(layer))
    x = torch.rand(8, 2)
    losses = [optimization.step((layer(x) - 3).square().mean(), rate_factor(.1), k)
              for k in range(50)]
    assert losses[-1] < .3 * losses[0]


def test_a_step_without_a_finite_gradient_is_left_out_and_too_many_end_the_training():
    layer = torch.nn.Linear(2, 1)
    optimization = Optimization(layer, layer.parameters(), .05, moving_average(layer))
    before = layer.weight.detach().clone()
    broken = torch.full((4, 2), float('inf'))
    for number in range(MAX_LEFT_OUT):
        optimization.step(layer(broken).mean(), .1, number)
    assert optimization.left_out == MAX_LEFT_OUT
    assert torch.equal(layer.weight, before)
    optimization.step(layer(torch.rand(4, 2)).square().mean(), .1, 30)
    assert not torch.equal(layer.weight, before)
    with pytest.raises(UserError, match='diverges: 21 steps'):
        optimization.step(layer(broken).mean(), .1, 31)


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('shape', [(6, 4, 3, 3), (6, 4, 1, 1), (6, 1, 3, 3)])
def test_a_matrix_is_a_view_of_its_weight(layout, shape):
    weight = torch.randn(shape).contiguous(memory_format=layout)
    matrix = as_matrix(weight, weight)
    assert matrix.shape == (6, shape[1] * shape[2] * shape[3])
    matrix[2] = 7
    assert (weight[2] == 7).all()
    assert not (weight[3] == 7).any()


@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
def test_a_gradient_is_in_the_order_of_its_weight(layout):
    """Whatever the gradient's own layout."""
    weight = torch.randn(6, 4, 3, 3).contiguous(memory_format=layout)
    for other in (torch.contiguous_format, torch.channels_last):
        copy = weight.contiguous(memory_format=other)
        assert torch.equal(as_matrix(copy, weight), as_matrix(weight, weight))


def one_step(layout, rate=.01, outputs=MIN_ROWS):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(64, outputs, 3).to(memory_format=layout)
    before = copy_weights(layer)
    optimization = Optimization(layer, layer.parameters(), rate, moving_average(layer))
    torch.manual_seed(1)
    optimization.step(layer(torch.rand(2, 64, 9, 9)).square().mean(), rate_factor(.02), 0)
    return {name: layer.state_dict()[name] - before[name] for name in before}


def test_the_update_of_a_wide_convolution_is_orthogonal():
    """All its singular values are about one, times rate and AdamW's size; biases get AdamW's."""
    changed = one_step(torch.contiguous_format)
    rows, columns = MIN_ROWS, 64 * 9
    values = torch.linalg.svdvals(changed['weight'].reshape(rows, columns))
    unit = .01 * rate_factor(.02) * .2 * columns ** .5
    assert ((values / unit > .4) & (values / unit < 1.4)).all()
    assert torch.allclose(changed['bias'].abs(), torch.tensor(.01 * rate_factor(.02)), rtol=1e-2)


def test_the_update_of_a_narrow_convolution_is_adams():
    changed = one_step(torch.contiguous_format, outputs=MIN_ROWS - 1)
    assert torch.allclose(changed['weight'].abs(), torch.tensor(.01 * rate_factor(.02)), rtol=2e-2)


def test_the_memory_format_changes_no_update():
    a, b = one_step(torch.contiguous_format), one_step(torch.channels_last)
    # sums of bfloat16 in another order
    assert torch.allclose(a['weight'], b['weight'], atol=.05 * float(a['weight'].abs().max()))


def test_a_torch_that_is_too_old_is_named(monkeypatch):
    monkeypatch.delattr(torch.optim, 'Muon')
    layer = torch.nn.Conv2d(4, MIN_ROWS, 3)
    with pytest.raises(UserError, match=r'training needs torch 2\.9 or newer, this is 2'):
        Optimization(layer, layer.parameters(), .1, moving_average(layer))


def test_the_average_is_of_buffers_too_and_of_a_network_in_any_layout():
    layer = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    layer.to(memory_format=torch.channels_last)
    average = moving_average(layer)
    for _ in range(2):
        layer(torch.rand(2, 3, 8, 8))
        before = average.module[1].running_mean.clone()
        average.update_parameters(layer)
    expected = .1 * before + .9 * layer[1].running_mean
    assert torch.allclose(average.module[1].running_mean, expected)
    assert average.module[0].weight.is_contiguous(memory_format=torch.channels_last)
