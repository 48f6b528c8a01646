"""The five bands that scenes are rendered in, and the response of a SWIR sensor.

SWIR has two bands, below and above the edge of the water absorption at 1450 nm, because wet
ground, snow, leaves and fog differ there. An InGaAs sensor sees their weighted sum.
"""

from __future__ import annotations

import numpy as np

# A colour sensor's bands around 610, 540 and 460 nm, of overlapping filters (the camera converts
# them to sRGB); 900-1350 and 1450-1700 nm
BANDS = ('red', 'green', 'blue', 'swir_short', 'swir_long')
# Weights of the two SWIR bands in the response of a Sony IMX990 to the ASTM G173 sun. With them
# the two band averages of a measured spectrum give its average in 900-1700 nm.
SWIR_WEIGHTS = (.76, .24)


def to_swir(bands: np.ndarray) -> np.ndarray:
    """Return the radiance or reflectance that a 900-1700 nm sensor sees.

    :param bands: (..., 5), in the order of `BANDS`.
    :return: (...).
    """
    return SWIR_WEIGHTS[0] * bands[..., 3] + SWIR_WEIGHTS[1] * bands[..., 4]
