"""Models beside the true frames: pairs in every resample, the right pictures in each column."""

import dataclasses

import cv2
import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.evaluation.comparison import (
    MEASURES,
    Column,
    compare,
    differences,
    find_objects,
    ratios,
    shown_frames,
)
from rgb2swir_ros.lab.evaluation.comparison_report import (
    comparison_table,
    model_sheet,
    short_names,
)
from rgb2swir_ros.lab.evaluation.detection import detect_files, draw_precisions
from rgb2swir_ros.lab.evaluation.detection_report import FALSE, FOUND, MISSED
from rgb2swir_ros.lab.evaluation.models import Candidate, open_candidate
from rgb2swir_ros.lab.scenes.annotations import AnnotatedSet, read_annotations, rgb_paths

from .boxes import CLASSES, perfect, random_set


def without(found, share, seed=0):
    """Return the detections less a share of them."""
    rng = np.random.default_rng(seed)
    kept = [rng.random(len(d.scores)) >= share for d in found]
    return [Detections(d.boxes[k], d.scores[k], d.labels[k])
            for d, k in zip(found, kept, strict=True)]


def model(name='m', calls=1):
    return Candidate(name, calls, lambda rgb: np.zeros(rgb.shape[:2], np.float32))


def compared(frames, *found, **more):
    models = [model(f'm{k}') for k in range(len(found) - 1)]
    columns = [Column('x', f, {}) for f in found]
    return compare(AnnotatedSet(tuple(frames), CLASSES), columns, models, resamples=60, **more)


def test_equal_detections_have_ratio_one_and_no_difference():
    frames, found = random_set(1)
    first, second = compared(frames, found, found, found).models
    for name in MEASURES:
        figure = first.to_true[name]
        assert (figure.value, figure.low, figure.high) == (1, 1, 1)
        figure = second.to_first[name]
        assert (figure.value, figure.low, figure.high) == (0, 0, 0)
    assert first.to_first == {}


def test_what_misses_more_scores_less():
    frames, found = random_set(2, count=60)
    result = compared(frames, found, without(found, .5), without(found, .1))
    poor, good = result.models
    assert poor.to_true['map'].high < .8
    assert poor.to_true['map'].value < good.to_true['map'].value < 1
    assert good.to_first['map'].low > 0
    assert poor.figures.map.value / result.true.map.value == poor.to_true['map'].value
    assert poor.figures.small.value / result.true.small.value == poor.to_true['small'].value


def test_objects_that_look_otherwise_in_swir_have_figures_of_their_own():
    frames, _ = random_set(4, count=40, crowds=0)
    hits = perfect(frames)
    chosen = [np.arange(len(f.labels)) % 3 == 0 for f in frames]
    blind = [Detections(d.boxes[~k], d.scores[~k], d.labels[~k])
             for d, k in zip(hits, chosen, strict=True)]  # to those objects
    result = compared(frames, hits, blind, differing=chosen)
    part = result.differing
    assert part.objects == sum(int(k.sum()) for k in chosen)
    assert (part.true.value, part.models[0].value, part.to_true[0].value) == (1, 0, 0)
    assert result.models[0].to_true['map'].value > .5
    text = comparison_table(result, 't')
    assert 'otherwise in SWIR' in text
    assert text.count('minus') == 0
    nothing = compared(frames, hits, differing=[np.zeros_like(k) for k in chosen])
    assert nothing.differing is None
    assert 'otherwise' not in comparison_table(nothing, 't')


def test_pairs_make_intervals_narrow():
    """Drawn from other scenes than the true frames, the ratio is far less certain."""
    frames, found = random_set(3, count=60)
    drawn = draw_precisions(frames, found, CLASSES, resamples=200)
    own = draw_precisions(frames, without(found, .1), CLASSES, resamples=200)
    unpaired = draw_precisions(frames, without(found, .1), CLASSES, resamples=200, seed=1)
    for compare_ in (ratios, differences):
        narrow, wide = (compare_(o, drawn)['map'] for o in (own, unpaired))
        assert narrow.value == wide.value
        assert narrow.high - narrow.low < .6 * (wide.high - wide.low)


def test_nothing_found_in_true_frames_has_no_ratio():
    frames, found = random_set(1)
    nothing = [Detections(d.boxes[:0], d.scores[:0], d.labels[:0]) for d in found]
    result, = compared(frames, nothing, found).models
    assert np.isnan(result.to_true['map'].value)


def test_columns_hold_what_each_picture_shows(toy, lively):
    """The toy's RGB frames are its SWIR frames in 8 bits: grey-scale is nearly the truth."""
    annotated = read_annotations(toy, 'test')
    detector, calls = load_detector(lively), []

    def black(rgb):
        calls.append(rgb)
        return np.zeros(rgb.shape[:2], np.float32)

    pictures = rgb_paths(toy, annotated.frames)
    columns = find_objects(annotated, pictures, detector,
                           [open_candidate('grey'), Candidate('black', 1, black)])
    assert [c.name for c in columns] == ['true SWIR', 'grey', 'black']
    true = detect_files(detector, annotated.frames, [f.path for f in annotated.frames])
    for got, expected in zip(columns[0].found, true, strict=True):
        np.testing.assert_array_equal(got.boxes, expected.boxes)
    for k in shown_frames(12):
        difference = np.abs(columns[0].display_values[k] - columns[1].display_values[k])
        assert 0 < difference.max() < .01
        assert columns[2].display_values[k].max() == 0
    assert len(calls) == 13  # one to warm up


def test_models_get_rgb(toy, lively, tmp_path):
    annotated = read_annotations(toy, 'test')
    blue_green_red = np.zeros((64, 96, 3), np.uint8) + np.array([10, 20, 200], np.uint8)
    cv2.imwrite(str(tmp_path / 'red.png'), blue_green_red)
    seen = []
    find_objects(AnnotatedSet(annotated.frames[:1], annotated.classes), [tmp_path / 'red.png'],
                 load_detector(lively), [Candidate('eye', 1, lambda rgb: (
                     seen.append(rgb), np.zeros(rgb.shape[:2], np.float32))[1])])
    assert seen[0][0, 0].tolist() == [200, 20, 10]


def test_pictures_that_do_not_fit_are_named(toy, lively, tmp_path):
    annotated = read_annotations(toy, 'test')
    cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UserError, match=r'small\.png has 8x8 pixels'):
        find_objects(annotated, [tmp_path / 'small.png'] * 12, load_detector(lively), [])
    nameless = [dataclasses.replace(f, names=f.names[:1]) for f in annotated.frames]
    with pytest.raises(UserError, match='name no RGB pictures'):
        rgb_paths(toy, nameless)
    with pytest.raises(UserError, match='12 of 12 RGB pictures are missing'):
        rgb_paths(tmp_path, annotated.frames)


def test_table_has_every_model_and_section():
    frames, found = random_set(2)
    result = compared(frames, found, without(found, .5), without(found, .2))
    slow = dataclasses.replace(result.models[1], calls=50, milliseconds=812.34)
    text = comparison_table(dataclasses.replace(result, models=(result.models[0], slow)), 'title')
    assert text.startswith('title\n30 frames of 15 scenes')
    for part in ('over true SWIR', 'minus m0', 'by chance', 'AP, small, by class',
                 str(result.models[0].to_true['small']), str(result.models[1].to_first['map']),
                 str(result.true.by_class['bus']), 'm1: 812.3 ms, 50 calls of the denoiser'):
        assert part in text
    assert max(map(len, text.splitlines())) < 120


def test_one_model_is_not_compared_with_itself():
    frames, found = random_set(2)
    assert 'minus' not in comparison_table(compared(frames, found, found), 't')


def test_sheet_shows_boxes_in_the_column_of_each_model(toy, tmp_path):
    annotated = read_annotations(toy, 'test')
    frames = annotated.frames
    hits = perfect(frames)
    none = [Detections(d.boxes[:0], d.scores[:0], d.labels[:0]) for d in hits]
    corner = Detections(np.array([[80, 2, 92, 12]], np.float32), np.array([.9], np.float32),
                        np.array([5]))
    display_values = {k: np.full((64, 96), .5, np.float32) for k in shown_frames(12)}
    columns = [Column('true SWIR', hits, display_values), Column('blind', none, display_values),
               Column('wild', [corner] * 12, display_values)]
    model_sheet(tmp_path / 's.png', annotated, rgb_paths(toy, frames), columns, .3)
    sheet = cv2.imread(str(tmp_path / 's.png'))[64:]  # without legend and titles
    assert sheet.shape == (6 * 320, 4 * 480, 3)

    def shows(column, colour):
        part = sheet[:, column * 480:(column + 1) * 480]
        return bool((part == colour).all(axis=2).any())

    seen = [[shows(c, colour) for colour in (FOUND, MISSED, FALSE)] for c in range(4)]
    assert seen == [[False] * 3, [True, False, False], [False, True, False], [False, True, True]]


def test_columns_have_the_names_of_folders_where_those_differ():
    assert short_names(['true SWIR', 'out/a/models/student', 'grey']) == [
        'true SWIR', 'student', 'grey']
    assert short_names(['out/a/nano', 'nano']) == ['out/a/nano', 'nano']
