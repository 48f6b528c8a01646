"""The teacher's loss: times, where LPL counts, and what learns."""

import pytest
import torch

from rgb2swir_ros.lab.training.preset import Stage, TeacherTrainingConfig
from rgb2swir_ros.lab.training.teacher import VALIDATION_STEPS, TeacherTraining

STAGE = Stage('denoise', 4, 2, 1e-3)


def config(**entries) -> TeacherTrainingConfig:
    return TeacherTrainingConfig((STAGE,), **entries)


def test_it_trains_guidance_and_denoiser_and_learns(make_translator, check_learning):
    check_learning(TeacherTraining(make_translator(), config(lpl_below=1)), STAGE)


class Spy(torch.nn.Module):
    """A denoiser that remembers the times and latents it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.times, self.latents = [], []

    def forward(self, latent, t, guidance):
        self.times.append(t)
        self.latents.append(latent)
        return latent.clone()


def test_times_cover_the_path_and_a_share_is_pure_noise(make_translator, make_batch):
    training = TeacherTraining(make_translator(), config(at_noise=.25, lpl_share=0))
    spy = training.translator.denoiser = Spy()
    for step in range(40):
        training.parts(STAGE, make_batch(8, step))
    times, latents = torch.cat(spy.times), torch.cat(spy.latents)
    assert .15 < (times == 1).float().mean() < .35
    inside = times[times < 1]
    assert inside.min() < .15
    assert .85 < inside.max() < 1
    assert .4 < inside.mean() < .6
    noise = latents[times == 1]
    assert abs(noise.std().item() - 1) < .02
    assert abs(noise.mean().item()) < .02


def test_lpl_counts_for_samples_near_the_clean_end_only(make_translator, make_batch):
    batch = make_batch()
    training = TeacherTraining(make_translator(), config())
    with torch.no_grad():
        truth = training.translator.encoder(batch.sqrt_radiance)
        wrong = truth + torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    wrong.requires_grad_(True)
    loss = training.near_loss(wrong, truth, batch.rgb, torch.tensor([0, 2]))
    loss.backward()
    touched = [bool(g.any()) for g in wrong.grad]
    assert touched == [True, False, True, False]
    whole = training.near_loss(wrong, truth, batch.rgb, torch.arange(4))
    apart = training.near_loss(wrong, truth, batch.rgb, torch.tensor([1, 3]))
    assert (loss + apart).item() == pytest.approx(whole.item(), rel=.02)
    assert training.near_loss(wrong, truth, batch.rgb, torch.arange(0)).item() == 0


@pytest.mark.parametrize(('entries', 'steps'), [
    ({'lpl_every': 3}, [0, 3]), ({}, [0, 1, 2, 3, 4]), ({'lpl_share': 0}, [])])
def test_lpl_is_computed_in_the_steps_that_the_plan_says(entries, steps, make_translator,
                                                         make_batch):
    training = TeacherTraining(make_translator(), config(lpl_below=1, **entries))
    has = [step for step in range(5) if 'lpl' in training.parts(STAGE, make_batch(2, step))]
    assert has == steps


def test_lpl_has_its_share_of_the_loss_and_reaches_the_denoiser(make_translator, make_batch):
    training = TeacherTraining(make_translator(), config(lpl_below=1, lpl_share=.2, at_noise=0))
    training.select(STAGE)
    shares = []
    for step in range(10):
        parts = training.parts(STAGE, make_batch(4, step))
        shares.append((parts['lpl'] / sum(parts.values())).item())
    assert sum(shares) / 10 == pytest.approx(.2, abs=.03)
    parts['lpl'].backward()
    assert training.translator.denoiser.outlet.weight.grad.abs().max() > 0
    assert training.translator.guidance.layers[1].weight.grad.abs().max() > 0


def test_its_picture_is_sampled_from_noise(held_out, make_translator):
    from rgb2swir_ros.lab.training.validation import sample_sqrt_radiance

    training = TeacherTraining(make_translator(), config())
    expected = sample_sqrt_radiance(training.translator, held_out[0].rgb, VALIDATION_STEPS)
    assert (training.predict(held_out[0]) == expected).all()
