"""The command that recomputes the table's figures from measured spectra."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.material_files import read_material_file
from rgb2swir_ros.lab.scenes.materials import BUILT_IN, LOG_BANDS

SCRIPT = Path(__file__).parents[3] / 'benchmark' / 'spectra.py'
HEADER = 'source,material,R,G,B,s0900_1350,s1450_1700\n'


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(folder), *words],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Spectra for every pattern of the table, two or more a group, of which each is the same."""
    table = read_material_file(BUILT_IN)
    patterns = [p for entry in (*table.materials.values(), *table.spreads.values())
                for p in entry.spectra]
    rng = np.random.default_rng(0)
    rows = [HEADER, 'lib,broken one,0,.1,.1,.1,.1\n']
    for pattern in patterns:
        name = pattern.replace('[25]', '2').replace('[es]', 's').replace('[ym]', 'y')
        name = name.replace('[12]', '1').replace('*', 'x')
        for number in range(6):
            values = .2 * np.exp(LOG_BANDS @ (.2 * rng.standard_normal(5)))
            text = ','.join(f'{v:.5f}' for v in values)
            tail = str(number) if pattern.endswith('*') else ''
            rows.append(f'lib,{name}{tail},{text}\n')
    (tmp_path / 'earthlib_band_averages.csv').write_text(''.join(rows))
    return tmp_path


def test_it_says_where_table_and_spectra_differ(folder):
    done = run(folder)
    assert done.returncode == 1
    assert '1 left out' in done.stderr
    asphalt = next(line for line in done.stdout.splitlines() if line.startswith('asphalt'))
    assert 'DIFFERS' in asphalt
    assert '12 spectra' in asphalt


def test_its_entries_have_the_deviations_of_the_spectra(folder):
    done = run(folder, '--entries')
    assert done.returncode == 0
    path = folder / 'entries.yaml'
    body = done.stdout.replace('\n  ', '\n    ')
    lines = ['  ' + line if not line.startswith(' ') else line for line in body.splitlines()]
    text = '\n'.join(lines).replace('    spread:',
                                    '    source: measured\n    from: x\n    spread:')
    path.write_text('materials:\n' + text)
    entries = read_material_file(path).materials
    assert entries['asphalt'].spread == 'bitumen'
    factor = entries['soil'].spread.factor()
    np.testing.assert_allclose(np.linalg.norm(factor, axis=1), .2, atol=.09)


def test_a_pattern_without_spectra_is_reported(tmp_path):
    (tmp_path / 'earthlib_band_averages.csv').write_text(HEADER + 'lib,a,.1,.1,.1,.1,.1\n')
    done = run(tmp_path)
    assert done.returncode == 2
    assert "no spectrum matches 'urban/road rpa*'" in done.stderr


def test_a_file_of_other_columns_is_reported(tmp_path):
    (tmp_path / 'earthlib_band_averages.csv').write_text('material,R\na,1\n')
    done = run(tmp_path)
    assert done.returncode == 2
    assert "has no column 'G'" in done.stderr
