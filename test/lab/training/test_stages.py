"""What the trainings share: the balance of two losses, drawn numbers, frozen parts, LPL."""

import pytest
import torch

from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.preset import AutoencoderTrainingConfig, Stage
from rgb2swir_ros.lab.training.stages import LossBalance, perceptual_loss


def test_a_balanced_part_has_its_share_and_keeps_its_gradient():
    balance = LossBalance(.2, ProcessGroup())
    part = torch.tensor(50.0, requires_grad=True)
    weighted = balance.weighted(part, torch.tensor(2.0))
    assert weighted.item() / (weighted.item() + 2) == pytest.approx(.2)
    weighted.backward()
    assert part.grad.item() == pytest.approx(.5 / 50)


def test_the_balance_follows_slowly_and_forgets_empty_and_broken_batches():
    balance = LossBalance(.5, ProcessGroup())
    one = torch.tensor(1.0)
    assert balance.weighted(0 * one, one).item() == 0  # before any mean is known
    assert balance.weighted(one, one).item() == 1
    assert balance.weighted(3 * one, one).item() == pytest.approx(3 / 1.04)
    means = list(balance.means)
    balance.weighted(0 * one, 9 * one)
    balance.weighted(float('nan') * one, one)
    assert balance.means == means


def test_what_a_stage_does_not_train_is_frozen_and_thawed_when_it_does(make_translator):
    plain, skips = Stage('plain', 1, 1, 1e-3), Stage('skips', 1, 1, 1e-3)
    training = AutoencoderTraining(make_translator(), AutoencoderTrainingConfig((plain, skips)))
    training.select(plain)
    source = list(training.translator.source.parameters())
    assert not any(p.requires_grad for p in source)
    assert not any(p.requires_grad for p in training.translator.denoiser.parameters())
    chosen = training.select(skips)
    assert {id(p) for p in source} < {id(p) for p in chosen}
    assert all(p.requires_grad for p in chosen)


def test_draws_are_the_same_for_equal_seeds(make_batch):
    first, again, other = make_batch(), make_batch(), make_batch(step=1)
    latent = torch.zeros(2, 3)
    assert torch.equal(first.uniform(5), again.uniform(5))
    noise = first.normal_like(latent)
    assert noise.shape == latent.shape
    assert torch.equal(noise, again.normal_like(latent))
    assert not torch.equal(noise, other.normal_like(latent))


def test_the_perceptual_loss_is_zero_for_the_truth_and_reaches_the_latent_despite_skips(
        make_translator, make_batch):
    net = make_translator()
    batch = make_batch(2)
    for skip in net.decoder.skips:  # as after training: they start at zero
        torch.nn.init.normal_(skip.weight, std=.5)
    features = net.source(batch.rgb)
    truth = net.encoder(batch.sqrt_radiance).detach()
    assert perceptual_loss(net, truth, truth, features).item() == 0
    predicted = (truth + .1).requires_grad_(True)
    perceptual_loss(net, predicted, truth, features).backward()
    assert predicted.grad.abs().max() > 0
