"""Jobs on worker processes: each has one result, whatever happens to its worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.pool import map_unordered


@pytest.fixture(autouse=True)
def _jobs(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.parametrize('workers', [1, 3])
def test_every_job_has_one_outcome_whatever_happens_to_its_worker(workers):
    from jobs import square
    results = list(map_unordered(square, [1, 2, -9, 4, 0, 6], workers))
    assert sorted((o.job, o.value) for o in results if not o.failure) == [
        (1, 1), (2, 4), (4, 16), (6, 36)]
    assert {o.job: o.failure for o in results if o.failure} == {
        0: 'ValueError: nothing to square (jobs.py:15)',
        -9: 'its worker process died (exit code 9)'}


def test_what_the_user_must_mend_ends_all():
    from jobs import square
    done = []
    with pytest.raises(UserError, match='disk is full'):
        done.extend(map_unordered(square, [99, *range(1, 50)], 1))
    assert not done


def test_no_job_needs_no_worker():
    from jobs import square
    assert list(map_unordered(square, [], 2)) == []


def test_a_worker_that_is_terminated_while_it_ends_is_silent(capfd):
    from jobs import square_and_be_terminated_at_exit
    results = list(map_unordered(square_and_be_terminated_at_exit, [3, 4], 2))
    assert sorted(result.value for result in results) == [9, 16]
    assert capfd.readouterr().err == ''
