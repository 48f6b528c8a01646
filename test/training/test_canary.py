"""The canary learns, resumes exactly, and keeps to its budget."""

import numpy as np
import pytest
import torch

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.training import canary
from rgb2swir_ros.training.canary import CanaryPlan, train_canary
from rgb2swir_ros.training.judge import fit_lookup, judge, predictor, spread

SMALL = RegressionConfig(widths=(12, 16, 16, 16, 16), dilations=(1,))
PLAN = CanaryPlan(steps=8, batch=2, network=SMALL)


def quiet(_line: str) -> None:
    pass


def test_it_learns_what_a_colour_look_up_cannot(pairs, stores, held_out, tmp_path):
    plan = CanaryPlan(steps=90, batch=4, rate=4e-3, network=SMALL)
    model = train_canary(stores, plan, tmp_path, log=quiet)
    figures = judge(predictor(model), spread(held_out, 4), fit_lookup(pairs))
    assert figures['model'] > figures['lookup'] + 1
    assert figures['lookup'] > figures['grey']


def test_killed_and_resumed_equals_uninterrupted(stores, tmp_path, monkeypatch):
    whole = train_canary(stores, PLAN, tmp_path / 'whole', seed=3, log=quiet)
    calls, original = 0, canary.canary_loss

    def interrupted(*arguments):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(canary, 'canary_loss', interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_canary(stores, PLAN, tmp_path / 'cut', seed=3, save_every_s=0, log=quiet)
    lines: list[str] = []
    resumed = train_canary(stores, PLAN, tmp_path / 'cut', seed=3, log=lines.append)
    assert any('resuming at step 5' in line for line in lines)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], tensor), name


def test_a_budget_of_minutes_counts_over_resumes(stores, tmp_path, monkeypatch):
    clock = iter(np.arange(0, 1e6, 4.0))  # each look at the clock is four seconds after the last
    monkeypatch.setattr(canary.time, 'monotonic', lambda: float(next(clock)))
    lines: list[str] = []

    def train(minutes: float) -> None:
        plan = CanaryPlan(minutes=minutes, batch=1, network=SMALL)
        train_canary(stores, plan, tmp_path, log=lines.append)

    train(.5)
    assert 'trained for 8 steps, 0.5 min' in lines[-1]
    train(1)
    assert 'resuming at step 8, after 0.5 min' in lines[-3]
    assert 'trained for 15 steps, 1.0 min' in lines[-1]
    train(1)
    assert 'trained for 15 steps, 1.0 min' in lines[-1]


def test_a_checkpoint_of_another_network_is_refused(stores, tmp_path):
    train_canary(stores, CanaryPlan(steps=1, batch=1, network=SMALL), tmp_path, log=quiet)
    other = RegressionConfig(widths=(8, 8, 8, 8, 8), dilations=(1,))
    with pytest.raises(UserError, match='another training'):
        train_canary(stores, CanaryPlan(steps=2, batch=1, network=other), tmp_path, log=quiet)


def test_it_trains_on_whole_frames_crops_and_in_the_end_on_large_ones():
    plan, rng = CanaryPlan(large_share=.2), np.random.default_rng(0)
    early = [plan.kind(.3, rng) for _ in range(200)]
    assert early.count('whole') > early.count('crop') > 40
    assert {plan.kind(.85, rng) for _ in range(20)} == {'large'}


@pytest.mark.parametrize('wrong', [{'minutes': 0}, {'minutes': float('nan')}, {'steps': 0}])
def test_a_budget_of_nothing_is_refused(wrong):
    with pytest.raises(UserError, match='give'):
        CanaryPlan(**wrong)
