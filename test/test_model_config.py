from __future__ import annotations

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.model_config import TranslatorConfig, translator_config
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig


def test_a_configuration_is_built_from_mappings_and_leaves_them_alone():
    entries = {'name': 'base', 'stage': 'teacher', 'guidance': {'channels': 8},
               'denoiser': {'kind': 'dit', 'guidance_channels': 8, 'width': 32, 'heads': 2}}
    before = str(entries)
    config = translator_config(entries, 'preset.yaml: model')
    assert config == TranslatorConfig(
        name='base', stage='teacher', guidance=GuidanceConfig(channels=8),
        denoiser=DiTConfig(guidance_channels=8, width=32, heads=2))
    assert str(entries) == before
    assert translator_config({}, 'nothing') == TranslatorConfig()
    assert translator_config({'autoencoder': {'widths': [8, 8, 16]}},
                             '').autoencoder.widths == (8, 8, 16)


@pytest.mark.parametrize('skips', [True, False])
def test_a_file_of_before_the_separate_switches_reads_as_before(skips):
    old = translator_config({'autoencoder': {'source_skips': skips}}, 'model.yaml').autoencoder
    assert (old.source_skips, old.fine_gain, old.guided_filter) == (skips, skips, skips)


@pytest.mark.parametrize(('entries', 'text'), [
    (3, 'must be a mapping, not 3'), ({'guidance': None}, 'guidance must be a mapping'),
    ({'speed': 1}, "unknown key 'speed'"), ({2: 1}, "unknown key '2'"),
    ({'guidance': {'channels': 32}}, '64 guidance channels, the guidance has 32'),
    ({'guidance': {'channels': '64'}}, "channels is '64', but must be a whole"),
    ({'guidance': {'channels': True}}, 'channels is True'),
    ({'guidance': {'stem': -8}}, 'stem is -8'),
    ({'autoencoder': {'widths': [8, 8]}}, r'widths is \[8, 8\], but must be a list of 3'),
    ({'denoiser': {'dilations': [1, 0]}}, 'dilations is'),
    ({'denoiser': {'kind': 'dit', 'heads': 5}}, 'denoiser: width 96 is not divided by heads 5'),
    ({'autoencoder': {'source_skips': False, 'fine_gain': True}},
     'autoencoder: fine_gain needs source_skips'),
    ({'autoencoder': {'guided_filter': 'no'}}, "guided_filter is 'no', but must be true"),
    ({'stage': 'done'}, "no stage 'done'"), ({'steps': 3}, 'steps must be one of'),
])
def test_an_impossible_configuration_is_refused_with_its_place(entries, text):
    with pytest.raises(UserError, match=f'preset.yaml.*{text}'):
        translator_config(entries, 'preset.yaml: model')
