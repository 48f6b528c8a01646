"""Radiance of the sky in any direction, with clouds and sun."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from rgb2swir_ros.lab.scenes.textures import sample_bilinear

DISC_COSINE = np.cos(np.radians(.35))   # the sun's radius, enlarged for partly covered pixels
DISC = 1500.0                           # radiance over irradiance of the sun: clips in any camera
FINE = .45                              # amplitude of the clouds' finer octaves
_ROW = 1024                             # cv2.remap limits the sides of arrays to 16 bits
_SPREAD = float(np.hypot(1, FINE))


@dataclass(frozen=True)
class Clouds:
    """A layer of clouds, on a plane above the scene.

    :param kind: ``'none'``, ``'cirrus'``, ``'cumulus'`` or ``'deck'`` (an overcast layer).
    :param cover: share of the sky, [0, 1].
    :param lit: (5,) radiance where the sun lights them; ``dark``: (5,) of their shaded sides.
    :param offset: (x, z) texels into the texture; selects the clouds.
    :param scale: texels per unit of horizontal distance over height.
    :param relief: of a deck: standard deviation of its log radiance; of others: sharpness of their
        edges, [0, 1].
    :param angle: of cirrus streaks, radians.
    """

    kind: str
    cover: float
    lit: np.ndarray
    dark: np.ndarray
    offset: tuple[float, float] = (0.0, 0.0)
    scale: float = 90.0
    relief: float = .5
    angle: float = 0.0


@dataclass(frozen=True)
class Sky:
    """A sky by a few parameters.

    :param zenith: (5,) radiance straight up; ``horizon``: (5,) at the horizon and below.
    :param gradient: (5,) rate of the transition from horizon to zenith, per sine of elevation.
        Under a deck of clouds the transition is linear in the sine, as in the overcast sky of the
        CIE (ISO 15469, type 1: a third of the zenith's radiance at the horizon), without a rate.
    :param glow: (5,) radiance added around the sun, times `aureole`; ``glow_width``: its
        asymmetry.
    :param polarised: share of the polarised light that a filter removes, [0, 1].
    :param sun_direction: (3,) unit; ``disc``: (5,) radiance of the sun itself, 0 for none.
    """

    zenith: np.ndarray
    horizon: np.ndarray
    glow: np.ndarray
    glow_width: float
    sun_direction: np.ndarray
    disc: np.ndarray
    clouds: Clouds
    gradient: np.ndarray
    polarised: float = 0.0

    def radiance(self, directions: np.ndarray) -> np.ndarray:
        """Return the radiance (N, 5), float32, in unit directions (N, 3), y up.

        Below the horizon it is that of the horizon.
        """
        directions = np.asarray(directions, np.float32).reshape(-1, 3)
        if len(directions) == 0:
            return np.zeros((0, 5), np.float32)
        height = np.maximum(directions[:, 1], 0)
        cosine = directions @ self.sun_direction.astype(np.float32)
        if self.clouds.kind == 'deck':
            clear = np.repeat(1 - height[:, None], 5, axis=1)
        else:
            clear = np.exp(_outer(-height, self.gradient))
        clear *= (self.horizon - self.zenith).astype(np.float32)
        clear += self.zenith.astype(np.float32)
        if self.polarised:
            # degree of polarisation of Rayleigh scattering, greatest at 90 degrees from the sun
            square = cosine * cosine
            clear *= (1 - np.float32(.8 * self.polarised) * (1 - square) / (1 + square)
                      * (1 - np.exp(-3 * height)))[:, None]
        if self.clouds.kind == 'deck' and self.clouds.relief:
            clear *= np.exp(self.clouds.relief * (1 - np.exp(-10 * height))
                            * density(self.clouds, directions))[:, None]
        if self.glow.any():
            clear += _outer(aureole(cosine, self.glow_width), self.glow)
        cover = np.zeros(len(height), np.float32)
        if self.clouds.kind in {'cirrus', 'cumulus'} and self.clouds.cover:
            cover, white = _clouds(self.clouds, directions, height, self.sun_direction)
            clear += cover[:, None] * (white - clear)
        if self.disc.any():
            seen = np.where((cosine > DISC_COSINE) & (directions[:, 1] > 0), 1 - cover, 0)
            clear += _outer(seen.astype(np.float32), self.disc)
        return clear


def aureole(cosine: np.ndarray, width: float) -> np.ndarray:
    """Return the brightness of the aureole, by the cosine of the angle to the sun.

    A sum of phase functions of Henyey and Greenstein (1941) of different widths, since haze has
    particles of many sizes, less their value at 90 degrees; 0 beyond.

    :param width: asymmetry, .4 for a wide aureole to .9 for a narrow one.
    """
    cosine = np.minimum(cosine, 1)
    total = np.zeros_like(cosine)
    for share, g in ((.7, np.float32(width)), (.2, np.float32(.5 * width + .5)),
                     (.1, np.float32(.97))):
        near = (1 + g * g - 2 * g * cosine) ** -1.5 - (1 + g * g) ** -1.5
        total += np.float32(share) * (1 - g * g) * np.maximum(near, 0)
    return total


def density(clouds: Clouds, directions: np.ndarray, ahead: tuple[float, float] = (0, 0)
            ) -> np.ndarray:
    """Return the clouds' density (N,), mean 0 and standard deviation 1, in directions (N, 3).

    :param ahead: (x, z), shift on the cloud plane, in units of its height.
    """
    # positive, so that the distance to the plane stays finite at the horizon
    height = np.maximum(directions[:, 1], 0) + np.float32(.07)
    x = directions[:, 0] / height + np.float32(ahead[0])
    z = directions[:, 2] / height + np.float32(ahead[1])
    if clouds.kind == 'cirrus':
        cosine, sine = np.float32(np.cos(clouds.angle)), np.float32(np.sin(clouds.angle))
        x, z = (cosine * x + sine * z) * np.float32(.22), cosine * z - sine * x
    x = x * np.float32(clouds.scale) + np.float32(clouds.offset[0])
    z = z * np.float32(clouds.scale) + np.float32(clouds.offset[1])
    coarse = _look_up(x, z)
    return (coarse + FINE * _look_up(3.7 * x + 101, 3.7 * z + 57)) / _SPREAD


def _clouds(clouds: Clouds, directions: np.ndarray, height: np.ndarray, sun: np.ndarray
            ) -> tuple[np.ndarray, np.ndarray]:
    """Return cover (N,) in [0, 1] and radiance (N, 5) of the clouds."""
    threshold = NormalDist().inv_cdf(float(np.clip(1 - clouds.cover, .01, .99)))
    thickness = density(clouds, directions) - np.float32(threshold)
    distant = 1 - np.exp(-14 * height)  # haze hides clouds near the horizon
    if clouds.kind == 'cirrus':
        cover = .75 * np.clip(thickness / 2.2, 0, 1) * distant
        return cover.astype(np.float32), np.broadcast_to(clouds.lit.astype(np.float32),
                                                         (len(height), 5))
    cover = np.clip(thickness / (.75 - .55 * clouds.relief), 0, 1)
    cover = (cover * cover * (3 - 2 * cover) * distant).astype(np.float32)
    level = sun[[0, 2]] / max(float(np.linalg.norm(sun[[0, 2]])), 1e-6)
    toward = density(clouds, directions, tuple(.16 * level)) - np.float32(threshold)
    # clouds are bright where density falls towards the sun; thick clouds overhead have dark bases
    light = np.clip(.8 - 1.1 * (toward - thickness), .1, 1.25)
    light = light * np.exp(-(.25 + .5 * height) * np.maximum(thickness, 0))
    return cover, clouds.dark.astype(np.float32) + _outer(light, clouds.lit - clouds.dark)


def _look_up(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    rows = -(-len(x) // _ROW)
    pad = rows * _ROW - len(x)
    value = sample_bilinear('clouds', np.pad(x, (0, pad)).reshape(rows, _ROW),
                            np.pad(z, (0, pad)).reshape(rows, _ROW))
    return value.ravel()[:len(x)]


def _outer(amount: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return np.asarray(amount, np.float32)[:, None] * np.asarray(colour, np.float32)


def cosine_hemisphere(count: int = 4000) -> np.ndarray:
    """Return cosine-weighted directions (N, 3) over the upper hemisphere.

    The mean radiance over them is the irradiance of a level surface (Malley's method, on a
    sunflower spiral).
    """
    index = np.arange(count) + .5
    radius, turn = np.sqrt(index / count), np.pi * (1 + 5 ** .5) * index
    return np.stack([radius * np.cos(turn), np.sqrt(1 - radius ** 2), radius * np.sin(turn)],
                    axis=1).astype(np.float32)
