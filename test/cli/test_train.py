"""``rgb2swir train``: from a folder of pairs to a model folder, and what it refuses."""

import json
import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
import yaml

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.translator import Regressor, Translator, load_model

from .tiny_training import TINY, write_pairs


@pytest.fixture
def data(tmp_path):
    return write_pairs(tmp_path / 'data')


@pytest.fixture
def photographs(tmp_path):
    (tmp_path / 'photographs').mkdir()
    rgb = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'photographs' / 'a.png'), rgb)
    (tmp_path / 'photographs' / 'probes.json').write_text(json.dumps(
        {'images': {'a.png': {'sky': [0, 0, .5, 1], 'tree': [.5, 0, 1, 1]}},
         'darker_than': [['sky', 'tree']]}))
    return tmp_path / 'photographs'


def words(data, tmp_path, *more: str) -> list[str]:
    return ['--data', str(data), '--output', str(tmp_path / 'out'),
            '--work', str(tmp_path / 'work'), *more]


def test_a_canary_is_trained_judged_and_written(data, tmp_path, capsys):
    assert main(['train', 'canary', *words(data, tmp_path, '--steps', '2', '--batch', '2',
                                           '--json')]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {'held_out', 'model', 'grey', 'lookup', 'detail', 'photographs'} == set(figures)
    assert figures['held_out'] >= 1
    assert figures['photographs'] is None
    assert isinstance(load_model(tmp_path / 'out'), Regressor)
    assert cv2.imread(str(tmp_path / 'work' / 'contact_sheet.png')) is not None


@pytest.fixture
def tiny(tmp_path):
    (tmp_path / 'tiny.yaml').write_text(TINY)
    return str(tmp_path / 'tiny.yaml')


def translator_words(what, data, tmp_path, tiny, *more: str) -> list[str]:
    start = {'teacher': ['--autoencoder', str(tmp_path / 'autoencoder')],
             'student': ['--teacher', str(tmp_path / 'teacher')]}
    return ['train', what, '--data', str(data), '--output', str(tmp_path / what), '--preset',
            tiny, '--work', str(tmp_path / 'work'), *start.get(what, []), *more]


@pytest.mark.slow
def test_the_whole_way_to_a_translator(data, photographs, tiny, tmp_path, capsys):
    def train(what: str, *more: str) -> str:
        assert main(translator_words(what, data, tmp_path, tiny, *more)) == 0
        return capsys.readouterr().out

    text = train('autoencoder')
    assert 'zero_latent' in text
    with pytest.raises(UserError, match='autoencoder'):
        load_model(tmp_path / 'autoencoder')
    assert 'of 1 pairs hold' in train('teacher', '--photographs', str(photographs))
    figures = json.loads(train('student', '--steps', '2', '--json', '--photographs',
                               str(photographs)))
    assert {'model', 'grey', 'lookup', 'detail', 'autoencoder', 'zero_latent', 'foreign_latent',
            'photographs', 'held_out'} == set(figures)
    student = load_model(tmp_path / 'student')
    assert isinstance(student, Translator)
    assert (student.config.name, student.config.steps) == ('tiny', 2)
    for run in ('autoencoder', 'teacher', 'student_2'):
        assert (tmp_path / 'work' / run / 'contact_sheet.png').exists()
        assert (tmp_path / 'work' / run / 'checkpoint.safetensors').exists()
    assert (tmp_path / 'work' / 'student_2' / 'photographs' / 'a.png').exists()

    record = yaml.safe_load((tmp_path / 'student' / 'training.yaml').read_text())
    assert record['held_out']['zero_latent'] == figures['zero_latent']
    assert record['held_out']['pairs'] == figures['held_out']
    assert [stage['stage'] for stage in record['stages']] == ['latent', 'finish']
    assert record['steps'] == 3
    assert record['seed'] == 0
    assert record['data'][0]['pairs'] > 0
    assert record['start']['training']['start']['stage'] == 'autoencoder'
    assert str(tmp_path) not in (tmp_path / 'student' / 'training.yaml').read_text()

    # called again, it is all there already, and a student can be trained on
    assert 'wrote' in train('student', '--steps', '2')
    # another training must say that it replaces this one
    assert main(translator_words('student', data, tmp_path, tiny, '--steps', '1')) == 2
    assert '3 outputs exist' in capsys.readouterr().err
    assert load_model(tmp_path / 'student').config.steps == 2
    train('student', '--steps', '1', '--overwrite')
    assert load_model(tmp_path / 'student').config.steps == 1
    onward = translator_words('student', data, tmp_path, tiny, '--work', str(tmp_path / 'more'),
                              '--output', str(tmp_path / 'onward'))
    onward[onward.index('--teacher') + 1] = str(tmp_path / 'student')
    assert main(onward) == 0


def test_ctrl_c_says_how_to_go_on(data, tiny, tmp_path, capsys, monkeypatch):
    original = AutoencoderTraining.parts

    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(AutoencoderTraining, 'parts', interrupted)
        assert main(translator_words('autoencoder', data, tmp_path, tiny)) == 130
    assert 'the same command goes on from there' in capsys.readouterr().err
    assert main(translator_words('autoencoder', data, tmp_path, tiny)) == 0
    assert 'resuming stage 1 at step 1' in capsys.readouterr().err


@pytest.mark.slow
def test_torchrun_trains_one_translator_in_two_processes(data, tiny, tmp_path):
    ended = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--local-addr',
         '127.0.0.1', '--nproc-per-node', '2', '-m', 'rgb2swir_ros.cli.main',
         *translator_words('autoencoder', data, tmp_path, tiny)],
        env={**os.environ, 'GLOO_SOCKET_IFNAME': 'lo', 'OMP_NUM_THREADS': '1'},
        capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count('plain 2/2') == 1
    assert ended.stdout.count('wrote') == 1
    record = yaml.safe_load((tmp_path / 'autoencoder' / 'training.yaml').read_text())
    assert record['processes'] == 2


@pytest.mark.parametrize(('target', 'more', 'text'), [
    ('canary', ['--minutes', '0'], 'minutes'), ('canary', ['--steps', '0'], 'steps'),
    ('canary', ['--batch', '0'], '--batch 0'), ('canary', ['--seed', '-1'], '--seed -1'),
    ('canary', ['--photographs', 'nowhere'], 'nowhere is no folder'),
    ('autoencoder', ['--share', '0'], '--share 0'),
    ('autoencoder', ['--minutes', '-3'], '--minutes -3'),
    ('autoencoder', ['--seed', '-1'], '--seed -1'),
    ('autoencoder', ['--preset', 'huge'], "no preset 'huge'"),
    ('teacher', ['--autoencoder', 'nowhere'], 'nowhere'),
    ('teacher', ['--autoencoder', 'nowhere', '--photographs', 'gone'], 'gone is no folder'),
    ('student', ['--teacher', 'nowhere'], 'nowhere')])
def test_wrong_arguments_are_refused_before_anything_is_read(target, more, text, tmp_path, capsys):
    assert main(['train', target, *words(tmp_path / 'missing', tmp_path, *more)]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize('words', [
    ['train', 'translator'], ['train', 'teacher', '--data', 'd', '--output', 'o'],
    ['train', 'autoencoder', '--data', 'd', '--output', 'o', '--share', '.5', '--minutes', '3'],
    ['train', 'student', '--data', 'd', '--output', 'o', '--teacher', 't', '--steps', '3']])
def test_words_that_do_not_fit_together_are_refused(words, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(words)


def test_damaged_probes_are_found_before_the_training(data, photographs, tmp_path, capsys):
    (photographs / 'probes.json').write_text('{')
    assert main(['train', 'canary', *words(data, tmp_path, '--steps', '1', '--photographs',
                                           str(photographs))]) == 2
    assert 'probes.json' in capsys.readouterr().err
    assert not (tmp_path / 'work').exists()


def test_a_folder_without_pairs_is_refused(tmp_path, capsys):
    (tmp_path / 'empty').mkdir()
    assert main(['train', 'canary', *words(tmp_path / 'empty', tmp_path)]) == 2
    assert 'no paired frames' in capsys.readouterr().err


def test_what_to_train_must_be_said(capsys):
    with pytest.raises(SystemExit, match='2'):
        main(['train'])
    assert 'WHAT' in capsys.readouterr().err
