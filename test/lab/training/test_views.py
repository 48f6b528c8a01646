"""Two views of a picture: what they show, and what agrees."""

from dataclasses import replace

import pytest
import torch

from rgb2swir_ros.lab.training.views import (
    MARGIN,
    MAX_SHIFT,
    NOISE,
    consistency_loss,
    shifted,
    two_views,
)


def test_the_second_view_is_the_first_shifted_with_noise_of_its_own(make_batch):
    shifts, noises = set(), []
    for step in range(30):
        batch = make_batch(4, step)
        views, (dy, dx) = two_views(batch)
        assert views.rgb.shape == batch.rgb.shape
        assert torch.equal(views.rgb[:2], batch.rgb[:2])
        first, second = views.sqrt_radiance.chunk(2)
        assert torch.equal(first, batch.sqrt_radiance[:2])
        inside = torch.zeros(64, 96, dtype=torch.bool)
        inside[MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT] = True
        assert torch.equal(second[..., inside], first.roll((-dy, -dx), (2, 3))[..., inside])
        difference = (views.rgb[2:] - shifted(views.rgb[:2], (dy, dx)))
        noises.append(difference.std().item())
        shifts |= {dy, dx}
    assert (min(shifts), max(shifts)) == (-MAX_SHIFT, MAX_SHIFT)
    assert max(noises) <= NOISE * 1.05
    assert min(noises) < NOISE / 4 < NOISE / 2 < max(noises)
    assert torch.equal(views.rgb, views.rgb.clamp(0, 1))


@pytest.mark.parametrize(('count', 'views'), [(1, 2), (3, 2), (5, 4)])
def test_odd_batches(make_batch, count, views):
    batch, _ = two_views(make_batch(count))
    assert len(batch.rgb) == len(batch.sqrt_radiance) == views


def test_what_moves_along_agrees_and_what_stays_in_its_place_does_not(make_batch):
    batch = replace(make_batch(4), rgb=torch.rand(4, 3, 64, 96),
                    sqrt_radiance=torch.rand(4, 1, 64, 96))
    views, shift = two_views(batch)
    assert shift != (0, 0)
    assert consistency_loss(views.sqrt_radiance, shift).item() == 0
    grid = torch.arange(96) // 4 % 2 * .5
    stays = grid.expand(4, 1, 64, 96)
    assert consistency_loss(stays, (0, 4)).item() == pytest.approx(.5)
    assert consistency_loss(stays, (4, 0)).item() == 0


def test_the_border_is_not_compared():
    first = torch.rand(1, 1, 64, 96)
    second = shifted(first, (3, -5))
    second[..., :MARGIN] = 9
    second[..., -MARGIN:, :] = -9
    assert consistency_loss(torch.cat([first, second]), (3, -5)).item() == 0
    second[..., MARGIN, MARGIN] += 1
    assert consistency_loss(torch.cat([first, second]), (3, -5)).item() > 0


def test_what_changes_together_costs_more_than_what_changes_pixel_by_pixel():
    """As an eye sees it: noise is small, a frame that gets brighter as a whole flickers."""
    first = torch.full((1, 1, 96, 96), .5)
    checks = ((torch.arange(96)[:, None] + torch.arange(96)) % 2 * .02 - .01)[None, None]
    patches = ((torch.arange(96)[:, None] // 8 + torch.arange(96) // 8) % 2 * .02 - .01)

    def cost(change):
        return consistency_loss(torch.cat([first, first + change]), (0, 0)).item()

    assert cost(checks) == pytest.approx(.01, rel=1e-3)
    assert cost(torch.tensor(.01)) == pytest.approx(.04, rel=1e-3)
    assert cost(patches[None, None]) == pytest.approx(.02, rel=1e-3)
