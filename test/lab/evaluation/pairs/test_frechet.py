"""The Frechet distance against its closed form, and in the detector's features."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.lab.evaluation.pairs.frechet import describe, frechet_distance

from .drawn import everywhere, texture


def test_of_normal_distributions_it_is_the_closed_form():
    """Independent axes: sum of (difference of means)^2 + (difference of deviations)^2."""
    axes = np.random.default_rng(0).normal(size=(4000, 3))
    axes = (axes - axes.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(axes.T)).T)
    a, b = axes * [1, 2, 3] + [0, 0, 5], axes * [2, 2, 1] + [1, 0, 5]
    assert frechet_distance(a, b) == pytest.approx(1 + 1 + 4, rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_one_vector_is_no_distribution():
    with pytest.raises(ValueError, match='two vectors'):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))


def test_features_tell_blurred_frames_from_true_ones(lively):
    network = load_detector(lively).network
    frames = [texture(k) for k in range(6)]
    mask = everywhere(frames[0])
    mask[:, :40] = False

    def features(change):
        return np.concatenate([describe(network, change(f), mask) for f in frames])

    def hidden(frame):
        return np.where(mask, frame, 0)

    true = features(np.copy)
    assert true.shape == (6 * 16, 8)
    assert frechet_distance(true, features(hidden)) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(
        true, features(lambda f: cv2.GaussianBlur(f, (0, 0), 4))) > 1e-3
