"""What is submitted leaves in order of its due time, never before it."""

from __future__ import annotations

import ctypes
import time
from types import SimpleNamespace

import pytest

from rgb2swir_ros.hil.clocks import ClockGuard, clock_problem, impossible_age, read_clocks
from rgb2swir_ros.hil.pacing import Pacer, Schedule


def test_the_schedule_is_ordered_by_time_then_by_submission():
    schedule = Schedule()
    for due, item in [(3, 'c'), (1, 'a'), (2, 'b1'), (2, 'b2')]:
        schedule.add(due, item)
    assert schedule.next_due_ns() == 1
    assert [schedule.pop() for _ in range(len(schedule))] == ['a', 'b1', 'b2', 'c']
    assert schedule.next_due_ns() is None


def test_nothing_leaves_before_it_is_due_and_all_leaves_before_the_end():
    left: list[tuple[int, int, int]] = []
    pacer = Pacer(lambda item, due: left.append((item, due, time.monotonic_ns())), left.append)
    pacer.start()
    start = time.monotonic_ns()
    dues = [start + 1_000_000 * ms for ms in (30, 10, 20, 5, 40)]
    for number, due in enumerate(dues):
        pacer.submit(due, number)
    pacer.finish()
    assert [item for item, _, _ in left] == [3, 1, 2, 0, 4]
    assert all(at >= due == dues[item] for item, due, at in left)


def test_an_error_is_reported_and_the_next_item_leaves():
    errors: list[BaseException] = []
    left: list[int] = []

    def leave(item: int, due: int) -> None:
        if item == 0:
            raise RuntimeError('no')
        left.append(item)
    pacer = Pacer(leave, errors.append)
    pacer.start()
    for item in (0, 1):
        pacer.submit(0, item)
    pacer.finish()
    assert left == [1]
    assert [str(error) for error in errors] == ['no']


def test_impossible_ages_are_named_and_possible_ones_are_not():
    assert impossible_age(100_000_000, 10**10) == ''
    assert impossible_age(-10_000_000, 10**10) == ''
    assert '500 ms in the future' in impossible_age(-500_000_000, 10**10)
    assert 'is 11.0 s old' in impossible_age(11 * 10**9, 10**10)


class Clocks:
    """A system's clock and a monotonic one; the reader loses the processor before some reads."""

    def __init__(self, monkeypatch, lost_ns: dict[int, int] | None = None) -> None:
        self.now, self.set_by, self.reads, self._lost_ns = 10**9, 0, 0, lost_ns or {}
        monkeypatch.setattr(time, 'monotonic_ns', self._read)
        monkeypatch.setattr(time, 'time_ns', lambda: self._read() + 10**18 + self.set_by)

    def _read(self) -> int:
        self.now += 100 + self._lost_ns.get(self.reads, 0)
        self.reads += 1
        return self.now


def test_a_clock_that_is_set_is_noticed_once(monkeypatch):
    clocks = Clocks(monkeypatch)
    guard = ClockGuard()
    assert guard.jump() == ''
    clocks.set_by = 10**9
    assert guard.jump() == "the system's clock jumped by +1000 ms"
    assert guard.jump() == ''
    clocks.set_by = 0
    assert guard.jump() == "the system's clock jumped by -1000 ms"


@pytest.mark.parametrize('lost', [0, 1, 2, 3, 4, 5, 6, 7, 8])
def test_a_thread_that_loses_the_processor_sees_no_clock_jump(monkeypatch, lost):
    Clocks(monkeypatch, {lost: 30_000_000, lost + 4: 30_000_000})
    guard = ClockGuard()
    assert [guard.jump() for _ in range(3)] == [''] * 3


def test_clocks_of_a_machine_that_is_always_busy_are_its_closest_reads(monkeypatch):
    lost = dict.fromkeys(range(100), 3_000_000) | {10: 200_000, 11: 100_000}
    clocks = Clocks(monkeypatch, lost)
    wall, monotonic = read_clocks()
    assert abs(wall - monotonic - 10**18) <= 150_000
    assert clocks.reads < 100


@pytest.mark.parametrize(('state', 'problem'), [(0, False), (1, False), (5, True), (-1, True)])
def test_a_clock_that_the_kernel_calls_unsynchronised_is_no_ptp_clock(monkeypatch, state, problem):
    fake = SimpleNamespace(adjtimex=lambda buffer: state)
    monkeypatch.setattr(ctypes, 'CDLL', lambda *_, **__: fake)
    assert ('unsynchronised' in clock_problem('ptp')) == problem
    assert clock_problem('system') == clock_problem('sim') == ''
