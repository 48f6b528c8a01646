"""Light of a weather in five bands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.atmosphere import extinction
from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.light import draw_light, light_of
from rgb2swir_ros.lab.scenes.weather import WEATHERS, WeatherState

NOON = WeatherState('clear', 60.0, 20.0)
UP = np.array([[0, 1, 0]], np.float32)
RNG = np.random.default_rng


def lights(weather, count=40):
    return [draw_light(RNG([1, number]), weather) for number in range(count)]


@pytest.mark.parametrize('weather', WEATHERS)
def test_values_are_physical_and_single_precision(weather):
    for light in lights(weather, 25):
        assert light.weather == weather
        assert np.linalg.norm(light.sun_direction) == pytest.approx(1, abs=1e-5)
        for values in (light.sun, light.sky, light.zenith, light.horizon, light.extinction,
                       light.air, light.own_beam, *light.lamps.values()):
            assert values.shape == (5,)
            assert values.dtype == np.float32
            assert np.isfinite(values).all()
            assert (values >= 0).all()
        assert (light.extinction > 0).all()
        assert (light.sky > 0).all()


def test_white_that_faces_the_sun_is_one_in_every_band():
    for number in range(60):
        light = draw_light(RNG(number), 'clear')
        if np.degrees(np.arcsin(light.sun_direction[1])) > 25:
            np.testing.assert_allclose(light.sun + light.sky, 1, atol=1e-5)
    np.testing.assert_allclose(light_of(NOON, RNG(0)).white, 1, atol=1e-5)


def test_white_is_one_in_green_by_any_daylight():
    for weather in set(WEATHERS) - {'night'}:
        for light in lights(weather, 10):
            assert light.white[1] == pytest.approx(1, abs=1e-5)


def test_shares_of_the_sky_are_those_of_the_standard_spectrum():
    # ASTM G173, global less direct over global: .175 blue, .114 green, .096 red, .052 and .028
    light = light_of(WeatherState('clear', 41.8, 0.0, aerosol=.084), RNG(0))
    assert light.sky == pytest.approx([.096, .114, .175, .045, .028], rel=.35)


def test_a_clear_sky_is_dark_in_swir_and_a_deck_is_not():
    for light in lights('clear'):
        zenith = light_of(replace(NOON, aerosol=.15), RNG(0)).zenith
        assert zenith[1] > 5 * to_swir(zenith)
        assert light.zenith[1] > 5 * to_swir(light.zenith)
        assert light.zenith[2] > 1.5 * light.zenith[0], 'and blue'
        assert light.horizon[1] > 2 * light.zenith[1]
    for light in lights('overcast'):
        assert .6 < to_swir(light.zenith) / light.zenith[1] < 1.1
        assert light.zenith[4] < light.zenith[3]
        assert .8 < light.zenith[2] / light.zenith[0] < 1.3


def test_a_deck_is_darkest_low_at_the_horizon_most_so_in_swir():
    """Measured on an overcast drive: .40 of the sky above in the visible, .36 in SWIR."""
    edges = []
    for light in lights('overcast') + lights('wet'):
        if light.dome.clouds.kind != 'deck':
            continue
        edge = light.horizon / light.zenith
        edges.append(edge[[1, 3]])
        assert .15 < edge[1] < .85
        assert .06 < edge[3] <= edge[1]
        assert light.air[1] < .85 * light.zenith[1], 'so haze veils little'
    visible, swir = np.median(edges, axis=0)
    assert .35 < visible < .6
    assert .18 < swir < .8 * visible


def test_a_low_sun_is_red_and_keeps_more_swir():
    low, high = (light_of(replace(NOON, elevation=e), RNG(0)) for e in (9.0, 60.0))
    assert low.sun[0] / low.sun[2] > 1.5 * high.sun[0] / high.sun[2]
    assert 1.05 < to_swir(low.sun) / low.sun[1] / (to_swir(high.sun) / high.sun[1]) < 3
    # and more of the ground's light is the sky's
    assert low.sky[1] / low.sun_direction[1] > 3 * high.sky[1] / high.sun_direction[1]


@pytest.mark.parametrize(('droplets', 'short', 'long'), [(0, .41, .24), (1, .85, .70)])
def test_haze_lets_swir_through_by_its_droplets(droplets, short, long):
    state = replace(NOON, weather='haze', visibility_m=4000, droplets=droplets)
    ratio = extinction(state) / extinction(state)[1]
    assert ratio[3:] == pytest.approx([short, long], abs=.02)
    assert ratio[0] < 1 < ratio[2]
    assert extinction(state)[1] * 4000 == pytest.approx(3.9)


def test_fog_and_dust_stop_all_bands_alike():
    fog = extinction(replace(NOON, weather='fog', visibility_m=200, droplets=1))
    assert fog / fog[1] == pytest.approx(1, abs=.1)
    dust = extinction(replace(NOON, weather='haze', visibility_m=2000, dust=1.0))
    assert dust / dust[1] == pytest.approx(1, abs=.1)
    mist = extinction(replace(NOON, weather='fog', visibility_m=999, droplets=1))
    assert mist[4] < .8 * mist[1], 'between the two it is between them'


def test_dust_is_brown():
    state = replace(NOON, weather='haze', aerosol=.8, visibility_m=2000)
    dusty, grey = (light_of(replace(state, dust=d), RNG(0)) for d in (1.0, 0.0))
    assert dusty.horizon[0] > 1.15 * dusty.horizon[2]
    assert grey.horizon[0] < grey.horizon[2]


def test_sky_irradiance_is_that_of_its_radiance():
    for weather in ('clear', 'cloudy', 'overcast', 'dusk'):
        light = draw_light(RNG(5), weather)
        u = RNG(0).random((60000, 2))
        radius, turn = np.sqrt(u[:, 0]), 2 * np.pi * u[:, 1]
        rays = np.stack([radius * np.cos(turn), np.sqrt(1 - radius ** 2),
                         radius * np.sin(turn)], axis=1).astype(np.float32)
        seen = light.sky_radiance(rays[rays @ light.sun_direction < .9999])
        assert seen.mean(axis=0) == pytest.approx(light.sky, rel=.03)


def test_night_and_dusk_have_lamps_and_little_sky():
    for light in lights('night'):
        assert light.sky[1] < .1
        assert {'head', 'tail', 'street', 'window'} <= set(light.lamps)
        assert light.own_beam[1] > .3
    assert any(light.sun.any() for light in lights('night')), 'a moon, now and then'
    for light in lights('dusk'):
        assert not light.sun.any()
        assert light.zenith[2] > light.zenith[0]
        assert light.own_beam[1] > 0
    assert not any(light.own_beam.any() for light in lights('clear') + lights('fog'))


def test_hidden_sun_casts_no_shadow_and_the_rest_of_the_mix_differs():
    assert all(light.sun[1] < .4 for light in lights('overcast'))
    suns = [light.sun[1] for light in lights('cloudy')]
    assert min(suns) < .3
    assert max(suns) > .6
    blues = [light.zenith[2] / light.zenith[0] for light in lights('clear')]
    assert max(blues) > 1.4 * min(blues), 'from deep blue to whitish'


def test_the_same_seed_gives_the_same_light():
    one, two = (draw_light(RNG(9)) for _ in range(2))
    np.testing.assert_array_equal(one.sky_radiance(UP), two.sky_radiance(UP))
    assert one.lamps.keys() == two.lamps.keys()


def test_unknown_weather_is_refused():
    with pytest.raises(UserError, match='hail'):
        draw_light(RNG(0), 'hail')
