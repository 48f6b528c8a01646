"""Pairs, the drive, and the light: what must hold whatever is drawn."""

import cv2
import numpy as np
import pytest

from rgb2swir_ros.scenes.camera import RgbCamera, photograph
from rgb2swir_ros.scenes.canvas import Canvas, Light
from rgb2swir_ros.scenes.drive import frames
from rgb2swir_ros.scenes.materials import Material
from rgb2swir_ros.scenes.pairs import make_pair
from rgb2swir_ros.scenes.render import View
from rgb2swir_ros.scenes.textures import SIZE, library, sample

SUNNY = Light(1.0, np.array([.8, 1.0, 1.2]), .8, .001, .3, np.full(3, .5), .05)
OVERCAST = Light(0.0, np.ones(3), 1.0, .001, .9, np.full(3, .8), .7)
GREY = Material('grey', np.full(3, .4), .6)


@pytest.mark.parametrize('seed', range(12))
def test_pairs_are_valid_and_the_same_every_time(seed):
    rgb, radiance = make_pair(seed, (96, 128))
    assert (rgb.shape, rgb.dtype) == ((96, 128, 3), np.uint8)
    assert (radiance.shape, radiance.dtype) == ((96, 128), np.float32)
    assert np.isfinite(radiance).all()
    assert radiance.min() >= 0
    assert radiance.max() <= 1
    assert rgb.std() > 5
    again = make_pair(seed, (96, 128))
    assert np.array_equal(again[0], rgb)
    assert np.array_equal(again[1], radiance)


def test_seeds_give_different_pairs():
    pictures = [make_pair(seed, (48, 64))[0] for seed in range(6)]
    assert len({p.tobytes() for p in pictures}) == 6


def test_supersampled_pairs_show_the_same_scenes():
    agreements = []
    for seed in range(8):
        plain, fine = make_pair(seed, (96, 128)), make_pair(seed, (96, 128), supersample=2)
        assert (fine[0].shape, fine[0].dtype) == ((96, 128, 3), np.uint8)
        assert (fine[1].shape, fine[1].dtype) == ((96, 128), np.float32)
        assert not np.array_equal(fine[0], plain[0])
        agreements.append(np.corrcoef(plain[1].ravel(), fine[1].ravel())[0, 1])
    assert np.median(agreements) > .9


def test_bands_share_edges():
    """The SWIR frame must lie pixel on pixel over the colour frame."""
    agreement = []
    for seed in range(20):
        rgb, radiance = make_pair(seed, (128, 160))
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)

        def edges(x):
            return np.hypot(cv2.Sobel(x, cv2.CV_32F, 1, 0), cv2.Sobel(x, cv2.CV_32F, 0, 1))

        strong = edges(np.sqrt(radiance)) > np.percentile(edges(np.sqrt(radiance)), 97)
        shifted = np.roll(edges(grey), 9, axis=(0, 1))
        agreement.append(edges(grey)[strong].mean() / shifted[strong].mean())
    assert np.median(agreement) > 1.5


@pytest.mark.parametrize(('light', 'lit', 'visible', 'swir'), [
    (SUNNY, 1.0, .825 + .175, .953 + .047), (SUNNY, 0.0, .175, .047), (OVERCAST, 0.0, 1, 1)])
def test_shadows_are_deep_in_swir_under_the_sun(light, lit, visible, swir):
    canvas = Canvas((4, 4), light)
    canvas.surface(np.ones((4, 4)), GREY, lit=lit)
    assert canvas.rgb[..., 1] == pytest.approx(np.full((4, 4), .4 * visible), rel=1e-5)
    assert canvas.swir == pytest.approx(np.full((4, 4), .6 * swir), rel=1e-5)


def test_haze_takes_less_from_swir():
    canvas = Canvas((1, 2), SUNNY)
    canvas.surface(np.ones((1, 2)), GREY, lit=1.0, distance=np.array([[0, 1000.0]]))
    kept = (canvas.rgb[0, 1, 1] - .5) / (canvas.rgb[0, 0, 1] - .5)
    kept_swir = (canvas.swir[0, 1] - .05) / (canvas.swir[0, 0] - .05)
    assert kept == pytest.approx(np.exp(-1), rel=1e-4)
    assert kept_swir == pytest.approx(np.exp(-.3), rel=1e-4)


def test_projection_of_the_horizon_and_of_the_road():
    view = View(size=(100, 200), focal=1.0, horizon=.4, height=1.5)
    assert view.project(0, 1.5, 50) == (100, 40)      # at eye height: on the horizon
    assert view.project(2, 0, 10) == (140, 40 + 30)   # 2 m right, on the road, 10 m ahead


@pytest.mark.parametrize('name', sorted(library()))
def test_textures_tile(name):
    tile = library()[name]
    assert tile.shape == (SIZE, SIZE)
    seam = np.abs(tile[:, 0] - tile[:, -1]).mean()
    inside = np.abs(np.diff(tile, axis=1)).mean(axis=0).max()
    assert seam <= 1.2 * inside, 'no stronger than an edge inside'
    x = np.array([[3.0, 3.0 + SIZE, 3.0 - 2 * SIZE]], np.float32)
    values = sample(name, x, np.full_like(x, 5.0))
    assert values == pytest.approx(np.full((1, 3), tile[5, 3]), abs=1e-4)


def test_camera_exposes_balances_and_keeps_grey_grey():
    linear = np.full((16, 16, 3), .18, np.float32)
    rng = np.random.default_rng(0)
    plain = photograph(linear, RgbCamera(), rng)
    assert np.unique(plain).tolist() == [118]  # sRGB of 18 % grey
    assert photograph(linear, RgbCamera(exposure=2), rng).mean() > plain.mean() + 30
    warm = photograph(linear, RgbCamera(white_balance=(1.3, 1, .7)), rng)[0, 0]
    assert warm[0] > warm[1] > warm[2]
    noisy = photograph(linear, RgbCamera(noise=.02), np.random.default_rng(1))
    assert 1 < noisy.std() < 12


def test_the_drive_moves_and_repeats():
    first = list(frames(3, seed=2, size=(90, 160)))
    assert [f.shape for f in first] == [(90, 160, 3)] * 3
    assert np.abs(first[0].astype(int) - first[2]).mean() > .5
    again = list(frames(3, seed=2, size=(90, 160)))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
