"""Numbers of steps from a budget of minutes, and the estimate of the rest."""

import pytest

from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.schedule import Schedule

STAGES = (Stage('latent', 100, 4, 1e-3), Stage('pixels', 300, 8, 1e-3),
          Stage('finish', 50, 8, 1e-3, large=True))


def test_without_a_budget_the_steps_are_the_presets():
    schedule = Schedule(STAGES)
    assert schedule.steps == [100, 300, 50]
    assert schedule.before(2) == 400
    assert schedule.done(1, 150) == .5


def test_the_rest_is_estimated_over_all_stages():
    schedule = Schedule(STAGES)
    # 60 steps of this stage, and later ones of twice the batch: twice as long each
    assert schedule.left(0, 40, 2.0, 80) == pytest.approx(2 * 60 + 4 * 350)
    assert schedule.left(2, 50, 9.0, 80) == 0


def test_a_budget_is_shared_by_work_and_later_stages_make_up_for_wrong_guesses():
    schedule = Schedule(STAGES, minutes=100)
    assert schedule.steps == [None, None, None]
    assert schedule.done(0, 1) == .01
    assert schedule.done(0, 90) == .02  # no further before the number of steps is known
    works = [400, 2400, 400]
    steps = schedule.settle(0, 25, pace=.5, spent=60)
    assert steps == 25 + round((6000 - 60) * works[0] / sum(works) / .5)
    assert schedule.done(0, steps // 2) == pytest.approx(.5, abs=.01)
    schedule.settle(1, 25, pace=1.0, spent=1000)
    assert schedule.steps[1] == 25 + round(5000 * 2400 / 2800)
    schedule.settle(2, 25, pace=2.0, spent=5900)
    assert schedule.steps[2] == 25 + 50
    assert schedule.left(2, 30, 2.0, 5910) == 90


def test_a_spent_budget_still_gives_a_step():
    schedule = Schedule(STAGES, minutes=1)
    assert schedule.settle(2, 25, pace=1.0, spent=500) == 26
    assert schedule.left(2, 25, 1.0, 500) == 0


def test_there_is_nothing_to_settle_without_a_budget():
    with pytest.raises(ValueError, match='budget'):
        Schedule(STAGES).settle(0, 25, 1.0, 0)
