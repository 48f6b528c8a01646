"""The five bands that scenes are rendered in, and the SWIR frame that a sensor makes of two.

SWIR is kept in two parts on both sides of the water absorption at 1450 nm, because wet ground,
snow, leaves and fog differ there; an InGaAs sensor sees their sum.
"""

from __future__ import annotations

import numpy as np

# What a colour sensor sees around 610, 540 and 460 nm, behind filters that overlap (the camera
# makes sRGB of it), 900-1350 and 1450-1700 nm
BANDS = ('red', 'green', 'blue', 'swir_short', 'swir_long')
# Shares of the two parts in what a Sony IMX990 sees of the ASTM G173 sun: the weights that give
# the band averages of measured spectra in 900-1700 nm back from those in the two parts.
SWIR_WEIGHTS = (.76, .24)


def to_swir(bands: np.ndarray) -> np.ndarray:
    """Return what a 900-1700 nm sensor sees.

    :param bands: (..., 5), in the order of `BANDS`.
    :return: (...).
    """
    return SWIR_WEIGHTS[0] * bands[..., 3] + SWIR_WEIGHTS[1] * bands[..., 4]
