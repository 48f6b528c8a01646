"""The translator's contract, and its folder on disk."""

import shutil
from dataclasses import replace

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import (
    Regressor,
    Translator,
    TranslatorConfig,
    load_model,
    model_hash,
    translator_config,
)

CONFIGS = {
    'full': TranslatorConfig(),
    'no skips': TranslatorConfig(autoencoder=AutoencoderConfig(source_skips=False)),
    'naive guidance': TranslatorConfig(guidance=GuidanceConfig(learned=False)),
    'plain LDM': TranslatorConfig(autoencoder=AutoencoderConfig(source_skips=False),
                                  guidance=GuidanceConfig(learned=False)),
    'DiT': TranslatorConfig(denoiser=DiTConfig(width=32, depth=1, heads=1)),
}
TINY = TranslatorConfig(
    autoencoder=AutoencoderConfig(widths=(8, 8, 12), source_widths=(4, 4, 8)),
    guidance=GuidanceConfig(channels=8, stem=8),
    denoiser=UNetConfig(guidance_channels=8, widths=(8, 12), dilations=(1,)))
TINY_DIT = replace(TINY, denoiser=DiTConfig(guidance_channels=8, width=16, depth=2, heads=2))


def untidy(config: TranslatorConfig) -> Translator:
    """Return a translator whose zero starts have been left behind, as after some training."""
    torch.manual_seed(0)
    translator = Translator(config).eval()
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.add_(.1 * torch.randn_like(parameter))
    return translator


@pytest.fixture(scope='module')
def nano() -> Translator:
    return Translator.load(model_directory('nano'))


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    Translator().save(tmp_path / 'model')
    return tmp_path / 'model'


@settings(max_examples=15, deadline=None)
@given(height=st.integers(16, 70), width=st.integers(16, 70), batch=st.integers(1, 2))
def test_any_size_gives_radiance_of_that_size(nano, height, width, batch):
    rgb = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8)
    with torch.no_grad():
        radiance = nano(rgb)
    assert radiance.shape == (batch, height, width)
    assert radiance.dtype == torch.float32
    assert radiance.min() >= 0
    assert radiance.max() <= 1


@pytest.mark.parametrize('config', CONFIGS.values(), ids=CONFIGS.keys())
def test_baselines_are_the_same_classes(config, tmp_path):
    translator = Translator(config).eval()
    with torch.no_grad():
        assert translator(torch.zeros(1, 32, 48, 3, dtype=torch.uint8)).shape == (1, 32, 48)
    translator.save(tmp_path)
    assert Translator.load(tmp_path).config == config
    assert config.is_baseline == (config is CONFIGS['plain LDM'])


def test_nano_stays_small(nano):
    assert sum(p.numel() for p in nano.parameters()) < 1.7e6
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        nano(torch.zeros(1, 512, 640, 3, dtype=torch.uint8))
    assert counter.get_total_flops() < 15e9


def test_same_input_same_output_whatever_else_is_in_the_batch(nano):
    torch.manual_seed(0)
    rgb = torch.randint(0, 256, (2, 48, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        first, again = nano(rgb), nano(rgb)
        other = nano(torch.stack([rgb[0], 255 - rgb[1]]))
    assert torch.equal(first, again)
    assert torch.equal(first[0], other[0])


def test_a_ramp_keeps_its_levels_in_bfloat16(nano):
    """bfloat16 has 128 levels between 0.5 and 1: a head in it would band a sky."""
    from copy import deepcopy

    ramp = torch.linspace(90, 250, 640).to(torch.uint8).reshape(1, 1, 640, 1)
    ramp = ramp.expand(1, 64, 640, 3).contiguous()
    half = deepcopy(nano).set_precision(torch.bfloat16)
    with torch.no_grad():
        radiance = half(ramp)[0, 32]
    eight_bit = (radiance ** (1 / 2.2) * 255).round()
    span = eight_bit.max() - eight_bit.min()
    assert span > 20, 'the ramp must come out as a ramp for this test to say anything'
    assert len(eight_bit.unique()) >= 0.8 * (float(span) + 1)
    # no value of the output is a bfloat16 by construction
    assert (radiance.bfloat16().float() == radiance).float().mean() < 0.2


def test_precision_casts_the_trunk_and_not_the_head(nano):
    from copy import deepcopy

    half = deepcopy(nano).set_precision(torch.bfloat16)
    assert half.dtype == torch.bfloat16
    assert {p.dtype for p in half.decoder.head.parameters()} == {torch.float32}
    rgb = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert half(rgb).dtype == torch.float32
        assert (half(rgb) - nano(rgb)).abs().mean() < 1 / 255


def test_exports_without_random_draws(nano):
    with torch.no_grad():
        program = torch.export.export(nano, (torch.zeros(1, 40, 64, 3, dtype=torch.uint8),))
    names = {str(n.target) for n in program.graph.nodes if n.op == 'call_function'}
    assert any('conv' in name for name in names)
    assert not [name for name in names if 'rand' in name or 'dropout' in name]


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
    ({'denoiser': {'kind': 'dit'}}, "unknown entry 'dilations'"),
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


def test_an_old_folder_without_stage_and_kinds_is_a_finished_unet(tmp_path):
    translator = untidy(TINY)
    translator.save(tmp_path)
    entries = yaml.safe_load((tmp_path / 'model.yaml').read_text())
    del entries['stage'], entries['kind'], entries['denoiser']['kind']
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


@pytest.mark.parametrize(('entries', 'text'), [
    (3, 'must be a mapping, not 3'), ({'guidance': None}, 'guidance must be a mapping'),
    ({'speed': 1}, "unknown entry 'speed'"), ({2: 1}, "unknown entry '2'"),
    ({'guidance': {'channels': 32}}, '64 guidance channels, the guidance has 32'),
    ({'guidance': {'channels': '64'}}, "channels cannot be '64'; it must be int"),
    ({'guidance': {'channels': True}}, 'channels cannot be True'),
    ({'guidance': {'stem': -8}}, 'stem cannot be -8'),
    ({'autoencoder': {'widths': [8, 8]}}, r'widths cannot be \[8, 8\]'),
    ({'denoiser': {'dilations': [1, 0]}}, 'dilations cannot be'),
    ({'denoiser': {'kind': 'dit', 'heads': 5}}, 'denoiser: width 96 is not divided by heads 5'),
    ({'stage': 'done'}, "no stage 'done'"), ({'steps': 3}, 'steps must be one of'),
])
def test_an_impossible_configuration_is_refused_with_its_place(entries, text):
    with pytest.raises(UserError, match=f'preset.yaml.*{text}'):
        translator_config(entries, 'preset.yaml: model')


@pytest.mark.parametrize('config', [TINY, TINY_DIT], ids=['unet', 'dit'])
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_both_denoisers_work_in_half_precision(config, dtype):
    translator = untidy(config)
    rgb = torch.randint(0, 256, (1, 40, 56, 3), dtype=torch.uint8)
    with torch.no_grad():
        exact = translator(rgb)
        half = translator.set_precision(dtype)
        assert half.dtype == dtype
        assert exact.std() > .02
        assert (half(rgb) - exact).abs().mean() < .05 * exact.std()
        sampled = half.sample(rgb, 2, torch.Generator().manual_seed(0))
    assert sampled.dtype == torch.float32
    assert torch.isfinite(sampled).all()


@pytest.mark.parametrize('config', [TINY, TINY_DIT, replace(TINY, steps=4)],
                         ids=['unet', 'dit', 'four steps'])
def test_every_translator_exports_and_stays_the_same(config):
    translator = untidy(config)
    rgb = torch.randint(0, 256, (1, 40, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        exported = torch.export.export(translator, (rgb,)).module()
        assert torch.allclose(exported(rgb), translator(rgb), atol=1e-5)


def test_a_larger_patch_asks_for_larger_steps_of_the_size():
    config = replace(TINY, denoiser=DiTConfig(guidance_channels=8, width=16, depth=1, heads=2,
                                              patch=4))
    assert (Translator(TINY).divisor, Translator(config).divisor) == (16, 32)
    with torch.no_grad():
        frame = torch.zeros(1, 40, 56, 3, dtype=torch.uint8)
        assert Translator(config)(frame).shape == (1, 40, 56)


@pytest.mark.parametrize('config', [TINY, TINY_DIT], ids=['unet', 'dit'])
def test_the_teacher_samples_from_seeded_noise(config):
    translator = untidy(config)
    rgb = torch.randint(0, 256, (2, 40, 56, 3), dtype=torch.uint8)

    def sample(seed, steps=3):
        with torch.no_grad():
            return translator.sample(rgb, steps, torch.Generator().manual_seed(seed))

    assert sample(0).shape == (2, 40, 56)
    assert sample(0).min() >= 0
    assert sample(0).max() <= 1
    assert torch.equal(sample(0), sample(0))
    assert not torch.allclose(sample(0), sample(1), atol=1e-3)
    assert not torch.allclose(sample(0), sample(0, steps=1), atol=1e-3)


def test_the_teachers_picture_is_its_latent_decoded():
    translator = untidy(TINY)
    rgb = torch.randint(0, 256, (1, 32, 48, 3), dtype=torch.uint8)
    source = rgb.permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        latent = translator.teacher_latent(source, 2, torch.Generator().manual_seed(5))
        assert latent.shape == (1, 4, 4, 6)
        expected = translator.decode(latent, source).clamp(0, 1).square()[:, 0]
        sampled = translator.sample(rgb, 2, torch.Generator().manual_seed(5))
    assert torch.equal(sampled, expected)


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


REGRESSION = RegressionConfig('twit', (8, 8, 12, 16, 16), (1, 2))


@settings(max_examples=10, deadline=None)
@given(height=st.integers(16, 70), width=st.integers(16, 70), batch=st.integers(1, 2))
def test_a_regression_keeps_the_same_contract(height, width, batch):
    torch.manual_seed(0)
    model = Regressor(REGRESSION).eval()
    rgb = torch.randint(0, 256, (batch, height, width, 3), dtype=torch.uint8)
    with torch.no_grad():
        radiance = model(rgb)
        halved = model.set_precision(torch.bfloat16)(rgb)
    assert radiance.shape == (batch, height, width)
    assert radiance.dtype == halved.dtype == torch.float32
    assert {p.dtype for p in model.head.parameters()} == {torch.float32}
    assert radiance.min() >= 0
    assert radiance.max() <= 1
    assert (halved - radiance).abs().mean() < 2 / 255


def test_a_regression_exports(tmp_path):
    with torch.no_grad():
        program = torch.export.export(Regressor(REGRESSION).eval(),
                                      (torch.zeros(1, 40, 64, 3, dtype=torch.uint8),))
    assert any('conv' in str(n.target) for n in program.graph.nodes)


def test_a_folder_says_which_kind_of_model_it_holds(tmp_path, folder):
    Regressor(REGRESSION).save(tmp_path / 'canary')
    loaded = load_model(tmp_path / 'canary')
    assert isinstance(loaded, Regressor)
    assert loaded.config == REGRESSION
    assert not loaded.training
    assert isinstance(load_model(folder), Translator)
    with pytest.raises(UserError, match='holds a regression, and a translator is asked for'):
        Translator.load(tmp_path / 'canary')


def test_a_folder_without_a_kind_is_a_translator(folder):
    path = folder / 'model.yaml'
    entries = yaml.safe_load(path.read_text())
    assert entries.pop('kind') == 'translator'
    path.write_text(yaml.safe_dump(entries))
    assert isinstance(load_model(folder), Translator)


@pytest.mark.parametrize('kind', ['oracle', None, ['translator'], 3])
def test_an_unknown_kind_is_refused(folder, kind):
    path = folder / 'model.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {'kind': kind}))
    with pytest.raises(UserError, match='unknown kind'):
        load_model(folder)
