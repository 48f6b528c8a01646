"""``make weights``: its own commands, on a tiny network, lead to the same bits after a kill."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.lab.training.teacher import TeacherTraining

from .tiny_training import TINY, write_pairs

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')]


def commands(data: Path | None, trained: Path) -> list[list[str]]:
    """Return the words behind ``rgb2swir`` of each command of ``make weights``.

    :param data: in place of its own data sets.
    """
    scenes = [] if data is None else [f'SCENES={data}']
    said = subprocess.run(
        ['make', '--dry-run', '--assume-old=install', 'weights', 'BIN=.', *scenes,
         f'TRAINED={trained}'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [shlex.split(line) for line in said.splitlines()]
    return [words[1:] for words in lines if words and words[0] == './rgb2swir']


def test_every_stage_is_there_and_what_ships_is_the_last_one(tmp_path):
    made = commands(tmp_path / 'data', tmp_path / 'trained')
    assert [words[:2] for words in made if words[0] == 'train'] == [
        ['train', what] for what in ('autoencoder', 'teacher', 'student', 'novelty')]
    rendered = [words[words.index('--output') + 1] for words in made if words[0] == 'scenes']
    assert rendered == ['out/scenes320', 'out/scenes320b', 'out/scenes640', 'out/scenes_novelty']
    *_, last, novelty = made
    assert novelty[novelty.index('--model') + 1] == last[last.index('--output') + 1]


def test_its_trainings_are_those_that_the_record_of_the_shipped_weights_tells():
    made = {words[1]: words for words in commands(None, Path('out/weights'))
            if words[0] == 'train'}
    record: dict | None = yaml.safe_load((ROOT / 'models/nano/training.yaml').read_text())
    for what in ('student', 'teacher', 'autoencoder'):
        words = made[what]
        assert record['training'] == what
        assert words[words.index('--preset') + 1] == record['preset']
        assert float(words[words.index('--share') + 1]) == record['share']
        assert [Path(folder).name for folder in words[words.index('--data') + 1:]] == [
            entry['folder'] for entry in record['data']]
        assert '--seed' not in words
        assert record['seed'] == 0
        record = record['start']['training'] if 'start' in record else None
    assert record is None


def test_a_kill_on_the_way_changes_no_bit(tmp_path, capsys, monkeypatch):
    data = write_pairs(tmp_path / 'data')
    (tmp_path / 'tiny.yaml').write_text(TINY)

    def chain(trained: Path) -> list[list[str]]:
        return [[*words, '--preset', str(tmp_path / 'tiny.yaml'), '--share', '1']
                for words in commands(data, trained)
                if words[0] == 'train' and words[1] != 'novelty']

    for words in chain(tmp_path / 'whole'):
        assert main(words) == 0

    original, taken = TeacherTraining.parts, []

    def killed(*arguments):
        taken.append(1)
        if len(taken) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(TeacherTraining, 'parts', killed)
        assert [main(words) for words in chain(tmp_path / 'cut')[:2]] == [0, 130]
    assert [main(words) for words in chain(tmp_path / 'cut')] == [0, 0, 0]
    weights = [load_file(tmp_path / run / 'student' / 'weights.safetensors')
               for run in ('whole', 'cut')]
    assert weights[0].keys() == weights[1].keys()
    assert all((tensor == weights[1][name]).all() for name, tensor in weights[0].items())

    record = yaml.safe_load((tmp_path / 'cut' / 'student' / 'training.yaml').read_text())
    kinds = []
    while True:
        kinds.append(record['training'])
        if 'start' not in record:
            break
        record = record['start']['training']
    assert kinds == ['student', 'teacher', 'autoencoder']
