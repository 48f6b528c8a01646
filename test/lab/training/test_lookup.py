"""The colour look-up: what it can fit, and what it leaves alone."""

import numpy as np
import pytest

from rgb2swir_ros.lab.training.lookup import ColourLookup, grey_sqrt_radiance


def colours(count: int = 20000) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3), dtype=np.uint8)


def test_it_fits_a_linear_function_of_colour():
    rgb = colours()
    sqrt_radiance = (.2 + rgb @ np.array([.001, .0005, .001])).astype(np.float32)
    error = np.abs(ColourLookup().fit(rgb, sqrt_radiance).sqrt_radiance(rgb) - sqrt_radiance)
    assert error.mean() < 1e-3
    assert error.max() < .02  # at corners of the cube that few pixels hold in place


def test_it_fits_what_grey_conversion_cannot():
    rgb = colours()
    # vegetation against sky
    sqrt_radiance = np.where(rgb[:, 1] > rgb[:, 2], .9, .1).astype(np.float32)
    fitted = ColourLookup().fit(rgb, sqrt_radiance).sqrt_radiance(rgb)
    assert np.abs(fitted - sqrt_radiance).mean() < .08
    assert np.abs(grey_sqrt_radiance(rgb) - sqrt_radiance).mean() > .3


def test_colours_that_were_never_seen_stay_grey():
    red = np.tile(np.array([[250, 5, 5]], np.uint8), (1000, 1))
    lookup = ColourLookup().fit(red, np.full(1000, .9, np.float32))
    assert lookup.sqrt_radiance(red[:1])[0] == pytest.approx(.9, abs=.01)
    blue = np.array([[[5, 5, 250], [120, 130, 140]]], np.uint8)
    assert lookup.sqrt_radiance(blue) == pytest.approx(grey_sqrt_radiance(blue), abs=.01)


def test_it_gives_radiance_of_the_frame_in_its_range():
    rgb = colours(600).reshape(20, 30, 3)
    radiance = ColourLookup().fit(rgb.reshape(-1, 3), np.full(600, 1.2, np.float32))(rgb)
    assert radiance.shape == (20, 30)
    assert radiance.dtype == np.float32
    assert radiance.max() <= 1


def test_grey_is_rec601_at_gamma_2_2():
    colours = np.array([[255, 255, 255], [0, 255, 0], [0, 0, 0]], np.uint8)
    sqrt_radiance = grey_sqrt_radiance(colours)
    assert sqrt_radiance == pytest.approx([1, .587 ** 1.1, 0])
