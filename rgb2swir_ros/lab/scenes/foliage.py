"""Light among leaves: what a crown, a hedge or a tuft of grass scatters in each band.

Light that a leaf scatters may meet another leaf before it leaves the crown. The share that does,
the recollision probability p, depends on the crown's structure alone, not on the wavelength
(Knyazikhin et al. 1998; Smolander and Stenberg 2005, "Simple parameterizations of the radiation
budget of uniform broadleaved and coniferous canopies"). After any number of collisions with leaves
of the albedo w the share ``w (1 - p) / (1 - p w)`` leaves. Leaves absorb the visible, so that
little of it survives a second collision, and scatter SWIR, so that most of it does: a crown is
nearly black inside in the one and bright in the other.

Two scales nest, as shoots do in a canopy (Smolander and Stenberg 2003): within a tuft of needles,
which is one triangle of a mesh, and among the tufts of a crown. Light on a tuft that the camera
sees is ray traced, what tufts get from each other is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rgb2swir_ros.lab.scenes.geometry.trees import COVER

# Albedo of a leaf over its reflectance, since its transmittance is a little lower; limited,
# because dry matter always absorbs.
SCATTERED, GREATEST_ALBEDO = 1.85, .95
# Mean layers of needles on a shoot, from one side to the other, with which recollision is .44
# (Smolander and Stenberg 2003: .47 on average). A broad leaf is flat, no obstacle to itself.
NEEDLES = .5
LEAST_OPEN = .03     # share of the sky seen from the depth of a crown
# Share of the light scattered first that meets another tuft. Tufts that are seen lie at the
# surface, so that it is less than deeper inside: they see .36 of the sky, as traced in scenes (.28
# where crowns touch to .43 of single ones).
FIRST = .64


def recollision(layers: float) -> float:
    """Return the recollision probability of a body of leaves of random orientation.

    ``p = 1 - i / L``: i is the share of diffuse light that the body intercepts, L its leaf area
    index (Stenberg 2007, "Simple analytical formula for calculating average photon recollision
    probability in vegetation canopies").

    :param layers: mean leaves that a straight line through the body meets, half of L.
    """
    cosine = (np.arange(400) + .5) / 400
    intercepted = 1 - 2 * float((np.exp(-layers / cosine) * cosine).mean())
    return 1 - intercepted / (2 * layers)


def escaping(albedo: np.ndarray, probability: np.ndarray | float) -> np.ndarray:
    """Return the share of the light that leaves after any number of collisions.

    :param albedo: of one collision, in [0, 1].
    :param probability: of recollision.
    """
    return albedo * (1 - probability) / (1 - probability * albedo)


IN_CROWN = recollision(COVER)
_IN_TUFT = {True: recollision(NEEDLES), False: 0.0}


def in_tuft(materials: Sequence[str]) -> np.ndarray:
    """Return the recollision probability (S, 1) within tufts of the materials."""
    return np.array([[_IN_TUFT[name == 'conifer']] for name in materials], np.float32)


def tuft_albedo(reflectance: np.ndarray, probability: np.ndarray | float) -> np.ndarray:
    """Return the albedo (..., 5) of tufts of leaves.

    :param reflectance: (..., 5) of their leaves.
    :param probability: (..., 1) of recollision in the tuft; see `in_tuft`.
    """
    return escaping(np.minimum(SCATTERED * reflectance, GREATEST_ALBEDO), probability)


def crown_reflectance(reflectance: np.ndarray, probability: np.ndarray | float) -> np.ndarray:
    """Return the reflectance (..., 5) of whole crowns; parameters as of `tuft_albedo`.

    Half of what a crown scatters goes back to where the light came from.
    """
    albedo = tuft_albedo(reflectance, probability)
    return .5 * albedo * (1 - FIRST + FIRST * escaping(albedo, IN_CROWN))


def facing(cosine: np.ndarray) -> np.ndarray:
    """Return the share of a beam that a tuft takes on its two sides, by the cosine to its normal.

    Its leaves lie about the normal, half of them in any direction; the mean over all directions is
    a half, as of any flat body.
    """
    return .5 * np.abs(cosine) + .25


def scattered_within(albedo: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """Return the light (N, 5) that tufts get from each other.

    The unit is the light that a tuft gets outside of the crown. Averaged over the crown it is the
    part of the first collisions' light that escapes later, ``FIRST w (1 - p) / (1 - p w)``: leaves
    that absorb nothing return all light. With depth it fades as all light in a canopy does, with
    layers times ``sqrt(1 - w)`` (Goudriaan 1977, "Crop Micrometeorology").

    :param albedo: (N, 5) of the tufts.
    :param layers: (N,) of leaves between tuft and light.
    """
    fading = np.sqrt(1 - albedo)
    mean = (1 - np.exp(-COVER * fading)) / (COVER * fading)
    return FIRST * escaping(albedo, IN_CROWN) * np.exp(-layers[:, None] * fading) / mean


def layers_to_sky(open_sky: np.ndarray) -> np.ndarray:
    """Return the layers (N,) of leaves above, from the share (N, D) of open directions."""
    return -np.log(np.clip(open_sky.mean(axis=1), LEAST_OPEN, 1))
