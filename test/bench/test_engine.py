"""The engine benchmark: one JSON document, figures that hang together."""

from __future__ import annotations

import json

import pytest
import torch

from rgb2swir_ros.bench import engine as bench
from rgb2swir_ros.cli.main import main
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, TranslatorConfig

KEYS = {'model', 'size', 'backend', 'precision', 'threads', 'runs', 'median_ms', 'p95_ms',
        'reference_ms', 'reference_ratio', 'floor_ms', 'floor_ratio', 'parameters', 'gflop',
        'parity', 'device', 'torch', 'model_hash'}


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp('models') / 'tiny'
    Translator(TranslatorConfig(
        name='tiny', autoencoder=AutoencoderConfig(widths=(8, 8, 8), source_widths=(8, 8, 8)),
        guidance=GuidanceConfig(channels=8, stem=8),
        denoiser=UNetConfig(guidance_channels=8, widths=(8, 8), dilations=(1,), time_features=8),
    )).save(folder)
    return folder


@pytest.fixture
def small_references(monkeypatch):
    """Take less time: what is tested is how the figures hang together."""
    monkeypatch.setattr(bench, 'MATRIX', 256)
    monkeypatch.setattr(bench, 'REFERENCE_CHANNELS', 4)


def words(model, *more):
    return ['bench', 'engine', '--model', str(model), '--size', '96x64', '--backend', 'eager',
            '--precision', 'bfloat16', '--threads', '1', '--runs', '7', *more]


@pytest.mark.parametrize(('ratio', 'kept'), [
    (.0224974, .0225), (.00123456, .001235), (1.23456, 1.235), (123.456, 123.5), (12345.6, 12350)])
def test_a_ratio_keeps_four_digits(ratio, kept):
    assert bench.four_digits(ratio) == kept


@pytest.mark.usefixtures('small_references')
def test_json_is_the_only_output(model, capsys):
    assert main(words(model, '--json')) == 0
    output, progress = capsys.readouterr()
    result = json.loads(output)
    assert set(result) == KEYS
    assert (result['size'], result['backend'], result['precision']) == ('96x64', 'eager',
                                                                        'bfloat16')
    assert (result['threads'], result['runs'], result['model']) == (1, 10, 'tiny')
    assert 0 < result['median_ms'] <= result['p95_ms']
    assert result['reference_ratio'] == pytest.approx(
        result['median_ms'] / result['reference_ms'], rel=0.02)
    assert result['floor_ratio'] == pytest.approx(
        result['median_ms'] / result['floor_ms'], rel=0.02)
    assert 'measuring 7 inferences' in progress


@pytest.mark.usefixtures('small_references')
def test_table_for_people(model, capsys):
    assert main(words(model)) == 0
    output = capsys.readouterr().out
    assert 'tiny, eager bfloat16, threads 1' in output
    assert '96x64' in output
    assert 'GFLOP' in output


def test_engine_and_references_take_turns(model, monkeypatch):
    """A machine that is busy for a while must slow both alike."""
    order = []
    monkeypatch.setattr(bench, 'WARM_UPS', 0)
    monkeypatch.setattr(bench, 'reference_convolution',
                        lambda size, precision: lambda: order.append('reference'))
    monkeypatch.setattr(bench, 'matrix_product',
                        lambda precision: lambda: order.append('product'))
    monkeypatch.setattr(bench, 'timed_block', lambda call: [
        (call() is not None and order.append('engine')) or float(len(order))] * 2)
    result = bench.measure(str(model), (64, 96), backend='eager', threads=1, runs=5)
    assert order == ['engine', 'reference', 'product'] * 3
    assert result['runs'] == 6
    # the "times" were 1, 4, 7 for the engine, 2, 5, 8 for the reference, 3, 6, 9 for the product
    assert (result['median_ms'], result['reference_ms']) == (4, 5)
    assert result['reference_ratio'] == 0.8
    floor_ms = 6 * result['gflop'] / (2 * bench.MATRIX**3 / 1e9)
    assert result['floor_ms'] == pytest.approx(floor_ms, rel=.05)
    assert result['floor_ratio'] == pytest.approx(4 / floor_ms, rel=.05)


def test_the_first_call_of_a_row_is_not_timed(monkeypatch):
    calls = []
    monkeypatch.setattr(bench, 'timed_ms', lambda call: (call(), float(len(calls)))[1])
    assert bench.timed_block(lambda: calls.append(1)) == [float(k) for k in range(2, 12)]


def test_work_of_nano_is_within_its_budget():
    parameters, gflop = bench.count_work('nano', (512, 640))
    assert 1.0e6 < parameters < 1.6e6
    assert 8 < gflop <= 15


def test_work_grows_with_the_picture(model):
    small, large = bench.count_work(str(model), (64, 96)), bench.count_work(str(model), (128, 192))
    assert small[0] == large[0]
    # only the time embedding does not depend on the size
    assert large[1] / small[1] == pytest.approx(4, rel=0.01)


def test_reference_is_one_convolution():
    image = bench.reference_convolution((24, 40), 'bfloat16')()
    assert image.shape == (1, 32, 24, 40)
    assert image.dtype == torch.bfloat16


def test_the_matrix_product_is_one_of_the_same_precision(monkeypatch):
    monkeypatch.setattr(bench, 'MATRIX', 48)
    product = bench.matrix_product('bfloat16')()
    assert product.shape == (48, 48)
    assert product.dtype == torch.bfloat16


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--size', '640'], "'640' is no size"), (['--runs', '0'], 'runs 0'),
    (['--backend', 'tpu'], "no backend 'tpu'"), (['--model', 'nonesuch'], "no model 'nonesuch'")])
def test_wrong_arguments_are_one_line(arguments, text, capsys):
    assert main(['bench', 'engine', *arguments]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count('\n') == 1


def test_unknown_benchmark(capsys):
    with pytest.raises(SystemExit) as stop:
        main(['bench', 'everything'])
    assert stop.value.code == 2
    assert 'engine' in capsys.readouterr().err
