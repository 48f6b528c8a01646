"""The path, the samplers and the losses against what is known of them in closed form."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.diffusion.losses import detail_loss, gradient_loss, tone_loss
from rgb2swir_ros.diffusion.path import euler_step, interpolate
from rgb2swir_ros.diffusion.sampler import sample_euler, sample_student


def test_path_ends_at_clean_and_noise():
    clean, noise = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2)
    t = torch.tensor([0.0, 1.0, 0.25])
    z = interpolate(clean, noise, t)
    assert torch.equal(z[0], clean[0])
    assert torch.equal(z[1], noise[1])
    assert torch.allclose(z[2], 0.75 * clean[2] + 0.25 * noise[2])


@given(t=st.floats(0.01, 1), share=st.floats(0, 0.99))
def test_euler_step_stays_on_the_straight_path(t, share):
    torch.manual_seed(1)
    clean, noise = torch.randn(1, 4, 2, 2), torch.randn(1, 4, 2, 2)
    s = t * share
    stepped = euler_step(interpolate(clean, noise, torch.tensor([t])), clean, t, s)
    assert torch.allclose(stepped, interpolate(clean, noise, torch.tensor([s])), atol=1e-4)


@pytest.mark.parametrize(('t', 's'), [(0.5, 0.5), (0.2, 0.4), (1.2, 0.1), (0.5, -0.1)])
def test_a_step_that_does_not_go_down_is_refused(t, s):
    with pytest.raises(ValueError, match='down'):
        euler_step(torch.zeros(1), torch.zeros(1), t, s)


@pytest.mark.parametrize('steps', [1, 2, 4, 50])
def test_a_perfect_denoiser_is_followed_to_its_answer(steps):
    truth = torch.randn(1, 4, 3, 3)
    times = []

    def denoiser(_latent, t, _guidance):
        times.append(float(t))
        return truth

    out = sample_euler(denoiser, torch.randn(1, 4, 3, 3), torch.zeros(1, 8, 3, 3), steps)
    assert torch.allclose(out, truth, atol=1e-6)
    assert times == pytest.approx([1 - k / steps for k in range(steps)])


def test_the_student_starts_from_zeros_every_time():
    starts = []

    def denoiser(latent, _t, _guidance):
        starts.append(latent.clone())
        return latent + 1

    guidance = torch.rand(2, 8, 3, 5)
    first = sample_student(denoiser, guidance, 4)
    second = sample_student(denoiser, guidance, 4)
    assert torch.equal(first, second)
    assert starts[0].shape == (2, 4, 3, 5)
    assert starts[0].abs().max() == 0


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match='at least 1'):
        sample_euler(lambda z, _t, _g: z, torch.zeros(1), torch.zeros(1), 0)


def test_gradient_loss_sees_edges_and_not_offsets():
    ramp = torch.linspace(0, 1, 16).expand(1, 1, 16, 16)
    assert gradient_loss(ramp + 0.3, ramp) == pytest.approx(0, abs=1e-5)
    flat = torch.zeros(1, 1, 16, 16)
    step = flat.clone()
    step[..., 8:] = 1
    # one of 15 columns of differences at full size and one of 7 at half, each of height 1
    assert gradient_loss(step, flat) == pytest.approx(1 / 15 + 1 / 7)


def test_tone_loss_adds_offset_and_edges():
    a, b = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    expected = (a - b).abs().mean() + 0.5 * gradient_loss(a, b)
    assert tone_loss(a, b, gradient_weight=0.5) == pytest.approx(float(expected))


def test_detail_loss_sees_how_much_detail_there_is_and_not_which():
    torch.manual_seed(0)
    detail = .1 * torch.randn(1, 1, 64, 64)
    same_amount = detail.roll(16, dims=3)  # other detail, the same windows' energies
    assert detail_loss(same_amount, detail) < .35 * detail_loss(.5 * detail, detail)
    assert detail_loss(.5 * detail, detail) < detail_loss(.2 * detail, detail)
    assert detail_loss(detail, detail) == 0
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    assert detail_loss(ramp * .5 + .2, ramp) < .01
    assert torch.isfinite(torch.autograd.grad(
        detail_loss(flat := torch.zeros(1, 1, 32, 32, requires_grad=True), detail[..., :32, :32]),
        flat)[0]).all()
