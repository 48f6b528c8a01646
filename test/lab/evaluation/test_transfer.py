"""Detectors trained on translated frames, tested on true ones."""

import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig
from rgb2swir_ros.lab.evaluation import transfer as module
from rgb2swir_ros.lab.evaluation.detection import draw_precisions
from rgb2swir_ros.lab.evaluation.models import Candidate
from rgb2swir_ros.lab.evaluation.transfer import (
    TRUE,
    TransferSettings,
    summarise,
    train_detectors,
    transfer,
    transfer_table,
    translated,
)
from rgb2swir_ros.lab.scenes.annotations import read_display_value, read_training

from .boxes import CLASSES, perfect, random_set


def blank(rgb):
    return np.full(rgb.shape[:2], .25, np.float32)


def test_detectors_learn_from_what_models_make_and_are_tested_on_truth(toy, tmp_path, monkeypatch):
    seen = []
    train = module.train_on_frames
    monkeypatch.setattr(module, 'train_on_frames', lambda frames, *rest, **more: (
        seen.append(frames.frames[0].path), train(frames, *rest, **more))[1])
    settings = TransferSettings(toy, tmp_path / 'out', 2, DetectorTrainingConfig(2, batch=2), 20)
    models = [Candidate('./models/blank', 0, blank), Candidate('grey', 0, blank)]
    lines = []
    results = transfer(settings, models, ['a', 'b'], lines.append)
    assert [result.name for result in results] == [TRUE, 'blank', 'grey']
    true = read_training(toy).frames[0]
    made = [tmp_path / 'out' / 'frames' / name / true.names[0] for name in ('blank', 'grey')]
    assert seen == [true.path, *made] * 2  # after half of the work there is one of each to judge
    assert np.allclose(read_display_value(made[0]), .25 ** (1 / 2.2), atol=1e-4)
    assert all(len(result.by_seed) == 2 for result in results)
    assert not results[0].to_true
    assert not results[-1].to_last

    made[0].unlink()  # as after a kill
    again = transfer(settings, models, ['a', 'b'], lines.append)
    assert made[0].exists()
    assert len(seen) == 6  # nothing is trained again
    assert [a.by_seed for a in again] == [b.by_seed for b in results]
    with pytest.raises(UserError, match=r'frames of another model than .*blank'):
        transfer(settings, models, ['c', 'b'], lines.append)
    with pytest.raises(UserError, match=r'true_SWIR_seed0.*another training'):
        transfer(replace(settings, training=DetectorTrainingConfig(3, batch=2)), models,
                 ['a', 'b'], lines.append)
    with pytest.raises(UserError, match='two sources are called grey'):
        transfer(settings, [models[1], Candidate('x/grey', 0, blank)], ['b', 'd'], lines.append)


def test_further_detectors_can_be_trained_from_seeds_of_their_own(toy, tmp_path, monkeypatch):
    configs, train = [], module.train_on_frames
    monkeypatch.setattr(module, 'train_on_frames', lambda *given, **more: (
        configs.append(given[-1]), train(*given, **more))[1])
    settings = TransferSettings(toy, tmp_path / 'out', 2, DetectorTrainingConfig(1, batch=1), 20,
                                first_seed=3)
    found = train_detectors(settings, [], [], lambda _line: None)
    assert [config.seed for config in configs] == [3, 4]
    assert [folder.name for folder in found[TRUE]] == ['true_SWIR_seed3', 'true_SWIR_seed4']


def test_what_another_run_trains_is_left_to_it(toy, tmp_path, monkeypatch):
    settings = TransferSettings(toy, tmp_path / 'out', 2, DetectorTrainingConfig(1, batch=1), 20)
    trained, lines = [], []
    train = module._train

    def noted(settings, name, frames, seed, log):
        trained.append((name, seed))
        if trained == [(TRUE, 0)]:  # meanwhile the second run begins; it takes what is free
            thread.start()
            assert others.wait(60)
        return train(settings, name, frames, seed, log)

    def note(line):
        lines.append(line)
        if 'waiting for it' in line:
            others.set()

    others, found = threading.Event(), []
    thread = threading.Thread(
        target=lambda: found.append(train_detectors(settings, [], [], note)))
    monkeypatch.setattr(module, '_train', noted)
    mine = train_detectors(settings, [], [], lines.append)
    thread.join(60)
    assert found == [mine]
    assert [folder.name for folder in mine[TRUE]] == ['true_SWIR_seed0', 'true_SWIR_seed1']
    assert sum('training a detector on true SWIR, seed 0' in line for line in lines) == 1
    assert sum('training a detector on true SWIR, seed 1' in line for line in lines) == 1
    assert 'true_SWIR_seed0: another run trains it; waiting for it' in lines


def test_frames_are_linear_pictures_of_sixteen_bits_under_the_names_of_the_true_ones(
        toy, tmp_path):
    frames = read_training(toy)
    made = translated(frames, toy, tmp_path, Candidate('m', 0, blank), 'id', lambda _line: None)
    assert [f.path.relative_to(tmp_path).as_posix() for f in made.frames] == [
        f.names[0] for f in frames.frames]
    pixels = cv2.imread(str(made.frames[3].path), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16
    assert np.unique(pixels).tolist() == [round(.25 * 65535)]
    assert (made.frames[3].boxes == frames.frames[3].boxes).all()


def test_sources_are_compared_in_pairs_and_seeds_are_averaged():
    frames, found = random_set(1)
    drawn = [draw_precisions(frames, one, CLASSES, resamples=40)
             for one in (perfect(frames), found)]
    true, half, last = summarise([TRUE, 'half', 'last'], [[drawn[0], drawn[0]], drawn,
                                                          [drawn[1]]])
    values = [one.mean(0)[0] for one in drawn]
    assert half.by_seed == pytest.approx(values)
    assert half.figures['map'].value == pytest.approx(np.mean(values))
    assert half.to_true['map'].value == pytest.approx(np.mean(values) / values[0])
    assert half.to_last['map'].value == pytest.approx(np.mean(values) - values[1])
    assert true.to_last['map'].low > 0  # perfect detections are better in every resample
    assert true.to_true == last.to_last == {}
    text = transfer_table([true, half, last], 'title')
    assert f'{half.figures["map"]}' in text
    assert 'less last' in text
    assert 'no set of real pairs with labels' in text
