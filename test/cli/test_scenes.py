"""``rgb2swir scenes`` as a user calls it."""

import functools
import json
from pathlib import Path

import pytest
import yaml

from rgb2swir_ros.cli import scenes
from rgb2swir_ros.cli.main import main


@pytest.fixture(autouse=True)
def _renderer(monkeypatch):
    """Render rectangles: spawned processes import them from beside the tests of the writer."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / 'lab' / 'scenes'))
    monkeypatch.setattr(scenes, 'DatasetSpec',
                        functools.partial(scenes.DatasetSpec, renderer='rectangles'))


def call(folder: Path, *words: str) -> int:
    return main(['scenes', '--output', str(folder), '--size', '64x48', '--workers', '1', *words])


def test_writes_whole_scenes_and_reports_them(tmp_path, capsys):
    assert call(tmp_path, '--count', '10', '--looks', '4', '--seed', '2') == 0
    out, error = capsys.readouterr()
    assert '12 frames of 3 scenes' in out
    assert '12 objects too small, 12 too hidden, 12 lost in fog or night' in out
    assert '12/12 frames' in error
    assert len(list(tmp_path.rglob('swir_original_*.png'))) == 12
    index = yaml.safe_load((tmp_path / 'dataset.yaml').read_text())
    assert index['command'] == 'rgb2swir scenes --count 12 --seed 2 --size 64x48 --looks 4'


def test_the_command_in_the_index_goes_on_with_the_same_data_set(tmp_path, capsys):
    call(tmp_path, '--count', '2', '--looks', '1', '--sequences', '1', '--length', '2', '--still')
    words = yaml.safe_load((tmp_path / 'dataset.yaml').read_text())['command'].split()
    assert main([*words[1:], '-o', str(tmp_path)]) == 0
    assert '--still' in words


def test_one_split_can_be_rendered_alone(tmp_path, capsys):
    words = ['--count', '16', '--looks', '1', '--split', 'test']
    assert call(tmp_path, *words) == 0
    assert '2 frames of 2 scenes' in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} & {'train', 'validation'} == set()
    index = yaml.safe_load((tmp_path / 'dataset.yaml').read_text())
    assert '--split test' in index['command']


def test_json_is_the_index_alone(tmp_path, capsys):
    assert call(tmp_path, '--count', '2', '--looks', '1', '--json') == 0
    index = json.loads(capsys.readouterr().out)
    assert index == yaml.safe_load((tmp_path / 'dataset.yaml').read_text())
    assert index['splits']['train']['frames'] == 2


def test_a_scene_that_fails_is_named_and_the_exit_code_is_1(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('RAISE', '1')
    assert call(tmp_path, '--count', '3', '--looks', '1') == 1
    out, error = capsys.readouterr()
    assert 'scene 1 skipped: ZeroDivisionError: no such scene' in error
    assert '1 skipped' in out


@pytest.mark.parametrize(('words', 'text'), [
    (['--count', '0'], '--count 0'), (['--size', 'big'], "'big'"), (['--seed', '-1'], '-1'),
    (['--workers', '0'], '--workers 0'), (['--sequences', '1', '--length', '1'], 'at least 2')])
def test_wrong_arguments_are_one_line_and_exit_code_2(tmp_path, capsys, words, text):
    assert call(tmp_path / 'new', *words) == 2
    error = capsys.readouterr().err
    assert text in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / 'new').exists()
