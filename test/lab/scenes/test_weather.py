"""The weathers that are drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.weather import SHARES, WEATHERS, draw_weather_state


def test_shares_make_a_whole():
    assert sum(SHARES.values()) == pytest.approx(1)


def test_each_weather_is_drawn_by_its_share():
    rng = np.random.default_rng(0)
    count = Counter(draw_weather_state(rng).weather for _ in range(4000))
    assert {name: count[name] / 4000 for name in WEATHERS} == pytest.approx(SHARES, abs=.03)


@pytest.mark.parametrize('weather', WEATHERS)
def test_conditions_are_physical_and_vary(weather):
    rng = np.random.default_rng(1)
    states = [draw_weather_state(rng, weather) for _ in range(200)]
    for state in states:
        assert state.weather == weather
        shares = (state.cover, state.sunshine, state.wetness, state.puddles, state.snow,
                  state.dust, state.droplets, state.relief, state.polarised)
        assert all(0 <= share <= 1 for share in shares)
        assert 40 < state.visibility_m <= 60e3
        assert state.aerosol > 0
    assert np.ptp([s.azimuth for s in states]) > 300
    elevations = [s.elevation for s in states]
    assert np.ptp(elevations) > (6 if weather == 'dusk' else 30)
    assert (max(elevations) <= 1) == (weather == 'dusk')


def test_fog_is_dense_and_only_dry_haze_may_be_dust():
    rng = np.random.default_rng(2)
    assert max(draw_weather_state(rng, 'fog').visibility_m for _ in range(99)) <= 900
    haze = [draw_weather_state(rng, 'haze') for _ in range(200)]
    assert .15 < np.mean([s.dust > 0 for s in haze]) < .45
    assert all(draw_weather_state(rng, 'snow').snow > .2 for _ in range(50))
    assert all(draw_weather_state(rng, 'wet').wetness > .3 for _ in range(50))


def test_unknown_weather_is_refused():
    with pytest.raises(UserError, match="'hail': known are clear, cloudy"):
        draw_weather_state(np.random.default_rng(0), 'hail')
