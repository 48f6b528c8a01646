"""The latent perceptual loss and its numerical corner cases."""

import pytest
import torch

from rgb2swir_ros.diffusion.lpl import latent_perceptual_loss, masked_mean
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig, SourceEncoder, SwirDecoder


def features(*sizes: int, batch: int = 2, channels: int = 3) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(batch, channels, size, size) for size in sizes]


def gradient(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    predicted = predicted.clone().requires_grad_()
    latent_perceptual_loss([predicted], [target]).backward()
    assert predicted.grad is not None
    return predicted.grad


def test_equal_features_cost_nothing():
    maps = features(4, 8, 16)
    loss = latent_perceptual_loss(maps, maps)
    assert loss == 0
    assert loss.shape == ()
    assert loss.dtype == torch.float32
    assert gradient(maps[0], maps[0]).abs().max() == 0


def test_its_value_is_the_mean_square_in_the_targets_deviations():
    target = 7 + 3 * torch.randn(1, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    deviation = target.std(dim=(2, 3), keepdim=True, correction=0)
    assert latent_perceptual_loss([target + .5 * deviation], [target]) == pytest.approx(.25)


def test_statistics_are_the_targets_for_both_branches():
    """With each branch's own statistics, a prediction of twice the strength would cost nothing."""
    (target,) = features(32)
    assert latent_perceptual_loss([2 * target], [target]) > .5
    assert latent_perceptual_loss([target + 1], [target]) > .5
    # whatever the strength of a channel, it counts alike
    strengths = torch.tensor([1., 10., 100.]).reshape(1, 3, 1, 1)
    alike = latent_perceptual_loss([target * 1.5], [target])
    assert latent_perceptual_loss([strengths * target * 1.5],
                                  [strengths * target]) == pytest.approx(float(alike), rel=.3)


def test_no_gradient_reaches_the_target():
    (target,) = features(8)
    target.requires_grad_()
    predicted = torch.randn(2, 3, 8, 8, requires_grad=True)
    latent_perceptual_loss([predicted], [target]).backward()
    assert target.grad is None
    assert predicted.grad is not None
    assert predicted.grad.abs().min() > 0


def test_outliers_of_the_target_are_masked_and_do_not_hide_the_rest():
    (target,) = features(16, batch=1)
    clean = latent_perceptual_loss([target + .5], [target])
    target[0, 0, 3, 3] = 1e4
    target[0, 0, 9, 9] = -1e4
    predicted = target + .5
    predicted[0, 0, 3, 3] = 0
    grad = gradient(predicted, target)
    assert grad[0, 0, 3, 3] == grad[0, 0, 9, 9] == 0
    # an outlier counted into the deviation would make the other pixels cost nothing
    assert latent_perceptual_loss([predicted], [target]) == pytest.approx(float(clean), rel=.1)


def test_small_things_are_no_outliers():
    target = torch.zeros(1, 1, 32, 32)
    target[..., 10:14, 10:13] = 1  # 12 of 1024 pixels: a person far away
    grad = gradient(target * .5, target)
    assert grad[..., 10:14, 10:13].abs().min() > 0


def test_a_channel_that_is_masked_whole_costs_nothing():
    values = torch.randn(1, 2, 3, 3, requires_grad=True)
    mask = torch.ones(1, 2, 3, 3)
    mask[:, 0] = 0
    mean = masked_mean(values, mask)
    assert mean[0, 0] == 0
    assert float(mean[0, 1].detach()) == pytest.approx(float(values[0, 1].detach().mean()))
    mean.sum().backward()
    assert torch.equal(values.grad[0, 0], torch.zeros(3, 3))


@pytest.mark.parametrize('level', [0.0, 1.0, -30.0])
def test_constant_channels_give_no_infinity(level):
    (target,) = features(8)
    target[:, 1] = level
    predicted = target + .1
    loss = latent_perceptual_loss([predicted], [target])
    # against a twentieth of the map's root mean square, not against nothing
    assert 0 < loss < 100
    assert torch.isfinite(gradient(predicted, target)).all()


def test_a_map_of_zeros_gives_no_infinity():
    target = torch.zeros(1, 2, 4, 4)
    assert torch.isfinite(latent_perceptual_loss([target + .01], [target]))
    assert torch.isfinite(gradient(target + .01, target)).all()


@pytest.mark.parametrize('size', [1, 2])
def test_tiny_maps_do_not_fail(size):
    target = features(size, 2 * size, 4 * size)
    predicted = [(t + .1).requires_grad_() for t in target]
    loss = latent_perceptual_loss(predicted, target)
    assert torch.isfinite(loss)
    assert loss > 0
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in predicted)


def test_scales_have_equal_parts_whatever_their_size_and_width():
    torch.manual_seed(0)
    target = [torch.randn(1, c, s, s) for c, s in ((64, 8), (48, 16), (32, 32))]
    parts = [latent_perceptual_loss([t * 1.3 if i == k else t for i, t in enumerate(target)],
                                    target) for k in range(3)]
    for part in parts:
        assert part == pytest.approx(float(sum(parts)) / 3, rel=.02)
    assert latent_perceptual_loss([t * 1.3 for t in target], target,
                                  weights=[0, 0, 3]) == pytest.approx(9 * float(parts[2]))


def test_samples_have_equal_weights():
    target = features(4, 8)
    predicted = [t + torch.randn_like(t) for t in target]
    each = [float(latent_perceptual_loss([p[i:i + 1] for p in predicted],
                                         [t[i:i + 1] for t in target])) for i in range(2)]
    assert each[0] != pytest.approx(each[1], rel=1e-3)
    assert latent_perceptual_loss(predicted, target) == pytest.approx(sum(each) / 2)


def test_half_precision_features_are_compared_in_float32():
    (target,) = features(16)
    target = 300 * target  # whose squares float16 cannot hold
    loss = latent_perceptual_loss([(1.01 * target).half()], [target.half()])
    assert loss.dtype == torch.float32
    assert 0 < loss < 1e-3


def test_what_does_not_fit_is_refused():
    target = features(4, 8)
    with pytest.raises(ValueError, match='do not fit'):
        latent_perceptual_loss(target[:1], target)
    with pytest.raises(ValueError, match='do not fit'):
        latent_perceptual_loss(target, target, weights=[1.0])
    with pytest.raises(ValueError, match='do not fit'):
        latent_perceptual_loss(target[::-1], target)


def test_skips_do_not_take_the_gradient_from_the_latent():
    """Both branches get the same source features, so what these explain cancels."""
    torch.manual_seed(0)
    config = AutoencoderConfig(widths=(8, 12, 16), source_widths=(4, 6, 8))
    decoder, source = SwirDecoder(config), SourceEncoder(config)
    for skip in decoder.skips:
        torch.nn.init.normal_(skip.weight, std=.5)  # strong, as after a long training
    rgb, truth = torch.rand(2, 3, 64, 64), torch.randn(2, 4, 8, 8)
    wrong = truth + .5 * torch.randn(2, 4, 8, 8)

    def norm(latent, features):
        latent = latent.clone().requires_grad_()
        with torch.no_grad():
            target = decoder.maps(truth, features)
        latent_perceptual_loss(decoder.maps(latent, features), target).backward()
        return float(latent.grad.norm())

    plain, skipped = norm(wrong, None), norm(wrong, source(rgb))
    assert plain > 0
    assert skipped > .1 * plain
    assert norm(truth, source(rgb)) == 0
