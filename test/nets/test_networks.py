"""Shapes, baseline switches and zero starts of the networks."""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.luma import REC601
from rgb2swir_ros.nets.autoencoder import (
    AutoencoderConfig,
    Head,
    SourceEncoder,
    SwirDecoder,
    SwirEncoder,
    scale_gain,
    scale_latent,
)
from rgb2swir_ros.nets.blocks import (
    ResBlock,
    Upsample,
    centred,
    local_mean,
    pad_to_multiple,
    time_embedding,
    zero_conv1x1,
)
from rgb2swir_ros.nets.guidance import GuidanceConfig, GuidanceEncoder
from rgb2swir_ros.nets.guided import guided_filter
from rgb2swir_ros.nets.unet import UNetConfig, UNetDenoiser


@given(height=st.integers(1, 40), width=st.integers(1, 40), multiple=st.sampled_from([2, 8, 16]))
def test_padding_repeats_the_edge_and_keeps_the_picture(height, width, multiple):
    x = torch.arange(height * width, dtype=torch.float32).reshape(1, 1, height, width)
    padded = pad_to_multiple(x, multiple)
    assert padded.shape[2] % multiple == 0
    assert padded.shape[3] % multiple == 0
    assert padded.shape[2] - height < multiple
    assert torch.equal(padded[:, :, :height, :width], x)
    assert torch.equal(padded[0, 0, -1, :width], x[0, 0, -1])
    assert torch.equal(padded[0, 0, :height, -1], x[0, 0, :, -1])


def test_autoencoder_shapes():
    config = AutoencoderConfig()
    sqrt_radiance, rgb = torch.rand(2, 1, 48, 64), torch.rand(2, 3, 48, 64)
    latent = SwirEncoder(config)(sqrt_radiance)
    assert latent.shape == (2, 4, 6, 8)
    features = SourceEncoder(config)(rgb)
    assert [tuple(f.shape[1:]) for f in features] == [(16, 24, 32), (24, 12, 16), (32, 6, 8)]
    assert SwirDecoder(config)(latent, features, rgb).shape == (2, 1, 48, 64)


def test_maps_are_the_trunks_coarsest_first():
    torch.manual_seed(0)
    config = AutoencoderConfig()
    decoder, rgb = SwirDecoder(config), torch.rand(1, 3, 48, 64)
    for skip in decoder.skips:
        torch.nn.init.normal_(skip.weight, std=.1)
    latent, features = torch.randn(1, 4, 6, 8), SourceEncoder(config)(rgb)
    maps = decoder.maps(latent, features)
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 6, 8), (48, 12, 16), (32, 24, 32)]
    assert torch.equal(decoder.trunk(latent, features), maps[-1])
    for ours, plain in zip(maps, decoder.maps(latent, None), strict=True):
        assert not torch.allclose(ours, plain)  # each scale has its skip


def test_scaling_the_latent_changes_the_latent_and_not_the_picture():
    torch.manual_seed(0)
    config = AutoencoderConfig(widths=(8, 8, 8))
    encoder, decoder = SwirEncoder(config), SwirDecoder(config)
    sqrt_radiance = torch.rand(4, 1, 64, 64)
    with torch.no_grad():
        before = encoder(sqrt_radiance)
        picture = decoder(before, None, None)
        scale_latent(encoder, decoder, before.std(dim=(0, 2, 3)))
        after = encoder(sqrt_radiance)
        assert torch.allclose(after.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-4)
        assert before.std(dim=(0, 2, 3)).max() < .9
        assert torch.allclose(decoder(after, None, None), picture, atol=1e-5)


@pytest.mark.parametrize('scale', [[1, 1, 1], [1, 1, 1, 0], [1, 1, 1, -2],
                                   [1, 1, 1, float('nan')]])
def test_a_latent_is_not_scaled_by_nothing(scale):
    config = AutoencoderConfig(widths=(8, 8, 8))
    with pytest.raises(ValueError, match='4 numbers above 0'):
        scale_latent(SwirEncoder(config), SwirDecoder(config), torch.tensor(scale))


def test_skips_start_with_the_plain_picture_and_the_sources_fine_luminance():
    torch.manual_seed(0)
    config = AutoencoderConfig()
    decoder, source = SwirDecoder(config), SourceEncoder(config)
    latent, rgb = torch.randn(1, 4, 6, 8), torch.rand(1, 3, 48, 64)
    plain = decoder(latent, None, None)
    luminance = torch.tensordot(rgb[0], torch.tensor([.299, .587, .114]), dims=([0], [0]))
    # local means over 10x10 pixels on a grid of 2x2 cells; at the border, over the part inside
    wanted = plain.clone()
    for y in range(48):
        for x in range(64):
            top, left = y // 2 * 2, x // 2 * 2
            around = luminance[max(top - 4, 0):top + 6, max(left - 4, 0):left + 6]
            wanted[0, 0, y, x] += luminance[y, x] - around.mean()
    wanted = F.pixel_shuffle(
        guided_filter(F.pixel_unshuffle(wanted, 2), F.pixel_unshuffle(rgb, 2)), 2)
    started = decoder(latent, source(rgb), rgb)
    assert torch.allclose(started, wanted, atol=1e-4)
    with torch.no_grad():
        decoder.skips[1].weight.fill_(0.1)
    assert not torch.allclose(decoder(latent, source(rgb), rgb), started, atol=1e-3)


def test_switches_of_the_head_start_where_they_change_nothing():
    torch.manual_seed(0)
    plain = SwirDecoder(AutoencoderConfig())
    latent, rgb = torch.randn(1, 4, 6, 8), torch.rand(1, 3, 48, 64)
    source = SourceEncoder(AutoencoderConfig())
    began = plain(latent, source(rgb), rgb)
    for switched in ({'learned_guide': True}, {'residual_bound': .1}):
        decoder = SwirDecoder(AutoencoderConfig(**switched))
        missing, unexpected = decoder.load_state_dict(plain.state_dict(), strict=False)
        assert (len(missing), unexpected) == (2, [])
        assert torch.equal(decoder(latent, source(rgb), rgb), began)
        with torch.no_grad():
            for name in missing:
                decoder.get_parameter(name).normal_(std=3)
        assert (decoder(latent, source(rgb), rgb) - began).abs().max() > .02
        if 'residual_bound' in switched:
            assert (decoder(latent, source(rgb), rgb) - began).abs().max() < .1 + 1e-6


@pytest.mark.parametrize('window', [4, 6])
def test_a_window_of_the_filter_has_a_centre(window):
    with pytest.raises(ValueError, match=f'filter_window {window} is even'):
        AutoencoderConfig(filter_window=window)


def test_the_gain_is_scaled_and_nothing_else():
    torch.manual_seed(0)
    config = AutoencoderConfig()
    decoder, source = SwirDecoder(config), SourceEncoder(config)
    latent, rgb = torch.randn(1, 4, 6, 8), torch.rand(1, 3, 48, 64)
    plain, before = decoder(latent, None, None), decoder(latent, source(rgb), rgb)
    head = copy.deepcopy(decoder.head.from_features)
    scale_gain(decoder.head, 1.5)
    for ours, were in zip(decoder.head.from_features.parameters(), head.parameters(), strict=True):
        assert torch.equal(ours[:4], were[:4])
        assert torch.equal(ours[4:], 1.5 * were[4:])
    assert torch.equal(decoder(latent, None, None), plain)
    assert (decoder(latent, source(rgb), rgb) - before).abs().max() > .01
    for entries in ({'source_skips': False}, {'fine_gain': False}):
        with pytest.raises(ValueError, match='no gain'):
            scale_gain(SwirDecoder(AutoencoderConfig(**entries)).head, 1.5)


@pytest.mark.parametrize(('gain', 'filtered'), [
    (False, False), (True, False), (False, True), (True, True)])
def test_each_part_of_the_head_has_its_own_switch(gain, filtered):
    torch.manual_seed(0)
    head = Head(AutoencoderConfig(fine_gain=gain, guided_filter=filtered))
    features, rgb = torch.rand(1, 32, 24, 32), torch.rand(1, 3, 48, 64)
    pixels = F.pixel_unshuffle(rgb, 2)
    made = head.from_features(features)
    offset, factor = made[:, :4], made[:, 4:]
    assert factor.shape[1] == 4 * gain
    wanted = offset
    if gain:
        luma = F.pixel_unshuffle((rgb * torch.tensor(REC601).reshape(1, 3, 1, 1)).sum(1, True), 2)
        wanted = wanted + factor * (luma - local_mean(luma.mean(dim=1, keepdim=True), 5))
    if filtered:
        wanted = guided_filter(wanted, pixels)
    assert torch.allclose(head(features, rgb), F.pixel_shuffle(wanted, 2), atol=1e-5)
    assert torch.equal(head(features, None), F.pixel_shuffle(offset, 2))


def test_uniform_brightness_adds_no_detail():
    decoder, source = SwirDecoder(AutoencoderConfig()), SourceEncoder(AutoencoderConfig())
    latent, rgb = torch.randn(1, 4, 6, 8), torch.full((1, 3, 48, 64), .8)
    bright, dark = (decoder(latent, source(light * rgb), light * rgb) for light in (1, .3))
    assert torch.allclose(bright, dark, atol=1e-4)


def test_baseline_autoencoder_ignores_the_source():
    config = AutoencoderConfig(source_skips=False)
    decoder = SwirDecoder(config)
    latent = torch.randn(1, 4, 6, 8)
    with_source = decoder(latent, SourceEncoder(config)(torch.rand(1, 3, 48, 64)),
                          torch.rand(1, 3, 48, 64))
    assert torch.equal(with_source, decoder(latent, None, None))
    assert not any('skips' in name or 'from_source' in name or 'luminance' in name
                   for name, _ in decoder.named_parameters())


def test_guidance_and_its_baseline_are_one_call():
    rgb = torch.rand(1, 3, 48, 64)
    learned = GuidanceEncoder(GuidanceConfig(learned=True))
    naive = GuidanceEncoder(GuidanceConfig(learned=False))
    assert learned(rgb).shape == naive(rgb).shape == (1, 64, 6, 8)
    # the naive one sees only the mean of each 8x8 block, the learned one sees inside it
    shuffled = rgb.reshape(1, 3, 6, 8, 8, 8).flip(3).reshape(1, 3, 48, 64)
    assert torch.allclose(naive(shuffled), naive(rgb), atol=1e-5)
    assert not torch.allclose(learned(shuffled), learned(rgb), atol=1e-3)


@pytest.mark.parametrize('size', [(2, 2), (6, 8), (46, 80)])
def test_unet_takes_any_even_size(size):
    unet = UNetDenoiser(UNetConfig())
    out = unet(torch.zeros(1, 4, *size), torch.ones(1), torch.rand(1, 64, *size))
    assert out.shape == (1, 4, *size)


def test_unet_depends_on_time_guidance_latent_and_place():
    torch.manual_seed(0)
    unet = UNetDenoiser(UNetConfig())
    for block in [unet.before, unet.after, *unet.middle]:  # they start at zero
        torch.nn.init.normal_(block.modulate.weight, std=0.1)
    latent, guidance = torch.randn(1, 4, 6, 8), torch.rand(1, 64, 6, 8)
    base = unet(latent, torch.tensor([1.0]), guidance)
    assert not torch.allclose(unet(latent, torch.tensor([0.3]), guidance), base)
    assert not torch.allclose(unet(latent, torch.tensor([1.0]), guidance + 1), base)
    assert not torch.allclose(unet(latent + 1, torch.tensor([1.0]), guidance), base)
    upside_down = unet(latent.flip(2), torch.tensor([1.0]), guidance.flip(2)).flip(2)
    assert not torch.allclose(upside_down, base)


def test_modulated_block_requires_its_condition():
    with pytest.raises(ValueError, match='condition'):
        ResBlock(8, modulation=4)(torch.zeros(1, 8, 4, 4))


def test_upsampling_starts_without_a_checkerboard():
    up = Upsample(8, 4)(torch.rand(1, 8, 5, 7))
    blocks = up.reshape(1, 4, 5, 2, 7, 2)
    assert torch.equal(blocks[:, :, :, :1, :, :1].expand_as(blocks), blocks)


def test_zero_convolution_is_zero():
    assert zero_conv1x1(3, 5)(torch.rand(1, 3, 4, 4)).abs().max() == 0


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=5, unique=True))
def test_time_embedding_tells_times_apart(times):
    times = [round(t, 2) for t in times]
    embedded = time_embedding(torch.tensor(times), 64)
    assert embedded.shape == (len(times), 64)
    for i in range(len(times)):
        for j in range(i):
            assert torch.equal(embedded[i], embedded[j]) == (times[i] == times[j])


def test_rgb_is_centred_before_it_is_rounded():
    """bfloat16 rounds every k/255 up; centred first, as many levels go up as down."""
    levels = torch.arange(256) / 255
    rgb = levels.reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    network = ResBlock(4).to(torch.bfloat16)
    got = centred(rgb, network)
    assert got.dtype == torch.bfloat16
    error = (got.float() + 1) / 2 - rgb
    assert error.mean().abs() < 1e-6
    assert (levels.bfloat16().float() - levels).mean() > 5e-4, 'bfloat16 does not round up here'
    assert torch.equal(centred(rgb, ResBlock(4)), rgb * 2 - 1)
