"""Automatic exposure and white balance."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes import metering
from rgb2swir_ros.lab.scenes.isp import ToneCurve, tone_map
from rgb2swir_ros.lab.scenes.light import light_of
from rgb2swir_ros.lab.scenes.weather import WeatherState

RNG = np.random.default_rng


def road(scale=1.0, sky=.6) -> np.ndarray:
    light = np.full((120, 160, 3), .08 * scale, np.float32)
    light[:60] = sky * scale
    return light


def exposures(light, weather='clear', count=200):
    return np.array([metering.auto_exposure(RNG(n), light, ToneCurve(), weather)
                     for n in range(count)])


def test_exposure_follows_the_light():
    bright, dark = exposures(road()), exposures(road(.25))
    np.testing.assert_allclose(dark, 4 * bright, rtol=.02)
    assert bright.max() > 2.5 * bright.min(), 'cameras meter in many ways'


def test_pictures_come_out_as_bright_as_photographs():
    means = [float(tone_map(road() * e, ToneCurve()).mean()) for e in exposures(road())]
    assert .3 < np.median(means) < .6
    assert np.std(means) > .05


def test_some_skies_clip_and_some_do_not():
    sky = .6 * exposures(road())
    assert .1 < (sky > 1).mean() < .9


def test_gain_ends_by_night():
    black = road(1e-4)
    assert exposures(black, 'night', 40).max() <= 8
    assert exposures(black, 'clear', 40).max() <= 30
    assert np.median(exposures(road(), 'night')) < np.median(exposures(road(), 'clear'))


def test_a_lamp_does_not_black_the_picture_out():
    light = road(.3)
    light[30:33, 40:43] = 5000
    assert np.median(exposures(light)) > .5 * np.median(exposures(road(.3)))


def test_white_balance_takes_out_most_of_a_red_light():
    light = light_of(WeatherState('clear', 9.0, 0.0), RNG(0))
    white = light.white[:3]
    grey = np.full((64, 64, 3), .4, np.float32) * white
    factors = np.array([metering.auto_white_balance(RNG(n), grey, light) for n in range(100)])
    assert (factors[:, 1] == 1).all()
    before, after = white[0] / white[2], np.median(factors[:, 0] / factors[:, 2]) * white[0] \
        / white[2]
    assert before > 1.5
    assert abs(np.log(after)) < .6 * np.log(before)
    assert np.std(factors[:, 0]) > .03


def test_a_frame_of_one_colour_misleads_some_cameras():
    green = np.broadcast_to(np.array([.1, .5, .1], np.float32), (64, 64, 3))
    red = np.array([metering.auto_white_balance(RNG(n), green, None)[0] for n in range(200)])
    assert np.percentile(red, 90) > 1.2
    assert np.median(red) == pytest.approx(1, abs=.12)
    assert red.max() < np.exp(1.2) * 1.01
