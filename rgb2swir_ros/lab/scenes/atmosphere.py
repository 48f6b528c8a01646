"""The air in five bands: its extinction, and the clear sky that it makes of sunlight.

The sky is single scattering of sunlight by air (Rayleigh) and haze (Henyey and Greenstein), with a
factor for double scattering. With the haze and the sun of the ASTM G173 spectrum its share of the
light is .18 in blue and .11 in green as in that spectrum, .03 and .02 in the two SWIR bands (.05
and .03 there, ground reflection included).
"""

from __future__ import annotations

import numpy as np

from rgb2swir_ros.lab.scenes.sky import Clouds, Sky
from rgb2swir_ros.lab.scenes.weather import WeatherState

WAVELENGTHS = np.array([.65, .55, .45, 1.15, 1.57])      # um, centre of each band
RAYLEIGH = .0088 * WAVELENGTHS ** -4.05                  # optical depth at sea level
RAYLEIGH_SCALE_HEIGHT_M = 8000.0
# Extinction over that at 550 nm, of haze of small dry particles, haze of droplets, fog, dust
DRY = np.array([.81, 1, 1.28, .41, .24])
DROPLETS = np.array([.96, 1, 1.04, .85, .70])
FOG = np.array([1, 1, 1, 1.02, 1.03])
DUST = np.array([1.02, 1, .98, 1.03, .97])
DUST_SCATTERS = np.array([.95, .90, .80, .985, .98])     # single scattering albedo of dust
HAZE_ASYMMETRY = .70


def extinction(state: WeatherState) -> np.ndarray:
    """Return the extinction (5,) per metre near the ground.

    In green 3.9 over the visibility (Koschmieder's law). SWIR penetrates haze of small particles,
    but not fog of large droplets.
    """
    total = 3.9 / state.visibility_m
    if state.visibility_m < 1000 and not state.dust:
        # haze becomes fog as droplets grow: below 500 m SWIR has no advantage
        fog = float(np.clip((1000 - state.visibility_m) / 500, 0, 1))
        return total * (fog * FOG + (1 - fog) * DROPLETS)
    air = np.minimum(RAYLEIGH / RAYLEIGH_SCALE_HEIGHT_M, total / 2)
    return air + (total - air[1]) * haze(state)


def haze(state: WeatherState) -> np.ndarray:
    """Return the extinction (5,) of haze and dust over that at 550 nm."""
    fine = DRY ** (1 - state.droplets) * DROPLETS ** state.droplets
    return fine ** (1 - state.dust) * DUST ** state.dust


def sun_direction(elevation: float, azimuth: float) -> np.ndarray:
    """Return the unit vector (3,) towards the sun, float32, y up; angles in degrees."""
    e, a = np.radians(elevation), np.radians(azimuth)
    direction = [np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a)]
    return np.array(direction).astype(np.float32)


def _air_mass(elevation: float) -> float:
    """Return the relative air mass by elevation in degrees: Kasten and Young (1989)."""
    return float(1 / (np.sin(np.radians(elevation)) + .50572 * (elevation + 6.07995) ** -1.6364))


def clear_sky(state: WeatherState, elevation: float) -> tuple[np.ndarray, Sky, np.ndarray]:
    """Return sun (5,), sky and airlight (5,) without clouds, per unit of extraterrestrial sun."""
    particles = state.aerosol * haze(state)
    scatters = 1 - state.dust * (1 - DUST_SCATTERS)
    depth = RAYLEIGH + particles
    path = _air_mass(elevation)
    direct = np.exp(-path * depth)
    # sunlight that reaches the point of scattering, on average half-way down
    arriving = np.exp(-.5 * path * depth)
    twice = 1 + 1.4 * np.minimum(depth, 1.2) * scatters
    # multiple scattering is isotropic
    often = 1 - np.exp(-1.2 * depth * scatters)
    haze_aside = (1 - HAZE_ASYMMETRY ** 2) / (1 + HAZE_ASYMMETRY ** 2) ** 1.5

    def seen(square: float, thickness: np.ndarray) -> np.ndarray:
        once = (RAYLEIGH * .75 * (1 + square) + particles * scatters * haze_aside) / depth
        phase = once + often * np.maximum(.75 - once, 0)
        return phase / 4 * arriving * twice * thickness

    def along(path: float) -> np.ndarray:
        return 1 - np.exp(-path * depth)

    # near the sun coarse particles dominate, which scatter all bands alike; multiple scattering
    # spreads their light over the whole sky
    glow = np.sqrt(particles * particles[1]) * scatters / 4 * direct ** .6 * 1.3
    spread = .9 * often * glow
    zenith = seen(np.sin(np.radians(elevation)) ** 2, along(1)) + spread
    air = seen(.35, np.ones(5)) * 1.25 + spread
    horizon = air * along(38)
    # rate of the transition from horizon to zenith, fitted at 15 degrees of elevation
    gradient = -np.log((along(3.8) - along(1)) / (along(38) - along(1))) / np.sin(np.radians(15))
    sky = Sky(zenith, horizon, glow * (1 - .8 * often), HAZE_ASYMMETRY,
              sun_direction(elevation, state.azimuth), np.zeros(5),
              Clouds('none', 0.0, np.ones(5), np.ones(5)), gradient, state.polarised)
    return direct, sky, air
