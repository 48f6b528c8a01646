"""The student's stages: the constant start, its targets, what learns."""

import pytest
import torch
from torch.nn import functional as F

from rgb2swir_ros.diffusion.losses import finest_octave
from rgb2swir_ros.lab.training.preset import Stage, StudentTrainingConfig
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.nets.autoencoder import scale_gain

STAGES = LATENT, PIXELS, FINISH = (Stage('latent', 4, 2, 1e-3), Stage('pixels', 4, 2, 1e-3),
                                   Stage('finish', 4, 2, 1e-3, large=True))


def config(**entries) -> StudentTrainingConfig:
    return StudentTrainingConfig(STAGES, **entries)


@pytest.mark.parametrize('steps', [1, 2])
@pytest.mark.parametrize('stage', STAGES, ids=lambda s: s.name)
def test_each_stage_trains_its_own_parts_and_learns(stage, steps, make_translator,
                                                    check_learning):
    check_learning(StudentTraining(make_translator(steps=steps), config(without_skips=0)), stage)


@pytest.mark.parametrize('steps', [1, 4])
def test_the_latent_is_the_students_own_from_zeros_and_the_truth_its_target(
        steps, make_translator, make_batch):
    training = StudentTraining(make_translator(steps=steps), config(lpl_share=0))
    batch, net = make_batch(), training.translator
    with torch.no_grad():
        expected = F.l1_loss(net.latent(batch.rgb), net.encoder(batch.sqrt_radiance))
        loss = training.parts(LATENT, batch)['latent']
    assert loss.item() == pytest.approx(expected.item(), rel=.01)


def test_endpoints_of_the_teacher_are_averaged_for_the_target(make_translator, make_batch):
    teacher = make_translator(5)
    training = StudentTraining(make_translator(), config(lpl_share=0, endpoints=3,
                                                       endpoint_steps=2), teacher=teacher)
    batch, same = make_batch(), make_batch()
    with torch.no_grad():
        loss = training.parts(LATENT, batch)['latent']
        ends = [teacher.teacher_latent(same.rgb, 2, same.generator) for _ in range(3)]
        expected = F.l1_loss(training.translator.latent(batch.rgb), torch.stack(ends).mean(0))
    assert loss.item() == pytest.approx(expected.item(), rel=.02)
    training.select(LATENT)
    training.parts(LATENT, batch)['latent'].backward()
    assert all(p.grad is None for p in teacher.parameters())


def test_endpoints_without_a_teacher_are_a_mistake(make_translator, make_batch):
    with pytest.raises(ValueError, match='teacher'):
        StudentTraining(make_translator(), config(endpoints=1)).parts(LATENT, make_batch())


def test_parts_of_the_loss_by_stage(make_translator, make_batch):
    training = StudentTraining(make_translator(), config(lpl_every=2))
    names = {stage.name: list(training.parts(stage, make_batch(2))) for stage in STAGES}
    assert names == {'latent': ['latent', 'lpl'], 'pixels': ['sqrt_radiance', 'region', 'latent'],
                     'finish': ['sqrt_radiance', 'region', 'detail', 'latent']}
    assert 'lpl' not in training.parts(LATENT, make_batch(2, 1))


def test_two_views_must_agree_in_every_other_step_of_the_pixel_stages(make_translator, make_batch):
    training = StudentTraining(make_translator(), config(steady_weight=2))
    seen = {(stage.name, step): 'steady' in training.parts(stage, make_batch(4, step))
            for stage in STAGES for step in (0, 1)}
    assert [where for where, steady in seen.items() if steady] == [('pixels', 0), ('finish', 0)]
    once, twice = (StudentTraining(make_translator(), config(steady_weight=w)).parts(
        PIXELS, make_batch()) for w in (1, 2))
    assert 0 < 2 * once['steady'].item() == pytest.approx(twice['steady'].item(), rel=1e-5)
    assert 'steady' not in StudentTraining(make_translator(), config()).parts(PIXELS, make_batch())


@pytest.mark.parametrize(('without', 'joined'), [(0, True), (1, False)])
def test_skips_are_dropped_for_a_share(without, joined, make_translator, make_batch):
    training = StudentTraining(make_translator(), config(without_skips=without))
    training.select(PIXELS)
    sum(training.parts(PIXELS, make_batch()).values()).backward()
    assert (training.translator.decoder.skips[0].weight.grad is not None) == joined


def test_the_latent_counts_in_the_pixel_stages_by_its_weight(make_translator, make_batch):
    light, heavy = (StudentTraining(make_translator(), config(latent_weight=weight))
                    .parts(PIXELS, make_batch()) for weight in (.1, 1))
    assert heavy['latent'].item() == pytest.approx(10 * light['latent'].item(), rel=1e-5)
    assert heavy['sqrt_radiance'] == light['sqrt_radiance']


def test_its_picture_is_what_use_gives(held_out, make_translator):
    training = StudentTraining(make_translator(), config())
    with torch.no_grad():
        radiance = training.translator(torch.from_numpy(held_out[0].rgb[None]))[0]
    assert torch.equal(torch.from_numpy(training.predict(held_out[0])), radiance.sqrt())


def finest(training, batches) -> float:
    """Return the finest octave's strength in the output over that in the target."""
    with torch.no_grad():
        made = [training.translator.decoder.head(training.translator.decoder.trunk(
            training.translator.latent(b.rgb), training.translator.source(b.rgb)), b.rgb)
            for b in batches]
    own, true = (sum(finest_octave(x).square().sum() for x in pictures)
                 for pictures in (made, [b.sqrt_radiance for b in batches]))
    return float(own / true) ** .5


@pytest.mark.parametrize(('share', 'gain'), [(1.7, 1), (2.4, 1), (2, .6), (1.2, .5)])
def test_the_gain_is_scaled_to_the_share_of_fine_detail_that_is_asked_for(
        share, gain, make_translator, make_batch):
    training = StudentTraining(make_translator(), config(fine_detail=share, scale_batches=3))
    scale_gain(training.translator.decoder.head, gain)
    batches = [make_batch(4, k) for k in range(training.calibration_count)]
    assert len(batches) == 3
    before = finest(training, batches)
    training.calibrate(batches)
    assert finest(training, batches) == pytest.approx(share, rel=1e-3)
    assert abs(before - share) > .02
    assert .5 < training.facts['gain_scaled_by'] < 2
    assert (training.facts['gain_scaled_by'] > 1) == (share > before)


@pytest.mark.parametrize(('share', 'gain', 'factor'), [(2, .1, 2), (.01, 1, .5)])
def test_a_gain_is_not_scaled_beyond_reason(share, gain, factor, make_translator, make_batch):
    training = StudentTraining(make_translator(), config(fine_detail=share))
    scale_gain(training.translator.decoder.head, gain)
    training.calibrate([make_batch(4)])
    assert training.facts['gain_scaled_by'] == factor


def test_without_a_share_or_a_gain_nothing_is_scaled(make_translator, make_batch):
    for translator, share in ((make_translator(), 0), (make_translator(skips=False), .9),
                              (make_translator(gain=False), .9)):
        training = StudentTraining(translator, config(fine_detail=share))
        before = {k: v.clone() for k, v in translator.state_dict().items()}
        training.calibrate([make_batch(4)])
        assert all(torch.equal(v, before[k]) for k, v in translator.state_dict().items())
        assert not training.facts
    assert StudentTraining(make_translator(), config()).calibration_count == 0
    assert StudentTraining(make_translator(gain=False),
                           config(fine_detail=.9)).calibration_count == 0
