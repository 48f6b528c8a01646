"""Suppression keeps the best of each object and class."""

import numpy as np

from rgb2swir_ros.lab.detector.decode import MAX_DETECTIONS, Detections, relabel, suppress

BOXES = np.array([[10, 10, 30, 30], [11, 10, 31, 30], [60, 10, 80, 30], [-10, 40, 20, 200]],
                 np.float32)


def test_the_better_of_two_alike_stays():
    scores = np.array([[.5, 0], [.9, 0], [.6, 0], [.3, 0]], np.float32)
    found = suppress(BOXES, scores, (100, 100))
    assert np.allclose(found.scores, [.9, .6, .3])
    assert found.boxes.tolist() == [[11, 10, 31, 30], [60, 10, 80, 30], [0, 40, 20, 100]]
    assert found.labels.tolist() == [0, 0, 0]


def test_classes_do_not_suppress_each_other():
    scores = np.array([[.5, .01], [.1, .9], [0, 0], [0, 0]], np.float32)
    found = suppress(BOXES, scores, (100, 100))
    assert found.labels.tolist() == [1, 0]  # .1 for class 0 gives way to .5, .01 is too low


def test_barely_overlapping_boxes_both_stay():
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10]], np.float32)
    assert len(suppress(boxes, np.array([[.9], [.8]], np.float32), (20, 20)).scores) == 2
    assert len(suppress(boxes, np.array([[.9], [.8]], np.float32), (20, 20),
                        overlap=.4).scores) == 1


def test_no_more_than_the_best_hundred_and_none_outside():
    rng = np.random.default_rng(0)
    corners = np.stack([np.arange(400) % 20 * 10, np.arange(400) // 20 * 10], axis=1)
    boxes = np.concatenate([corners, corners + 8], axis=1).astype(np.float32)
    scores = rng.uniform(.1, 1, (400, 1)).astype(np.float32)
    found = suppress(boxes, scores, (200, 200))
    assert found.scores.tolist() == sorted(scores[:, 0].tolist(), reverse=True)[:MAX_DETECTIONS]
    assert len(suppress(boxes + 300, scores, (200, 200)).scores) == 0


def test_relabelling_goes_by_name():
    found = Detections(BOXES, np.array([.9, .8, .7, .6], np.float32), np.array([0, 1, 2, 1]))
    other = relabel(found, ('dog', 'car', 'bus'), ('bus', 'truck', 'car'))
    assert other.labels.tolist() == [2, 0, 2]
    assert np.allclose(other.scores, [.8, .7, .6])
    assert other.boxes.tolist() == BOXES[1:].tolist()
