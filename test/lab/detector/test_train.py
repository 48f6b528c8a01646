"""Training learns, goes on exactly where it was killed, and refuses what does not fit."""

import json
import shutil
from dataclasses import replace

import cv2
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector import train
from rgb2swir_ros.lab.detector.data import CACHE_BYTES
from rgb2swir_ros.lab.detector.model import save_detector
from rgb2swir_ros.lab.detector.network import Detector, DetectorConfig
from rgb2swir_ros.lab.detector.train import DetectorTrainingConfig, schedule, train_detector
from rgb2swir_ros.lab.evaluation.detection import detect_files, evaluate_detections
from rgb2swir_ros.lab.scenes.annotations import read_annotations, read_training
from rgb2swir_ros.lab.training import trainer
from rgb2swir_ros.model_files import model_hash

from ..toy import write_toy


def silent(_line):
    """Say nothing."""


@pytest.mark.slow
def test_learns_shapes(tmp_path):
    toy = write_toy(tmp_path / 'toy', {'train': 96, 'test': 40}, (64, 96), looks=1,
                    sides=(8., 30.), most=3)
    detector = train_detector(toy, tmp_path / 'work', tmp_path / 'model',
                              DetectorTrainingConfig(steps=140, batch=8), log=silent)
    frames = read_annotations(toy, 'test').frames
    result = evaluate_detections(frames, detect_files(detector, frames, [f.path for f in frames]),
                                 detector.classes, resamples=20)
    assert result.map50.value > .2
    assert result.map50.value > 50 * result.chance


def test_killed_and_resumed_equals_uninterrupted(toy, tmp_path, monkeypatch):
    config = DetectorTrainingConfig(steps=5, batch=2, seed=3)
    whole = train_detector(toy, tmp_path / 'a', tmp_path / 'whole', config, log=silent)
    original, calls = train.detector_loss, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(train, 'detector_loss', interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_detector(toy, tmp_path / 'b', tmp_path / 'cut', config, save_every_s=0, log=silent)
    assert not (tmp_path / 'cut').exists()
    lines = []
    resumed = train_detector(toy, tmp_path / 'b', tmp_path / 'cut', config, log=lines.append)
    assert any('resuming stage 1 at step 3' in line for line in lines)
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(resumed.network.state_dict()[name], tensor), name
    with pytest.raises(UserError, match='another training'):
        train_detector(toy, tmp_path / 'b', tmp_path / 'cut',
                       DetectorTrainingConfig(steps=6, batch=2),
                       log=silent)


def test_a_training_goes_on_from_the_weights_of_another(toy, tmp_path):
    first = train_detector(toy, tmp_path / 'a', tmp_path / 'first',
                           DetectorTrainingConfig(steps=2, batch=1, min_side=4), log=silent)
    config = DetectorTrainingConfig(steps=1, batch=1, rate=1e-9, start=tmp_path / 'first')
    second = train_detector(toy, tmp_path / 'b', tmp_path / 'second', config, log=silent)
    for name, tensor in first.network.named_parameters():
        after = second.network.get_parameter(name)
        assert torch.allclose(after, tensor, atol=1e-3), name
    assert (first.min_side, second.min_side) == (4, 0)
    written = (tmp_path / 'second' / 'model.yaml').read_text()
    assert f"start: {model_hash(tmp_path / 'first')}" in written
    with pytest.raises(UserError, match=r'another training \(start: '):
        train_detector(toy, tmp_path / 'b', tmp_path / 'second', replace(config, start=None),
                       log=silent)


def test_a_detector_of_other_classes_is_no_start(toy, tmp_path):
    network = Detector(DetectorConfig(classes=('car', 'deer')))
    save_detector(network, tmp_path / 'other')
    config = DetectorTrainingConfig(steps=1, batch=1, start=tmp_path / 'other')
    with pytest.raises(UserError, match=r'other finds car, deer, but .* the same order'):
        train_detector(toy, tmp_path / 'w', tmp_path / 'm', config, log=silent)


def test_a_checkpoint_of_other_frames_is_refused_by_what_differs(toy, tmp_path):
    """Boxes and names of the frames are equal, their pictures are not."""
    config = DetectorTrainingConfig(steps=1, batch=1)
    data = tmp_path / 'data'
    shutil.copytree(toy, data)
    train_detector(data, tmp_path / 'w', tmp_path / 'm', config, log=silent)
    picture = read_annotations(data, 'train').frames[0].path
    display_value = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
    assert cv2.imwrite(str(picture), display_value // 2)
    with pytest.raises(UserError, match=r'another training \(data: files: '):
        train_detector(data, tmp_path / 'w', tmp_path / 'm', config, log=silent)
    with pytest.raises(UserError, match=r'plan: rate: 0\.0025 there, 0\.001 here'):
        train_detector(toy, tmp_path / 'w', tmp_path / 'm', replace(config, rate=.001), log=silent)


@pytest.mark.parametrize('key', ['scene', 'file_name'])
def test_a_scene_or_picture_of_train_in_another_split_is_refused(toy, tmp_path, key):
    shutil.copytree(toy / 'annotations', tmp_path / 'annotations')
    train, test = (tmp_path / 'annotations' / f'{split}.json' for split in ('train', 'test'))
    shared = json.loads(train.read_text())['images'][0][key]
    content = json.loads(test.read_text())
    content['images'][0][key] = shared
    test.write_text(json.dumps(content))
    with pytest.raises(UserError, match=f"'{shared}' is in train and in test"):
        train_detector(tmp_path, tmp_path / 'w', tmp_path / 'm', log=silent)


def test_minutes_become_steps(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, 'TIMED_STEPS', (1, 3))
    lines = []
    train_detector(toy, tmp_path / 'w', tmp_path / 'm',
                   DetectorTrainingConfig(minutes=.01, batch=1), log=lines.append)
    settled = next(line for line in lines if 'this stage gets' in line)
    steps = int(settled.split()[-2])
    assert steps >= 4
    assert f'{steps}/{steps} ' in ' '.join(lines)
    assert f'steps: {steps}' in (tmp_path / 'm' / 'model.yaml').read_text()


def test_data_without_objects_is_refused(toy, tmp_path):
    shutil.copytree(toy / 'annotations', tmp_path / 'annotations')
    path = tmp_path / 'annotations' / 'train.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'annotations': []}))
    with pytest.raises(UserError, match='no frame of the split train has an object'):
        train_detector(tmp_path, tmp_path / 'w', tmp_path / 'm', log=silent)


def test_schedule_warms_up_and_ends_low():
    values = [schedule(step, 4000) for step in range(4000)]
    assert values[0] < .01
    assert max(values) == pytest.approx(1, abs=.02)
    assert values.index(max(values)) == pytest.approx(train.WARM_UP, abs=2)
    assert values[-1] == pytest.approx(.02, abs=.001)


def test_the_processes_that_prepare_batches_share_the_memory_for_frames(toy, monkeypatch):
    limits = []
    monkeypatch.setattr(train, 'FrameCache', lambda _frames, limit: limits.append(limit))
    annotated = read_training(toy)
    for workers in (0, 4):
        monkeypatch.setattr(train, 'batch_workers', lambda _device, n=workers: n)
        train.FrameBatchSource(annotated, 0)
    assert limits == [CACHE_BYTES, CACHE_BYTES // 4]
