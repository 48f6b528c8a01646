"""Bootstrap intervals: groups, pairs, and what is said where there is nothing to draw."""

import json

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.evaluation.intervals import (
    RESAMPLES,
    Figure,
    check_bootstrap,
    draw_groups,
    figure,
    plain,
    ratio_of_sums,
    time_blocks,
)

NAN = float('nan')


def test_items_of_a_group_are_drawn_together():
    weights = draw_groups(['b', 'a', 'b', 'c'], 50, 0).weights()
    assert weights.shape == (50, 4)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert (weights != weights[0]).any()


def test_one_group_has_no_interval():
    assert draw_groups(['a', 'a'], 50, 0).weights().shape == (0, 2)
    found = ratio_of_sums(np.array([1., 2.]), np.array([2., 4.]), draw_groups(['a', 'a'], 50, 0))
    assert found.value == .5
    assert str(found) == '0.500'


def test_figures_are_written_for_people():
    assert str(Figure(.5, .4, .6)) == '0.500 [0.400, 0.600]'
    assert str(Figure(NAN, NAN, NAN)) == '-'


def test_what_cannot_be_divided_is_left_out():
    assert str(figure(float('inf'), np.array([1., 2.]))) == '-'
    found = figure(1., np.array([NAN, 1., np.inf, 3.]))
    assert 1 <= found.low < found.high <= 3


def test_pairs_make_the_interval_of_a_ratio_narrow():
    """Values that differ tenfold between clips, yet each ratio is near two."""
    rng = np.random.default_rng(0)
    below = np.exp(rng.normal(0, 1, 30))
    above = 2 * below * rng.uniform(.95, 1.05, 30)
    groups = [str(k) for k in range(30)]
    draws = draw_groups(groups, 300, 0)
    paired = ratio_of_sums(above, below, draws)
    other = draw_groups(groups, 300, 1)
    unpaired = figure(paired.value, draws.sums(above) / other.sums(below))
    assert paired.low < 2 < paired.high
    assert paired.high - paired.low < .1 * (unpaired.high - unpaired.low)


def test_json_has_no_nan_and_no_tuples():
    text = json.dumps(plain({'a': (1.234567, NAN), 'b': [None, 'x', 3]}), allow_nan=False)
    assert json.loads(text) == {'a': [1.23457, None], 'b': [None, 'x', 3]}


@pytest.mark.parametrize(('resamples', 'seed'), [(19, 0), (20, -1)])
def test_poor_bootstraps_are_refused(resamples, seed):
    check_bootstrap(20, 0)
    with pytest.raises(UserError, match=f'--resamples {resamples} --seed {seed}'):
        check_bootstrap(resamples, seed)


def test_sums_of_groups_are_those_of_their_items():
    groups, values = ['b', 'a', 'b', 'c'], np.array([1., 10, 100, 1000])
    draws = draw_groups(groups, 50, 0)
    assert draws.sums(values) == pytest.approx(draws.weights() @ values)


def test_too_few_groups_have_no_interval():
    groups = [str(k) for k in range(7)]
    assert len(draw_groups(groups, 50, 0, least=8).counts) == 0
    assert len(draw_groups([*groups, '7'], 50, 0, least=8).counts) == 50


def test_a_block_is_five_seconds_of_one_drive():
    blocks = time_blocks(['a'] * 3 + ['b'], [0, 4.9, 5, 4])
    assert blocks[0] == blocks[1] != blocks[2]
    assert blocks[3] not in blocks[:3]


def test_every_interval_has_two_thousand_resamples():
    assert RESAMPLES == 2000
