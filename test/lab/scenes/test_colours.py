"""The command that fits the camera's matrix to measured spectra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.rgb_camera import TO_SRGB

SCRIPT = Path(__file__).parents[3] / 'benchmark' / 'colours.py'
NM = np.arange(400, 701, 10)


def run(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, paths)],
                          capture_output=True, text=True, timeout=60)


def written(folder: Path, spectra: np.ndarray, bands: np.ndarray) -> tuple[Path, Path]:
    averages, full = folder / 'averages.csv', folder / 'spectra.csv'
    averages.write_text('material,B,G,R\n' + ''.join(
        f'lib/kind s{k},{b:.5f},{g:.5f},{r:.5f}\n' for k, (r, g, b) in enumerate(bands)))
    full.write_text('name,source,' + ','.join(map(str, NM)) + '\n' + ''.join(
        f's{k},lib,' + ','.join(f'{v:.5f}' for v in row) + '\n'
        for k, row in enumerate(spectra)))
    return averages, full


def smooth(count: int = 60) -> np.ndarray:
    """Reflectances as natural surfaces have them: a slope, a step, a hump."""
    rng = np.random.default_rng(0)
    along = (NM - 400) / 300
    return np.stack([.1 + .2 * rng.random() * along + .3 * rng.random() / (
        1 + np.exp(-(along - rng.random()) * 20)) + .2 * rng.random() * np.exp(
        -((along - rng.random()) / .2) ** 2) for _ in range(count)])


def behind_filters(spectra: np.ndarray) -> np.ndarray:
    """What a sensor sees behind filters as wide as those of the table's spectra."""
    filters = np.exp(-.5 * ((NM - np.array([[610], [540], [460]])) / np.array(
        [[40], [40], [30]])) ** 2)
    return spectra @ (filters / filters.sum(axis=1, keepdims=True)).T


def test_filters_like_those_of_the_table_ask_for_a_matrix_like_the_one_in_use(tmp_path):
    spectra = smooth()
    done = run(*written(tmp_path, spectra, behind_filters(spectra)))
    rows = [line.split() for line in done.stdout.splitlines()
            if line.startswith(('fitted  ', 'fitted -'))]
    fitted = np.array([[float(v) for v in row[1:4]] for row in rows])
    np.testing.assert_allclose(fitted.sum(axis=1), 1, atol=.002)
    np.testing.assert_allclose(fitted, TO_SRGB, atol=.25)
    assert done.returncode == 1
    assert 'DIFFERS' in done.stdout


def test_what_is_already_srgb_stays(tmp_path):
    """Bands that the matrix was made for give the matrix back."""
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        from colours import colours
    finally:
        sys.path.pop(0)
    spectra = smooth()
    bands = colours(NM.astype(float), spectra) @ np.linalg.inv(TO_SRGB).T
    done = run(*written(tmp_path, spectra, bands))
    assert done.returncode == 0, done.stdout
    assert 'fitted: 0.00' in done.stdout


@pytest.mark.parametrize(('averages', 'spectra', 'words'), [
    ('material,G,B\na b,1,1\n', 'name,400\nb,1\n', "no column 'R'"),
    ('material,R,G,B\na b,1,1,1\n', 'name,400,700\nb,1,1\n', 'every 20 nm'),
    ('material,R,G,B\na b,1,1,1\n', '', 'no rows'),
    ('material,R,G,B\na c,1,1,1\n',
     'name,' + ','.join(map(str, NM)) + '\nb' + ',.1' * len(NM) + '\n', 'same spectra')])
def test_files_that_do_not_fit_are_refused(tmp_path, averages, spectra, words):
    (tmp_path / 'a.csv').write_text(averages)
    (tmp_path / 's.csv').write_text(spectra)
    done = run(tmp_path / 'a.csv', tmp_path / 's.csv')
    assert done.returncode == 2
    assert words in done.stderr
