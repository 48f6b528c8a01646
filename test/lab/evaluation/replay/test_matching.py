import numpy as np

from rgb2swir_ros.lab.evaluation.replay.matching import match_stamps

MS = 10**6


def test_nearest_within_half_a_period():
    stamps = [0, 100 * MS, 200 * MS, 300 * MS]
    found = match_stamps(stamps, [20 * MS, 130 * MS, 160 * MS, 500 * MS])
    assert found.index.tolist() == [0, 1, 2, -1]
    assert found.skew_ns.tolist() == [20 * MS, 30 * MS, -40 * MS, 0]
    assert found.period_ns == 100 * MS
    assert found.unused == 1


def test_a_true_frame_serves_the_nearest_frame_only():
    found = match_stamps([0, 100, 200], [45, 52])
    assert found.index.tolist() == [0, 1, -1]
    found = match_stamps([0, 100, 200], [52])
    assert found.index.tolist() == [-1, 0, -1]


def test_order_of_either_side_does_not_matter():
    rng = np.random.default_rng(0)
    stamps = np.arange(50) * 100
    true = stamps + rng.integers(-40, 40, 50)
    own, other = rng.permutation(50), rng.permutation(50)
    found = match_stamps(stamps[own].tolist(), true[other].tolist())
    np.testing.assert_array_equal(other[found.index], own)
    np.testing.assert_array_equal(found.skew_ns, (true - stamps)[own])


def test_no_true_frames_and_a_single_frame():
    assert match_stamps([1, 2], []).index.tolist() == [-1, -1]
    assert match_stamps([5], [900, 7]).index.tolist() == [1]


def test_stamps_of_this_century_keep_their_nanoseconds():
    start = 1_764_000_000 * 10**9
    found = match_stamps([start, start + 10], [start + 1, start + 12])
    assert found.skew_ns.tolist() == [1, 2]
