"""Counted work and what is predicted from it."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from rgb2swir_ros.bench.engine import count_work
from rgb2swir_ros.bench.roofline import (
    COMPUTE_SHARE,
    DEVICES,
    MEMORY_SHARE,
    Device,
    layer_ms,
    predict,
)
from rgb2swir_ros.bench.work import LayerWork, count_layers
from rgb2swir_ros.cli.main import main

DEVICE = Device(teraflops=10, gigabytes=100, source='nobody')


class OneLayer(nn.Module):
    """Stands for a model whose core is one function."""

    def __init__(self, core, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.core = core

    def set_precision(self, dtype):
        return self.to(dtype)


def test_a_convolution_by_hand():
    convolution = nn.Conv2d(3, 8, 3, padding=1)
    [work] = count_layers(OneLayer(lambda rgb: F.relu(convolution(rgb)) + 1, convolution),
                          (10, 20), batch=2)
    pixels = 2 * 10 * 20
    assert work.operations == 2 * pixels * 3 * 8 * 9
    assert work.bytes == 2 * (pixels * 3 + 8 * 3 * 9 + 8 + pixels * 8)  # two bytes a number


def test_attention_by_hand_without_its_scores():
    def core(rgb):
        x = rgb.flatten(2).transpose(1, 2)[:, None]  # (1, 1, 128, 3)
        return F.scaled_dot_product_attention(x, x, x)
    assert count_layers(OneLayer(core), (16, 8)) == [
        LayerWork(2 * 2 * 128 * 128 * 3, 2 * 4 * 128 * 3)]


def test_the_operations_are_those_of_the_other_benchmark():
    row = predict('nano', (64, 96))
    parameters, gflop = count_work('nano', (64, 96))
    assert row['gflop'] == pytest.approx(gflop, rel=.005)
    assert row['parameters'] == parameters


def test_work_grows_with_the_frame_and_the_batch():
    one, large, two = predict('nano', (64, 96)), predict('nano', (128, 192)), predict(
        'nano', (64, 96), batch=2)
    assert large['gflop'] / one['gflop'] == pytest.approx(4, rel=.01)
    assert two['gflop'] / one['gflop'] == pytest.approx(2, rel=.01)
    assert one['megabytes'] < two['megabytes'] < 2 * one['megabytes']  # the weights stay


@pytest.mark.parametrize(('operations', 'moved', 'seconds'), [
    (10e12, 0, 1 / COMPUTE_SHARE), (0, 100e9, 1 / MEMORY_SHARE),
    (10e12, 100e9, 1 / COMPUTE_SHARE), (1e12, 100e9, 1 / MEMORY_SHARE)])
def test_the_longer_of_two_times(operations, moved, seconds):
    assert layer_ms(operations, moved, DEVICE) == pytest.approx(1e3 * seconds)


def test_no_device_beats_its_peaks():
    row = predict('nano', (64, 96))
    for name, device in DEVICES.items():
        assert row['predicted_ms'][name] >= row['gflop'] / device.teraflops
        assert row['predicted_ms'][name] >= .99 * row['megabytes'] / device.gigabytes


def test_json_says_that_it_is_predicted(capsys):
    assert main(['bench', 'roofline', '--size', '96x64', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    assert report['note'] == 'predicted, not measured'
    assert {row['model'] for row in report['rows']} >= {'nano'}
    assert all(device['source'] for device in report['devices'].values())


def test_table_says_so_too(capsys):
    assert main(['bench', 'roofline', '--model', 'nano', '--size', '96x64', '128x64']) == 0
    out = capsys.readouterr().out
    assert 'predicted, not measured' in out
    assert '96x64' in out
    assert '128x64' in out


@pytest.mark.parametrize(('words', 'text'), [
    (['--model', 'nonesuch'], "no model 'nonesuch'"), (['--size', '64'], "'64' is no size"),
    (['--batch', '0'], 'batch 0')])
def test_wrong_arguments(words, text, capsys):
    assert main(['bench', 'roofline', *words]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count('\n') == 1


def test_counting_leaves_the_default_device_alone():
    predict('nano', (64, 96))
    assert torch.zeros(1).device.type == 'cpu'
