"""Checkpoints: everything comes back, nothing half-written stays, others' are refused."""

import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.checkpoint import (
    read_checkpoint,
    restore_optimizers,
    restore_weights,
    save_checkpoint,
)


@pytest.fixture
def trained(tmp_path):
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-2)
    for _ in range(3):
        optimizer.zero_grad()
        layer(torch.rand(4, 3)).square().sum().backward()
        optimizer.step()
    path = tmp_path / 'checkpoint.safetensors'
    average = {name: tensor + 1 for name, tensor in layer.state_dict().items()}
    save_checkpoint(path, layer.state_dict(), average, [optimizer], {'step': 3})
    return path, layer, optimizer, average


def test_checkpoint_round_trip(trained):
    path, layer, optimizer, average = trained
    groups, state = read_checkpoint(path)
    assert state == {'step': 3}
    twin = torch.nn.Linear(3, 2)
    restored = torch.nn.Linear(3, 2)
    restore_weights(twin, restored, groups, path)
    assert all(torch.equal(restored.state_dict()[k], tensor) for k, tensor in average.items())
    other = torch.optim.AdamW(twin.parameters(), lr=1e-2)
    restore_optimizers([other], groups['optimizer'], path)
    x = torch.rand(4, 3)
    for net, opt in ((layer, optimizer), (twin, other)):
        opt.zero_grad()
        net(x).square().sum().backward()
        opt.step()
    assert torch.equal(layer.weight, twin.weight)
    assert not path.with_suffix('.part').exists()


def test_weights_of_another_model_are_refused(trained):
    path, *_ = trained
    groups, _ = read_checkpoint(path)
    with pytest.raises(UserError, match=r'checkpoint\.safetensors belongs to another training'):
        restore_weights(torch.nn.Linear(4, 2), torch.nn.Linear(3, 2), groups, path)


def test_moments_of_several_optimisers_come_back_to_their_own(tmp_path):
    def both():
        torch.manual_seed(0)
        matrix, bias = torch.nn.Parameter(torch.rand(3, 4)), torch.nn.Parameter(torch.rand(3))
        return matrix, bias, [torch.optim.AdamW([bias], lr=1e-2),
                              torch.optim.Muon([matrix], lr=1e-2)]

    def step(matrix, bias, optimizers):
        ((matrix @ torch.ones(4) + bias) ** 2).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()

    matrix, bias, optimizers = both()
    step(matrix, bias, optimizers)
    path = tmp_path / 'checkpoint.safetensors'
    weights = {'matrix': matrix, 'bias': bias}
    save_checkpoint(path, weights, weights, optimizers, {})
    groups, _ = read_checkpoint(path)
    other_matrix, other_bias, others = both()
    with torch.no_grad():
        other_matrix.copy_(groups['model']['matrix'])
        other_bias.copy_(groups['model']['bias'])
    restore_optimizers(others, groups['optimizer'], path)
    for these in ((matrix, bias, optimizers), (other_matrix, other_bias, others)):
        step(*these)
    assert torch.equal(matrix, other_matrix)
    assert torch.equal(bias, other_bias)


@pytest.mark.parametrize('names', [['0.exp_avg'], ['2.0.exp_avg']])
def test_moments_of_another_version_are_refused(tmp_path, names):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))], lr=1e-2)
    with pytest.raises(UserError, match=r'c\.safetensors was written by another version'):
        restore_optimizers([optimizer], {name: torch.zeros(2) for name in names},
                           tmp_path / 'c.safetensors')
