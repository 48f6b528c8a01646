"""Band reflectances of what stands along a road, and objects drawn around them.

``MEASURED``: medians of measured spectra (earthlib, MIT licence) in blue, green, red and
900-1700 nm, weighted with the ASTM G173 sun and the response of a Sony IMX990.
``ASSUMED``: no free measurement was at hand; figures from the general literature on skin, cloth,
tyres and paints, to be replaced by measured ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# name: (blue, green, red, swir)
MEASURED: dict[str, tuple[float, float, float, float]] = {
    'asphalt': (.06, .07, .08, .13),
    'concrete': (.26, .28, .30, .34),
    'white_paint': (.42, .46, .48, .50),
    'yellow_paint': (.10, .23, .37, .42),
    'red_paint': (.08, .09, .25, .50),
    'brick': (.08, .13, .26, .55),
    'grass': (.04, .08, .08, .44),
    'leaf': (.06, .09, .07, .46),
    'conifer': (.05, .08, .07, .41),
    'dry_grass': (.22, .29, .36, .63),
    'soil': (.15, .24, .36, .60),
    'wood': (.09, .11, .13, .27),
    'granite': (.14, .16, .17, .18),
    'snow': (.98, .98, .97, .52),
    'water': (.02, .02, .02, .01),
    'galvanized': (.02, .04, .07, .12),
    'aluminium': (.46, .49, .52, .74),
}
ASSUMED: dict[str, tuple[float, float, float, float]] = {
    'skin': (.25, .35, .45, .28),
    'cotton': (.68, .70, .70, .70),
    'black_cloth': (.04, .04, .04, .50),
    'tyre': (.05, .05, .05, .05),
    'glass': (.06, .07, .07, .05),
    'plaster': (.45, .52, .56, .60),
    'roof_tile': (.10, .14, .24, .42),
    'gravel': (.22, .25, .27, .32),
}
TABLE = {**MEASURED, **ASSUMED}


@dataclass(frozen=True)
class Material:
    """One object's reflectance: ``rgb`` (3,) and ``swir`` in [0, 1], linear."""

    name: str
    rgb: np.ndarray
    swir: float


def draw(name: str, rng: np.random.Generator, *, spread: float = 1.0) -> Material:
    """Draw one object's reflectance around a material of the table.

    Brightness varies for all bands together (dirt, wear, moisture), colour and SWIR a little on
    their own, so that RGB does not determine SWIR.

    :param name: a key of `TABLE`.
    :param spread: 0 gives the table's values, 1 the usual variety.
    :raises KeyError: for an unknown material.
    """
    blue, green, red, swir = TABLE[name]
    common = np.exp(spread * rng.normal(0, .22))
    rgb = np.array([red, green, blue]) * common * np.exp(spread * rng.normal(0, .07, 3))
    own = np.exp(spread * rng.normal(0, .10))
    return Material(name, np.clip(rgb, .01, .98), float(np.clip(swir * common ** .8 * own,
                                                                .01, .95)))


def draw_coloured(name: str, rng: np.random.Generator) -> Material:
    """Draw a dyed or painted thing whose SWIR says little about its colour.

    Car paint (``'car_paint'``): mostly brighter and less coloured in SWIR than in the visible,
    carbon black staying black. Cloth (``'cloth'``): dyes are transparent in SWIR, so that even
    black cloth reflects .4 to .7 (assumption).
    """
    hue = np.array([*rng.dirichlet((1.2, 1.2, 1.2))])
    colour = hue / hue.max() * rng.uniform(.08, .6)
    kind = rng.random()
    if kind < .28:
        colour = np.full(3, rng.uniform(.55, .9))    # white
    elif kind < .45:
        colour = np.full(3, rng.uniform(.15, .45))   # silver, grey
    elif kind < .62:
        colour = np.full(3, rng.uniform(.02, .06))   # black
    colour = np.clip(colour * np.exp(rng.normal(0, .04, 3)), .015, .95)
    if name == 'cloth':
        swir = rng.uniform(.4, .75)
    elif colour.max() < .07:
        swir = rng.uniform(.04, .12)
    else:
        swir = np.clip(.55 * colour.max() + rng.uniform(.08, .3), .1, .85)
    return Material(name, colour, float(swir))
