"""The monotone curve of a sequence, PSNR and SSIM after it."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.evaluation.pairs.curves import fit_curve, isotonic, psnr, ssim

from .drawn import everywhere, texture


def test_isotonic_values_pool_what_falls():
    assert isotonic(np.array([1., 3, 2, 4]), np.ones(4)).tolist() == [1, 2.5, 2.5, 4]
    assert isotonic(np.array([3., 0]), np.array([1., 2])).tolist() == [1, 1]
    assert isotonic(np.array([4., 3, 2, 1]), np.ones(4)).tolist() == [2.5] * 4


def test_exposure_and_tone_curve_cost_nothing_and_a_negative_much():
    truth = texture()
    mask = everywhere(truth)

    def after_curve(prediction):
        curve = fit_curve([(prediction, truth, mask)])
        pair = curve.prediction(prediction), curve.truth(truth)
        return psnr(*pair, mask), ssim(*pair, mask)

    bent, negative = after_curve(.2 * truth ** 1.7), after_curve(1 - truth)
    assert bent[0] > 45
    assert bent[1] > .99
    assert negative[0] < 17  # the best non-decreasing curve is flat: the truth's own spread
    assert negative[1] < .7


def test_one_curve_serves_the_whole_sequence():
    """A change of exposure within it cannot be taken out."""
    truth = texture()
    mask = everywhere(truth)
    dark = truth * .3
    curve = fit_curve([(truth, truth, mask), (dark, truth, mask)])
    assert psnr(curve.prediction(dark), curve.truth(truth), mask) < 25


def test_the_masked_do_not_count():
    truth = texture()
    prediction, mask = truth.copy(), everywhere(truth)
    prediction[:60], mask[:60] = 0, False
    curve = fit_curve([(prediction, truth, mask)])
    pair = curve.prediction(prediction), curve.truth(truth)
    assert psnr(*pair, mask) > 45
    assert ssim(*pair, mask) > .99
    assert psnr(*pair, ~mask) < 12
    none = np.zeros_like(mask)
    assert np.isnan([psnr(*pair, none), ssim(*pair, none)]).all()
    with pytest.raises(ValueError, match='no pixel'):
        fit_curve([(prediction, truth, none)])


def test_psnr_is_that_of_the_mean_square():
    a = np.zeros((8, 8), np.float32)
    assert psnr(a, a + np.float32(.1), everywhere(a)) == pytest.approx(20, abs=1e-3)


def test_ssim_of_flat_frames_is_the_luminance_term():
    a, b = np.full((32, 32), .2, np.float32), np.full((32, 32), .6, np.float32)
    assert ssim(a, b, everywhere(a)) == pytest.approx((2 * .12 + 1e-4) / (.04 + .36 + 1e-4))
    sharp = texture()
    soft = cv2.GaussianBlur(sharp, (0, 0), 2)
    assert ssim(sharp, sharp, everywhere(sharp)) == pytest.approx(1)
    assert ssim(soft, sharp, everywhere(sharp)) < .9
