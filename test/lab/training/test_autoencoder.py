"""The autoencoder's stages: what learns, when the skips join, and the latent's scale."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.preset import AutoencoderTrainingConfig, Stage

PLAIN, SKIPS = Stage('plain', 4, 2, 1e-3), Stage('skips', 4, 2, 1e-3)


def config(**entries) -> AutoencoderTrainingConfig:
    return AutoencoderTrainingConfig((PLAIN, SKIPS), **entries)


@pytest.mark.parametrize('stage', [PLAIN, SKIPS], ids=lambda s: s.name)
def test_each_stage_trains_its_own_parts_and_learns(stage, make_translator, check_learning):
    check_learning(AutoencoderTraining(make_translator(), config(without_skips=0)), stage)


@pytest.mark.parametrize(('stage', 'without', 'joined'), [
    (PLAIN, 0, False), (SKIPS, 0, True), (SKIPS, 1, False)])
def test_the_source_joins_in_its_stage_but_for_a_share(stage, without, joined, make_translator,
                                                       make_batch):
    training = AutoencoderTraining(make_translator(), config(without_skips=without))
    training.select(stage)
    sum(training.parts(stage, make_batch()).values()).backward()
    skip = training.translator.decoder.skips[0].weight
    assert (skip.grad is not None) == joined


def test_the_penalty_is_on_the_latent_and_the_jitter_changes_what_is_decoded(make_translator,
                                                                            make_batch):
    still, jittered = (AutoencoderTraining(make_translator(), config(jitter=jitter, penalty=2.0))
                       for jitter in (0, 1))
    quiet, loud = (t.parts(PLAIN, make_batch()) for t in (still, jittered))
    assert quiet['penalty'] == loud['penalty']
    assert quiet['sqrt_radiance'] != loud['sqrt_radiance']
    latent = still.translator.encoder(make_batch().sqrt_radiance)
    assert quiet['penalty'].item() == pytest.approx(2 * latent.square().mean().item(), rel=.02)


def test_scaling_gives_the_latent_unit_deviation_and_leaves_pictures_alone(
        held_out, make_translator, make_batch):
    training = AutoencoderTraining(make_translator(), config())
    batches = [make_batch(4, k) for k in range(3)]
    targets = [batch.sqrt_radiance for batch in batches]
    before = training.predict(held_out[0])
    with torch.no_grad():
        old = torch.cat([training.translator.encoder(sqrt_radiance) for sqrt_radiance in targets])
        training.calibrate(batches)
        new = torch.cat([training.translator.encoder(sqrt_radiance) for sqrt_radiance in targets])
    deviation = new.transpose(0, 1).flatten(1).std(dim=1)
    assert not torch.allclose(old.transpose(0, 1).flatten(1).std(dim=1), deviation, atol=.1)
    assert torch.allclose(deviation, torch.ones(4), atol=1e-4)
    assert np.allclose(training.predict(held_out[0]), before, atol=1e-4)


def test_its_picture_is_the_true_one_through_the_latent(held_out, make_translator):
    from rgb2swir_ros.lab.training.validation import reconstruct_sqrt_radiance

    training = AutoencoderTraining(make_translator(), config())
    assert np.array_equal(training.predict(held_out[1]),
                          reconstruct_sqrt_radiance(training.translator, held_out[1]))
