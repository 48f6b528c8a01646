"""The autoencoder's stages: what learns, when the skips join, and the latent's scale."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.preset import AutoencoderPlan, Stage

PLAIN, SKIPS = Stage('plain', 4, 2, 1e-3), Stage('skips', 4, 2, 1e-3)


def plan(**entries) -> AutoencoderPlan:
    return AutoencoderPlan((PLAIN, SKIPS), **entries)


@pytest.mark.parametrize('stage', [PLAIN, SKIPS], ids=lambda s: s.name)
def test_each_stage_trains_its_own_parts_and_learns(stage, make_translator, check_learning):
    check_learning(AutoencoderTraining(make_translator(), plan(without_skips=0)), stage)


@pytest.mark.parametrize(('stage', 'without', 'joined'), [
    (PLAIN, 0, False), (SKIPS, 0, True), (SKIPS, 1, False)])
def test_the_source_joins_in_its_stage_but_for_a_share(stage, without, joined, make_translator,
                                                       make_batch):
    training = AutoencoderTraining(make_translator(), plan(without_skips=without))
    training.select(stage)
    sum(training.parts(stage, make_batch()).values()).backward()
    skip = training.translator.decoder.skips[0].weight
    assert (skip.grad is not None) == joined


def test_the_penalty_is_on_the_latent_and_the_jitter_changes_what_is_decoded(make_translator,
                                                                            make_batch):
    still, jittered = (AutoencoderTraining(make_translator(), plan(jitter=jitter, penalty=2.0))
                       for jitter in (0, 1))
    quiet, loud = (t.parts(PLAIN, make_batch()) for t in (still, jittered))
    assert quiet['penalty'] == loud['penalty']
    assert quiet['tone'] != loud['tone']
    latent = still.translator.encoder(make_batch().tone)
    assert quiet['penalty'].item() == pytest.approx(2 * latent.square().mean().item(), rel=.02)


def test_scaling_gives_the_latent_unit_deviation_and_leaves_pictures_alone(
        held_out, make_translator, make_batch):
    training = AutoencoderTraining(make_translator(), plan())
    batches = [make_batch(4, k) for k in range(3)]
    tones = [batch.tone for batch in batches]
    before = training.predict(held_out[0])
    with torch.no_grad():
        old = torch.cat([training.translator.encoder(tone) for tone in tones])
        training.scale(batches)
        new = torch.cat([training.translator.encoder(tone) for tone in tones])
    deviation = new.transpose(0, 1).flatten(1).std(dim=1)
    assert not torch.allclose(old.transpose(0, 1).flatten(1).std(dim=1), deviation, atol=.1)
    assert torch.allclose(deviation, torch.ones(4), atol=1e-4)
    assert np.allclose(training.predict(held_out[0]), before, atol=1e-4)


def test_its_picture_is_the_true_one_through_the_latent(held_out, make_translator):
    from rgb2swir_ros.lab.training.judge import reconstruct_tone

    training = AutoencoderTraining(make_translator(), plan())
    assert np.array_equal(training.predict(held_out[1]),
                          reconstruct_tone(training.translator, held_out[1]))
