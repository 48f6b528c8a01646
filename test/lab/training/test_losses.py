"""The picture's losses: their parts, weights and sum."""

import pytest
import torch

from rgb2swir_ros.diffusion.losses import detail_loss, sqrt_radiance_loss
from rgb2swir_ros.lab.training.losses import PictureWeights, picture_losses, region_loss, total


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    return torch.rand(2, 1, 64, 96), torch.rand(2, 1, 64, 96)


def test_parts_are_weighted_and_detail_is_asked_for(pictures):
    weights = PictureWeights(gradient=2, region=3, detail=5)
    plain = picture_losses(*pictures, weights, detailed=False)
    detailed = picture_losses(*pictures, weights, detailed=True)
    assert list(plain) == ['sqrt_radiance', 'region']
    assert plain['sqrt_radiance'] == sqrt_radiance_loss(*pictures, gradient_weight=2)
    assert plain['region'] == 3 * region_loss(*pictures)
    assert detailed['detail'] == 5 * detail_loss(*pictures)
    assert total(detailed) == detailed['sqrt_radiance'] + detailed['region'] + detailed['detail']


def test_regions_are_compared_by_their_means_whatever_the_texture():
    flat = torch.full((1, 1, 64, 64), .5)
    texture = flat + .3 * (torch.arange(64) % 2 * 2 - 1)
    assert region_loss(texture, flat).item() == pytest.approx(0, abs=1e-6)
    one = flat.clone()
    one[..., :8, :8] += .64  # one of 64 regions of 8x8, a quarter of a tenth of one of 32x32
    assert region_loss(one, flat).item() == pytest.approx(.64 / 64 + .64 / 16 / 4, rel=1e-4)
