"""``rgb2swir build``: engines into a folder, cores into a file, one line for a mistake."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import pytest
import torch

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.translator import Translator

from ..lab.evaluation.tiny import save_tiny


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp('models') / 'tiny', plain=True)


def build(model, *more):
    return main(['build', '--model', str(model), '--size', '48x32', '--threads', '1',
                 '--device', 'cpu', *map(str, more)])


@pytest.mark.parametrize(('precision', 'dtype'), [
    ('auto', torch.float16), ('float32', torch.float32)])
def test_export_writes_the_core_and_its_manifest(model, tmp_path, capsys, precision, dtype):
    file = tmp_path / 'deep' / 'core.pt2'
    assert build(model, '--backend', 'export', '--precision', precision, '--batch', 2,
                 '-o', file) == 0
    out, err = capsys.readouterr()
    assert str(file) in out
    assert 'checking parity' in err
    core = torch.export.load(file).module()
    rgb = torch.rand(2, 3, 32, 48).to(dtype)
    with torch.no_grad():
        radiance, expected = core(rgb), Translator.load(model).core(rgb.float())
    assert (radiance.shape, radiance.dtype) == ((2, 1, 32, 48), torch.float32)
    assert expected.std() > .01
    assert (radiance - expected).abs().mean() * 255 < .5
    manifest = json.loads((tmp_path / 'deep' / 'core.json').read_text())
    assert manifest['sha256'] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert manifest['fields'].items() >= {
        'backend': 'export', 'precision': str(dtype).removeprefix('torch.'), 'height': 32,
        'width': 48, 'batch': 2, 'torch': torch.__version__, 'tensorrt': None}.items()
    assert manifest['facts']['parity']['mean_255'] < .5
    assert sorted(p.name for p in file.parent.iterdir()) == ['.rgb2swir', 'core.json', 'core.pt2']


def test_export_past_the_parity_gate_writes_nothing(model, tmp_path, capsys, monkeypatch):
    from rgb2swir_ros.engines import parity
    monkeypatch.setattr(parity, 'TAIL_LIMIT', 1e-9)
    assert build(model, '--backend', 'export', '-o', tmp_path / 'core.pt2') == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert 'the engine export float16 48x32 of tiny differs from float32 by 0.' in error
    assert 'it is refused' in error
    assert list(tmp_path.iterdir()) == []


# OpenVINO's is the soonest built
@pytest.mark.skipif(importlib.util.find_spec('openvino') is None, reason='no openvino here')
def test_an_engine_is_built_once_and_found_again(model, tmp_path, capsys):
    words = ('-o', tmp_path / 'engines', '--backend', 'openvino', '--precision', 'float32',
             '--json')
    assert build(model, *words) == 0
    first, said = capsys.readouterr()
    assert build(model, *words) == 0
    second, said_again = capsys.readouterr()
    first, second = json.loads(first), json.loads(second)
    assert (first['backend'], first['from_cache'], second['from_cache']) == (
        'openvino', False, True)
    assert first['file'] == second['file']
    assert Path(first['file']).is_file()
    manifest = json.loads(Path(first['manifest']).read_text())
    assert manifest['fields']['model_hash'] == first['model_hash']
    assert manifest['facts']['parity'] == first['parity']
    assert 'building' in said
    assert 'building' not in said_again
    assert build(model, *words[:-1]) == 0
    assert 'was there already' in capsys.readouterr().out


def test_eager_has_nothing_to_build(model, capsys):
    assert build(model, '--backend', 'eager') == 0
    assert 'there is nothing to build' in capsys.readouterr().out


@pytest.mark.parametrize(('words', 'text'), [
    (['--backend', 'export'], 'give -o FILE.pt2'),
    (['--backend', 'export', '-o', 'folder'], 'give -o FILE.pt2'),
    (['--backend', 'eager', '-o', 'x.pt2'], '-o x.pt2: backend eager fills a folder'),
    (['--backend', 'tensorrt'], "'tensorrt' runs on a GPU"),
    (['--backend', 'openvino', '--precision', 'float16'], "'float16' needs a GPU"),
    (['--precision', 'float16'], "'float16' needs a GPU"),
    (['--batch', '0'], 'batch 0'),
    (['--optimization-level', '9'], 'optimization level 9: give 0 to 5'),
    (['--backend', 'export', '-o', 'x.pt2', '--batch', '0'], 'batch 0')])
def test_wrong_arguments_are_one_line(model, capsys, words, text):
    assert build(model, *words) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count('\n') == 1
