"""TensorBoard events: figures, pictures, right steps after a resume, and none without it."""

import sys
import time

import numpy as np
import pytest

from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.preset import AutoencoderTrainingConfig, Stage
from rgb2swir_ros.lab.training.tensorboard import TensorBoardWriter


@pytest.fixture
def read(tmp_path):
    """Return what TensorBoard would show of a tag: steps and values."""
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')

    def read(tag: str) -> list[tuple[int, float]]:
        events = accumulator.EventAccumulator(str(tmp_path))
        events.Reload()
        return [(event.step, event.value) for event in events.Scalars(tag)]
    return read


def test_after_a_resume_events_go_on_at_the_checkpoint(tmp_path, read):
    first = TensorBoardWriter(tmp_path, 0, print)
    for step in range(1, 5):
        first.scalars({'loss': 10.0 + step}, step)
    first.close()
    time.sleep(1.1)  # files are read by their names, which have the second: a resume is later
    resumed = TensorBoardWriter(tmp_path, 2, print)  # what was after the checkpoint is done again
    for step in range(3, 6):
        resumed.scalars({'loss': 20.0 + step}, step)
    resumed.close()
    assert read('loss') == [(1, 11), (2, 12), (3, 23), (4, 24), (5, 25)]


def test_figures_and_pictures_of_held_out_pairs(tmp_path, read, validator, make_translator):
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    training = AutoencoderTraining(make_translator(), AutoencoderTrainingConfig(
        (Stage('plain', 1, 1, 1e-3),)))
    writer = TensorBoardWriter(tmp_path, 0, print)
    validator.validate_subset(training, writer, 7)
    figures = validator.validate(training, writer, 9)
    writer.close()
    assert set(figures) == {'model', 'detail', 'autoencoder', 'zero_latent', 'foreign_latent'}
    assert read('held_out/psnr') == [(7, pytest.approx(figures['model'], abs=.01))]
    assert read('held_out/detail')[0][0] == 7
    assert read('stage_end/zero_latent') == [(9, pytest.approx(figures['zero_latent'], abs=.01))]
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    picture = events.Images('held_out/rgb_made_true')[0]
    assert picture.step == 7
    assert picture.width == 1920


def test_without_tensorboard_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch.utils.tensorboard', None)
    lines: list[str] = []
    writer = TensorBoardWriter(tmp_path / 'board', 0, lines.append)
    writer.scalars({'loss': 1.0}, 0)
    writer.picture('p', np.zeros((4, 4, 3), np.uint8), 0)
    writer.close()
    assert len(lines) == 1
    assert 'TensorBoard is not installed' in lines[0]
    assert not (tmp_path / 'board').exists()
