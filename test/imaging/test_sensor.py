"""The virtual SWIR camera against its formulas and the statistics of its noise."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.sensor import SensorSettings, VirtualSensor

RAMP = np.linspace(0, 1, 256 * 1024, dtype=np.float32).reshape(256, 1024)
NOISY = SensorSettings(encoding='mono16', noise=True, full_well_e=120_000, read_noise_e=150)


def grey(light: float, side: int = 512) -> np.ndarray:
    return np.full((side, side), light, np.float32)


@given(st.floats(0, 1, width=32), st.floats(.05, 20), st.floats(.5, 2.5))
def test_mono8_follows_gain_and_gamma(light: float, gain: float, gamma: float) -> None:
    sensor = VirtualSensor(SensorSettings(gain=gain, gamma=gamma))
    value = sensor(grey(light, 16))
    exact = 255 * min(1.0, light * gain) ** (1 / gamma)
    assert value.dtype == np.uint8
    assert abs(int(value[0, 0]) - exact) <= .53  # half a level of rounding, and the table's steps
    assert (value == value[0, 0]).all()


@given(st.floats(0, 1, width=32), st.floats(.05, 20), st.sampled_from([8, 10, 12, 14, 16]),
       st.data())
def test_mono16_is_linear_in_its_bits(light: float, gain: float, bits: int,
                                      data: st.DataObject) -> None:
    shift = data.draw(st.integers(0, 16 - bits))
    sensor = VirtualSensor(SensorSettings('mono16', gain=gain, bits=bits, left_shift=shift))
    value = sensor(grey(light, 16))
    assert value.dtype == np.uint16
    assert int(value[0, 0]) % (1 << shift) == 0
    exact = min(1.0, light * gain) * (2 ** bits - 1)
    assert abs((int(value[0, 0]) >> shift) - exact) <= .51


def test_mono16_stays_linear_whatever_the_gamma() -> None:
    values = [VirtualSensor(SensorSettings('mono16', gamma=g))(RAMP) for g in (1.0, 2.2)]
    assert np.array_equal(*values)


@pytest.mark.parametrize(('settings', 'levels'), [
    (SensorSettings(), 256),
    (SensorSettings(gamma=1.0), 256),
    (SensorSettings('mono16', bits=8), 256),
    (SensorSettings('mono16', bits=12), 4096),
    (SensorSettings('mono16', bits=12, left_shift=4), 4096),
    (SensorSettings('mono16', bits=14), 16384),
    (SensorSettings('mono16'), 65536),
])
def test_a_ramp_meets_every_level_in_order(settings: SensorSettings, levels: int) -> None:
    frame = VirtualSensor(settings)(RAMP).ravel()
    assert len(np.unique(frame)) == levels
    assert (np.diff(frame.astype(int)) >= 0).all()
    top = 255 if settings.encoding == 'mono8' else (2 ** settings.bits - 1) << settings.left_shift
    assert (frame[0], frame[-1]) == (0, top)


@pytest.mark.parametrize(('encoding', 'top'), [('mono8', 255), ('mono16', 65535)])
@pytest.mark.parametrize('noise', [False, True])
def test_values_outside_the_range_saturate(encoding: str, top: int, noise: bool) -> None:
    sensor = VirtualSensor(SensorSettings(encoding, noise=noise, gain=2.))
    for light in (1.5, 3e38):
        assert (sensor(grey(light)) == top).all()
    black = sensor(grey(0))
    assert np.array_equal(sensor(grey(-3)), black)
    assert black.any() == noise


@pytest.mark.parametrize('preset', [(120_000, 150.), (2_000, 20.), (2_000, 0.), (500, 3.)])
@pytest.mark.parametrize('light', [.3, .5, .7])
def test_noise_has_the_variance_of_shot_and_read(preset: tuple[float, float],
                                                 light: float) -> None:
    """Variance in electrons: N + r**2 (Poisson and readout), with the mean kept."""
    well, read = preset
    sensor = VirtualSensor(replace(NOISY, full_well_e=well, read_noise_e=read))
    electrons = sensor(grey(light), 'front', 1) / 65535 * well
    expected = light * well + read ** 2 + (well / 65535) ** 2 / 12
    count = electrons.size
    # five standard errors of a sample's variance and mean
    assert electrons.var() == pytest.approx(expected, rel=5 * math.sqrt(2 / count))
    assert electrons.mean() == pytest.approx(light * well, abs=5 * math.sqrt(expected / count))


def test_noise_has_no_pattern() -> None:
    noise = VirtualSensor(NOISY)(grey(.5), 'front', 1).astype(float)
    noise -= noise.mean()
    limit = 5 / math.sqrt(noise.size)
    for shifted in (np.roll(noise, 1, 0), np.roll(noise, 1, 1)):
        assert abs((noise * shifted).mean() / noise.var()) < limit
    other = VirtualSensor(NOISY)(grey(.5), 'front', 2).astype(float)
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < limit


def test_noise_depends_on_seed_camera_and_stamp_not_on_order() -> None:
    sensor = VirtualSensor(NOISY)
    scene = RAMP[:64]
    first = sensor(scene, 'front', 10)
    for camera, stamp in [('rear', 10), ('front', 11), ('front1', 0), ('', 10)]:
        assert not np.array_equal(sensor(scene, camera, stamp), first)
    assert not np.array_equal(VirtualSensor(replace(NOISY, seed=1))(scene, 'front', 10), first)
    assert np.array_equal(sensor(scene, 'front', 10), first)
    assert np.array_equal(VirtualSensor(NOISY)(scene, 'front', 10), first)


@pytest.mark.parametrize('hash_seed', ['1', '2'])
def test_noise_is_the_same_in_every_process(hash_seed: str) -> None:
    code = ('import numpy as np; from rgb2swir_ros.imaging.sensor import *; '
            's = VirtualSensor(SensorSettings("mono16", noise=True)); '
            'print(s(np.full((4, 4), .5, np.float32), "front", 7).tolist())')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          env={'PYTHONHASHSEED': hash_seed}, check=True)
    here = VirtualSensor(SensorSettings('mono16', noise=True))(grey(.5, 4), 'front', 7)
    assert done.stdout.strip() == str(here.tolist())


@given(st.integers(16, 90), st.integers(16, 90), st.integers(0, 2**32),
       st.sampled_from(['mono8', 'mono16']), st.booleans(),
       st.sampled_from(['fit', 'pad', 'crop', 'stretch']),
       st.one_of(st.none(), st.tuples(st.integers(16, 90), st.integers(16, 90))))
def test_same_input_same_output_and_the_input_is_kept(
        height: int, width: int, seed: int, encoding: str, noise: bool, geometry: str,
        size: Any) -> None:
    radiance = np.random.default_rng(seed).random((height, width), np.float32)
    radiance.flags.writeable = False
    settings = SensorSettings(encoding, noise=noise, geometry=geometry, output_size=size)
    frame = VirtualSensor(settings)(radiance, 'c', seed)
    assert np.array_equal(VirtualSensor(settings)(radiance, 'c', seed), frame)
    assert frame.shape == VirtualSensor(settings).output_size((height, width))
    assert frame.flags.c_contiguous
    if size is not None and geometry != 'fit':
        assert frame.shape == size
    if size is None:
        assert frame.shape == (height, width)


@pytest.mark.parametrize('geometry', ['fit', 'pad', 'crop', 'stretch'])
@pytest.mark.parametrize('source', [(90, 160), (160, 90), (128, 128), (64, 80)])
@pytest.mark.parametrize('size', [None, (64, 80), (51, 67), (100, 240)])
def test_the_transform_says_where_a_blob_goes(geometry: str, source: tuple[int, int],
                                              size: Any) -> None:
    sensor = VirtualSensor(SensorSettings('mono16', geometry=geometry, output_size=size))
    rows, columns = np.mgrid[0:source[0], 0:source[1]]
    u, v = source[1] * .47, source[0] * .56
    blob = np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / 18).astype(np.float32)
    frame = sensor(blob)
    rows, columns = np.mgrid[0:frame.shape[0], 0:frame.shape[1]]
    found = np.array([(columns * frame).sum(), (rows * frame).sum()]) / frame.sum()
    expected = sensor.transform(source).matrix() @ [u, v, 1]
    assert np.abs(found - expected[:2]).max() < .06


def test_geometries_differ_as_documented() -> None:
    def sensor(geometry: str) -> VirtualSensor:
        return VirtualSensor(SensorSettings(output_size=(512, 640), geometry=geometry))
    assert sensor('fit').output_size((360, 640)) == (360, 640)
    assert sensor('fit').output_size((1080, 1920)) == (360, 640)
    crop = sensor('crop').crop((360, 640))
    assert (crop.top, crop.left, crop.height, crop.width) == (0, 95, 360, 450)
    assert sensor('stretch').transform((360, 640)).scale_y == pytest.approx(512 / 360)
    assert sensor('stretch').transform((360, 640)).scale_x == 1
    wide = sensor('crop').transform((360, 640))
    assert wide.scale_x == pytest.approx(wide.scale_y)


@pytest.mark.parametrize('changes', [
    {'encoding': 'rgb8'}, {'gamma': 0}, {'gamma': -1.0}, {'gamma': math.nan}, {'gain': 0.0},
    {'gain': math.inf}, {'gain': '2'}, {'bits': 9}, {'bits': 12.0}, {'left_shift': 1},
    {'encoding': 'mono16', 'left_shift': 1}, {'encoding': 'mono16', 'bits': 12, 'left_shift': 5},
    {'encoding': 'mono16', 'bits': 12, 'left_shift': -1}, {'geometry': 'zoom'},
    {'output_size': (8, 640)}, {'output_size': (512,)}, {'full_well_e': 0},
    {'read_noise_e': -1.0}, {'seed': 1.5}, {'exposure': 0.0}, {'prnu': 2}, {'dsnu_e': -1.0},
    {'dead_pixels': 1.1}, {'dead_columns': -1}, {'dead_columns': 1.0},
])
def test_an_impossible_setting_is_named(changes: dict[str, Any]) -> None:
    name, value = list(changes.items())[-1]
    with pytest.raises(UserError) as caught:
        SensorSettings(**changes)
    assert name in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize('radiance', [
    np.zeros((4, 4), np.float64), np.zeros((4, 4, 1), np.float32), np.zeros((0, 4), np.float32),
    np.full((4, 4), np.nan, np.float32), np.full((4, 4), np.inf, np.float32),
])
def test_arrays_that_are_not_radiance_are_refused(radiance: np.ndarray) -> None:
    with pytest.raises(ImageError) as caught:
        VirtualSensor(SensorSettings())(radiance)
    assert caught.value.reason == 'bad_radiance'


def test_exposure_fills_the_well_and_gain_amplifies_what_is_in_it() -> None:
    """Half the light at twice the gain: the same mean, and more noise than at full exposure."""
    def frame(**changes: float) -> np.ndarray:
        return VirtualSensor(replace(NOISY, **changes))(grey(.4), 'front', 1).astype(float)
    plain, gained = frame(), frame(exposure=.5, gain=2.)
    assert gained.mean() == pytest.approx(plain.mean(), rel=.005)
    electrons = .2 * 120_000
    expected = 2 * math.sqrt(electrons + 150 ** 2) / 120_000 * 65535
    assert gained.std() == pytest.approx(expected, rel=.02)
    assert gained.std() > 1.3 * plain.std()
    full = VirtualSensor(SensorSettings('mono16', exposure=4., gain=.5))(grey(.9))
    assert abs(int(full[0, 0]) - 65535 // 2) <= 1  # the well is full, whatever the gain


def test_the_fixed_pattern_has_its_deviations_and_stays() -> None:
    settings = SensorSettings('mono16', prnu=.02, dsnu_e=600., seed=3)
    sensor = VirtualSensor(settings)
    bright, dim = (sensor(grey(light), 'front', 1) / 65535 for light in (.5, .1))
    assert bright.std() == pytest.approx(math.hypot(.5 * .02, 600 / 120_000), rel=.02)
    assert dim.std() == pytest.approx(math.hypot(.1 * .02, 600 / 120_000), rel=.02)
    assert np.array_equal(sensor(grey(.5), 'front', 2), sensor(grey(.5), 'front', 1))
    assert not np.array_equal(sensor(grey(.5), 'rear', 1), sensor(grey(.5), 'front', 1))
    other = VirtualSensor(replace(settings, seed=4))
    assert not np.array_equal(other(grey(.5), 'front', 1), sensor(grey(.5), 'front', 1))


def test_dead_pixels_and_columns_are_as_many_as_given_and_stay() -> None:
    sensor = VirtualSensor(replace(NOISY, dead_pixels=.01, dead_columns=3))
    first, second = (sensor(grey(.5), 'front', stamp) for stamp in (1, 2))
    dark = (first == 0).all(axis=0)
    assert dark.sum() == 3
    assert np.array_equal(dark, (second == 0).all(axis=0))
    rest = first[:, ~dark]
    stuck = (rest == 0) | (rest == 65535)
    assert stuck.mean() == pytest.approx(.01, abs=.001)
    assert (rest == 65535).mean() == pytest.approx(.005, abs=.001)
    assert np.array_equal(stuck, (second[:, ~dark] == 0) | (second[:, ~dark] == 65535))


def test_a_padded_frame_has_the_whole_picture_in_its_middle_and_a_dark_margin() -> None:
    sensor = VirtualSensor(SensorSettings('mono16', geometry='pad', output_size=(512, 640)))
    frame = sensor(np.ones((180, 320), np.float32))
    assert frame.shape == (512, 640)
    assert (frame[166:346, 160:480] == 65535).all()
    assert int(np.count_nonzero(frame)) == 180 * 320
    transform = sensor.transform((180, 320))
    assert (transform.scale_x, transform.scale_y) == (1, 1)
    assert (transform.offset_x, transform.offset_y) == (160, 166)
