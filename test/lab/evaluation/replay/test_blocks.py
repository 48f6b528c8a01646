import numpy as np
import pytest

from rgb2swir_ros.lab.evaluation.replay.blocks import (
    FEWEST,
    draw_blocks,
    drawn,
    group_names,
    mean,
    ratio,
)

SECOND = 10**9


def test_blocks_of_five_seconds_begin_with_their_bag():
    stamps = [100 * SECOND, 104 * SECOND, 105 * SECOND, 7 * SECOND, 12 * SECOND]
    assert group_names(list('aaabb'), stamps) == ['a/0', 'a/0', 'a/1', 'b/0', 'b/1']


def test_many_bags_are_groups_themselves():
    bags = [f'bag{k}' for k in range(FEWEST) for _ in range(2)]
    assert group_names(bags, list(range(len(bags)))) == bags


def test_fewer_than_eight_groups_give_no_interval():
    values = np.arange(14.)
    draws = draw_blocks([str(k // 2) for k in range(14)], 50, 0)
    assert draws.weights().shape == (0, 14)
    figure = mean(values, draws).as_value()
    assert figure.value == 6.5
    assert not figure.has_interval


def test_eight_groups_give_one_and_frames_of_a_group_go_together():
    groups = [str(k // 4) for k in range(32)]
    draws = draw_blocks(groups, 500, 0)
    weights = draws.weights()
    assert (weights.reshape(500, 8, 4) == weights.reshape(500, 8, 4)[..., :1]).all()
    assert (weights.sum(axis=1) == 32).all()
    figure = mean(np.arange(32.), draws).as_value()
    assert figure.low < 15.5 < figure.high
    # the deviation of a mean of 8 blocks, whose means deviate by 9.2
    assert (figure.high - figure.low) / 4 == pytest.approx(9.2 / np.sqrt(8), rel=.15)


def test_missing_values_are_left_out_of_value_and_draws():
    groups = [str(k) for k in range(10)]
    draws = draw_blocks(groups, 100, 0)
    values = np.where(np.arange(10) % 2, np.nan, 3.)
    made = mean(values, draws)
    assert made.value == 3
    assert np.unique(made.draws[np.isfinite(made.draws)]).tolist() == [3]
    assert np.isnan(mean(np.full(10, np.nan), draws).value)


def test_differences_are_paired():
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 10, 40)  # what a frame is like, for both
    groups = [str(k // 4) for k in range(40)]
    draws = draw_blocks(groups, 200, 0)
    one, other = mean(hard, draws), mean(hard + 1 + rng.normal(0, .1, 40), draws)
    difference = other.less(one).as_value()
    assert 0 < difference.low < difference.high < 2
    assert one.as_value().high - one.as_value().low > 2


def test_ratio_and_any_statistic():
    draws = draw_blocks([str(k) for k in range(10)], 100, 0)
    a, b = np.arange(1., 11), np.full(10, 2.)
    assert ratio(a, b, draws).value == 2.75
    same = drawn(lambda w: float((w @ a) / w.sum()), 10, draws.weights())
    np.testing.assert_allclose(same.draws, mean(a, draws).draws)
