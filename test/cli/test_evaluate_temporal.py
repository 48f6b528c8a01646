"""``rgb2swir evaluate temporal`` as a user calls it."""

import argparse
import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import evaluate_temporal
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.temporal import Record, Track
from rgb2swir_ros.lab.evaluation.temporal_report import CAPTION, SLICE_WIDTH, write_slices

from ..lab.evaluation.clips import write_sequences
from ..lab.evaluation.test_sequences import pan, write_video
from ..lab.evaluation.tiny import save_tiny


def call(*words):
    parser = argparse.ArgumentParser()
    evaluate_temporal.configure(parser)
    return evaluate_temporal.run(parser.parse_args([*map(str, words), '--resamples', '20']))


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder of still sequences, one of moving ones, and one with a video."""
    folder = tmp_path_factory.mktemp('data')
    write_sequences(folder / 'still', 2, 3, still=True)
    write_sequences(folder / 'moving', 2, 3)
    (folder / 'videos').mkdir()
    write_video(folder / 'videos' / 'drive.avi', pan(5))
    return folder


def test_report_of_all_kinds(data, tmp_path, capsys):
    model = save_tiny(tmp_path / 'tiny')
    out = tmp_path / 'out'
    assert call('--model', model, '--model', 'grey', '--data', data / 'still', data / 'moving',
                '--videos', data / 'videos', '--frames', 3, '-o', out) == 0
    text, progress = capsys.readouterr()
    assert text.strip() == (out / 'table.txt').read_text().strip()
    assert '5 clips, 15 frames' in progress
    assert '15/15 frames' in progress
    for part in ('Nothing moves', 'true flow', 'An estimate', 'in quiet places', str(model)):
        assert part in text
    figures = json.loads((out / 'temporal.json').read_text())
    assert figures['models'][str(model)]['calls'] == 1
    assert figures['models'][str(model)]['milliseconds'] > 0
    assert figures['moving']['rows']['true SWIR']['ratio']['value'] == 1
    assert figures['still']['rows']['grey']['ratio']['value'] == pytest.approx(1)
    assert figures['footage']['steps'] == 2
    assert set(figures['footage']['rows']) == {'RGB grey-scale', str(model), 'grey'}
    assert sorted(p.name for p in out.glob('[!.]*')) == [
        'over_time.png', 'slices.png', 'table.txt', 'temporal.json']
    assert cv2.imread(str(out / 'over_time.png')).std() > 10


def test_json_on_stdout(data, capsys):
    call('--model', 'grey', '--data', data / 'moving', '--json')
    figures = json.loads(capsys.readouterr().out)
    assert figures['moving']['clips'] == 2
    assert 'still' not in figures


def test_flicker_is_seen_as_level_stripes(tmp_path):
    """A row that brightens in every second frame: stripes across, none along."""
    ramp = np.linspace(.2, .6, 64, dtype=np.float32)
    steady = Track(rows=[ramp] * 30)
    bad = Track(rows=[ramp + .2 * (k % 2) for k in range(30)])
    write_slices(tmp_path / 's.png', [Record('clip', 'still', {'a': steady, 'b': bad},
                                             seen=[1.] * 29)])
    picture = cv2.imread(str(tmp_path / 's.png'), cv2.IMREAD_GRAYSCALE)[CAPTION:].astype(int)
    left, right = picture[:, :SLICE_WIDTH], picture[:, SLICE_WIDTH + 4:-4]
    assert np.abs(np.diff(left, axis=0)).max() == 0
    jumps = np.abs(np.diff(right, axis=0)).max(axis=1)
    assert (jumps > 40).sum() == 29
    assert left[0, 0] < left[0, -1]


@pytest.mark.parametrize(('words', 'text'), [
    ((), 'nothing to evaluate'), (('--data', 'nowhere'), 'holds no sequences; render some by'),
    (('--videos', 'nowhere.mp4'), 'no file or folder'),
    (('--videos', 'x.mp4', '--frames', '1'), '--frames 1'),
    (('--videos', 'x.mp4', '--seed', '-1'), '--seed -1')])
def test_wrong_arguments_are_named(words, text):
    with pytest.raises(UserError, match=text):
        call('--model', 'grey', *words)
