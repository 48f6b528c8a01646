"""The package's files are found in a checkout, in a pip installation and in a colcon one."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros import resources
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size, parse_size, size_of


def test_checkout_is_found():
    share = resources.share_directory()
    assert (share / 'package.xml').is_file()
    assert (resources.model_directory('nano') / 'weights.safetensors').is_file()


def test_ament_prefix_is_found_outside_a_checkout(tmp_path):
    package = Path(resources.__file__).parent
    site = tmp_path / 'lib'
    (site / 'rgb2swir_ros').mkdir(parents=True)
    for name in ('__init__.py', 'resources.py', 'errors.py'):
        shutil.copy(package / name, site / 'rgb2swir_ros')
    prefix = tmp_path / 'ws' / 'install'
    (prefix / 'share' / 'rgb2swir_ros' / 'config').mkdir(parents=True)
    code = 'from rgb2swir_ros.resources import share_directory; print(share_directory())'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                         cwd=tmp_path, timeout=60,
                         env={'PYTHONPATH': str(site), 'AMENT_PREFIX_PATH': f'/none:{prefix}'})
    assert run.stdout.strip() == str(prefix / 'share' / 'rgb2swir_ros'), run.stderr


def test_unknown_model_names_those_that_exist():
    with pytest.raises(UserError, match=r"'giant'.*nano"):
        resources.model_directory('giant')


@pytest.fixture
def here(tmp_path, monkeypatch, caplog):
    """The current folder, with a folder ``nano`` and a folder ``mine`` that are models."""
    for name in ('nano', 'mine'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'model.yaml').write_text('format: 1\n')
    monkeypatch.chdir(tmp_path)
    resources._hint.cache_clear()
    return tmp_path


SHIPPED = resources.share_directory() / 'models' / 'nano'


def test_a_folder_of_the_same_name_does_not_shadow_a_shipped_model(here, caplog):
    for _ in range(2):
        assert resources.model_directory('nano') == SHIPPED
    [record] = caplog.records  # once
    assert "write './nano'" in record.getMessage()


@pytest.mark.parametrize('path', ['./nano', 'nano/', '{here}/nano', Path('nano')])
def test_a_path_is_a_path(here, path, caplog):
    given = path.format(here=here) if isinstance(path, str) else path
    assert resources.model_directory(given) == here / 'nano'
    assert caplog.records == []


def test_a_name_that_no_shipped_model_has_may_be_a_folder(here, caplog):
    assert resources.model_directory('mine') == here / 'mine'
    assert str(here / 'mine') in caplog.text


def test_a_name_made_a_path_is_still_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert resources.model_directory(Path('nano')) == SHIPPED
    with pytest.raises(UserError, match='no model'):
        resources.model_directory('../models/nano')


@pytest.mark.parametrize('wrong', ['x' * 300, '~nobody-of-that-name/model', 'a\0b', ''])
def test_what_cannot_be_a_folder_is_no_model(wrong):
    with pytest.raises(UserError, match='no model'):
        resources.model_directory(wrong)


@pytest.mark.parametrize(('name', 'value'), [
    ('RGB2SWIR_CACHE', None), ('RGB2SWIR_CACHE', '~/engines'), ('XDG_CACHE_HOME', 'relative')])
def test_without_a_home_the_variable_to_set_is_named(name, value, monkeypatch):
    """A service's user: HOME is not set, and the user database does not know it."""
    for variable in ('RGB2SWIR_CACHE', 'XDG_CACHE_HOME', 'HOME'):
        monkeypatch.delenv(variable, raising=False)

    def unknown(_):
        raise KeyError('no such user')
    monkeypatch.setattr('pwd.getpwuid', unknown)
    if value:
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match='set RGB2SWIR_CACHE to a folder of yours'):
        resources.cache_directory()
    monkeypatch.setenv('XDG_CACHE_HOME', '/var/cache/mine')
    monkeypatch.delenv('RGB2SWIR_CACHE', raising=False)
    assert resources.cache_directory() == Path('/var/cache/mine/rgb2swir_ros')


def test_a_relative_xdg_folder_does_not_count(monkeypatch):
    monkeypatch.delenv('RGB2SWIR_CACHE', raising=False)
    monkeypatch.setenv('XDG_CACHE_HOME', 'cache')
    monkeypatch.setenv('HOME', '/home/user')
    assert resources.cache_directory() == Path('/home/user/.cache/rgb2swir_ros')


def test_cache_directory_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv('RGB2SWIR_CACHE', str(tmp_path))
    assert resources.cache_directory() == tmp_path
    monkeypatch.delenv('RGB2SWIR_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'xdg'))
    assert resources.cache_directory() == tmp_path / 'xdg' / 'rgb2swir_ros'


@pytest.mark.parametrize(('text', 'size'), [('640x512', (512, 640)), (' 16X16 ', (16, 16))])
def test_sizes_are_width_first(text, size):
    assert parse_size(text) == size
    assert format_size(size) == text.strip().lower()


@pytest.mark.parametrize('text', ['640', '640x', '8x512', '640x512x3', '-640x512', 'axb', ''])
def test_wrong_sizes_are_refused(text):
    with pytest.raises(UserError, match='WIDTHxHEIGHT'):
        parse_size(text)


@pytest.mark.parametrize('shape', [(3, 4), (3, 4, 3)])
def test_the_size_of_an_image_has_its_height_first(shape):
    assert size_of(np.zeros(shape)) == (3, 4)
