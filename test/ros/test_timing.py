"""Stages add up; rates follow arrivals, stamps, silence and jumps back in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.ros.timing import STAGES, Stopwatch, Window

MS = 10**6


def filled(count: int, period_ms: int, stamp_period_ms: int = 0) -> Window:
    window = Window(span_s=5)
    for number in range(count):
        window.add(number * period_ms * MS, number * stamp_period_ms * MS, float(number))
    return window


def test_rates_by_arrival_and_by_stamp():
    window = filled(51, 50, 100)
    assert window.rates(50 * 50 * MS) == pytest.approx((20, 10))


@given(st.integers(2, 400), st.integers(1, 200))
def test_a_steady_rate_is_found_whatever_the_window_holds(count, period_ms):
    rate, _ = filled(count, period_ms).rates((count - 1) * period_ms * MS)
    assert rate == pytest.approx(1000 / period_ms, rel=1e-6)


def test_silence_lowers_the_rate_and_then_empties_the_window():
    window = filled(21, 100)
    last = 20 * 100 * MS
    assert window.rates(last + 90 * MS)[0] == pytest.approx(10, rel=0.01)
    assert 5 < window.rates(last + 2000 * MS)[0] < 6
    assert window.rates(last + 6000 * MS) == (0.0, 0.0)
    assert window.values(last + 6000 * MS) == []


def test_a_jump_back_in_stamps_starts_anew():
    window = filled(21, 100, 100)
    window.add(2100 * MS, 0, 1.0)
    assert window.rates(2100 * MS) == (0.0, 0.0)
    window.add(2200 * MS, 100 * MS, 2.0)
    assert window.rates(2200 * MS) == pytest.approx((10, 10))


def test_stages_are_summed_and_the_total_holds_them():
    watch = Stopwatch()
    with watch.stage('decode_ms'):
        sum(range(20000))
    with pytest.raises(ValueError, match='bad'), watch.stage('sensor_ms'):
        raise ValueError('bad')
    report = watch.report(12.5)
    assert set(report) == {*STAGES, 'total_ms', 'age_ms'}
    assert report['age_ms'] == 12.5
    assert report['decode_ms'] > 0
    assert report['publish_ms'] == 0
    assert sum(report[stage] for stage in STAGES) <= report['total_ms']
