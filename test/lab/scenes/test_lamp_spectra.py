"""Lamps in five bands."""

from __future__ import annotations

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.bands import to_swir
from rgb2swir_ros.lab.scenes.lamp_spectra import COLOURS, NIGHT_EXPOSURE, draw_lamps, lamp_colour
from rgb2swir_ros.lab.scenes.weather import WeatherState, draw_weather_state


def night(number):
    rng = np.random.default_rng(number)
    return draw_lamps(draw_weather_state(rng, 'night'), rng)


def test_halogen_is_bright_in_swir_and_leds_are_not():
    halogen, led = np.array(COLOURS['halogen']), np.array(COLOURS['led'])
    assert 5 < to_swir(halogen) / halogen[:3].mean() < 9
    assert to_swir(led) < .02 * led[1]
    assert to_swir(led) < to_swir(np.array(COLOURS['sodium'])) < to_swir(halogen)


def test_halogen_is_that_of_a_black_body_over_the_sun():
    wavelength = np.array([.65, .55, .45, 1.12, 1.58])

    def planck(kelvin):
        return wavelength ** -5 / np.expm1(14388 / (wavelength * kelvin))

    # beside the sun's own temperature: what the air takes is the same for both
    ratio = planck(3050) / planck(5778)
    assert COLOURS['halogen'] == pytest.approx(ratio / ratio[1], rel=.25)


def test_colours_are_scaled_to_the_exposure_of_a_night():
    assert lamp_colour('halogen')[3] == pytest.approx(NIGHT_EXPOSURE * COLOURS['halogen'][3])
    assert lamp_colour('halogen')[0] == COLOURS['halogen'][0]


def test_own_lamps_are_halogen_or_led():
    share = np.array([float(to_swir(beam) / beam[1]) for _, beam in map(night, range(80))])
    assert (share > 1).mean() > .25
    assert (share < .02).mean() > .2


def test_faces_are_brighter_than_what_they_light():
    for lamps, beam in map(night, range(30)):
        assert lamps['head'][1] > 10 * beam[1]
        assert lamps['street'][1] > 5
        assert lamps['tail'][0] > 5 * lamps['tail'][2]


def test_by_day_lamps_are_on_in_fog_and_seldom_in_the_sun():
    def on(weather):
        rng = np.random.default_rng(0)
        drawn = [draw_lamps(WeatherState(weather, 40.0, 0.0), rng) for _ in range(200)]
        assert not any(beam.any() for _, beam in drawn)
        assert not any('street' in lamps for lamps, _ in drawn)
        assert all('signal' in lamps for lamps, _ in drawn), 'traffic lights are never off'
        return np.mean(['head' in lamps for lamps, _ in drawn])

    assert on('fog') > .8
    assert on('clear') < .3


def test_most_signals_and_tail_lamps_vanish_in_swir():
    rng = np.random.default_rng(0)
    drawn = [draw_lamps(WeatherState('fog', 40.0, 0.0), rng)[0] for _ in range(300)]
    for name, share in (('signal', .9), ('tail', .55)):
        dark = [to_swir(lamps[name]) < .05 * lamps[name][:3].max() for lamps in drawn
                if name in lamps]
        assert np.mean(dark) > share


def test_dusk_deepens_into_lamp_light():
    rng = np.random.default_rng
    early, late = ([draw_lamps(WeatherState('dusk', e, 0.0), rng(n))[1][1] for n in range(20)]
                   for e in (0.0, -6.5))
    assert 0 < np.mean(early) < .3 * np.mean(late)
