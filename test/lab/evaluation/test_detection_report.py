"""The report's parts: hits and misses, the working score, pictures, the table."""

import dataclasses

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.accumulate import match
from rgb2swir_ros.lab.evaluation.detection import evaluate_detections
from rgb2swir_ros.lab.evaluation.detection_report import (
    FALSE,
    FOUND,
    MISSED,
    contact_sheet,
    plot_curves,
    sort_out,
    table,
    working_score,
)
from rgb2swir_ros.lab.scenes.annotations import read_annotations

from ..toy import CLASSES as TOY_CLASSES
from .boxes import CLASSES, perfect, random_set


def test_each_object_is_hit_once_by_its_own_class():
    frame = dataclasses.replace(
        random_set(0)[0][0], boxes=np.array([[0, 0, 10, 10], [20, 20, 10, 10]], np.float32),
        labels=np.array([0, 1]), areas=np.array([100., 100.]), ignored=np.zeros(2, bool))
    found = Detections(
        np.array([[0, 0, 10, 10], [0, 0, 10, 11], [20, 20, 30, 30], [21, 20, 30, 30]], np.float32),
        np.array([.9, .8, .7, .1], np.float32), np.array([0, 0, 0, 1]))
    hit, taken = sort_out(frame, found, .5)
    assert hit.tolist() == [True, False, False, False]
    assert taken.tolist() == [True, False]
    hit, taken = sort_out(frame, found, .05)
    assert hit.tolist() == [True, False, False, True]
    assert taken.tolist() == [True, True]


def test_working_score_parts_right_from_wrong():
    frames, _ = random_set(0, crowds=0)
    found = [Detections(np.concatenate([d.boxes, d.boxes + 400]),
                        np.concatenate([d.scores, d.scores * .5 - .01]),
                        np.concatenate([d.labels, d.labels])) for d in perfect(frames)]
    score = working_score(match(frames, found, len(CLASSES)))
    assert .49 < score <= .51
    nothing = [Detections(d.boxes[:0], d.scores[:0], d.labels[:0]) for d in found]
    assert working_score(match(frames, nothing, len(CLASSES))) == .5


def test_sheet_shows_found_missed_and_false(toy, tmp_path):
    frames = read_annotations(toy, 'test').frames
    found = perfect(frames)
    found[0] = Detections(found[0].boxes[:0], found[0].scores[:0], found[0].labels[:0])
    stray = np.array([[80, 2, 92, 12]], np.float32)
    found[1] = Detections(np.concatenate([found[1].boxes, stray]), np.append(
        found[1].scores, np.float32(.9)), np.append(found[1].labels, 5))
    contact_sheet(tmp_path / 'boxes.png', frames, [f.path for f in frames], found, TOY_CLASSES, .3)
    sheet = cv2.imread(str(tmp_path / 'boxes.png'))[32:]  # without the legend
    height, width = sheet.shape[0] // 4, sheet.shape[1] // 3

    def shows(tile, colour):
        part = sheet[tile // 3 * height:, tile % 3 * width:][:height, :width]
        return bool((part == colour).all(axis=2).any())

    shown = [[shows(tile, colour) for colour in (FOUND, MISSED, FALSE)] for tile in range(3)]
    assert shown == [[False, True, False], [True, False, True], [True, False, False]]


def test_curves_and_table(tmp_path):
    frames, found = random_set(1)
    plot_curves(tmp_path / 'curves.png', match(frames, found, len(CLASSES)), CLASSES)
    assert cv2.imread(str(tmp_path / 'curves.png')).std() > 10
    assert [p.name for p in tmp_path.iterdir()] == ['curves.png']
    result = evaluate_detections(frames, found, CLASSES, resamples=20)
    text = table(result, 'title')
    assert text.startswith('title\n30 frames of 15 scenes')
    for part in (str(result.map), str(result.small), str(result.by_class['bus']),
                 f'{result.chance:.4f}', f'{result.by_area["large"]:>8}'):
        assert part in text


@pytest.mark.parametrize('nan', [True, False])
def test_chance_is_always_in_the_table(nan):
    frames, found = random_set(1, count=12)
    result = evaluate_detections(frames, found, CLASSES, resamples=20)
    if nan:
        result = dataclasses.replace(result, chance_small=float('nan'))
    assert 'by chance' in table(result, 'title')
