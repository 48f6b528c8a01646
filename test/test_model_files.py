"""A model's folder: what is written is read again, and what is damaged is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
import torch
import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_files import model_hash
from rgb2swir_ros.translator import Regressor, Translator, load_model

from .small_models import REGRESSION, TINY, TINY_DIT, untidy


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    Translator().save(tmp_path / 'model')
    return tmp_path / 'model'


def test_saved_and_loaded_is_the_same(folder):
    torch.manual_seed(0)
    original = Translator().eval()
    loaded = Translator.load(folder)
    assert not loaded.training
    for name, tensor in original.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


@pytest.mark.parametrize('damage', ['truncated', 'garbage', 'missing', 'empty', 'not finite',
                                    'foreign', 'pickle'])
def test_bad_weights_are_refused_with_their_name(folder, damage):
    from safetensors.torch import load_file, save_file

    path = folder / 'weights.safetensors'
    data = path.read_bytes()
    if damage == 'truncated':
        path.write_bytes(data[:len(data) // 2])
    elif damage == 'garbage':
        path.write_bytes(b'\xff' * 4096)
    elif damage == 'missing':
        path.unlink()
    elif damage == 'empty':
        path.write_bytes(b'')
    elif damage == 'pickle':
        torch.save({'a': torch.zeros(1)}, path)
    else:
        tensors = load_file(path)
        name = sorted(tensors)[0]
        tensors[name] = (torch.full_like(tensors[name], float('nan'))
                         if damage == 'not finite' else torch.zeros(2))
        save_file(tensors, path)
    with pytest.raises(UserError, match=r'weights\.safetensors'):
        Translator.load(folder)


@pytest.mark.parametrize(('change', 'text'), [
    ({'format': 9}, 'format 1'), ({'speed': 3}, 'speed'), ({'denoiser': 3}, 'mapping'),
    ({'guidance': {'channels': 32}}, '32'), ({'autoencoder': {'latent_channels': 8}}, '8'),
    ({'autoencoder': {'widths': 'wide'}}, 'model.yaml'),
    ({'autoencoder': {'source_skips': 'no'}}, 'source_skips'), ({'stage': 'finished'}, 'finished'),
    ({'steps': 3}, 'steps'), ({'denoiser': {'kind': 'oracle'}}, "unknown kind 'oracle'"),
    ({'denoiser': {'kind': ['unet']}}, 'unknown kind'),
    ({'denoiser': {'kind': 'dit'}}, "unknown key 'dilations'"),
])
def test_bad_configuration_is_refused_with_its_name(folder, change, text):
    path = folder / 'model.yaml'
    entries = yaml.safe_load(path.read_text())
    for key, value in change.items():
        entries[key] = {**entries[key], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(entries))
    with pytest.raises(UserError, match=text):
        Translator.load(folder)


def test_the_kind_of_the_denoiser_is_always_written(tmp_path):
    for config, kind in ((TINY, 'unet'), (TINY_DIT, 'dit')):
        Translator(config).save(tmp_path)
        entries = yaml.safe_load((tmp_path / 'model.yaml').read_text())
        assert entries['format'] == 1
        assert next(iter(entries['denoiser'].items())) == ('kind', kind)
        assert load_model(tmp_path).config == config


def test_a_folder_without_stage_and_kind_of_denoiser_is_a_finished_unet(tmp_path):
    translator = untidy(TINY)
    translator.save(tmp_path)
    entries = yaml.safe_load((tmp_path / 'model.yaml').read_text())
    del entries['stage'], entries['denoiser']['kind']
    (tmp_path / 'model.yaml').write_text(yaml.safe_dump(entries))
    loaded = load_model(tmp_path)
    assert loaded.config == TINY
    rgb = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(loaded(rgb), translator(rgb))


@pytest.mark.parametrize(('stage', 'following'), [('autoencoder', 'teacher'),
                                                  ('teacher', 'student')])
def test_an_unfinished_translator_is_refused_unless_asked_for(tmp_path, stage, following):
    Translator(replace(TINY, stage=stage)).save(tmp_path)
    for load in (load_model, Translator.load):
        with pytest.raises(UserError, match=f'its {stage},.* rgb2swir train {following}'
                           .replace(' rgb2swir', " 'rgb2swir")):
            load(tmp_path)
        assert load(tmp_path, unfinished=True).config.stage == stage


def test_a_model_yaml_that_is_no_yaml_is_refused(folder):
    (folder / 'model.yaml').write_text('format: [1')
    with pytest.raises(UserError, match=r'model\.yaml'):
        Translator.load(folder)


def test_hash_changes_with_weights_and_with_configuration(folder, tmp_path):
    original = model_hash(folder)
    shutil.copytree(folder, tmp_path / 'copy')
    assert model_hash(tmp_path / 'copy') == original
    torch.manual_seed(1)
    Translator().save(tmp_path / 'copy')
    assert model_hash(tmp_path / 'copy') != original
    (folder / 'model.yaml').write_text((folder / 'model.yaml').read_text() + '\n')
    assert model_hash(folder) != original


def test_a_folder_says_which_kind_of_model_it_holds(tmp_path, folder):
    Regressor(REGRESSION).save(tmp_path / 'canary')
    loaded = load_model(tmp_path / 'canary')
    assert isinstance(loaded, Regressor)
    assert loaded.config == REGRESSION
    assert not loaded.training
    assert isinstance(load_model(folder), Translator)
    with pytest.raises(UserError, match='holds a regression, but a translator is needed'):
        Translator.load(tmp_path / 'canary')


def test_a_folder_without_a_kind_is_refused(folder):
    path = folder / 'model.yaml'
    entries = yaml.safe_load(path.read_text())
    assert entries.pop('kind') == 'translator'
    path.write_text(yaml.safe_dump(entries))
    with pytest.raises(UserError, match='unknown kind'):
        load_model(folder)


@pytest.mark.parametrize('kind', ['oracle', None, ['translator'], 3])
def test_an_unknown_kind_is_refused(folder, kind):
    path = folder / 'model.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {'kind': kind}))
    with pytest.raises(UserError, match='unknown kind'):
        load_model(folder)
