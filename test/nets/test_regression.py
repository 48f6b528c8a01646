"""The regression's shapes, its global receptive field, and its cost."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from rgb2swir_ros.nets.regression import RegressionConfig, RegressionUNet
from rgb2swir_ros.translator import Regressor, Translator

SMALL = RegressionConfig(widths=(8, 8, 8, 8, 16), dilations=(1, 2))


def test_output_has_the_size_of_the_frame_and_is_float32():
    network = RegressionUNet(SMALL)
    for size in ((32, 32), (64, 96)):
        assert network(torch.rand(2, 3, *size)).shape == (2, 1, *size)
    network.bfloat16().head.float()
    assert network(torch.rand(1, 3, 32, 64)).dtype == torch.float32


def test_it_costs_what_the_translator_costs():
    operations = []
    for kind in (Regressor, Translator):
        with torch.device('meta'):
            model = kind()
            with FlopCounterMode(display=False) as counter:
                model.sqrt_radiance(torch.zeros(1, 3, 512, 640))
        operations.append(counter.get_total_flops())
    assert operations[0] == pytest.approx(operations[1], rel=.05)


def test_every_pixel_sees_the_whole_frame_and_where_it_is():
    torch.manual_seed(0)
    network = RegressionUNet(SMALL).double()
    for block in [*network.middle, network.out_16th, network.out_eighth]:  # they start at zero
        torch.nn.init.normal_(block.modulate.weight)
    rgb = torch.rand(1, 3, 256, 1024, dtype=torch.float64)
    changed = rgb.clone()
    changed[..., -32:] = 0
    with torch.no_grad():
        base = network.trunk(rgb)
        # farther than the dilated convolutions reach: only the pooled summary gets there
        assert (network.trunk(changed) - base)[..., :32].abs().max() > 1e-9
        upside_down = network.trunk(rgb.flip(2)).flip(2)
    assert (upside_down - base).abs().max() > 1e-4


def test_every_scale_has_its_skip():
    """A change of one scale's encoder features reaches the output without coarser scales."""
    torch.manual_seed(0)
    network = RegressionUNet(SMALL)
    rgb = torch.rand(1, 3, 64, 64)
    for layer, cut in ((network.at_half, network.up_half),
                       (network.down_quarter, network.up_quarter),
                       (network.down_eighth, network.up_eighth),
                       (network.down_16th, network.up_16th)):
        with torch.no_grad():
            silent = cut.register_forward_hook(lambda _m, _i, output: output * 0)
            base = network(rgb)
            louder = layer.register_forward_hook(lambda _m, _i, output: output * 2)
            assert not torch.allclose(network(rgb), base, atol=1e-6)
            silent.remove()
            louder.remove()
