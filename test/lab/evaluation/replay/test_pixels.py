import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.sensor import SensorSettings, VirtualSensor
from rgb2swir_ros.lab.evaluation.replay.pixels import linear, read_homography, warp_onto
from rgb2swir_ros.lab.evaluation.replay.sensor_noise import expected_variance, frame_noise


@pytest.mark.parametrize('settings', [
    SensorSettings(encoding='mono8', gamma=2.2), SensorSettings(encoding='mono16')])
def test_radiance_comes_back_from_what_the_sensor_made(settings):
    radiance = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    back = linear(VirtualSensor(settings)(radiance), settings.gamma)
    step = 2.2 / 255 if settings.encoding == 'mono8' else 1 / 65535
    assert back.dtype == np.float32
    assert np.abs(back - radiance).max() <= step


def test_equal_channels_count_as_one_and_colours_are_refused():
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert linear(grey, 1.)[0, 0] == pytest.approx(128 / 255)
    grey[0, 0, 1] = 0
    with pytest.raises(UserError, match='has colours'):
        linear(grey, 1.)
    with pytest.raises(UserError, match='float32'):
        linear(np.zeros((4, 4), np.float32), 1.)


def test_a_homography_maps_pixels_of_the_true_frame():
    true = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    shift = np.array([[1., 0, 6], [0, 1, 3], [0, 0, 1]])
    moved, seen = warp_onto(true, (40, 50), shift)
    np.testing.assert_allclose(moved[3:, 6:], true[:-3, :-6], atol=1e-6)
    assert seen[3:, 6:].all()
    assert not seen[:3].any()
    same, everywhere = warp_onto(true, (40, 50), None)
    assert same is true
    assert everywhere.all()
    assert warp_onto(true, (20, 25), None)[0].shape == (20, 25)


@pytest.mark.parametrize(('text', 'says'), [
    ('1 0 0 0 1 0 0 0', 'nine numbers'), ('a b', 'cannot read'),
    ('0 0 0 0 0 0 0 0 0', 'determinant'), ('1 0 0 0 1 0 0 0 nan', 'nine numbers')])
def test_a_wrong_homography_is_refused(tmp_path, text, says):
    path = tmp_path / 'h.txt'
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        read_homography(path)


def test_a_homography_is_read_with_commas_and_brackets(tmp_path):
    path = tmp_path / 'h.txt'
    path.write_text('[1, 0, 6]\n[0, 1, 3]\n[0, 0, 1]\n')
    assert read_homography(path)[0].tolist() == [1, 0, 6]


@pytest.mark.parametrize('level', [.1, .5])
def test_noise_of_a_flat_frame_is_that_of_its_preset(level):
    sensor = SensorSettings(encoding='mono16', bits=12, noise=True, full_well_e=2000,
                            read_noise_e=20)
    radiance = np.full((256, 320), level, np.float32)
    samples = VirtualSensor(sensor)(radiance)
    made = frame_noise(samples.astype(np.float32) / 4095, sensor)
    assert made.noise == pytest.approx(made.expected, rel=.25)
    assert made.expected == pytest.approx(np.sqrt(level * 2000 + 400) / 2000, rel=.05)
    assert (made.black, made.white) == (0, 0)


def test_a_frame_without_noise_shows_its_quantisation():
    sensor = SensorSettings(encoding='mono8', gamma=2.2)
    assert expected_variance(np.array([.5], np.float32), sensor)[0] == pytest.approx(
        (2.2 * .5 ** (1 - 1 / 2.2) / 255) ** 2 / 12)
    black = frame_noise(np.zeros((64, 64), np.float32), sensor)
    assert (black.black, black.white) == (1, 0)
    assert np.isnan(black.noise)
