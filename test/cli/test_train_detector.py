"""``rgb2swir train detector`` as a user calls it."""

import argparse
import json

import pytest

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.cli.train_detector import configure, run
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.detector.onnx import OnnxDetector
from rgb2swir_ros.lab.scenes.annotations import read_annotations


def call(*words):
    parser = argparse.ArgumentParser()
    configure(parser)
    return run(parser.parse_args([str(w) for w in words]))


def test_trains_writes_and_judges(toy, tmp_path, capsys):
    assert call('--data', toy, '-o', tmp_path / 'model', '--work', tmp_path / 'work', '--steps', 2,
                '--batch', 2, '--onnx', tmp_path / 'd.onnx', '--size', '96x64', '--json') == 0
    out, err = capsys.readouterr()
    assert json.loads(out)['images'] == 6
    assert '48 frames with' in err
    assert '2/2' in err
    assert load_detector(tmp_path / 'model').classes == OnnxDetector(tmp_path / 'd.onnx').classes


def test_thin_boxes_are_ignored_in_training_and_in_what_is_judged_by_it(toy, tmp_path, capsys):
    model = tmp_path / 'model'
    call('--data', toy, '-o', model, '--work', tmp_path / 'work', '--steps', 1, '--batch', 1,
         '--crop', '96x64', '--min-side', 12, '--onnx', tmp_path / 'd.onnx', '--size', '96x64',
         '--json')
    out, err = capsys.readouterr()
    frames = read_annotations(toy, 'validation').frames
    thick = sum(int((frame.boxes[:, 2:].min(axis=1) >= 12).sum()) for frame in frames)
    assert 0 < thick < sum(len(frame.labels) for frame in frames)
    assert json.loads(out)['objects'] == thick
    assert 'that are ignored' in err
    assert load_detector(model).min_side == OnnxDetector(tmp_path / 'd.onnx').min_side == 12
    assert main(['evaluate', 'detection', '--data', str(toy), '--detector', str(model),
                 '--split', 'validation', '--json']) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)['objects'] == thick
    assert 'boxes thinner than 12 pixels' in err


@pytest.mark.parametrize(('words', 'text'), [
    (('--min-side', -1), '--min-side -1'), (('--crop', '16x64'), '--crop 16x64'),
    (('--minutes', 0), '--minutes 0'), (('--steps', 0), '--steps 0'),
    (('--batch', 0), '--batch 0'),
    (('--onnx', 'd.pt'), 'must end in'), (('--data', 'nowhere'), 'nowhere/annotations')])
def test_wrong_arguments_are_named(toy, tmp_path, words, text):
    with pytest.raises(UserError, match=text):
        call('--data', toy, '-o', tmp_path / 'm', '--work', tmp_path / 'w', *words)
    assert not (tmp_path / 'w').exists()
