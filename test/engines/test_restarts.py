"""When a failed engine process is started again."""

from __future__ import annotations

from rgb2swir_ros.engines.restarts import FAILURES_IN_A_ROW, ProcessEnd, RestartPolicy

CRASH = ProcessEnd('killed')


def test_pauses_double_up_to_a_limit_and_begin_anew_after_a_success():
    policy = RestartPolicy()
    pauses = [policy.count(CRASH) for _ in range(12)]
    assert pauses[:4] == [.2, .4, .8, 1.6]
    assert pauses[-3:] == [10.0] * 3
    policy.reset()
    assert policy.count(CRASH) == .2


def test_the_last_of_too_many_failures_in_a_row_gives_up():
    policy = RestartPolicy()
    for _ in range(FAILURES_IN_A_ROW - 1):
        policy.count(CRASH)
        assert not policy.why_last(CRASH)
    policy.count(CRASH)
    assert policy.why_last(CRASH) == f'{FAILURES_IN_A_ROW} failures in a row, the last: killed'


def test_failures_of_a_size_alone_never_give_up_the_process():
    policy, end = RestartPolicy(), ProcessEnd('building took too long', attributed=True)
    for _ in range(3 * FAILURES_IN_A_ROW):
        policy.count(end)
    assert not policy.why_last(end)


def test_a_fatal_end_gives_up_at_once_with_its_own_reason():
    policy, end = RestartPolicy(), ProcessEnd('no such model', fatal=True)
    policy.count(end)
    assert policy.why_last(end) == 'no such model'
