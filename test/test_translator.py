"""The translator's contract, and its folder on disk."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.resources import model_directory
from rgb2swir_ros.translator import (
    Regressor,
    Translator,
    TranslatorConfig,
)

from .small_models import REGRESSION, TINY, TINY_DIT, untidy

CONFIGS = {
    'full': TranslatorConfig(),
    'no skips': TranslatorConfig(autoencoder=AutoencoderConfig(source_skips=False)),
    'skips alone': TranslatorConfig(
        autoencoder=AutoencoderConfig(fine_gain=False, guided_filter=False)),
    'no filter': TranslatorConfig(autoencoder=AutoencoderConfig(guided_filter=False)),
    'naive guidance': TranslatorConfig(guidance=GuidanceConfig(learned=False)),
    'plain LDM': TranslatorConfig(autoencoder=AutoencoderConfig(source_skips=False),
                                  guidance=GuidanceConfig(learned=False)),
    'DiT': TranslatorConfig(denoiser=DiTConfig(width=32, depth=1, heads=1)),
}


@pytest.fixture(scope='module')
def nano() -> Translator:
    return Translator.load(model_directory('nano'))


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
    for kept in ('decoder.head', 'denoiser.time', 'denoiser.after.modulate'):
        for ours, theirs in zip(half.get_submodule(kept).parameters(),
                                nano.get_submodule(kept).parameters(), strict=True):
            assert torch.equal(ours, theirs), 'cast there and back it has lost its last digits'
    rgb = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    with torch.no_grad():
        assert half(rgb).dtype == torch.float32
        assert (half(rgb) - nano(rgb)).abs().mean() < 1 / 255


def test_what_describes_a_whole_frame_stays_in_float32(nano):
    from copy import deepcopy

    unet = deepcopy(nano).set_precision(torch.bfloat16).denoiser
    kept = [unet.time, unet.summary, unet.before.modulate, unet.middle[0].modulate]
    assert {p.dtype for module in kept for p in module.parameters()} == {torch.float32}
    assert {p.dtype for p in unet.middle[0].conv1.parameters()} == {torch.bfloat16}
    vectors = []
    for module in kept:
        module.register_forward_hook(lambda _module, _inputs, out: vectors.append(out.dtype))
    with torch.no_grad():
        out = unet(*(torch.zeros(1, c, 8, 8, dtype=torch.bfloat16) if c else torch.ones(1)
                     for c in (4, 0, 64)))
    assert out.dtype == torch.bfloat16
    assert set(vectors) == {torch.float32}


def test_exports_without_random_draws(nano):
    with torch.no_grad():
        program = torch.export.export(nano, (torch.zeros(1, 40, 64, 3, dtype=torch.uint8),))
    names = {str(n.target) for n in program.graph.nodes if n.op == 'call_function'}
    assert any('conv' in name for name in names)
    assert not [name for name in names if 'rand' in name or 'dropout' in name]


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
