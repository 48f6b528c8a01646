"""``rgb2swir train detector`` as a user calls it."""

import argparse
import json

import pytest

from rgb2swir_ros.cli.train_detector import configure, run
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.detector.onnx import OnnxDetector


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


@pytest.mark.parametrize(('words', 'text'), [
    (('--minutes', 0), '--minutes 0'), (('--steps', 0), '--steps 0'),
    (('--batch', 0), '--batch 0'),
    (('--onnx', 'd.pt'), 'must end in'), (('--data', 'nowhere'), 'nowhere/annotations')])
def test_wrong_arguments_are_named(toy, tmp_path, words, text):
    with pytest.raises(UserError, match=text):
        call('--data', toy, '-o', tmp_path / 'm', '--work', tmp_path / 'w', *words)
    assert not (tmp_path / 'w').exists()
