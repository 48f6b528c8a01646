"""The one trainer runs, stops and resumes, here a translator's three trainings."""

import os
import shutil
import signal
from dataclasses import replace
from functools import cache
from itertools import count

import pytest
import torch
from tiny_training import tiny_translator

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training import optimization
from rgb2swir_ros.lab.training import trainer as trainers
from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.canary import CanaryConfig, train_canary
from rgb2swir_ros.lab.training.checkpoint import read_checkpoint
from rgb2swir_ros.lab.training.muon import StackedMuon
from rgb2swir_ros.lab.training.preset import (
    AutoencoderTrainingConfig,
    Stage,
    StudentTrainingConfig,
    TeacherTrainingConfig,
)
from rgb2swir_ros.lab.training.stages import PairBatchSource
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.lab.training.teacher import TeacherTraining
from rgb2swir_ros.lab.training.trainer import RunSettings, Trainer, TrainingResult, readable

AUTOENCODER = AutoencoderTrainingConfig((Stage('plain', 3, 2, 1e-3), Stage('skips', 4, 2, 1e-3)),
                                        scale_batches=2)
TEACHER = TeacherTrainingConfig(
    (Stage('denoise', 4, 2, 1e-3), Stage('finish', 3, 2, 1e-3, large=True)), lpl_below=1)
STUDENT = StudentTrainingConfig((Stage('latent', 3, 2, 1e-3), Stage('pixels', 3, 2, 1e-3),
                                 Stage('finish', 2, 2, 1e-3, large=True)))
CONFIGS = {AutoencoderTraining: AUTOENCODER, TeacherTraining: TEACHER, StudentTraining: STUDENT}


class Killed(Exception):
    """What a test ends a training with."""


def make_trainer(folder, stores, validator, kind, *, config=None, log=lambda _line: None,
                 save_every_s=0.0, steps=1, translator=None, **settings) -> Trainer:
    training = kind(translator or tiny_translator(steps=steps), config or CONFIGS[kind])
    run = RunSettings(**settings)
    batch_source = PairBatchSource(stores, run.seed, training.kind)
    return Trainer(training, batch_source, folder, run, validator=validator, log=log,
                   save_every_s=save_every_s)


@pytest.fixture
def begin(stores, validator, tmp_path):
    """Build the trainer of a training, in a folder by its name."""
    default = stores

    def begin_(kind, name='a', *, stores=default, **more) -> Trainer:
        return make_trainer(tmp_path / name, stores, validator, kind, **more)
    return begin_


@pytest.fixture(scope='module')
def whole(stores, validator, tmp_path_factory):
    """Give a training that ran from its beginning to its end, and its result; each runs once."""
    @cache
    def whole_(kind, steps=1) -> tuple[Trainer, TrainingResult]:
        trainer = make_trainer(tmp_path_factory.mktemp('whole'), stores, validator, kind,
                               steps=steps)
        return trainer, trainer.run()
    return whole_


@pytest.fixture
def trained(whole, tmp_path):
    """Let the folder of ``begin`` be that of a teacher's finished training."""
    shutil.copytree(whole(TeacherTraining)[0].path.parent, tmp_path / 'a')


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return trainer.network.state_dict()


def assert_equal(ours: Trainer, theirs: Trainer) -> None:
    for name, tensor in weights(ours).items():
        assert torch.equal(weights(theirs)[name], tensor), name


def run_killed(trainer: Trainer, monkeypatch, thing, name: str, call: int) -> None:
    """Run a training that a call of a method ends, as ``kill -9`` would."""
    original, calls = getattr(thing, name), count(1)

    def killing(*arguments, **named):
        if next(calls) == call:
            raise Killed
        return original(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(thing, name, killing)
        with pytest.raises(Killed):
            trainer.run()


@pytest.mark.parametrize('kind', CONFIGS, ids=lambda kind: kind.kind)
@pytest.mark.parametrize('call', [2, 5])
def test_killed_in_a_step_and_resumed_equals_uninterrupted(kind, call, begin, whole,
                                                           monkeypatch):
    run_killed(begin(kind, 'cut', steps=2), monkeypatch, kind, 'parts', call)
    lines: list[str] = []
    resumed = begin(kind, 'cut', steps=2, log=lines.append)
    first = kind is AutoencoderTraining or kind is StudentTraining
    stage, step = (0, call - 1) if call == 2 else (1, call - 1 - (3 if first else 4))
    assert any(f'resuming stage {stage + 1} at step {step}' in line for line in lines)
    resumed.run()
    assert_equal(whole(kind, 2)[0], resumed)


@pytest.mark.slow
def test_processes_that_prepare_the_batches_change_no_bit(begin, whole, monkeypatch):
    threaded = whole(StudentTraining, 2)[0]
    monkeypatch.setattr(trainers, 'batch_workers', lambda _device: 2)  # as beside a GPU
    trainer = begin(StudentTraining, steps=2)
    trainer.run()
    assert_equal(threaded, trainer)


def test_the_optimiser_of_a_gpu_goes_on_as_it_was(begin, monkeypatch):
    used = []

    def stacked(*given):
        used.append(StackedMuon(*given, optimization.WEIGHT_DECAY))
        return used[-1]

    monkeypatch.setattr(optimization, '_muon', stacked)
    uninterrupted = begin(TeacherTraining)
    uninterrupted.run()
    assert used
    run_killed(begin(TeacherTraining, 'cut'), monkeypatch, TeacherTraining, 'parts', 3)
    resumed = begin(TeacherTraining, 'cut')
    resumed.run()
    assert_equal(uninterrupted, resumed)


@pytest.mark.parametrize('call', [1, 2])
def test_killed_between_stages_and_resumed_equals_uninterrupted(call, begin, whole, validator,
                                                                monkeypatch):
    uninterrupted, result = whole(TeacherTraining)
    run_killed(begin(TeacherTraining, 'cut'), monkeypatch, type(validator), 'validate', call)
    resumed = begin(TeacherTraining, 'cut')
    again = resumed.run()
    assert_equal(uninterrupted, resumed)
    for ours, theirs in zip(result.stages, again.stages, strict=True):
        assert {**ours, 'minutes': 0} == {**theirs, 'minutes': 0}


def test_killed_after_the_last_stage_the_latent_is_scaled_once(begin, whole, monkeypatch):
    run_killed(begin(AutoencoderTraining, 'cut'), monkeypatch, AutoencoderTraining, 'calibrate', 1)
    for _ in range(2):  # and a finished training that is called again ends the same
        resumed = begin(AutoencoderTraining, 'cut')
        resumed.run()
        assert_equal(whole(AutoencoderTraining)[0], resumed)
    assert not resumed.network.training


def test_ctrl_c_ends_after_the_step_with_a_checkpoint_and_says_how_to_go_on(begin, whole,
                                                                            monkeypatch):
    original, calls, lines = StudentTraining.parts, count(1), []

    def interrupted(*arguments):
        if next(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments)

    cut = begin(StudentTraining, 'cut', save_every_s=1e9, log=lines.append)
    with monkeypatch.context() as patched:
        patched.setattr(StudentTraining, 'parts', interrupted)
        with pytest.raises(KeyboardInterrupt):
            cut.run()
    assert 'interrupted in pixels after 2 steps' in lines[-1]
    assert 'the same command goes on' in lines[-1]
    resumed = begin(StudentTraining, 'cut')
    assert (resumed.stage, resumed.step) == (1, 2)
    resumed.run()
    assert_equal(whole(StudentTraining)[0], resumed)


@pytest.fixture
def clock(monkeypatch):
    """Let each look at the clock be two seconds after the last."""
    ticks = count(0, 2)
    monkeypatch.setattr(trainers.time, 'monotonic', lambda: float(next(ticks)))


def test_a_budget_of_minutes_decides_the_steps_once_and_resumed_runs_keep_them(
        begin, clock, monkeypatch):
    monkeypatch.setattr(trainers, 'TIMED_STEPS', (1, 3))
    lines: list[str] = []
    run_killed(begin(TeacherTraining, minutes=2, log=lines.append), monkeypatch, TeacherTraining,
               'parts', 6)
    assert any('a step: this stage gets' in line for line in lines)
    resumed = begin(TeacherTraining, minutes=2)
    steps = resumed.schedule.steps[0]
    assert steps is not None
    assert steps > 6
    assert resumed.schedule.steps[1] is None
    result = resumed.run()
    assert result.stages[0]['steps'] == steps
    assert 100 <= result.seconds <= 160


@pytest.mark.parametrize(('other', 'text'), [
    ({'seed': 4}, 'seed: 0 there, 4 here'), ({'minutes': 3}, 'minutes: None there, 3 here'),
    ({'start': 'x'}, 'start'), ({'steps': 4}, 'model: steps: 1 there, 4 here'),
    ({'config': TeacherTrainingConfig(TEACHER.stages, lpl_below=.3)},
     'lpl_below: 1 there, 0.3 here')])
def test_a_checkpoint_of_another_training_is_refused_by_what_differs(other, text, trained, begin):
    with pytest.raises(UserError, match='belongs to another training') as caught:
        begin(TeacherTraining, **other)
    assert text in str(caught.value)


def test_a_checkpoint_of_other_pairs_is_refused(trained, begin, stores, pairs):
    more = type(pairs)(9, pairs.size)
    with pytest.raises(UserError, match='data: small: patches: 8 there, 9 here'):
        begin(TeacherTraining, stores=Stores(more, stores.large))


def test_a_checkpoint_of_a_network_of_equal_shapes_is_refused(trained, begin, make_translator):
    other = make_translator()
    other.config = replace(other.config, denoiser=replace(other.config.denoiser, dilations=(3,)))
    with pytest.raises(UserError, match=r'model: denoiser: dilations: \[1\] there, \[3\] here'):
        begin(TeacherTraining, translator=other)


def test_a_trained_student_takes_another_share_of_fine_detail(begin):
    """That is measured and scaled once all is trained: nobody trains again for it."""
    config = StudentTrainingConfig(STUDENT.stages, fine_detail=.5, scale_batches=1)
    first = begin(StudentTraining, config=config)
    first.run()
    again = begin(StudentTraining, config=replace(config, fine_detail=1.5))
    assert again.stage == len(config.stages)
    again.run()
    assert again.training.facts['gain_scaled_by'] > first.training.facts['gain_scaled_by']
    with pytest.raises(UserError, match='plan: detail_weight: '):
        begin(StudentTraining, config=replace(config, detail_weight=3.0))


def test_a_checkpoint_of_another_kind_is_refused(trained, begin, stores, tmp_path):
    from rgb2swir_ros.nets.regression import RegressionConfig

    with pytest.raises(UserError, match="'teacher' there, 'student' here"):
        begin(StudentTraining)
    small = RegressionConfig(widths=(8, 8, 8, 8, 8), dilations=(1,))
    train_canary(stores, CanaryConfig(steps=1, batch=1, network=small), tmp_path / 'canary',
                 log=lambda _line: None)
    with pytest.raises(UserError, match='another training'):
        begin(TeacherTraining, 'canary')


def test_each_stage_is_judged_with_averaged_weights_and_the_next_builds_on_them(begin,
                                                                               monkeypatch):
    seen = []
    original = AutoencoderTraining.predict

    def predict(training, pair):
        seen.append(training.translator.encoder.layers[1].weight.clone())
        return original(training, pair)

    monkeypatch.setattr(AutoencoderTraining, 'predict', predict)
    trainer = begin(AutoencoderTraining)
    result = trainer.run()
    assert [stage['stage'] for stage in result.stages] == ['plain', 'skips']
    assert [stage['steps'] for stage in result.stages] == [3, 4]
    for stage in result.stages:
        assert {'model', 'detail', 'autoencoder', 'zero_latent', 'foreign_latent'} < set(stage)
    assert torch.equal(seen[-1], trainer.average.module.encoder.layers[1].weight)
    groups, state = read_checkpoint(trainer.path)
    assert state['stage'] == 2
    assert torch.equal(groups['model']['encoder.layers.1.weight'], seen[-1])


def test_a_look_on_the_way_leaves_the_training_as_it_was(begin, whole, monkeypatch):
    looking, _ = whole(TeacherTraining)
    monkeypatch.setattr(trainers, 'VALIDATIONS_PER_STAGE', 0)
    blind = begin(TeacherTraining, 'blind')
    blind.run()
    assert_equal(looking, blind)


def test_events_of_all_stages_stand_behind_each_other_also_after_a_resume(begin, tmp_path,
                                                                         monkeypatch):
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    monkeypatch.setattr(trainers, 'REPORT_EVERY', 1)
    run_killed(begin(TeacherTraining), monkeypatch, TeacherTraining, 'parts', 6)
    begin(TeacherTraining).run()
    events = accumulator.EventAccumulator(str(tmp_path / 'a' / 'tensorboard'))
    events.Reload()
    tags = set(events.Tags()['scalars'])
    assert {'loss/latent', 'loss/lpl', 'loss/total', 'rate', 'pace/s_a_step', 'held_out/psnr',
            'held_out/detail', 'stage_end/autoencoder', 'stage_end/zero_latent',
            'stage_end/foreign_latent'} <= tags
    assert [event.step for event in events.Scalars('loss/latent')] == list(range(1, 8))
    assert [event.step for event in events.Scalars('stage_end/zero_latent')] == [4, 7]


def test_steps_that_were_left_out_are_counted_over_a_resume(begin, monkeypatch):
    original, calls = TeacherTraining.parts, count(1)

    def broken(*arguments):
        parts = original(*arguments)
        call = next(calls)
        if call == 3:
            raise Killed
        return {name: part * (float('nan') if call == 1 else 1) for name, part in parts.items()}

    cut = begin(TeacherTraining)
    with monkeypatch.context() as patched:
        patched.setattr(TeacherTraining, 'parts', broken)
        with pytest.raises(Killed):
            cut.run()
    assert begin(TeacherTraining).left_out == 1


@pytest.mark.parametrize(('seconds', 'text'), [(29, '0 min'), (3541, '59 min'),
                                               (3600, '1 h 00 min'), (7500, '2 h 05 min')])
def test_durations_are_readable(seconds, text):
    assert readable(seconds) == text
