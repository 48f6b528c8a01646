"""Radiance of the sky by direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.light import draw_light, light_of
from rgb2swir_ros.lab.scenes.sky import DISC, Clouds, Sky, aureole, cosine_hemisphere, density
from rgb2swir_ros.lab.scenes.weather import WeatherState

SUN = np.array([0, np.sin(.7), np.cos(.7)], np.float32)
COLOUR = np.array([.1, .2, .4, .02, .01])
PLAIN = Sky(COLOUR, 3 * COLOUR, np.zeros(5), .7, SUN, np.zeros(5),
            Clouds('none', 0.0, np.ones(5), np.ones(5)), np.full(5, 4.0))
CUMULUS = Clouds('cumulus', .4, np.full(5, .9), np.full(5, .4), (40.0, 7.0))


def unit(*vector):
    return (np.array([vector]) / np.linalg.norm(vector)).astype(np.float32)


def test_zenith_and_horizon_are_as_said():
    assert PLAIN.radiance(unit(0, 1, 0))[0] == pytest.approx(
        COLOUR + 2 * COLOUR * np.exp(-4), rel=1e-5)
    assert PLAIN.radiance(unit(1, 0, 0))[0] == pytest.approx(3 * COLOUR, rel=1e-5)
    assert PLAIN.radiance(unit(1, -.5, 0))[0] == pytest.approx(3 * COLOUR, rel=1e-5)
    assert PLAIN.radiance(unit(1, 2, 0)).dtype == np.float32


def test_an_overcast_sky_is_that_of_the_cie():
    """``(1 + 2 sin e) / 3`` of the zenith's radiance (ISO 15469, type 1)."""
    deck = replace(PLAIN, zenith=3 * COLOUR, horizon=COLOUR,
                   clouds=replace(PLAIN.clouds, kind='deck', relief=0.0))
    for degrees in (0, 10, 42, 90):
        e = np.radians(degrees)
        assert deck.radiance(unit(0, np.sin(e), np.cos(e)))[0] == pytest.approx(
            COLOUR * (1 + 2 * np.sin(e)), rel=1e-4)


def test_sun_and_glow_stand_where_the_sun_is():
    sky = replace(PLAIN, glow=np.full(5, .05), disc=np.full(5, DISC))
    assert sky.radiance(SUN[None])[0].min() > DISC
    near, far = sky.radiance(unit(.05, SUN[1], SUN[2])), sky.radiance(unit(.6, SUN[1], SUN[2]))
    assert DISC > near[0, 3] > 1.2 * far[0, 3]
    below = replace(sky, sun_direction=np.array([0, -.1, .995], np.float32))
    assert below.radiance(below.sun_direction[None]).max() < DISC


def test_aureole_falls_to_nothing_at_right_angles():
    values = aureole(np.cos(np.linspace(0, np.pi, 50)), .7)
    assert np.all(np.diff(values) <= 0)
    assert values[0] > 20 * values[12]
    assert values[25:].max() == pytest.approx(0, abs=1e-6)


def test_polarisation_darkens_at_right_angles_to_the_sun():
    filtered = replace(PLAIN, polarised=1.0)
    across = unit(1, 1, -SUN[1] / SUN[2])
    share = filtered.radiance(across)[0] / PLAIN.radiance(across)[0]
    assert share.max() < .5
    toward = filtered.radiance(SUN[None])[0] / PLAIN.radiance(SUN[None])[0]
    assert toward == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize('cover', [.15, .5, .8])
def test_clouds_cover_their_share(cover):
    clouds = replace(CUMULUS, cover=cover)
    rays = cosine_hemisphere(20000)
    rays = rays[rays[:, 1] > .5]
    shares = []
    for number in range(12):
        sky = replace(PLAIN, clouds=replace(clouds, offset=(43.0 * number, 91.0 * number)))
        shares.append((sky.radiance(rays)[:, 4] > .1).mean())
    assert np.mean(shares) == pytest.approx(cover, abs=.15)


def test_clouds_are_lit_and_shaded_and_differ_by_offset():
    rays = cosine_hemisphere(8000)
    seen = replace(PLAIN, clouds=CUMULUS).radiance(rays)
    cloud = seen[:, 4] > .35
    assert np.ptp(seen[cloud, 4]) > .2
    other = replace(PLAIN, clouds=replace(CUMULUS, offset=(240.0, 100.0))).radiance(rays)
    assert np.abs(seen - other).max() > .3
    cirrus = replace(PLAIN, clouds=replace(CUMULUS, kind='cirrus')).radiance(rays)
    assert .9 > cirrus[:, 4].max() > .2


def test_density_has_mean_nought_and_deviation_one():
    rays = cosine_hemisphere(3000)
    values = np.concatenate([density(replace(CUMULUS, offset=(60.0 * n, 0.0)), rays)
                             for n in range(8)])
    assert values.mean() == pytest.approx(0, abs=.25)
    assert values.std() == pytest.approx(1, abs=.25)


def test_clouds_hide_the_sun():
    full = replace(CUMULUS, cover=.99, relief=1.0)
    sky = replace(PLAIN, disc=np.full(5, DISC), clouds=full)
    seen = [replace(sky, clouds=replace(full, offset=(9.0 * n, 0.0))).radiance(SUN[None]).max()
            for n in range(20)]
    assert np.median(seen) < 5


def test_a_flat_deck_is_even_and_a_rough_one_is_not():
    flat = Clouds('deck', 1.0, np.ones(5), np.ones(5), relief=0.0)
    rays = cosine_hemisphere(5000)
    even = replace(PLAIN, horizon=COLOUR, clouds=flat).radiance(rays)
    assert even.std(axis=0).max() < 1e-4
    rough = replace(PLAIN, horizon=COLOUR, clouds=replace(flat, relief=.3)).radiance(rays)
    assert .15 < np.log(rough[:, 1]).std() < .45


def test_any_number_of_directions_may_be_asked_for():
    light = draw_light(np.random.default_rng(3), 'cloudy')
    rays = cosine_hemisphere(2050)
    whole = light.sky_radiance(rays)
    assert whole.shape == (2050, 5)
    np.testing.assert_allclose(light.sky_radiance(rays[:1]), whole[:1], rtol=1e-5)
    assert light.sky_radiance(rays[:0]).shape == (0, 5)


def test_clear_sky_is_bluest_and_darkest_in_swir_high_up():
    light = light_of(WeatherState('clear', 50.0, 180.0), np.random.default_rng(0))
    high, low = light.sky_radiance(unit(0, 1, .3))[0], light.sky_radiance(unit(0, .05, 1))[0]
    assert high[2] / high[0] > low[2] / low[0]
    assert high[1] / high[3] > low[1] / low[3]
