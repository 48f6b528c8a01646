"""Light of a scene in five bands: sun, sky, air and lamps, from the weather.

Units: 1.0 is the radiance of a white Lambertian surface that faces the main light, and the
irradiance of that surface: colour camera and SWIR sensor are calibrated to the same white. At a
clear noon sun and sky together are 1 in every band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rgb2swir_ros.lab.scenes import lamp_spectra
from rgb2swir_ros.lab.scenes.atmosphere import clear_sky, extinction, haze, sun_direction
from rgb2swir_ros.lab.scenes.sky import DISC, Clouds, Sky, cosine_hemisphere
from rgb2swir_ros.lab.scenes.weather import WeatherState, draw_weather_state

# Colour of multiple scattering by dust (assumed)
DUST_COLOUR = np.array([1.15, 1, .68, 1.20, 1.15])
NOON = 42.0                # degrees; elevation of the sun in G173 is 41.8
NEUTRAL, LOWEST = 25.0, 8.0  # sun elevations, degrees: white above; fully reddened at and below
# A low sun loses less SWIR than visible light. A SWIR sensor with automatic exposure shows only
# part of that difference: its exponent (assumed).
SWIR_FOLLOWS = .35
ICE = np.array([1, 1, 1, .92, .62])         # ice clouds; ice absorbs near 1550 nm (assumed)
WATER = np.array([1, 1, 1.01, .95, .78])    # water clouds absorb a little less (assumed)
DECK = np.array([.985, 1, 1.03, .92, .72])  # transmittance of an overcast layer (assumed)
OVERCAST_HORIZON = 1 / 3    # radiance over the zenith's: Moon and Spencer (1942), ISO 15469 type 1


@dataclass(frozen=True)
class Light:
    """Everything that lights a scene; arrays (5,) are float32, a value for each band.

    :param weather: one of `rgb2swir_ros.lab.scenes.weather.WEATHERS`.
    :param sun_direction: (3,) unit vector towards the sun (y up), at night towards the moon.
    :param sun: irradiance of a surface that faces the sun; zeros without direct sun.
    :param sky: irradiance of a level surface by the whole sky.
    :param dome: radiance of the sky by direction; see `sky_radiance`.
    :param extinction: of the air, per metre; ``air``: airlight, the radiance of an infinite path.
    :param wetness: of the ground, [0, 1]; ``puddles``: their share of the road.
    :param snow: share of the ground covered by snow, [0, 1].
    :param lamps: radiance of the lamps that are on, by `Part.lamp`.
    :param own_beam: irradiance of a wall 10 m ahead by the ego vehicle's head lamps.
    """

    weather: str
    sun_direction: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    dome: Sky
    extinction: np.ndarray
    air: np.ndarray
    wetness: float
    puddles: float
    snow: float
    lamps: dict[str, np.ndarray]
    own_beam: np.ndarray

    @property
    def zenith(self) -> np.ndarray:
        """Radiance (5,) at the zenith, without clouds."""
        return self.dome.zenith

    @property
    def horizon(self) -> np.ndarray:
        """Radiance at the horizon, (5,)."""
        return self.dome.horizon

    @property
    def white(self) -> np.ndarray:
        """Radiance (5,) of white under sun and sky; at night under own head lamps."""
        return self.own_beam if self.weather == 'night' else self.sun + self.sky

    def sky_radiance(self, directions: np.ndarray) -> np.ndarray:
        """Return radiance (N, 5), float32, of the sky in unit directions (N, 3).

        It includes clouds, aureole and solar disc; below the horizon it is the horizon's.
        """
        return self.dome.radiance(directions)


def draw_light(rng: np.random.Generator, weather: str | None = None) -> Light:
    """Draw a light.

    :param weather: one of `rgb2swir_ros.lab.scenes.weather.WEATHERS`; drawn when None.
    :raises UserError: for an unknown weather.
    """
    return light_of(draw_weather_state(rng, weather), rng)


def light_of(state: WeatherState, rng: np.random.Generator) -> Light:
    """Return the light of a weather state.

    :param rng: draws clouds and lamps.
    """
    if state.weather == 'night':
        sun, dome_, air = _night(state, rng)
    elif state.weather == 'dusk':
        sun, dome_, air = _dusk(state, rng)
    elif state.clouds == 'deck':
        sun, dome_, air = _deck(state, rng)
    else:
        sun, dome_, air = _daylight(state, rng)
    sky = _irradiance(dome_)
    # normalises white to 1 in green under any clouds; at night the lamps are the reference
    scale = 1.0 if state.weather == 'night' else 1 / float(sun[1] + sky[1])
    lamps, own_beam = lamp_spectra.draw_lamps(state, rng)
    return Light(
        state.weather, dome_.sun_direction, _float(sun * scale), _float(sky * scale),
        _scaled(dome_, np.full(5, scale)), _float(extinction(state)), _float(air * scale),
        state.wetness, state.puddles, state.snow, lamps, own_beam)


def _daylight(state: WeatherState, rng: np.random.Generator) -> tuple[np.ndarray, Sky, np.ndarray]:
    direct, sky, air = clear_sky(state, state.elevation)
    level = _irradiance(sky)
    noon, noon_sky, _ = clear_sky(state, NOON)
    tint = (direct + level) / (noon + _irradiance(noon_sky))
    tint /= tint[1]
    tint[3:] **= SWIR_FOLLOWS
    # only a low sun is coloured: cameras are white-balanced on a high one
    low = np.clip((NEUTRAL - state.elevation) / (NEUTRAL - LOWEST), 0, 1)
    unit = tint ** low / (direct + level)
    sun, sky, air = direct * unit, _scaled(sky, unit), air * unit
    if state.dust:
        dusty = DUST_COLOUR ** state.dust
        sky, air = _scaled(sky, dusty), air * dusty
    white = sun + level * unit
    kind = ICE if state.clouds == 'cirrus' else WATER
    lit = white * kind * rng.uniform(.75, 1.15)
    dark = lit * rng.uniform(.25, .6) * np.array([.97, 1, 1.05, .95, .8])
    clouds = Clouds(state.clouds, state.cover, lit, dark, tuple(rng.uniform(0, 512, 2)),
                    float(rng.uniform(45, 160)), state.relief, float(rng.uniform(0, np.pi)))
    gradient, shows = sky.gradient * rng.uniform(.75, 1.3), state.sunshine > .3
    glow = sky.glow * (1 if shows else .4)
    veiled = replace(sky, glow=glow, clouds=clouds, gradient=gradient)
    if state.clouds != 'cumulus':  # light that cirrus scatters into the sky is lost to the sun
        sun = np.maximum(white - _irradiance(veiled), .1 * sun)
    # where the sun is hidden, clouds elsewhere are still lit and the sky is blue
    sun = sun * state.sunshine
    return sun, replace(veiled, disc=sun * DISC if shows else np.zeros(5)), air


def _deck(state: WeatherState, rng: np.random.Generator) -> tuple[np.ndarray, Sky, np.ndarray]:
    foggy = state.weather == 'fog'
    colour = DECK * np.exp(rng.normal(0, .012, 5)) if not foggy else DECK ** .4
    if foggy:
        edge = np.full(5, rng.uniform(.8, 1.05))
    else:
        # Light that leaves a thick layer downwards falls to a third at the horizon. There haze and
        # the light of the ground fill it up in the visible; the ground is no brighter in SWIR,
        # but haze scatters less, by its extinction.
        filled = rng.uniform(0, .25) * np.minimum(haze(state), 1)
        edge = OVERCAST_HORIZON * np.exp(rng.normal(0, .25)) + filled * np.array(
            [1, 1, 1, .5, .5])
        # water, vapour and droplets, absorbs SWIR on the long way from there (assumed; on a drive
        # the low sky was darker than the crowns before it, .36 of the high sky or less)
        edge[3:] *= rng.uniform(.45, .9)
    relief = .04 + .38 * state.relief if state.relief else 0.0
    sun = colour * state.sunshine * 1.5
    bright = rng.uniform(0, .5) if rng.random() < .5 else 0.0  # glow of a sun behind clouds
    clouds = Clouds('deck', 1.0, colour, colour, tuple(rng.uniform(0, 512, 2)),
                    float(rng.uniform(30, 140)), 0.0 if foggy else relief)
    sky = Sky(colour, colour * edge, colour * bright * .2, .6,
              sun_direction(state.elevation, state.azimuth),
              sun * DISC * .2 if state.sunshine > .03 else np.zeros(5), clouds, np.zeros(5))
    # airlight is the radiance of the horizon, dimmed by deep rain or fog
    return sun, sky, sky.horizon * (rng.uniform(.75, 1) if foggy else rng.uniform(.85, 1))


def _dusk(state: WeatherState, rng: np.random.Generator) -> tuple[np.ndarray, Sky, np.ndarray]:
    night = float(np.clip(-state.elevation / 7, 0, 1))
    # multiple scattering: blue at the zenith, red near the sun; assumed from photographs
    zenith = np.array([.50, .66, 1.0, .16, .07]) * np.exp(rng.normal(0, .06, 5))
    horizon = np.array([.95, .88, .95, .50, .30]) * np.exp(rng.normal(0, .06, 5))
    horizon[3:] *= 1 - .3 * night
    glow = np.array([1.6, .85, .35, 1.5, 1.1]) * rng.uniform(.1, .5)
    lit = np.array([1.1, .8, .75, .75, .5]) * rng.uniform(.4, 1.1)
    clouds = Clouds(state.clouds, state.cover, lit, lit * np.array([.35, .45, .6, .3, .25]),
                    tuple(rng.uniform(0, 512, 2)), float(rng.uniform(45, 150)), state.relief,
                    float(rng.uniform(0, np.pi)))
    sky = Sky(zenith, horizon, glow, float(rng.uniform(.45, .7)),
              sun_direction(state.elevation, state.azimuth), np.zeros(5), clouds,
              np.full(5, rng.uniform(2.5, 6)))
    return np.zeros(5), sky, horizon * .9


def _night(state: WeatherState, rng: np.random.Generator) -> tuple[np.ndarray, Sky, np.ndarray]:
    # light pollution, most of it below clouds; airglow is strongest in the long SWIR band
    town = np.exp(rng.uniform(np.log(.0015), np.log(.03))) * (2 if state.clouds == 'deck' else 1)
    colour = lamp_spectra.lamp_colour(str(rng.choice(['sodium', 'led', 'led_warm'])))
    colour = colour * np.array([1, 1, 1.3, 1, 1])
    airglow = np.array([0, 0, 0, .0006, .003]) * rng.uniform(.5, 1.5)
    zenith = town * .4 * colour + airglow
    horizon = town * 1.6 * colour + airglow
    clouds = Clouds('deck' if state.clouds == 'deck' else 'none', 1.0, colour, colour,
                    tuple(rng.uniform(0, 512, 2)), float(rng.uniform(40, 140)),
                    .4 * state.relief)
    moon = np.array([1.05, 1, .9, 1, 1]) * rng.uniform(.004, .02) * state.sunshine
    sky = Sky(zenith, horizon, moon * .02, .8, sun_direction(state.elevation, state.azimuth),
              moon * DISC * .3, clouds, np.full(5, rng.uniform(3, 6)))
    return moon, sky, horizon


def _irradiance(sky: Sky) -> np.ndarray:
    """Return the irradiance (5,) of a level surface by a sky, without the solar disc."""
    return replace(sky, disc=np.zeros(5)).radiance(_HEMISPHERE).mean(axis=0, dtype=np.float64)


def _scaled(sky: Sky, factor: np.ndarray) -> Sky:
    clouds = replace(sky.clouds, lit=_float(sky.clouds.lit * factor),
                     dark=_float(sky.clouds.dark * factor))
    return replace(sky, zenith=_float(sky.zenith * factor), horizon=_float(sky.horizon * factor),
                   glow=_float(sky.glow * factor), disc=_float(sky.disc * factor), clouds=clouds)


def _float(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float32)


_HEMISPHERE = cosine_hemisphere()
