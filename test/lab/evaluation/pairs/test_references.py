"""Rows that know no material."""

import numpy as np
import pytest

from rgb2swir_ros.lab.evaluation.pairs.measures import Ranks
from rgb2swir_ros.lab.evaluation.pairs.references import (
    apply_colour_row,
    fit_colour_row,
    grey_scale,
    linear_light,
    vertical_gradient,
)

from .drawn import everywhere


def colours(seed, size=(40, 60)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8)


def test_grey_scale_is_the_luminance_of_srgb():
    rgb = np.array([[[255, 255, 255], [0, 0, 0], [0, 255, 0], [128, 128, 128]]], np.uint8)
    assert grey_scale(rgb)[0] == pytest.approx([1, 0, .7152, .2159], abs=1e-4)
    assert linear_light(np.uint8([10])) == pytest.approx(10 / 255 / 12.92)


def test_the_gradient_falls_from_top_to_bottom_and_knows_no_column():
    plane = vertical_gradient(colours(0))
    assert (np.diff(plane, axis=0) < 0).all()
    assert (plane == plane[:, :1]).all()


def test_colour_and_row_find_a_linear_truth_on_frames_they_have_not_seen():
    def truth(rgb):
        row = np.linspace(0, 1, len(rgb))[:, None]
        return np.square(.2 + .5 * np.sqrt(linear_light(rgb))[..., 0] + .3 * row).astype(
            np.float32)

    fitted = [colours(k) for k in range(3)]
    rule = fit_colour_row((f, truth(f), everywhere(f[..., 0])) for f in fitted)
    new = colours(9)
    assert apply_colour_row(rule, new) == pytest.approx(truth(new), abs=1e-3)


def test_what_is_masked_is_not_fitted():
    rgb = colours(0)
    truth, mask = grey_scale(rgb), everywhere(rgb[..., 0])
    truth[:20], mask[:20] = 1 - truth[:20], False
    made = apply_colour_row(fit_colour_row([(rgb, truth, mask)]), rgb)
    assert Ranks(grey_scale(rgb), everywhere(truth)).correlation(made) > .95
