"""The figures of detection: intervals from scenes, chance, counts, determinism."""

import dataclasses
import json

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.evaluation.detection import (
    Precisions,
    detect_files,
    evaluate_detections,
    shuffled,
)
from rgb2swir_ros.lab.evaluation.intervals import plain

from .boxes import CLASSES, perfect, random_set

RESAMPLES = 300  # steady to a tenth, in a sixth of the time of the default


def test_counts_and_figures_of_perfect_detections():
    frames, _ = random_set(1, crowds=0)
    result = evaluate_detections(frames, perfect(frames), CLASSES, resamples=20)
    assert result.map.value == result.map50.value == pytest.approx(1)
    assert result.map.low == pytest.approx(1)
    assert result.objects == sum(len(f.labels) for f in frames) == result.detections
    assert sum(result.by_area.values()) == result.objects
    assert result.by_area['small'] == sum((f.areas < 32 ** 2).sum() for f in frames)
    assert sum(result.by_class_objects.values()) == result.objects
    assert (result.images, result.scenes) == (30, 15)
    assert result.chance < .1


def test_chance_is_what_shuffling_leaves():
    frames, found = random_set(2, count=60)
    result = evaluate_detections(frames, found, CLASSES, resamples=20)
    assert result.map.value > .3
    assert result.chance < .05
    assert result.chance_small < .05


def test_intervals_hold_the_figure_and_follow_the_seed():
    frames, found = random_set(3, count=60)
    def evaluate(seed: int):
        return evaluate_detections(frames, found, CLASSES, seed=seed, resamples=RESAMPLES)

    result = evaluate(4)
    for figure in (result.map, result.small, *result.by_class.values()):
        assert figure.low < figure.value < figure.high
    assert result == evaluate(4)
    assert result.map != evaluate(5).map


def test_repeated_looks_do_not_narrow_the_interval():
    """Ten looks of a scene with the same outcome say no more than one."""
    frames, found = random_set(4, count=20, looks=1)
    def evaluate(frames, found):
        return evaluate_detections(frames, found, CLASSES, seed=1, resamples=RESAMPLES).map

    narrow = evaluate(frames, found)
    many = evaluate([f for f in frames for _ in range(10)], [d for d in found for _ in range(10)])
    assert many.high - many.low == pytest.approx(narrow.high - narrow.low, rel=.2)
    alone = [dataclasses.replace(f, scene=f'{k}-{i}') for k, f in enumerate(frames)
             for i in range(10)]
    wrong = evaluate(alone, [d for d in found for _ in range(10)])
    assert wrong.high - wrong.low < .6 * (narrow.high - narrow.low)


def test_shuffling_leaves_no_frame_its_own_scene():
    frames, found = random_set(5, count=13, looks=4)
    owner = {id(d): f.scene for f, d in zip(frames, found, strict=True)}
    for seed in range(5):
        moved = shuffled(frames, found, seed)
        assert sorted(map(id, moved)) == sorted(map(id, found))
        assert all(owner[id(d)] != f.scene for f, d in zip(frames, moved, strict=True))


def test_nothing_to_find_is_refused():
    frames, found = random_set(0)
    empty = [dataclasses.replace(f, boxes=f.boxes[:0], labels=f.labels[:0], areas=f.areas[:0],
                                 ignored=f.ignored[:0]) for f in frames]
    with pytest.raises(UserError, match='no object'):
        evaluate_detections(empty, found, CLASSES)


def test_json_has_no_nan():
    frames, found = random_set(0, count=12)
    result = evaluate_detections(frames, found, (*CLASSES, 'bicycle'), resamples=20)
    assert np.isnan(result.by_class['bicycle'].value)
    content = json.loads(json.dumps(plain(result), allow_nan=False))
    assert content['by_class']['bicycle']['value'] is None
    assert content['map']['value'] == pytest.approx(result.map.value, abs=1e-5)


def test_files_are_detected_in_order(toy, lively):
    from rgb2swir_ros.lab.scenes.annotations import read_annotations, read_display_value

    detector = load_detector(lively)
    frames = read_annotations(toy, 'test').frames
    found = detect_files(detector, frames, [f.path for f in frames])
    assert len(found) == 12
    alone = detector.detect([read_display_value(frames[7].path)])[0]
    assert np.array_equal(found[7].boxes, alone.boxes)
    assert len({d.boxes.tobytes() for d in found}) == 12


def test_without_resamples_there_is_a_mean_and_no_draw():
    """A bag too short for intervals has none."""
    made = Precisions([], np.full((2, 4, 10), .25), np.empty((0, 2, 4, 10)))
    whole, draws = made.mean(0)
    assert whole == .25
    assert draws.shape == (0,)
