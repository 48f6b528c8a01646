"""Judging scenes, and the figures over them: rows, differences, intervals, marked pairs."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.evaluation.pairs import evaluation, summary
from rgb2swir_ros.lab.evaluation.pairs.boxes import MarkedBoxes, MarkedFrame
from rgb2swir_ros.lab.evaluation.pairs.evaluation import Judge
from rgb2swir_ros.lab.evaluation.pairs.frames import JudgedFrame
from rgb2swir_ros.lab.evaluation.pairs.references import GREY, grey_scale
from rgb2swir_ros.lab.evaluation.pairs.report import difference, pairs_table, write_sheet
from rgb2swir_ros.lab.evaluation.pairs.summary import draw_frames, summarise

from .drawn import everywhere, texture

LEFT, RIGHT = (0., 0., .45, 1.), (.55, 0., .99, 1.)


def frame(scene: str, number: int) -> JudgedFrame:
    """A frame whose red is the truth, and whose grey is its negative."""
    truth = .35 * texture(number)
    truth[:, 128:] = .3 * truth[:, 128:] + .2  # the right half is the brighter one
    red = (255 * truth ** (1 / 2.2)).astype(np.uint8)
    rgb = np.stack([red, 255 - red, 255 - red], axis=2)
    return JudgedFrame(f'{scene}/{number:04d}', scene, number, rgb, truth, everywhere(truth), 60)


def red(rgb):
    return np.power(rgb[..., 0] / 255, 2.2).astype(np.float32)


def soft(rgb):
    return cv2.GaussianBlur(red(rgb), (0, 0), 3)


ROWS = {GREY: grey_scale, 'right': red, 'soft': soft}
BOXES = MarkedBoxes({'a/0001': MarkedFrame({'road': LEFT, 'tree': RIGHT}, (('road', 'tree'),))})


@pytest.fixture(scope='module')
def judged():
    judge = Judge(ROWS, boxes=BOXES, shown=['a/0001', 'b/0003'])
    for scene, numbers in (('a', range(3)), ('b', range(3, 5))):
        judge.scene(frame(scene, k) for k in numbers)
    return judge.result


def test_each_row_has_the_figures_it_was_drawn_for(judged):
    result = summarise(judged, 'right', resamples=50)
    right, wrong = result.rows['right'], result.rows[GREY]
    assert right.figures['whole'].value > .99
    assert right.figures['psnr'].value > 35
    assert right.figures['ssim'].value > .98
    assert wrong.figures['whole'].value < -.9
    assert wrong.figures['psnr'].value < 18
    assert result.rows['soft'].figures['edges'].value < .8
    assert (right.boxes, right.hard, wrong.boxes, wrong.hard) == ((1, 1), (1, 1), (0, 1), (0, 1))
    assert right.minus_first == {}
    assert wrong.minus_first['whole'].value == pytest.approx(
        wrong.figures['whole'].value - right.figures['whole'].value)
    assert result.rows['soft'].minus_first['edges'].value < -.2
    assert np.isnan(right.frechet)
    assert (result.frames, result.scenes) == (5, 2)


def test_intervals_are_of_scenes_or_of_blocks_of_one_drive_and_none_of_few(judged):
    two = draw_frames(judged.frames, 10., 50, 0)
    assert len(two[0].counts) == 0
    assert two[1] == 'no intervals: 2 scenes, which is less than 8'

    def of(count, rate, scenes=1):
        frames = [type(judged.frames[0])(str(k), str(k % scenes), k, {}) for k in range(count)]
        return draw_frames(frames, rate, 50, 0)

    assert of(400, None)[1] == 'no intervals: one scene; --rate gives blocks of it'
    assert of(340, 10)[1] == ('no intervals: 7 blocks of 5 seconds of one drive, which is less '
                              'than 8')
    draws, said = of(400, 10)
    assert said == 'intervals: 95 %, 50 resamples of 8 blocks of 5 seconds of one drive'
    assert (draws.weights().sum(axis=1) == 400).all()
    assert of(400, 10, 9)[1] == 'intervals: 95 %, 50 resamples of 9 scenes'


def test_differences_are_paired():
    """Scenes that differ much among each other, rows that differ little."""
    judge = Judge({GREY: grey_scale, 'soft': soft, 'nearly': lambda rgb: cv2.GaussianBlur(
        red(rgb), (0, 0), 3.2)})
    for k in range(9):
        judge.scene([frame(f's{k}', k)])
    row = summarise(judge.result, 'soft', resamples=100).rows['nearly']
    own, minus = row.figures['edges'], row.minus_first['edges']
    assert minus.high - minus.low < .5 * (own.high - own.low)
    assert minus.value < 0


def test_the_frechet_distance_needs_frames(lively, monkeypatch):
    monkeypatch.setattr(summary, 'MIN_FRAMES', 6)
    judge = Judge(ROWS, network=load_detector(lively).network)
    judge.scene(frame('a', k) for k in range(6))
    rows = summarise(judge.result, 'right', resamples=20).rows
    assert rows['right'].frechet < rows['soft'].frechet
    assert rows['right'].frechet < .05 * rows[GREY].frechet
    judge.result.frames.pop()
    assert np.isnan(summarise(judge.result, 'right', resamples=20).rows['soft'].frechet)


def test_a_long_drive_keeps_planes_of_some_frames_alone(monkeypatch):
    monkeypatch.setattr(evaluation, 'KEPT', 2)
    judge = Judge(ROWS)
    judge.scene((frame('a', k) for k in range(4)), 4)
    rows = [f.rows['soft'] for f in judge.result.frames]
    assert [bool(np.isfinite(row.psnr)) for row in rows] == [True, False, True, False]
    assert all(np.isfinite(row.scores.whole) for row in rows)
    result = summarise(judge.result, 'soft', resamples=20).rows['soft'].figures
    assert result['psnr'].value == pytest.approx(np.mean([rows[0].psnr, rows[2].psnr]))


def test_table_names_rows_figures_and_why_there_is_no_interval(judged):
    text = pairs_table(summarise(judged, 'right', resamples=50), 'right')
    lines = text.splitlines()
    assert lines[0] == '5 frames of 2 scenes; no intervals: 2 scenes, which is less than 8'
    assert lines[1].split() == ['grey-scale', 'right', 'soft']
    assert [line.split() for line in lines if ' of 1' in line] == [
        ['pairs', 'in', 'order', *['0', 'of', '1', '1', 'of', '1', '1', 'of', '1']],
        ['grey-scale', 'wrong', *['0', 'of', '1', '1', 'of', '1', '1', 'of', '1']]]
    assert 'minus right' in text
    assert 'No Frechet distance: it needs 40 frames.' in text
    assert all(len(line) < 110 for line in lines)


def test_sheet_shows_source_truth_rows_and_differences(judged, tmp_path):
    assert [row.name for row in judged.shown] == ['a/0001', 'b/0003']
    write_sheet(tmp_path / 'sheet.png', judged.shown)
    sheet = cv2.imread(str(tmp_path / 'sheet.png'))
    assert sheet.shape == (30 + 2 * 240, 8 * 320, 3)
    tiles = [sheet[30:270, k * 320:(k + 1) * 320].astype(int) for k in range(8)]
    assert np.abs(tiles[1] - tiles[4]).mean() < 6      # true SWIR and the right row
    assert tiles[5].min(axis=2).mean() > 235           # its difference is nearly white
    assert tiles[3].min(axis=2).mean() < 200           # that of the negative is not


def test_a_difference_is_red_where_too_bright_and_blue_where_too_dark():
    made, truth = np.array([[.5, .3, .8]], np.float32), np.array([[.5, .6, .4]], np.float32)
    shown = difference(made, truth, np.array([[True, True, True]]))[0].tolist()
    assert shown[0] == [255, 255, 255]
    assert shown[1][2] == 255
    assert shown[1][0] < 120
    assert shown[2][0] == 255
    assert shown[2][2] < 60
    assert not difference(made, truth, np.zeros((1, 3), bool)).any()
