"""Noise, tone, colour, detail and codec of the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.lab.scenes import isp
from rgb2swir_ros.lab.scenes.isp import ToneCurve

RNG = np.random.default_rng
LUMA = np.array([.299, .587, .114])


@given(st.builds(ToneCurve, shoulder=st.floats(0, 1), contrast=st.floats(-.2, .85),
                 black=st.floats(-.06, .08), power=st.floats(.8, 1.25)))
@settings(max_examples=60, deadline=None)
def test_every_curve_rises_from_black_to_white(curve):
    value = isp.tone_map(np.geomspace(1e-5, 50, 400), curve)
    assert np.all(np.diff(value) >= -1e-9)
    assert 0 <= value[0] <= .09
    assert .95 < value[-1] <= 1


def test_drawn_curves_lie_in_that_range():
    for number in range(50):
        curve = isp.draw_tone_curve(RNG(number))
        assert 0 <= curve.shoulder <= 1
        assert -.2 <= curve.contrast <= .85
        assert -.06 <= curve.black <= .08
        assert .7 < curve.power < 1.4


def test_the_table_is_close_to_the_curve():
    curve = ToneCurve(.6, .4, -.02, 1.1)
    light = RNG(0).random((60, 80, 3), dtype=np.float32) ** 3 * 9
    assert np.abs(isp.tone_map_by_table(light, curve) - isp.tone_map(light, curve)).max() < .004


def test_a_shoulder_keeps_what_clipping_loses():
    bright = np.array([1.1, 1.4])
    assert np.ptp(isp.tone_map(bright, ToneCurve())) == 0
    assert np.ptp(isp.tone_map(bright, ToneCurve(shoulder=1.0))) > .01


def test_noise_follows_the_light():
    light = np.full((200, 200, 3), .25, np.float32)
    light[:100] = 1
    noise = isp.add_noise(light, 400, .01, 0.0, RNG(0)) - light
    assert noise[:100].std() == pytest.approx(np.sqrt(1 / 400 + 1e-4), rel=.03)
    assert noise[100:].std() == pytest.approx(np.sqrt(.25 / 400 + 1e-4), rel=.03)
    assert noise.mean() == pytest.approx(0, abs=1e-3)


def test_blotches_are_coarse():
    light = np.full((200, 200, 3), .5, np.float32)
    fine = isp.add_noise(light, 400, 0.0, 0.0, RNG(0)) - light
    coarse = isp.add_noise(light, 400, 0.0, 3.0, RNG(0)) - light

    def alike(noise):
        return np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]

    assert abs(alike(fine)) < .03
    assert alike(coarse) > .4


def test_bayer_keeps_flat_colours_and_shifts_nothing():
    light = np.empty((40, 40, 3), np.float32)
    light[:] = (.2, .5, .9)
    np.testing.assert_allclose(isp.mosaic_and_demosaic(light), light, atol=1e-4)
    ramp = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32)[None, :, None], (40, 40, 3))
    inner = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(isp.mosaic_and_demosaic(ramp)[inner], ramp[inner], atol=2e-3)


def test_local_tone_brings_dark_and_bright_together():
    value = np.full((160, 200, 3), .2, np.float32)
    value[:80] = .8
    out = isp.local_tone_map(value, 1.0)
    assert out[150, 100, 0] > 1.1 * .2
    assert out[10, 100, 0] < .95 * .8


def test_colour_changes_leave_brightness():
    value = RNG(0).random((30, 40, 3), dtype=np.float32)
    for arguments in ((1.5, 0.0, 0.0), (.3, .5, 0.0), (1.0, 0.0, 2.0)):
        out = isp.adjust_colour(value, *arguments)
        if arguments[2] == 0:
            np.testing.assert_allclose(out @ LUMA, value @ LUMA, atol=1e-5)
        assert np.abs(out - value).mean() > .01
    grey = np.repeat(value[..., :1], 3, axis=2)
    np.testing.assert_allclose(isp.adjust_colour(grey, 1.7, .5, 1.0), grey, atol=1e-5)


def test_vibrance_spares_strong_colours():
    pale, strong = (np.full((1, 1, 3), .5, np.float32) for _ in range(2))
    pale[..., 0] += .04
    strong[..., 0] += .4
    def gain(value):
        out = isp.adjust_colour(value, 1.0, .6, 0.0)
        return float(np.ptp(out) / np.ptp(value))
    assert gain(pale) > 1.3
    assert gain(strong) == pytest.approx(1, abs=1e-4)


def test_denoising_smears_noise_and_keeps_edges():
    value = np.full((60, 80, 3), .3, np.float32)
    value[:, 40:] = .8
    noisy = value + .02 * RNG(0).standard_normal(value.shape, dtype=np.float32)
    out = isp.denoise(noisy, 1.0)
    assert (out - value)[:, 5:30].std() < .6 * (noisy - value)[:, 5:30].std()
    assert (out[:, 41] - out[:, 38]).mean() > .45


def test_sharpening_leaves_halos():
    value = np.full((20, 40, 3), .3, np.float32)
    value[:, 20:] = .6
    out = isp.sharpen(value, 1.0, 1.5)
    assert out.max() > .65
    assert out.min() < .25
    np.testing.assert_allclose(out[:, [2, 37]], value[:, [2, 37]], atol=1e-3)


def test_the_codec_takes_colour_detail_first():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = (200, 60, 60)
    stripes[:, 1::2] = (60, 130, 60)
    whole = isp.encode_and_decode(stripes, 1.0, 95, subsampled=False).astype(int)
    halved = isp.encode_and_decode(stripes, 1.0, 95, subsampled=True).astype(int)
    assert np.abs(halved - stripes).mean() > 3 * np.abs(whole - stripes).mean()


def test_a_smaller_stream_comes_back_at_full_size():
    picture = RNG(0).integers(0, 255, (60, 81, 3), dtype=np.uint8)
    out = isp.encode_and_decode(picture, .6, 0, subsampled=True)
    assert out.shape == picture.shape
    assert out.std() < .8 * picture.std()
    np.testing.assert_array_equal(isp.encode_and_decode(picture, 1.0, 0, True), picture)
