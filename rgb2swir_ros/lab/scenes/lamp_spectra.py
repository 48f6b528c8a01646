"""Radiance of lamps in five bands, and the lamps that are on in a weather.

A halogen bulb emits five times more power in 900-1700 nm than in the visible, a white LED almost
none: the same white light on the road is bright or absent in SWIR.
"""

from __future__ import annotations

import numpy as np

from rgb2swir_ros.lab.scenes.weather import WeatherState

# Ratio of the SWIR sensor's exposure to the colour camera's at night, over that by day (assumed).
# Without it every road lit by halogen lamps would clip.
NIGHT_EXPOSURE = .3
# Radiance relative to green, in units in which sunlit white is 1 in every band. Halogen: Planck's
# law at 3050 K over the G173 sun, each averaged over the band. The others are assumed: white LEDs
# end at 780 nm; sodium has lines at 819 and 1138 nm, mercury and metal halides some between.
COLOURS: dict[str, tuple[float, float, float, float, float]] = {
    'halogen': (1.75, 1, .45, 7.3, 10.3),
    'led': (.80, 1, .95, .012, .004),
    'led_warm': (1.10, 1, .60, .015, .005),
    'xenon': (.90, 1, 1.05, .60, .20),
    'sodium': (1.70, 1, .12, .80, .25),
    'metal_halide': (.95, 1, .95, .90, .35),
    # behind red plastic, which is transparent in SWIR; relative to the green of the bare lamp
    'halogen_red': (1.50, .06, .03, 6.2, 8.5),
    'led_red': (1.40, .05, .03, .010, .003),
    'led_green': (.05, 1, .45, .004, .002),
    'led_amber': (1.60, .75, .03, .010, .003),
}
STREET = {'led': .35, 'led_warm': .20, 'sodium': .33, 'metal_halide': .12}
HEAD = {'halogen': .45, 'led': .40, 'xenon': .15}
TAIL = {'halogen_red': .35, 'led_red': .65}
WINDOW = {'led_warm': .4, 'halogen': .25, 'led': .35}
SIGNAL = {'led_red': .42, 'led_green': .42, 'led_amber': .11, 'halogen_red': .05}
# Probability that vehicles have their lamps on by day
BY_DAY = {'clear': .15, 'cloudy': .2, 'overcast': .4, 'haze': .35, 'fog': .9, 'wet': .7,
          'snow': .6}


def lamp_colour(kind: str) -> np.ndarray:
    """Return the radiance (5,) of a kind of lamp relative to green, at exposures of the night."""
    return np.array(COLOURS[kind]) * np.array([1, 1, 1, NIGHT_EXPOSURE, NIGHT_EXPOSURE])


def draw_lamps(state: WeatherState, rng: np.random.Generator
               ) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw the lamps that are on.

    :return: radiance (5,) of the lamps' faces by ``Part.lamp``, and the irradiance (5,) of a wall
        10 m ahead by the ego vehicle's head lamps; zeros by day.
    """
    dark = 1.0
    if state.weather == 'dusk':
        dark = .04 + .5 * float(np.clip(-state.elevation / 7, 0, 1)) ** 2
    elif state.weather != 'night':
        lamps = {'signal': _face(SIGNAL, rng, 1.5, 6)}  # traffic lights are always on
        if rng.random() < BY_DAY[state.weather]:
            lamps |= {'head': _face(HEAD, rng, 3, 30), 'tail': _face(TAIL, rng, .6, 5)}
        return lamps, np.zeros(5, np.float32)
    lamps = {'head': _face(HEAD, rng, 30, 120), 'tail': _face(TAIL, rng, 1.5, 12),
             'signal': _face(SIGNAL, rng, 3, 15), 'window': _face(WINDOW, rng, .3, 4)}
    if state.weather == 'night' or rng.random() < .6:
        lamps['street'] = _face(STREET, rng, 12, 45)
    lamps = {kind: (value * np.float32(.25 + .75 * dark)) for kind, value in lamps.items()}
    own_beam = _face(HEAD, rng, .5, 1.6) * np.float32(dark)
    return lamps, own_beam


def _face(kinds: dict[str, float], rng: np.random.Generator, low: float, high: float
          ) -> np.ndarray:
    shares = np.array(list(kinds.values()))
    kind = list(kinds)[rng.choice(len(kinds), p=shares / shares.sum())]
    strength = np.exp(rng.uniform(np.log(low), np.log(high)))
    return (lamp_colour(kind) * strength).astype(np.float32)
