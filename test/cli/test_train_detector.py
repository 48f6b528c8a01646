"""``rgb2swir train detector`` as a user calls it."""

import argparse
import json

import pytest

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.cli.train_detector import configure, run
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.detector.onnx import OnnxDetector
from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig
from rgb2swir_ros.lab.scenes.annotations import read_annotations
from rgb2swir_ros.model_files import model_hash


def call(*words):
    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args([str(w) for w in words]))


def test_trains_writes_and_judges_and_ignores_thin_boxes(toy, tmp_path, capsys):
    model = tmp_path / 'model'
    assert call('--data', toy, '-o', model, '--work', tmp_path / 'work', '--steps', 2,
                '--batch', 2, '--crop', '96x64', '--min-side', 12, '--onnx', tmp_path / 'd.onnx',
                '--size', '96x64', '--json') == 0
    out, err = capsys.readouterr()
    frames = read_annotations(toy, 'validation').frames
    thick = sum(int((frame.boxes[:, 2:].min(axis=1) >= 12).sum()) for frame in frames)
    assert 0 < thick < sum(len(frame.labels) for frame in frames)
    assert json.loads(out)['objects'] == thick
    assert json.loads(out)['images'] == 6
    for part in '48 frames with', '2/2', 'that are ignored':
        assert part in err
    onnx = OnnxDetector(tmp_path / 'd.onnx')
    assert load_detector(model).min_side == onnx.min_side == 12
    assert load_detector(model).classes == onnx.classes
    assert main(['evaluate', 'detection', '--data', str(toy), '--detector', str(model),
                 '--split', 'validation', '--json']) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)['objects'] == thick
    assert 'boxes thinner than 12 pixels' in err
    assert call('--data', toy, '-o', tmp_path / 'next', '--work', tmp_path / 'next_work',
                '--steps', 1, '--batch', 1, '--start', model, '--rate', .001) == 0
    written = (tmp_path / 'next' / 'model.yaml').read_text()
    assert 'rate: 0.001\n' in written
    assert f'start: {model_hash(model)}\n' in written


def test_the_defaults_are_those_of_the_training():
    parser = argparse.ArgumentParser()
    configure(parser)
    given, config = parser.parse_args(['--data', 'd', '-o', 'm']), DetectorTrainingConfig()
    for name in ('steps', 'minutes', 'batch', 'rate', 'seed', 'crop', 'min_side', 'start'):
        assert getattr(given, name) == getattr(config, name), name


@pytest.mark.parametrize(('words', 'text'), [
    (('--min-side', -1), '--min-side -1'), (('--crop', '16x64'), '--crop 16x64'),
    (('--minutes', 0), '--minutes 0'), (('--steps', 0), '--steps 0'),
    (('--batch', 0), '--batch 0'), (('--rate', 0), '--rate 0'), (('--rate', 'nan'), '--rate nan'),
    (('--start', 'absent'), "no model 'absent'"), (('--start', 'nano'), "kind: detector"),
    (('--onnx', 'd.pt'), 'must end in'), (('--data', 'nowhere'), 'nowhere/annotations')])
def test_wrong_arguments_are_named(toy, tmp_path, words, text):
    with pytest.raises(UserError, match=text):
        call('--data', toy, '-o', tmp_path / 'm', '--work', tmp_path / 'w', *words)
    assert not (tmp_path / 'w').exists()
