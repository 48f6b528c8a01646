"""Opening engines: choice of backend and precision, fallbacks, what is refused."""

import logging

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines import build, parity
from rgb2swir_ros.engines.arguments import check_model
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.parity import ParityError
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor

SIZE = (32, 48)
LOGGER = 'rgb2swir_ros.engines'


def eager(model):
    return open_engine(model, SIZE, backend='eager', threads=1)


def warnings_of(caplog):
    return [r.getMessage() for r in caplog.records
            if r.name == LOGGER and r.levelno >= logging.WARNING]


def test_a_regression_becomes_an_engine_like_a_translator(frame, tmp_path):
    torch.manual_seed(3)
    model = Regressor(RegressionConfig('tiny_regression', (8, 8, 8, 8, 8), (1,))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * .05)
        expected = model(torch.from_numpy(frame[None])).numpy()
    model.save(tmp_path / 'tiny_regression')
    check_model(tmp_path / 'tiny_regression')
    engine = eager(tmp_path / 'tiny_regression')
    assert expected.std() > .01
    assert np.abs(engine(frame[None]) - expected).mean() * 255 <= .5
    assert engine.describe()['model'] == 'tiny_regression'


def test_without_compiler_eager_and_one_warning(model, frame, monkeypatch, caplog,
                                                without_openvino):
    monkeypatch.delenv('CXX', raising=False)
    monkeypatch.setenv('PATH', '/nowhere')
    engine = open_engine(model, SIZE, threads=1)
    assert engine.describe()['backend'] == 'eager'
    assert engine(frame[None]).shape == (1, *SIZE)
    open_engine(model, SIZE, threads=1)
    [warning] = warnings_of(caplog)  # for two engines
    assert 'install g++' in warning
    with pytest.raises(UserError, match=r'no C\+\+ compiler .* install g\+\+'):
        open_engine(model, SIZE, backend='inductor', threads=1)


def test_broken_compiler_eager_and_one_warning(plain_model, tmp_path, monkeypatch,
                                               caplog, without_openvino):
    broken = tmp_path / 'g++'
    broken.write_text('#!/bin/sh\necho internal compiler error >&2\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv('CXX', str(broken))
    engine = open_engine(plain_model, SIZE, threads=1)
    assert engine.describe()['backend'] == 'eager'
    [warning] = warnings_of(caplog)
    assert str(broken) in warning
    assert '\n' not in warning


def test_precision_follows_the_processor(model, monkeypatch):
    monkeypatch.setattr(build, 'has_bfloat16', lambda: True)
    assert eager(model).describe()['precision'] == 'bfloat16'
    monkeypatch.setattr(build, 'has_bfloat16', lambda: False)
    assert eager(model).describe()['precision'] == 'float32'


def test_model_that_fails_in_bfloat16(model, monkeypatch, caplog):
    """By name it is refused with the figures; ``auto`` takes float32 and logs that once."""
    monkeypatch.setattr(build, 'has_bfloat16', lambda: True)
    monkeypatch.setattr(parity, 'TAIL_LIMIT', 0.001 / 255)
    with pytest.raises(ParityError, match=r'bfloat16 48x32 of tiny differs .* \(limit 0\.001\)'):
        open_engine(model, SIZE, backend='eager', precision='bfloat16', threads=1)
    assert eager(model).describe()['precision'] == 'float32'
    assert len(warnings_of(caplog)) == 1


def test_an_engine_that_fails_the_gate_is_passed_over_by_auto_alone(model, monkeypatch, caplog):
    def refused(self, name, backend):
        raise ParityError(f'the engine {name} differs')
    monkeypatch.setattr(build._EngineOpener, '_open_compiled', refused)
    assert open_engine(model, SIZE, threads=1).describe()['backend'] == 'eager'
    assert [text.split('.')[0] for text in warnings_of(caplog)] == [
        f'the engine {name} differs' for name in build.AUTO_ORDER['cpu'][:-1]]
    assert 'runs eagerly' in warnings_of(caplog)[-1]
    with pytest.raises(ParityError, match='inductor differs'):
        open_engine(model, SIZE, backend='inductor', threads=1)


def test_batch_is_padded_and_a_frame_keeps_its_bits(model, frame):
    engine = open_engine(model, SIZE, batch=2, backend='eager', precision='float32',
                         threads=1)
    pair = engine(np.stack([frame, 255 - frame]))
    assert pair.shape == (2, *SIZE)
    alone = engine(frame[None])
    assert alone.shape == (1, *SIZE)
    assert (alone[0] == pair[0]).all()


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'backend': 'tpu'},
     "no backend 'tpu': choose auto, eager or inductor or openvino or tensorrt"),
    ({'device': 'npu'}, "no device 'npu': choose auto, cpu or cuda"),
    ({'device': 'cpu', 'backend': 'tensorrt'}, "'tensorrt' runs on a GPU"),
    ({'device': 'cpu', 'precision': 'float16'}, "'float16' needs a GPU"),
    ({'optimization_level': 6}, 'optimization level 6: give 0 to 5'),
    ({'precision': 'int4'}, "no precision 'int4'"),
    ({'batch': 0}, 'batch 0'), ({'size': (8, 48)}, r'size \(8, 48\)'),
    ({'threads': -1}, 'threads -1'), ({'model': 'nonesuch'}, "no model 'nonesuch'")])
def test_wrong_arguments(model, arguments, text):
    with pytest.raises(UserError, match=text):
        open_engine(**{'model': model, 'size': SIZE, **arguments})


def test_uses_no_more_cores_than_told(model):
    before = torch.get_num_threads()
    try:
        engine = open_engine(model, SIZE, backend='eager', threads=1)
        torch.set_num_threads(max(before, 2))
        engine(np.zeros((1, *SIZE, 3), np.uint8))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
