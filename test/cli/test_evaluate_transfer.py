"""``rgb2swir evaluate transfer`` as a user calls it."""

import json
import shlex

import pytest

from rgb2swir_ros.cli.main import main

from ..lab.evaluation.tiny import save_tiny


@pytest.fixture
def words(toy, tmp_path):
    model = save_tiny(tmp_path / 'tiny')
    return ['evaluate', 'transfer', '--data', str(toy), '--model', str(model), '--model', 'grey',
            '--steps', '1', '--batch', '1', '--seeds', '1', '--resamples', '20',
            '--output', str(tmp_path / 'out')]


def test_detectors_are_trained_first_and_reported_then(words, tmp_path, capsys):
    out = tmp_path / 'out'
    assert main([*words, '--train-only']) == 0
    text, progress = capsys.readouterr()
    assert text == ''
    assert progress.count('training a detector on') == 3
    assert not (out / 'table.txt').exists()
    made = sorted(path.name for path in (out / 'detectors').iterdir())
    assert made == ['grey_seed0', 'tiny_seed0', 'true_SWIR_seed0']

    assert main(words) == 0
    text, progress = capsys.readouterr()
    assert 'training a detector' not in progress
    assert text.strip() == (out / 'table.txt').read_text().strip()
    figures = json.loads((out / 'transfer.json').read_text())
    assert [source['name'] for source in figures['sources']] == ['true SWIR', 'tiny', 'grey']
    assert (figures['steps'], figures['batch'], figures['seeds']) == (1, 1, 1)
    assert figures['first_seed'] == 0
    repeated = shlex.split(figures['command'])
    assert repeated[:3] == ['rgb2swir', *words[:2]]
    assert set(words) <= set(repeated)
    assert repeated[repeated.index('--seed') + 1] == '0'  # of a teacher's noise
    assert '--teacher-steps' in repeated
    assert main([*repeated[1:], '--overwrite']) == 0  # nothing is trained again
    assert json.loads((out / 'transfer.json').read_text()) == figures
    assert main(words) == 2  # the report is there
    capsys.readouterr()
    assert main([*words, '--seeds', '2', '--train-only']) == 0  # which trainings leave alone
    assert capsys.readouterr().err.count('training a detector on') == 3
    assert json.loads((out / 'transfer.json').read_text()) == figures


def test_a_second_seed_has_a_report_of_its_own(words, tmp_path):
    other = [*words[:-1], str(tmp_path / 'second'), '--first-seed', '1']
    assert main(other) == 0
    made = sorted(path.name for path in (tmp_path / 'second' / 'detectors').iterdir())
    assert made == ['grey_seed1', 'tiny_seed1', 'true_SWIR_seed1']
    figures = json.loads((tmp_path / 'second' / 'transfer.json').read_text())
    assert (figures['seeds'], figures['first_seed']) == (1, 1)
    assert '--first-seed 1' in figures['command']
    assert 'from seed 1' in (tmp_path / 'second' / 'table.txt').read_text()


@pytest.mark.parametrize(('more', 'text'), [
    (('--first-seed', '-1'), '--first-seed -1'), (('--steps', '0'), '--steps 0'),
    (('--seeds', '0'), '--seeds 0'),
    (('--crop', '16x16'), '--crop of at least 16'), (('--min-side', '65'), '--min-side 65'),
    (('--model', 'nowhere'), 'nowhere')])
def test_what_makes_no_sense_is_refused_before_anything_is_trained(words, tmp_path, capsys, more,
                                                                    text):
    assert main([*words, *more]) == 2
    assert text in capsys.readouterr().err
    assert not (tmp_path / 'out' / 'detectors').exists()


def test_it_needs_an_output(words, capsys):
    assert main(words[:-2]) == 2
    assert '--output is missing' in capsys.readouterr().err
