"""Gaps are losses; a publisher that connects, leaves or restarts is none."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.ros.sequence_numbers import SequenceTracker


def seen(tracker: SequenceTracker, *numbers: int | None) -> int:
    for number in numbers:
        tracker.see(number)
    return tracker.lost


def test_gaps_are_counted_and_what_came_before_us_is_not():
    tracker = SequenceTracker()
    assert tracker.see(100) == 0
    assert tracker.see(101) == 0
    assert tracker.see(105) == 3
    assert tracker.see(106) == 0
    assert tracker.lost == 3


def test_a_publisher_that_starts_again_is_no_loss():
    tracker = SequenceTracker()
    tracker.publishers_changed(1, 1)
    assert seen(tracker, 50, 51, 52) == 0
    tracker.publishers_changed(0, 0)
    tracker.publishers_changed(1, 1)
    assert seen(tracker, 60, 61) == 0
    assert seen(tracker, 63) == 1


def test_a_killed_publisher_stays_in_the_graph_beside_its_successor():
    tracker = SequenceTracker()
    tracker.publishers_changed(1, 1)
    assert seen(tracker, 49, 50) == 0
    tracker.publishers_changed(1, 2)
    assert seen(tracker, 1, 2, 3) == 0
    assert seen(tracker, 9) == 5
    tracker.publishers_changed(0, 1)  # the lease of the killed one ends
    assert seen(tracker, 10, 11, 60) == 5 + 48


def test_two_publishers_side_by_side_are_told_apart():
    tracker = SequenceTracker()
    tracker.publishers_changed(2, 2)
    assert seen(tracker, 500, 20, 501, 21, 502, 22) == 0
    assert seen(tracker, 24, 503, 505) == 2


def test_a_new_subscription_starts_anew_and_keeps_the_count():
    tracker = SequenceTracker()
    assert seen(tracker, 1, 3) == 1
    tracker.restart()
    assert seen(tracker, 900, 901) == 1


def test_without_sequence_numbers_nothing_is_counted():
    assert seen(SequenceTracker(), None, None) == 0


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.integers(1, 10**6))
def test_one_publisher_every_gap_is_found(arrives, start):
    tracker = SequenceTracker()
    arrived = [start + n for n, there in enumerate(arrives) if there]
    lost = arrived[-1] - arrived[0] + 1 - len(arrived) if arrived else 0
    assert seen(tracker, *arrived) == lost
