#!/usr/bin/env python3
"""Fit the matrix that gives the colours of sRGB from the red, green and blue of a scene.

Usage: python benchmark/colours.py AVERAGES SPECTRA

AVERAGES is the file that the table of materials comes from (see ``benchmark/spectra.py``): ``R``,
``G`` and ``B`` are what a sensor behind three filters sees, whose bands overlap. SPECTRA has
the same rows in the same order and a column for each wavelength, named in nm, 400 to 700 among
them (earthlib, MIT licence; neither ships with the package). By the CIE 1931 observer under light
of 6500 K each spectrum has a colour in linear sRGB. The matrix of least squares from one to the
other, with rows that add up to 1 so that white stays white, is printed beside
`rgb2swir_ros.lab.scenes.rgb_camera.TO_SRGB`; exits with 1 where they differ by more than rounding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from spectra import read_rows

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.rgb_camera import TO_SRGB

# IEC 61966-2-1
FROM_XYZ = np.array([[3.2406, -1.5372, -.4986], [-.9689, 1.8758, .0415], [.0557, -.2040, 1.0570]])
KELVIN = 6500.0
TOLERANCE = .006  # the matrix has two digits


def read_both(averages: Path, spectra: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bands (N, 3), wavelengths (L,) in nm, and reflectances (N, L) of whole spectra.

    :raises UserError: if the files have other columns, or not the same rows.
    """
    seen, rows = read_rows(averages, ('material', *'RGB')), read_rows(spectra, ('name',))
    nm = sorted(int(name) for name in rows[0] if name.isdigit() and 400 <= int(name) <= 700)
    if not nm or nm[0] > 400 or nm[-1] < 700 or max(np.diff(nm)) > 20:
        raise UserError(f'{spectra} needs a column every 20 nm or less from 400 to 700 nm; it has '
                        f'{nm or "none"}')
    names = [row['material'].partition(' ')[2] for row in seen], [row['name'] for row in rows]
    if names[0] != names[1]:
        raise UserError(f'{averages} and {spectra} are not of the same spectra in the same order')
    bands = np.array([[float(row[c]) for c in 'RGB'] for row in seen])
    values = np.array([[float(row[str(n)] or 0) for n in nm] for row in rows])
    whole = (values > 0).all(axis=1)
    return bands[whole], np.array(nm, float), values[whole]


def observer(wavelengths: np.ndarray) -> np.ndarray:
    """Return the CIE 1931 colour matching functions (3, L).

    The fit of Wyman, Sloan and Shirley, "Simple Analytic Approximations to the CIE XYZ Color
    Matching Functions", JCGT 2(2), 2013.
    """
    def lobe(height: float, centre: float, below: float, above: float) -> np.ndarray:
        away = wavelengths - centre
        return np.asarray(height * np.exp(-.5 * (away * np.where(away < 0, below, above)) ** 2))

    return np.stack([
        lobe(1.056, 599.8, .0264, .0323) + lobe(.362, 442.0, .0624, .0374)
        + lobe(-.065, 501.1, .0490, .0382),
        lobe(.821, 568.8, .0213, .0247) + lobe(.286, 530.9, .0613, .0322),
        lobe(1.217, 437.0, .0845, .0278) + lobe(.681, 459.0, .0385, .0725)])


def daylight(wavelengths: np.ndarray) -> np.ndarray:
    """Return the relative power (L,) of a black body of `KELVIN` (Planck)."""
    metres = wavelengths * 1e-9
    return np.asarray(metres ** -5 / np.expm1(.014388 / (metres * KELVIN)))


def colours(wavelengths: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """Return linear sRGB (N, 3), white balanced: a flat spectrum has three equal values."""
    weights = FROM_XYZ @ (observer(wavelengths) * daylight(wavelengths))
    return np.asarray(spectra @ (weights / weights.sum(axis=1, keepdims=True)).T)


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description='Fit the matrix to sRGB.')
    parser.add_argument('averages', type=Path)
    parser.add_argument('spectra', type=Path)
    arguments = parser.parse_args()
    try:
        seen, wavelengths, spectra = read_both(arguments.averages, arguments.spectra)
    except (UserError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    wanted = colours(wavelengths, spectra)
    fitted = np.linalg.lstsq(seen, wanted, rcond=None)[0].T
    fitted /= fitted.sum(axis=1, keepdims=True)
    for row, own in zip(fitted, TO_SRGB, strict=True):
        print('fitted', ' '.join(f'{v:6.3f}' for v in row),
              '  in use', ' '.join(f'{v:6.3f}' for v in own))
    for name, matrix in (('as they are', np.eye(3)), ('fitted', fitted)):
        error = float(np.sqrt(((seen @ matrix.T - wanted) ** 2).mean()))
        print(f'{name}: {error:.4f} from sRGB (root mean square), {len(spectra)} spectra')
    differs = float(np.abs(fitted - TO_SRGB).max())
    print(f'greatest difference {differs:.3f}' + (' DIFFERS' if differs > TOLERANCE else ''))
    return int(differs > TOLERANCE)


if __name__ == '__main__':
    sys.exit(main())
