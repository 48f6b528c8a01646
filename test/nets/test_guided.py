"""The guided filter against explicit least squares, and its effects."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from rgb2swir_ros.nets import guided as guided_module
from rgb2swir_ros.nets.guided import EPSILON, REC601, WINDOW, guided_filter


def filtered(sqrt_radiance, rgb):
    """Filter whole pictures (1, 1, H, W) and (1, 3, H, W)."""
    return F.pixel_shuffle(
        guided_filter(F.pixel_unshuffle(sqrt_radiance, 2), F.pixel_unshuffle(rgb, 2)), 2)


def scene(height=48, width=64, seed=0):
    """Draw RGB of smooth colours with some noise, (1, 3, H, W)."""
    torch.manual_seed(seed)
    rgb = F.interpolate(torch.rand(1, 3, height // 8, width // 8), (height, width),
                        mode='bicubic').clamp(0, 1)
    return (rgb + .05 * torch.randn_like(rgb)).clamp(0, 1)


def guides_of(rgb):
    """Return luminance and two differences of colour, float64 (H, W, 3)."""
    red, green, blue = rgb[0].double().numpy()
    bright = sum(w * c for w, c in zip(REC601, (red, green, blue), strict=True))
    return np.stack([bright, blue - red, green - .5 * (red + blue)], axis=-1)


def test_a_pixel_takes_its_windows_least_squares_by_how_well_they_fit():
    rgb, sqrt_radiance = scene(), torch.rand(1, 1, 48, 64)
    guides = guides_of(rgb)
    rows, columns, reach = 48 // 4, 64 // 4, WINDOW // 2
    functions, weights = np.empty((rows, columns, 4)), np.empty((rows, columns, 1))
    for y in range(rows):
        for x in range(columns):
            window = (slice(max(y - reach, 0) * 4, (y + reach + 1) * 4),
                      slice(max(x - reach, 0) * 4, (x + reach + 1) * 4))
            g = guides[window].reshape(-1, 3)
            t = sqrt_radiance[0, 0].double().numpy()[window].ravel()
            design = np.column_stack([g, np.ones(len(g))])
            ridge = np.diag([EPSILON, EPSILON, EPSILON, 0]) * len(g)
            function = np.linalg.solve(design.T @ design + ridge, design.T @ t)
            missed = np.square(design @ function - t).mean()
            functions[y, x] = function
            # the filter's residual includes the ridge term, which is about a hundredth of it here
            weights[y, x] = 1 / (missed + EPSILON * np.square(function[:3]).sum() + EPSILON)
    mean = np.empty_like(functions)
    for y in range(rows):
        for x in range(columns):
            near = (slice(max(y - reach, 0), y + reach + 1),
                    slice(max(x - reach, 0), x + reach + 1))
            mean[y, x] = ((weights * functions)[near].sum(axis=(0, 1))
                          / weights[near].sum(axis=(0, 1)))
    # pairs of pixels share a function; between cells, functions are interpolated
    fine = F.interpolate(torch.from_numpy(mean).permute(2, 0, 1)[None], scale_factor=2,
                         mode='bilinear', align_corners=False)
    fine = fine.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)[0].numpy()
    wanted = (fine[:3] * guides.transpose(2, 0, 1)).sum(axis=0) + fine[3]
    assert filtered(sqrt_radiance, rgb)[0, 0].numpy() == pytest.approx(wanted, abs=2e-4)


def test_a_linear_function_of_the_source_passes(monkeypatch):
    monkeypatch.setattr(guided_module, 'EPSILON', 6e-4)  # less smoothing: there is no noise here
    rgb = scene()
    sqrt_radiance = torch.from_numpy(guides_of(rgb) @ [-.6, .4, .3] + .5).float()[None, None]
    assert (filtered(sqrt_radiance, rgb) - sqrt_radiance).abs().max() < .05  # of the ridge term
    assert (filtered(sqrt_radiance, rgb) - sqrt_radiance).abs().mean() < .005


@pytest.mark.parametrize(('left', 'right'), [((.2, .2, .2), (.8, .8, .8)),
                                             ((.3, .5, .9), (.9, .5, .3953))])
def test_a_soft_edge_becomes_as_steep_as_the_sources(left, right):
    """Also where both sides are equally bright and differ in colour only (the second)."""
    rgb = torch.empty(1, 3, 64, 96)
    rgb[..., :47], rgb[..., 47:] = (torch.tensor(c)[:, None, None] for c in (left, right))
    sqrt_radiance = torch.sigmoid((46.5 - torch.arange(96.)) / 4).expand(1, 1, 64, 96)
    steepest = filtered(sqrt_radiance, rgb).diff(dim=-1)[0, 0, 32].abs()
    assert sqrt_radiance.diff(dim=-1).abs().max() < .07
    assert steepest.argmax() == 46
    assert steepest[46] > .4
    assert steepest[:44].max() < .07  # and no second edge beside it
    assert steepest[49:].max() < .07


def test_noise_of_a_flat_source_is_smoothed():
    torch.manual_seed(0)
    sqrt_radiance, rgb = torch.rand(1, 1, 64, 64), .5 + .001 * torch.randn(1, 3, 64, 64)
    assert filtered(sqrt_radiance, rgb).std() < .1 * sqrt_radiance.std()
    assert filtered(sqrt_radiance, torch.full_like(rgb, .5)).isfinite().all()


def test_no_halo_beside_a_region_that_no_function_fits():
    """The leaves of a crown differ from each other; the plain sky beside them is unchanged."""
    torch.manual_seed(0)
    rgb, sqrt_radiance = torch.rand(1, 3, 64, 96), torch.rand(1, 1, 64, 96)
    rgb[..., :48] = torch.tensor([.3, .5, .8])[:, None, None] + .01 * torch.randn(1, 3, 64, 48)
    sqrt_radiance[..., :48] = .1
    sky = filtered(sqrt_radiance, rgb)[0, 0, :, :48]
    assert (sky[:, :42] - .1).abs().max() < .02
    assert filtered(sqrt_radiance, rgb)[0, 0, :, 52:].mean() > .4


def test_a_negative_is_filtered_to_the_negative():
    rgb, sqrt_radiance = scene(), torch.rand(1, 1, 48, 64)
    assert torch.allclose(filtered(.8 - sqrt_radiance, rgb),
                          .8 - filtered(sqrt_radiance, rgb), atol=1e-4)


def test_gradients_pass_flat_sources_included():
    for rgb in (scene(), torch.full((1, 3, 48, 64), .5)):
        sqrt_radiance = torch.rand(1, 1, 48, 64, requires_grad=True)
        filtered(sqrt_radiance, rgb).square().sum().backward()
        assert sqrt_radiance.grad.isfinite().all()
        assert sqrt_radiance.grad.abs().mean() > 1e-3


def test_a_mirrored_picture_is_filtered_alike():
    rgb, sqrt_radiance = scene(), torch.rand(1, 1, 48, 64)
    for axes in ((-1,), (-2,), (-1, -2)):
        assert torch.allclose(filtered(sqrt_radiance.flip(axes), rgb.flip(axes)),
                              filtered(sqrt_radiance, rgb).flip(axes), atol=1e-4)


def test_things_of_one_colour_differ_by_a_shift_of_the_guide_alone():
    """Stripes of 4 pixels: equal in the source, far apart in the filter's input."""
    torch.manual_seed(0)
    rgb = torch.full((1, 3, 64, 64), .5) + .002 * torch.randn(1, 3, 64, 64)
    bright = torch.arange(64) // 4 % 2 == 1
    wanted = torch.where(bright, .8, .2).expand(1, 1, 64, 64)
    pixels, shift = F.pixel_unshuffle(rgb, 2), torch.zeros(1, 12, 32, 32)
    shift[:, :4, :, bright[::2]] = .3
    asked = F.pixel_unshuffle(wanted, 2)
    bound, none, loose = (F.pixel_shuffle(guided_filter(asked, pixels, shift=s), 2)
                          for s in (None, torch.zeros_like(shift), shift))
    assert (bound - wanted).abs().mean() > .25
    assert (loose - wanted).abs().mean() < .03
    assert torch.equal(bound, none)


def test_a_smaller_window_reaches_less_far():
    rgb, changed = torch.full((1, 3, 64, 64), .5), torch.zeros(1, 1, 64, 64)
    changed[..., :32] = 1
    reach = {}
    for window in (3, 5):
        after = F.pixel_shuffle(guided_filter(F.pixel_unshuffle(changed, 2),
                                              F.pixel_unshuffle(rgb, 2), window=window), 2)
        reach[window] = int((after[0, 0, 32, 32:] > 1e-3).sum())
    assert reach[3] < reach[5]
