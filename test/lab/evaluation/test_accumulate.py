"""Average precision equals pycocotools', on the whole set and on resampled ones."""

import numpy as np
import pytest

from rgb2swir_ros.lab.evaluation.accumulate import (
    AREAS,
    average_precisions,
    coco_evaluation,
    match,
    precision,
)

from .boxes import CLASSES, perfect, random_set


def theirs(frames, found):
    """Return AP (classes, areas, T) by COCOeval's own accumulation."""
    evaluation = coco_evaluation(frames, found, len(CLASSES))
    evaluation.accumulate()
    values = evaluation.eval['precision'][..., -1]  # (T, R, K, A)
    values = np.where(values < 0, np.nan, values)
    return values.mean(axis=1).transpose(1, 2, 0)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('decimals', [6, 1])
def test_equals_pycocotools_on_the_full_set(seed, decimals):
    frames, found = random_set(seed, decimals=decimals)
    ours = average_precisions(match(frames, found, len(CLASSES)), np.ones(len(frames)))
    assert ours.shape == (len(CLASSES), len(AREAS), 10)
    assert .05 < np.nanmean(ours) < .95
    np.testing.assert_allclose(ours, theirs(frames, found), atol=1e-12)


@pytest.mark.parametrize('seed', range(3))
def test_weights_equal_repeated_images(seed):
    frames, found = random_set(seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(frames))
    again = np.repeat(np.arange(len(frames)), weights)
    ours = average_precisions(match(frames, found, len(CLASSES)), weights.astype(float))
    np.testing.assert_allclose(
        ours, theirs([frames[k] for k in again], [found[k] for k in again]), atol=1e-12)


def test_many_false_detections_cost_nothing_of_the_figure():
    """As detectors find them: most match nothing, in every frame and at every score."""
    frames, found = random_set(3)
    rng = np.random.default_rng(0)
    more = []
    for one in found:
        corner, side = rng.uniform(0, 150, (40, 2)), rng.uniform(4, 50, (40, 2))
        more.append(type(one)(
            np.concatenate([one.boxes, np.concatenate([corner, corner + side], axis=1)]),
            np.concatenate([one.scores, rng.uniform(0, 1, 40)]),
            np.concatenate([one.labels, rng.integers(0, len(CLASSES), 40)])))
    table = match(frames, more, len(CLASSES))
    steps, matches = table[0][0].steps, table[0][0]
    assert 0 < steps.hit.shape[1] < .5 * matches.hit.shape[1]
    assert len(steps.others) > 0
    ours = average_precisions(table, np.ones(len(frames)))
    np.testing.assert_allclose(ours, theirs(frames, more), atol=1e-12)
    assert np.nanmean(ours) < np.nanmean(theirs(frames, found))


def test_without_detections_precision_is_zero():
    frames, found = random_set(0)
    nothing = [type(d)(d.boxes[:0], d.scores[:0], d.labels[:0]) for d in found]
    values = average_precisions(match(frames, nothing, len(CLASSES)), np.ones(len(frames)))
    assert np.nanmax(values) == 0


def test_perfect_detections_are_perfect():
    frames, _ = random_set(0, crowds=0)
    values = average_precisions(match(frames, perfect(frames), len(CLASSES)),
                                np.ones(len(frames)))
    assert np.nanmin(values) == pytest.approx(1)


def test_no_object_is_no_figure():
    frames, found = random_set(0)
    matches = match(frames, found, len(CLASSES) + 1)
    assert precision(matches[3][0], np.ones(len(frames))) is None
    assert precision(matches[0][0], np.zeros(len(frames))) is None
