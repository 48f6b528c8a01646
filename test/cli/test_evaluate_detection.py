"""``rgb2swir evaluate detection`` as a user calls it."""

import argparse
import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import evaluate_detection
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import TorchDetector, save_detector
from rgb2swir_ros.lab.detector.network import Detector, DetectorConfig
from rgb2swir_ros.lab.detector.onnx import export_onnx
from rgb2swir_ros.lab.scenes.annotations import read_annotations

from ..lab.evaluation.tiny import save_tiny


def call(*words):
    parser = argparse.ArgumentParser()
    evaluate_detection.configure(parser)
    return evaluate_detection.run(parser.parse_args([*map(str, words), '--resamples', '20']))


def test_report_of_the_true_frames(toy, lively, tmp_path, capsys):
    assert call('--data', toy, '--detector', lively, '-o', tmp_path) == 0
    text = capsys.readouterr().out
    assert text.strip() == (tmp_path / 'table.txt').read_text().strip()
    assert 'true SWIR, split test' in text
    figures = json.loads((tmp_path / 'detection.json').read_text())
    assert figures['images'] == 12
    assert f"{figures['map']['value']:.3f} [" in text
    assert sorted(p.name for p in tmp_path.glob('[!.]*')) == [
        'boxes.png', 'curves.png', 'detection.json', 'table.txt']


def test_translated_frames_are_what_is_judged(toy, lively, tmp_path, capsys, monkeypatch):
    for frame in read_annotations(toy, 'test').frames:
        target = tmp_path / frame.names[1]
        target.parent.mkdir(exist_ok=True)
        deep = cv2.imread(str(frame.path), cv2.IMREAD_UNCHANGED) / 65535
        cv2.imwrite(str(target), np.round(255 * deep ** (1 / 2.2)).astype(np.uint8))
    seen = []
    original = TorchDetector.detect
    monkeypatch.setattr(TorchDetector, 'detect', lambda self, display_values: (
        seen.extend(display_values), original(self, display_values))[1])
    for more in ((), ('--images', tmp_path)):
        assert call('--data', toy, '--detector', lively, '--json', *more) == 0
    assert f'"shown": "{tmp_path}"' in capsys.readouterr().out
    assert len(seen) == 24
    for true, translated in zip(seen[:12], seen[12:], strict=True):
        assert 0 < np.abs(true - translated).max() < .01  # of 8 bits: not the true frames again


def test_an_onnx_file_gives_the_same_figures(toy, lively, tmp_path, capsys):
    export_onnx(lively, tmp_path / 'd.onnx', (64, 96))
    results = []
    for detector in (lively, tmp_path / 'd.onnx'):
        call('--data', toy, '--detector', detector, '--json')
        results.append(json.loads(capsys.readouterr().out))
    assert results[0]['map']['value'] == pytest.approx(results[1]['map']['value'], abs=1e-4)
    assert results[0]['detections'] == pytest.approx(results[1]['detections'], abs=3)


def test_classes_go_by_name(toy, tmp_path, capsys):
    save_detector(Detector(DetectorConfig(classes=('dog', 'bus'))), tmp_path / 'bus')
    call('--data', toy, '--detector', tmp_path / 'bus')
    assert 'does not know car, truck, person, motorcycle, bicycle' in capsys.readouterr().err
    save_detector(Detector(DetectorConfig(classes=('dog',))), tmp_path / 'dog')
    with pytest.raises(UserError, match=r'finds dog.*no class is common'):
        call('--data', toy, '--detector', tmp_path / 'dog')


@pytest.mark.parametrize(('words', 'text'), [
    (('--seed', '-1'), '--seed -1'), (('--detector', 'nothing'), "no model 'nothing'"),
    (('--detector', 'nothing.onnx'), 'no file nothing'),
    (('--images', 'nowhere'), '12 of 12 pictures are missing in nowhere'),
    (('--images', 'nowhere', '--model', 'grey'), '--images and --model')])
def test_wrong_arguments_are_named(toy, words, text):
    with pytest.raises(UserError, match=text):
        call('--data', toy, *words)


def test_models_are_set_beside_the_true_frames(toy, lively, tmp_path, capsys):
    tiny = save_tiny(tmp_path / 'tiny', stage='teacher')
    assert call('--data', toy, '--detector', lively, '--model', 'grey', '--model', tiny,
                '--teacher-steps', 3, '-o', tmp_path / 'out') == 0
    out, err = capsys.readouterr()
    assert out.strip() == (tmp_path / 'out' / 'table.txt').read_text().strip()
    assert '12 frames of the split test' in err
    assert 'grey: ' in out
    assert '3 calls of the denoiser' in out
    figures = json.loads((tmp_path / 'out' / 'detection.json').read_text())
    assert [(m['name'], m['calls']) for m in figures['models']] == [('grey', 0), (str(tiny), 3)]
    table = (tmp_path / 'out' / 'table.txt').read_text().splitlines()
    assert next(line for line in table if line.startswith('COCO mAP')).split()[-2:] == [
        'grey', 'tiny']
    assert figures['models'][1]['milliseconds'] > 0
    assert set(figures['models'][1]['to_first']) == {'map', 'map50', 'small', 'medium', 'large'}
    assert sorted(p.name for p in (tmp_path / 'out').glob('[!.]*')) == [
        'boxes.png', 'detection.json', 'table.txt']
    call('--data', toy, '--detector', lively, '--json')
    assert json.loads(capsys.readouterr().out)['map'] == figures['true']['map']
