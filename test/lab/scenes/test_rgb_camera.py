"""The colour camera as a whole."""

from __future__ import annotations

from dataclasses import fields, replace

import cv2
import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.isp import ToneCurve
from rgb2swir_ros.lab.scenes.light import draw_light
from rgb2swir_ros.lab.scenes.optics import Lens, Windscreen
from rgb2swir_ros.lab.scenes.rgb_camera import TO_SRGB, RgbCamera, draw_rgb_camera, take_picture

RNG = np.random.default_rng


def view(size=(96, 120), seed=0) -> np.ndarray:
    """A bright sky over dark ground, coloured patches on it, a little texture everywhere."""
    rng = RNG(seed)
    light = np.full((*size, 3), .08, np.float32)
    light[:size[0] // 2] = (.3, .45, .8)
    for _ in range(12):
        y, x = rng.integers(0, size[0] - 12), rng.integers(0, size[1] - 12)
        light[y:y + 12, x:x + 12] = rng.uniform(.02, 1, 3)
    return np.clip(light * (1 + .03 * rng.standard_normal((*size, 1), dtype=np.float32)), 0, 1)


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= .0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - .055)


def test_a_perfect_camera_codes_srgb():
    picture = take_picture(view(), RgbCamera(), RNG(0))
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    assert np.abs(picture - srgb(view()) * 255).max() <= 1


@pytest.mark.parametrize(('sensor', 'colour'), [
    ((.096, .099, .035), (.102, .111, .020)),   # canopies, median
    ((.356, .236, .151), (.411, .243, .125)),   # soils
    ((.248, .092, .078), (.320, .073, .073)),   # red kerb paint
    ((.50, .50, .50), (.50, .50, .50))])
def test_surfaces_have_the_colours_of_their_spectra(sensor, colour):
    """By the CIE 1931 observer, from the spectra that `benchmark/colours.py` reads."""
    camera = RgbCamera(matrix=tuple(map(tuple, TO_SRGB)))
    picture = take_picture(np.full((4, 4, 3), sensor, np.float32), camera, RNG(0))
    assert picture[0, 0] / 255 == pytest.approx(srgb(np.array(colour)), abs=.02)


def test_drawn_cameras_undo_the_overlap_of_their_filters():
    grass = np.full((64, 64, 3), (.08, .08, .04), np.float32) * 3
    greener = []
    for number in range(40):
        camera = replace(draw_rgb_camera(RNG([8, number]), grass), white_balance=(1, 1, 1))
        red, green, blue = take_picture(grass, camera, RNG(0)).mean(axis=(0, 1))
        greener.append((green / red, blue / green))
    assert np.median(greener, axis=0) == pytest.approx((1.04, .6), abs=.08)


def test_more_exposure_is_never_darker():
    before = take_picture(view(), RgbCamera(exposure=.2), RNG(0)).astype(int)
    for exposure in (.5, 1.0, 3.0):
        after = take_picture(view(), RgbCamera(exposure=exposure), RNG(0)).astype(int)
        assert (after >= before).all()
        assert after.mean() > before.mean()
        before = after


@pytest.mark.parametrize('weather', ['clear', 'fog', 'night', None])
def test_drawn_cameras_take_usable_pictures(weather):
    linear = view() * np.float32(.3 if weather == 'night' else 1)
    for number in range(30):
        rng = RNG([7, number])
        light = draw_light(rng, weather) if weather else None
        camera = draw_rgb_camera(rng, linear, light)
        picture = take_picture(linear, camera, rng)
        assert picture.dtype == np.uint8
        assert picture.shape == linear.shape
        assert 5 < picture.mean() < 240
        assert picture.std() > 5
        assert camera.exposure > 0
        assert camera.blur >= 0


def test_pictures_of_one_camera_differ_by_its_noise_alone():
    camera = draw_rgb_camera(RNG(2), view())
    first, again = (take_picture(view(), camera, RNG(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (take_picture(view(), camera, RNG(6)) != first).mean() > .1
    silent = replace(camera, electrons=0.0)
    np.testing.assert_array_equal(take_picture(view(), silent, RNG(5)),
                                  take_picture(view(), silent, RNG(6)))


def test_the_same_seed_draws_the_same_camera():
    assert draw_rgb_camera(RNG(4), view()) == draw_rgb_camera(RNG(4), view())
    assert draw_rgb_camera(RNG(4), view()) != draw_rgb_camera(RNG(5), view())


def test_settings_vary_from_camera_to_camera():
    drawn = [draw_rgb_camera(RNG(number), view()) for number in range(60)]
    for field in fields(RgbCamera):
        values = {str(getattr(camera, field.name)) for camera in drawn}
        assert len(values) > 1, f'{field.name} never varies'
    assert all(.99 < sum(row) < 1.01 for camera in drawn for row in camera.matrix)


@pytest.mark.parametrize('change', [
    {'white_balance': (1.3, 1.0, .8)}, {'matrix': ((.8, .2, 0), (0, 1, 0), (0, .2, .8))},
    {'lens': Lens(blur=1.2)}, {'windscreen': Windscreen(veil=.2)}, {'electrons': 500.0},
    {'electrons': 1e6, 'read_noise': .05}, {'bayer': True},
    {'tone_curve': ToneCurve(contrast=.6)}, {'local_tone': .7}, {'saturation': 1.6},
    {'vibrance': .6}, {'denoise': 1.0}, {'sharpening': 1.5}, {'chroma_blur': 1.5}, {'scale': .6},
    {'jpeg': 50}, {'jpeg': 50, 'subsampled': False}])
def test_every_setting_does_something(change):
    plain = take_picture(view(), RgbCamera(), RNG(0)).astype(int)
    changed = take_picture(view(), RgbCamera(**change), RNG(0)).astype(int)
    assert changed.shape == plain.shape
    assert np.abs(changed - plain).mean() > .1


def test_the_input_is_left_alone():
    linear = view()
    before = linear.copy()
    camera = draw_rgb_camera(RNG(3), linear, draw_light(RNG(3), 'wet'))
    take_picture(linear, camera, RNG(0))
    np.testing.assert_array_equal(linear, before)


def test_strong_compression_leaves_blocks():
    rng = RNG(0)
    linear = cv2.GaussianBlur(rng.random((96, 120, 3), dtype=np.float32), (0, 0), 1.5)
    picture = take_picture(linear, RgbCamera(jpeg=12), RNG(0)).astype(float)[..., 1]
    steps = np.abs(np.diff(picture, axis=1)).mean(axis=0)
    seams = steps[7::8].mean()
    assert seams > 1.2 * np.delete(steps, np.arange(7, len(steps), 8)).mean()
