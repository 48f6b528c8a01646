"""The DiT denoiser: sizes, zero start, receptive field, numerics, export, cost."""

from copy import deepcopy

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from rgb2swir_ros.nets.dit import Attention, DiTConfig, DiTDenoiser, axis_features, modulated
from rgb2swir_ros.nets.unet import UNetConfig, UNetDenoiser

TINY = DiTConfig(guidance_channels=6, width=16, depth=2, heads=2, mlp_ratio=2, outlet_channels=4,
                 time_features=8)
CPU = torch.device('cpu')


def awake(config: DiTConfig = TINY) -> DiTDenoiser:
    """Return a network with its zero-initialised weights made random, as after some training."""
    torch.manual_seed(0)
    network = DiTDenoiser(config).eval()
    for layer in (*(block.modulate for block in network.blocks), network.modulate,
                  network.expand):
        torch.nn.init.normal_(layer.weight, std=.3)
    return network


def inputs(height: int = 8, width: int = 12, batch: int = 1):
    torch.manual_seed(1)
    return (torch.randn(batch, 4, height, width), torch.full((batch,), .7),
            torch.rand(batch, 6, height, width))


@pytest.mark.parametrize('patch', [1, 2, 4])
def test_it_takes_any_size_that_its_patch_divides(patch):
    config = DiTConfig(guidance_channels=6, width=16, depth=1, heads=2, patch=patch)
    for height, width in ((patch, patch), (3 * patch, 5 * patch)):
        out = DiTDenoiser(config)(*inputs(height, width, batch=2))
        assert out.shape == (2, 4, height, width)


def test_it_starts_as_one_value_everywhere_and_its_blocks_as_nothing():
    network = DiTDenoiser(TINY)
    out = network(*inputs())
    assert torch.equal(out, network.outlet.bias.reshape(1, 4, 1, 1).expand_as(out))
    tokens = torch.randn(1, 5, 16)
    assert torch.equal(network.blocks[0](tokens, torch.randn(1, 16)), tokens)


def test_every_part_gets_a_gradient_within_two_steps():
    network = DiTDenoiser(TINY)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    for _ in range(3):  # the zeros open one after the other
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(network(*inputs()), inputs()[0]).backward()
        optimizer.step()
    silent = [name for name, p in network.named_parameters() if p.grad.abs().max() == 0]
    assert silent == []


def test_it_depends_on_time_guidance_latent_and_place():
    network = awake()
    latent, t, guidance = inputs()
    base = network(latent, t, guidance)
    assert not torch.allclose(network(latent, t - .4, guidance), base, atol=1e-3)
    assert not torch.allclose(network(latent, t, guidance + 1), base, atol=1e-3)
    assert not torch.allclose(network(latent + 1, t, guidance), base, atol=1e-3)
    for axis in (2, 3):
        mirrored = network(latent.flip(axis), t, guidance.flip(axis)).flip(axis)
        assert not torch.allclose(mirrored, base, atol=1e-3)


def test_every_place_sees_the_whole_frame():
    network = awake().double()
    latent, t, guidance = (x.double() for x in inputs(16, 24))
    changed = guidance.clone()
    changed[:, :, -2:, -2:] += 3
    difference = network(latent, t, changed) - network(latent, t, guidance)
    assert difference[:, :, :2, :2].abs().max() > 1e-6


def test_places_are_relative_to_the_frame_and_near_ones_are_told_apart():
    small, large = axis_features(8, CPU), axis_features(16, CPU)
    # the centre of two half tokens is that of the whole one, the top of the frame is the top
    assert torch.allclose((large[::2, 0] + large[1::2, 0]) / 2, small[:, 0], atol=1e-6)
    assert torch.allclose((large[::2, 1] + large[1::2, 1]) / 2, small[:, 1], atol=.02)
    # the index counts tokens, whatever the frame's size
    assert torch.equal(large[:8, 11:], small[:, 11:])
    many = axis_features(64, CPU)
    distance = torch.cdist(many, many) + 10 * torch.eye(64)
    assert distance.min() > .3


def test_neighbouring_patches_agree_through_the_last_convolution():
    network = awake()
    with torch.no_grad():
        for block in network.blocks:
            torch.nn.init.zeros_(block.modulate.weight)  # no attention: each patch for itself
        latent, t, guidance = inputs()
        changed = guidance.clone()
        changed[:, :, :2, :2] += 1
        difference = (network(latent, t, changed) - network(latent, t, guidance)).abs().sum(1)[0]
    assert difference[:3, :3].min() > 0  # the patch and a pixel around it
    assert difference[3:].max() == difference[:, 3:].max() == 0


def test_tokens_are_normalised_one_by_one_before_they_are_modulated():
    torch.manual_seed(0)
    x = 5 + torch.tensor([1., 1e3, 1e4]).reshape(1, 3, 1) * torch.randn(1, 3, 16)
    shift, scale = torch.full((1, 1, 16), 2.), torch.full((1, 1, 16), -.5)
    out = modulated(x, shift, scale)
    assert torch.allclose(out.mean(dim=2), torch.full((1, 3), 2.), atol=1e-4)
    assert torch.allclose(out.std(dim=2, correction=0), torch.full((1, 3), .5), atol=1e-4)


def test_queries_and_keys_are_normalised():
    attention = awake().blocks[0].attention
    tokens = torch.randn(1, 5, 16)
    with torch.no_grad():
        before = attention(tokens)
        attention.qkv.weight[:32] *= 100  # queries and keys; their biases are zero
        assert torch.allclose(attention(tokens), before, atol=1e-3)


def test_the_query_is_scaled_as_the_attention_would_scale():
    """Within the attention, torch_tensorrt 2.8 would scale in float32: test_tensorrt_build."""
    torch.manual_seed(1)
    attention, tokens = Attention(64, 2), torch.randn(2, 6, 64)
    q, k, v = attention.qkv(tokens).reshape(2, 6, 3, 2, 32).permute(2, 0, 3, 1, 4)
    x = F.scaled_dot_product_attention(attention.norm_q(q), attention.norm_k(k), v)
    expected = attention.out(x.transpose(1, 2).reshape(2, 6, 64))
    assert torch.allclose(attention(tokens), expected, atol=1e-6)


@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.bfloat16, .06), (torch.float16, .01)])
def test_half_precision_keeps_the_answer(dtype, tolerance):
    network = awake()
    latent, t, guidance = inputs()
    guidance = 300 * guidance  # nothing bounds the guidance; its norms must
    half = deepcopy(network).to(dtype)
    with torch.no_grad():
        exact = network(latent, t, guidance)
        out = half(latent.to(dtype), t, guidance.to(dtype))
    assert out.dtype == dtype
    assert (out.float() - exact).abs().max() < tolerance * exact.abs().max()


def test_mixed_precision_trains_it():
    network = awake()
    with torch.autocast('cpu', torch.bfloat16):
        loss = network(*inputs()).float().square().mean()
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


# what the engines convert (tensors without an input are folded before)
KNOWN = {'add', 'alias', 'arange', 'cat', 'chunk', 'conv2d', 'cos', 'div', 'exp', 'flatten',
         'gelu', 'getitem', 'layer_norm', 'linear', 'mul', 'pixel_shuffle', 'reshape',
         'scaled_dot_product_attention', 'select', 'silu', 'sin', 'sub', 'to', 'transpose',
         'unsqueeze', '_assert_tensor_metadata'}


def test_it_exports_as_one_static_graph_of_known_operators():
    network = awake()
    with torch.no_grad():
        program = torch.export.export(network, inputs())
        assert torch.allclose(program.module()(*inputs()), network(*inputs()), atol=1e-5)
    names = {getattr(node.target, '__name__', '').split('.')[0]
             for node in program.graph.nodes if node.op == 'call_function'}
    assert 'scaled_dot_product_attention' in names
    assert names <= KNOWN, names - KNOWN


def test_it_costs_what_the_unet_costs():
    totals = []
    with torch.device('meta'):
        for network in (DiTDenoiser(DiTConfig()), UNetDenoiser(UNetConfig())):
            with torch.no_grad(), FlopCounterMode(display=False) as counter:
                network(torch.zeros(1, 4, 64, 80), torch.ones(1), torch.zeros(1, 64, 64, 80))
            totals.append(counter.get_total_flops())
    assert totals[0] == pytest.approx(totals[1], rel=.1)


@pytest.mark.parametrize(('change', 'text'), [
    ({'width': 0}, 'width must be at least 1, not 0'), ({'depth': -1}, 'depth'),
    ({'width': 16, 'heads': 3}, 'width 16 is not divided by heads 3'),
    ({'time_features': 7}, 'even, not 7'),
])
def test_impossible_shapes_are_refused(change, text):
    with pytest.raises(ValueError, match=text):
        DiTConfig(**change)
