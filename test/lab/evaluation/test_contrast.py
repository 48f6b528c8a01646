"""Objects whose contrast in SWIR is another one than in grey-scale."""

from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.contrast import contrast, differing, only
from rgb2swir_ros.lab.evaluation.detection import draw_precisions
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame, AnnotatedSet, with_min_side

BOXES = np.array([[10, 10, 20, 12], [50, 30, 8, 16], [0, 50, 5, 6]], np.float32)


def frame() -> AnnotatedFrame:
    return AnnotatedFrame(Path('a.png'), ('a.png',), (64, 80), BOXES, np.array([0, 1, 0]),
                          BOXES[:, 2:].prod(axis=1).astype(float), np.zeros(3, bool), 's', '', '')


def scene(values, ground=.2) -> np.ndarray:
    radiance = np.full((64, 80), ground, np.float32)
    for (left, top, width, height), value in zip(BOXES.astype(int), values, strict=True):
        radiance[top:top + height, left:left + width] = value
    return radiance


def test_contrast_is_the_ratio_to_the_surroundings_in_stops():
    radiance = scene([.83, .2, .095])
    assert [contrast(radiance, box) for box in BOXES] == pytest.approx([2, 0, -1], abs=1e-3)
    # the corners of a box belong to what is behind it
    radiance[10:12, 10:30] = .2
    assert contrast(radiance, BOXES[0]) > 1.9


def test_an_object_as_large_as_the_frame_has_none():
    assert contrast(np.full((20, 20), .5, np.float32), np.array([0, 0, 20, 20])) == 0


def test_objects_differ_by_a_factor_of_two_either_way():
    grey = scene([.2, .2, .2])
    assert differing(frame(), scene([.45, .35, .09]), grey).tolist() == [True, False, True]
    # the same contrast in another light is none that differs
    assert not differing(frame(), scene([.4, .4, .4], .1), scene([.8, .8, .8], .2)).any()


def test_only_the_chosen_objects_count():
    corners = np.concatenate([BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]], axis=1)
    found = [Detections(corners[:2], np.array([.9, .8], np.float32), np.array([0, 1]))]
    whole = draw_precisions([frame()], found, ('car', 'person'))
    chosen = only([frame()], [np.array([True, False, False])])
    part = draw_precisions(chosen, found, ('car', 'person'))
    assert whole.mean(0)[0] == pytest.approx((.5 + 1) / 2, abs=.01)
    assert part.mean(0)[0] == pytest.approx(1)  # the detection of the other object is no fault


def test_thin_boxes_become_ignore_regions():
    annotated = AnnotatedSet((frame(),), ('car', 'person'))
    assert with_min_side(annotated, 6).frames[0].ignored.tolist() == [False, False, True]
    assert not with_min_side(annotated, 5).frames[0].ignored.any()
    assert not annotated.frames[0].ignored.any()
