"""Random states of the weather, from which `rgb2swir_ros.lab.scenes.light` computes light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.errors import UserError

# Probability of each weather
SHARES = {'clear': .33, 'cloudy': .17, 'overcast': .14, 'haze': .08, 'fog': .06, 'wet': .07,
          'snow': .06, 'dusk': .05, 'night': .04}
WEATHERS = tuple(SHARES)
AEROSOL_SCALE_HEIGHT_M = 1500.0  # optical depth = extinction near the ground * this


@dataclass(frozen=True)
class WeatherState:
    """The weather: state of sky, air and ground.

    :param weather: one of `WEATHERS`.
    :param elevation: of the sun (at night the moon) above the horizon, degrees; ``azimuth``: from
        ahead (+z) to the right, degrees.
    :param aerosol: vertical optical depth of haze at 550 nm, .03 clean to 1 thick.
    :param droplets: 0 for dry haze of small particles, 1 for wet haze of droplets.
    :param dust: 0 to 1: coarse mineral dust in place of haze, which absorbs blue.
    :param visibility_m: distance at which contrast falls to 2 %.
    :param clouds: ``'none'``, ``'cirrus'``, ``'cumulus'`` or ``'deck'``; ``cover``: their share of
        the sky, [0, 1]; ``relief``: variation within them, [0, 1].
    :param sunshine: transmitted share of the direct sun, [0, 1].
    :param polarised: strength of a polarising filter, [0, 1].
    :param wetness: of the ground, [0, 1]; ``puddles``: their share of the road, [0, 1].
    :param snow: share of the ground covered by snow, [0, 1].
    """

    weather: str
    elevation: float
    azimuth: float
    aerosol: float = .08
    droplets: float = 0.0
    dust: float = 0.0
    visibility_m: float = 40e3
    clouds: str = 'none'
    cover: float = 0.0
    relief: float = .5
    sunshine: float = 1.0
    polarised: float = 0.0
    wetness: float = 0.0
    puddles: float = 0.0
    snow: float = 0.0


def draw_weather_state(rng: np.random.Generator, weather: str | None = None) -> WeatherState:
    """Draw a state of the weather.

    :param weather: one of `WEATHERS`; drawn by `SHARES` when None.
    :raises UserError: for an unknown weather.
    """
    if weather is None:
        weather = WEATHERS[rng.choice(len(WEATHERS), p=list(SHARES.values()))]
    if weather not in WEATHERS:
        raise UserError(f"unknown weather '{weather}': known are {', '.join(WEATHERS)}")
    return _SAMPLERS[weather](rng)


def _sun(rng: np.random.Generator, low: float = 8, high: float = 75) -> dict[str, float]:
    # low suns are common in winter, mornings and evenings: half of the draws
    elevation = low + (high - low) * float(rng.beta(1.1, 1.6))
    return {'elevation': elevation, 'azimuth': float(rng.uniform(-180, 180))}


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _clear(rng: np.random.Generator) -> WeatherState:
    cirrus = rng.random() < .35
    return WeatherState(
        'clear', **_sun(rng), aerosol=_log_uniform(rng, .025, .16),
        droplets=float(rng.uniform(0, .3)), visibility_m=_log_uniform(rng, 15e3, 60e3),
        clouds='cirrus' if cirrus else 'none',
        cover=float(rng.uniform(.05, .6)) if cirrus else 0.0, relief=float(rng.uniform(.3, 1)),
        polarised=float(rng.uniform(.3, .9)) if rng.random() < .35 else float(rng.uniform(0, .3)))


def _cloudy(rng: np.random.Generator) -> WeatherState:
    cover = float(rng.uniform(.1, .85))
    # more clouds hide the sun more often
    hidden = rng.random() < .75 * cover
    return WeatherState(
        'cloudy', **_sun(rng), aerosol=_log_uniform(rng, .04, .25),
        droplets=float(rng.uniform(0, .6)), visibility_m=_log_uniform(rng, 8e3, 50e3),
        clouds='cumulus', cover=cover, relief=float(rng.uniform(.3, 1)),
        sunshine=float(rng.uniform(0, .25)) if hidden else float(rng.uniform(.8, 1)),
        polarised=float(rng.uniform(0, .5)))


def _deck(rng: np.random.Generator, weather: str, **more: float) -> WeatherState:
    flat = rng.random() < .4
    given = {'visibility_m': _log_uniform(rng, 3e3, 30e3), **more}
    return WeatherState(
        weather, **_sun(rng), aerosol=_log_uniform(rng, .05, .3),
        droplets=float(rng.uniform(.2, 1)), clouds='deck', cover=1.0,
        relief=float(rng.uniform(0, .2)) if flat else float(rng.uniform(.25, 1)),
        sunshine=float(rng.uniform(.02, .15)) if rng.random() < .15 else 0.0, **given)


def _overcast(rng: np.random.Generator) -> WeatherState:
    # without rain or mist the air under clouds is as clear as elsewhere
    return _deck(rng, 'overcast', visibility_m=_log_uniform(rng, 6e3, 40e3))


def _haze(rng: np.random.Generator) -> WeatherState:
    dust = float(rng.uniform(.4, 1)) if rng.random() < .3 else 0.0
    visibility = _log_uniform(rng, 1e3 if dust else 2e3, 8e3)
    return WeatherState(
        'haze', **_sun(rng), aerosol=float(np.clip(3.9 / visibility * AEROSOL_SCALE_HEIGHT_M
                                                   * rng.uniform(.4, 1), .25, 1.4)),
        droplets=float(rng.uniform(0, 1)), dust=dust, visibility_m=visibility,
        clouds='cirrus' if rng.random() < .3 else 'none', cover=float(rng.uniform(.1, .5)),
        sunshine=float(rng.uniform(.5, 1)))


def _fog(rng: np.random.Generator) -> WeatherState:
    return WeatherState(
        'fog', **_sun(rng, 8, 50), aerosol=1.0, droplets=1.0,
        visibility_m=_log_uniform(rng, 50, 900), clouds='deck', cover=1.0,
        relief=float(rng.uniform(0, .1)), wetness=float(rng.uniform(0, .5)),
        sunshine=float(rng.uniform(.05, .3)) if rng.random() < .25 else 0.0)


def _wet(rng: np.random.Generator) -> WeatherState:
    ground = {'wetness': float(rng.uniform(.35, 1)), 'puddles': float(rng.uniform(.05, .7))}
    if rng.random() < .25:  # the sun after rain
        return WeatherState(
            'wet', **_sun(rng), aerosol=_log_uniform(rng, .04, .15), droplets=.5,
            visibility_m=_log_uniform(rng, 8e3, 50e3), clouds='cumulus',
            cover=float(rng.uniform(.2, .8)), sunshine=float(rng.uniform(.6, 1)), **ground)
    return _deck(rng, 'wet', visibility_m=_log_uniform(rng, 1e3, 20e3), **ground)


def _snow(rng: np.random.Generator) -> WeatherState:
    ground = {'snow': float(rng.uniform(.3, 1)), 'wetness': float(rng.uniform(0, .6)),
              'puddles': float(rng.uniform(0, .2))}
    if rng.random() < .35:
        return WeatherState(
            'snow', **_sun(rng, 8, 40), aerosol=_log_uniform(rng, .025, .1),
            visibility_m=_log_uniform(rng, 15e3, 60e3),
            clouds='cumulus' if rng.random() < .4 else 'none', cover=float(rng.uniform(.1, .5)),
            **ground)
    return _deck(rng, 'snow', visibility_m=_log_uniform(rng, 300, 10e3), **ground)


def _dusk(rng: np.random.Generator) -> WeatherState:
    cloudy = rng.random() < .6
    return WeatherState(
        'dusk', elevation=float(rng.uniform(-7, 1)), azimuth=float(rng.uniform(-180, 180)),
        aerosol=_log_uniform(rng, .05, .3), droplets=float(rng.uniform(0, .6)),
        visibility_m=_log_uniform(rng, 5e3, 50e3),
        clouds=str(rng.choice(['cirrus', 'cumulus'])) if cloudy else 'none',
        cover=float(rng.uniform(.1, .8)) if cloudy else 0.0, relief=float(rng.uniform(.3, 1)),
        wetness=float(rng.uniform(.3, 1)) if rng.random() < .25 else 0.0, puddles=.3, sunshine=0.0)


def _night(rng: np.random.Generator) -> WeatherState:
    wet = rng.random() < .35
    return WeatherState(
        'night', elevation=float(rng.uniform(10, 70)), azimuth=float(rng.uniform(-180, 180)),
        aerosol=.1, droplets=float(rng.uniform(0, .8)), visibility_m=_log_uniform(rng, 1e3, 30e3),
        clouds='deck' if rng.random() < .5 else 'none', cover=1.0,
        relief=float(rng.uniform(0, .6)), sunshine=1.0 if rng.random() < .25 else 0.0,
        wetness=float(rng.uniform(.4, 1)) if wet else 0.0,
        puddles=float(rng.uniform(.1, .7)) if wet else 0.0)


_SAMPLERS: dict[str, Callable[[np.random.Generator], WeatherState]] = {
    'clear': _clear, 'cloudy': _cloudy, 'overcast': _overcast, 'haze': _haze, 'fog': _fog,
    'wet': _wet, 'snow': _snow, 'dusk': _dusk, 'night': _night,
}
