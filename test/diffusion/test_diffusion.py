"""The path, the samplers and the losses against closed forms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.diffusion.losses import detail_loss, gradient_loss, sqrt_radiance_loss
from rgb2swir_ros.diffusion.path import euler_step, interpolate
from rgb2swir_ros.diffusion.sampler import sample_euler, sample_student, sample_teacher
from rgb2swir_ros.nets.dit import DiTConfig, DiTDenoiser
from rgb2swir_ros.nets.unet import UNetConfig, UNetDenoiser


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


def tiny_denoiser(kind: str) -> torch.nn.Module:
    """Return a denoiser of 6 guidance channels with random weights in place of its zeros."""
    torch.manual_seed(0)
    network = (UNetDenoiser(UNetConfig(guidance_channels=6, widths=(8, 12), dilations=(1,)))
               if kind == 'unet' else
               DiTDenoiser(DiTConfig(guidance_channels=6, width=16, depth=1, heads=2)))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=.1)
    return network.eval()


class Student(torch.nn.Module):
    """A few-step student as one graph."""

    def __init__(self, denoiser, steps):
        super().__init__()
        self.denoiser, self.steps = denoiser, steps

    def forward(self, guidance):
        return sample_student(self.denoiser, guidance, 4, self.steps)


@pytest.mark.parametrize('kind', ['unet', 'dit'])
@pytest.mark.parametrize('steps', [1, 2, 4])
def test_students_are_bit_equal_run_to_run_and_export_unrolled(kind, steps):
    denoiser, guidance = tiny_denoiser(kind), torch.rand(1, 6, 4, 6)
    calls = []
    denoiser.inlet.register_forward_hook(lambda *_: calls.append(1))
    student = Student(denoiser, steps)
    with torch.no_grad():
        first, again = student(guidance), student(guidance)
        assert len(calls) == 2 * steps
        assert torch.equal(first, again)
        program = torch.export.export(student, (guidance,))
        exported = program.module()
        assert torch.equal(exported(guidance), exported(guidance))
        assert torch.allclose(exported(guidance), first, atol=1e-6)
        if steps > 1:
            assert not torch.allclose(first, sample_student(denoiser, guidance, 4, 1), atol=1e-4)
    weight = next(s.arg.name for s in program.graph_signature.input_specs
                  if s.target == 'denoiser.inlet.weight')
    uses = next(n for n in program.graph.nodes if n.name == weight).users
    assert len(uses) == steps


@pytest.mark.parametrize('kind', ['unet', 'dit'])
def test_a_teacher_is_bit_equal_for_equal_seeds_only(kind):
    denoiser, guidance = tiny_denoiser(kind), torch.rand(2, 6, 4, 6)

    def sample(seed):
        with torch.no_grad():
            return sample_teacher(denoiser, guidance, 4, 5, torch.Generator().manual_seed(seed))

    assert sample(3).shape == (2, 4, 4, 6)
    assert torch.equal(sample(3), sample(3))
    assert not torch.allclose(sample(3), sample(4), atol=1e-3)
    assert not torch.allclose(sample(3)[0], sample(3)[1], atol=1e-3)


def test_a_teacher_starts_from_noise_of_deviation_one_and_steps_in_float32():
    seen = []

    def denoiser(latent, _t, _guidance):
        seen.append(latent)
        return latent * 0

    guidance = torch.zeros(2, 6, 40, 40, dtype=torch.bfloat16)
    out = sample_teacher(denoiser, guidance, 4, 3, torch.Generator().manual_seed(0))
    assert out.dtype == torch.float32
    assert {latent.dtype for latent in seen} == {torch.bfloat16}
    assert float(seen[0].float().std()) == pytest.approx(1, abs=.05)
    # what the denoiser sees is the path itself, rounded once and not once a step
    noise = torch.randn((2, 4, 40, 40), generator=torch.Generator().manual_seed(0))
    assert torch.equal(seen[2], (noise * (2 / 3) * ((1 / 3) / (2 / 3))).bfloat16())


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


def test_sqrt_radiance_loss_adds_offset_and_edges():
    a, b = torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8)
    expected = (a - b).abs().mean() + 0.5 * gradient_loss(a, b)
    assert sqrt_radiance_loss(a, b, gradient_weight=0.5) == pytest.approx(float(expected))


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
