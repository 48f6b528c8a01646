"""``rgb2swir train``: from a folder of pairs to a model folder, and what it refuses."""

import json

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli.main import main
from rgb2swir_ros.translator import Regressor, Translator, load_model


@pytest.fixture
def data(tmp_path):
    rng = np.random.default_rng(0)
    for name in ('rgb', 'swir'):
        (tmp_path / 'data' / name).mkdir(parents=True)
    for k in range(20):
        rgb = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        cv2.imwrite(str(tmp_path / 'data' / 'rgb' / f'drive{k}_0.png'), rgb)
        cv2.imwrite(str(tmp_path / 'data' / 'swir' / f'drive{k}_0.png'),
                    rgb[..., 0].astype(np.uint16) * 200)
    return tmp_path / 'data'


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


def test_a_translator_is_trained_and_tried_on_photographs(data, photographs, tmp_path, capsys):
    assert main(['train', 'translator', *words(data, tmp_path, '--share', '.0002',
                                               '--photographs', str(photographs))]) == 0
    text = capsys.readouterr().out
    assert 'zero_latent' in text
    assert 'of 1 pairs hold' in text
    assert isinstance(load_model(tmp_path / 'out'), Translator)
    assert (tmp_path / 'work' / 'photographs' / 'a.png').exists()


@pytest.mark.parametrize(('target', 'more', 'text'), [
    ('canary', ['--minutes', '0'], 'minutes'), ('canary', ['--steps', '0'], 'steps'),
    ('canary', ['--batch', '0'], '--batch 0'), ('canary', ['--seed', '-1'], '--seed -1'),
    ('canary', ['--photographs', 'nowhere'], 'nowhere is no folder'),
    ('translator', ['--share', '0'], '--share 0')])
def test_wrong_arguments_are_refused_before_anything_is_read(target, more, text, tmp_path, capsys):
    assert main(['train', target, *words(tmp_path / 'missing', tmp_path, *more)]) == 2
    assert text in capsys.readouterr().err


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
