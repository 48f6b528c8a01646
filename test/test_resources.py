"""The package's files are found in a checkout, in a pip installation and in a colcon one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rgb2swir_ros import resources
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.sizes import format_size, parse_size


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
