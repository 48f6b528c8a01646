"""The canary learns, resumes exactly, and keeps to its budget."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training import trainer
from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.canary import CanaryConfig, CanaryTraining, train_canary
from rgb2swir_ros.lab.training.validation import fit_lookup, predictor, spread, validate
from rgb2swir_ros.nets.regression import RegressionConfig

SMALL = RegressionConfig(widths=(12, 16, 16, 16, 16), dilations=(1,))
PLAN = CanaryConfig(steps=8, batch=2, network=SMALL)


def quiet(_line: str) -> None:
    pass


def test_it_learns_what_a_colour_look_up_cannot(pairs, stores, held_out, tmp_path):
    config = CanaryConfig(steps=90, batch=4, rate=4e-3, network=SMALL)
    model = train_canary(stores, config, tmp_path, log=quiet)
    figures = validate(predictor(model), spread(held_out, 4), fit_lookup(pairs))
    assert figures['model'] > figures['lookup'] + 1
    assert figures['lookup'] > figures['grey']


def test_killed_and_resumed_equals_uninterrupted(stores, tmp_path, monkeypatch):
    whole = train_canary(stores, PLAN, tmp_path / 'whole', seed=3, log=quiet)
    calls, original = 0, CanaryTraining.parts

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(CanaryTraining, 'parts', interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_canary(stores, PLAN, tmp_path / 'cut', seed=3, save_every_s=0, log=quiet)
    lines: list[str] = []
    resumed = train_canary(stores, PLAN, tmp_path / 'cut', seed=3, log=lines.append)
    assert any('resuming stage 1 at step 5' in line for line in lines)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_a_budget_of_minutes_counts_over_resumes(stores, tmp_path, monkeypatch):
    clock = iter(np.arange(0, 1e6, 4.0))  # each look at the clock is four seconds after the last
    monkeypatch.setattr(trainer.time, 'monotonic', lambda: float(next(clock)))
    monkeypatch.setattr(trainer, 'TIMED_STEPS', (1, 3))
    config = CanaryConfig(minutes=2, batch=1, network=SMALL)
    calls, original = 0, CanaryTraining.parts

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 8:
            raise KeyboardInterrupt
        return original(*arguments)

    lines: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(CanaryTraining, 'parts', interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_canary(stores, config, tmp_path, save_every_s=0, log=lines.append)
    settled = next(line for line in lines if 'this stage gets' in line)
    steps = int(settled.split()[-2])
    assert steps > 8
    train_canary(stores, config, tmp_path, log=lines.append)
    assert any('resuming stage 1 at step 7' in line for line in lines)
    assert any(f'canary {steps}/{steps} ' in line for line in lines)
    finished = len(lines)
    train_canary(stores, config, tmp_path, log=lines.append)
    assert not any('canary ' in line for line in lines[finished:])  # there is nothing left to do


@pytest.mark.parametrize(('config', 'seed', 'count', 'text'), [
    ({'network': RegressionConfig(widths=(8, 8, 8, 8, 8), dilations=(1,))}, 0, 8, 'widths'),
    ({'network': RegressionConfig(widths=SMALL.widths, dilations=(2,))}, 0, 8,
     r'model: dilations: \[1\] there, \[2\] here'),  # weights of equal shapes
    ({'steps': 3}, 0, 8, 'plan: steps: 2 there, 3 here'),
    ({'steps': None, 'minutes': .01}, 0, 8, 'minutes: None there, 0.01 here'),
    ({'batch': 2}, 0, 8, 'batch'), ({'rate': 1e-4}, 0, 8, 'rate'),
    ({'large_share': .5}, 0, 8, 'large_share'), ({}, 1, 8, 'seed: 0 there, 1 here'),
    ({}, 0, 9, 'data: small: patches: 8 there, 9 here')])
def test_a_checkpoint_of_another_training_is_refused(config, seed, count, text, stores, pairs,
                                                     tmp_path):
    begun = CanaryConfig(steps=2, batch=1, network=SMALL)
    train_canary(stores, begun, tmp_path, log=quiet)
    before = (tmp_path / 'checkpoint.safetensors').read_bytes()
    others = type(pairs)(count, pairs.size)
    with pytest.raises(UserError, match=f'another training.*{text}'):
        train_canary(Stores(others, others), replace(begun, **config), tmp_path, seed=seed,
                     log=quiet)
    assert (tmp_path / 'checkpoint.safetensors').read_bytes() == before


def test_it_trains_on_whole_frames_crops_and_in_the_end_on_large_ones():
    config, rng = CanaryConfig(large_share=.2), np.random.default_rng(0)
    early = [config.kind(.3, rng) for _ in range(200)]
    assert early.count('whole') > early.count('crop') > 40
    assert {config.kind(.85, rng) for _ in range(20)} == {'large'}


@pytest.mark.parametrize('wrong', [{'minutes': 0}, {'minutes': float('nan')}, {'steps': 0}])
def test_a_budget_of_nothing_is_refused(wrong):
    with pytest.raises(UserError, match='give'):
        CanaryConfig(**wrong)
