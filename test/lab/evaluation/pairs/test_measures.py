"""Rank correlations and edges on frames whose figures are known by construction."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.evaluation.pairs.measures import (
    COARSE,
    MEASURES,
    MaskedBlur,
    Ranks,
    Truth,
    edge_agreement,
    mean_ranks,
    score_frame,
)

from .drawn import everywhere, texture


def rank_correlation(a, b, mask):
    return Ranks(b, mask).correlation(a)


def test_equal_values_share_their_mean_rank():
    assert mean_ranks(np.array([3., 1., 3., 2.])).tolist() == [2.5, 0, 2.5, 1]


def test_a_monotone_curve_changes_no_rank_and_a_negative_turns_them():
    truth = texture()
    mask = everywhere(truth)
    assert rank_correlation(truth ** 3, truth, mask) == pytest.approx(1)
    assert rank_correlation(1 - truth, truth, mask) == pytest.approx(-1)


def test_rank_correlation_is_spearmans():
    """Without ties: 1 - 6 sum(d^2) / (n (n^2 - 1))."""
    rng = np.random.default_rng(0)
    a, b = (rng.permutation(400).astype(np.float32).reshape(20, 20) for _ in range(2))
    apart = np.square(a.ravel() - b.ravel(), dtype=np.float64).sum()
    assert rank_correlation(a, b, everywhere(a)) == pytest.approx(
        1 - 6 * apart / (400 * (400 ** 2 - 1)))


def test_only_the_mask_counts_and_nothing_is_nan():
    truth = texture()
    prediction, mask = truth.copy(), everywhere(truth)
    prediction[:, :100] = np.random.default_rng(0).random((len(truth), 100))
    mask[:, :100] = False
    assert rank_correlation(prediction, truth, mask) == pytest.approx(1)
    assert rank_correlation(prediction, truth, ~mask) < .2
    assert np.isnan(rank_correlation(truth, truth, np.zeros_like(mask)))
    assert np.isnan(rank_correlation(np.ones_like(truth), truth, mask))


def test_a_blur_does_not_mix_in_what_is_masked():
    plane = np.ones((64, 64), np.float32)
    mask = everywhere(plane)
    plane[:, 40:], mask[:, 40:] = 9, False
    assert MaskedBlur(mask, 3)(plane)[:, :40] == pytest.approx(1, abs=1e-5)


def test_coarse_sees_materials_and_no_detail():
    """Detail of its own on every surface halves the rank correlation and leaves the coarse one."""
    truth = cv2.resize(np.random.default_rng(0).random((5, 7), np.float32), (640, 480),
                       interpolation=cv2.INTER_NEAREST)
    detail = np.random.default_rng(1).normal(0, .4, truth.shape).astype(np.float32)
    mask = everywhere(truth)
    assert rank_correlation(truth + detail, truth, mask) < .65
    blur = MaskedBlur(mask, mask.shape[1] / COARSE)
    assert rank_correlation(blur(truth + detail), blur(truth), mask) > .95


def test_edges_agree_over_a_shift_and_not_after_a_blur_or_in_another_picture():
    truth = texture()
    mask = everywhere(truth)
    shifted = np.roll(truth, (5, -6), (0, 1))
    soft = cv2.GaussianBlur(truth, (0, 0), 3)
    assert edge_agreement(truth ** 1, truth, mask) == pytest.approx(1, abs=1e-4)
    assert edge_agreement(shifted, truth, mask) > .98
    assert edge_agreement(soft, truth, mask) < .75
    assert edge_agreement(texture(1), truth, mask) < .5
    assert edge_agreement(np.full_like(truth, .4), truth, mask) == 0
    assert np.isnan(edge_agreement(truth, np.full_like(truth, .4), mask))


def test_a_tile_at_the_masks_edge_does_not_count():
    truth = texture()
    prediction, mask = truth.copy(), everywhere(truth)
    prediction[:, :60], mask[:, 70] = texture(1)[:, :60], False
    assert edge_agreement(prediction, truth, everywhere(truth)) < .9
    assert edge_agreement(prediction, truth, mask) == pytest.approx(1, abs=1e-4)


def test_a_frames_figures_tell_sky_from_ground():
    """A sky in the right order over a ground in the wrong one."""
    truth = np.tile(np.linspace(.1, .9, 256, dtype=np.float32), (192, 1))
    prediction = truth.copy()
    prediction[96:] = 1 - truth[96:]
    scores = score_frame(prediction, truth, everywhere(truth), 96)
    assert scores.whole == pytest.approx(0, abs=.01)
    assert scores.coarse == pytest.approx(0, abs=.01)
    assert scores.below == pytest.approx(-1)
    assert scores.coarse_below == pytest.approx(-1, abs=1e-3)
    assert dict(zip(MEASURES, scores.values(), strict=True))['below'] == scores.below


def test_predictions_of_one_frame_share_what_is_prepared():
    truth = texture()
    mask = everywhere(truth)
    mask[:30] = False
    prepared = Truth(truth, mask, 90)
    for prediction in (texture(1), cv2.GaussianBlur(truth, (0, 0), 4)):
        scores = prepared.score(prediction)
        assert scores == score_frame(prediction, truth, mask, 90)
        root = np.sqrt(prediction + np.float32(1e-6))
        assert scores.whole == rank_correlation(root, truth, mask)
