"""The watchdog on a clock of the test's own: what it finds, when, and what it does then."""

from __future__ import annotations

from rgb2swir_ros.hil.watchdog import CRASH, HANG, Watchdog

MS = 1_000_000


def dog() -> tuple[Watchdog, list]:
    found: list = []
    return Watchdog(['front', 'rear'], 200 * MS, found.append), found


def test_a_silence_is_found_after_its_time_and_only_for_its_camera():
    watchdog, found = dog()
    watchdog.input('front', 1000 * MS, 0)
    watchdog.check(1200 * MS)
    assert not found
    watchdog.check(1203 * MS)
    watchdog.check(1300 * MS)
    incident, = found
    assert (incident.kind, incident.camera) == ('silence', 'front')
    assert incident.happened_ns == 1200 * MS
    assert incident.detection_ms == 3
    assert watchdog.safe('front')
    assert not watchdog.safe('rear')


def test_a_camera_that_was_never_there_or_whose_footage_is_over_is_not_silent():
    watchdog, found = dog()
    watchdog.input('front', 0, 0)
    watchdog.stop('front')
    watchdog.check(10_000 * MS)
    assert not found
    assert watchdog.next_silence_ns() is None


def test_a_silence_ends_with_the_next_frame_and_is_over_when_that_has_left():
    watchdog, _ = dog()
    watchdog.input('front', 0, 0)
    watchdog.check(250 * MS)
    watchdog.sent('front', 260 * MS)  # of before the silence: no recovery
    watchdog.input('front', 400 * MS, 5)
    assert not watchdog.safe('front')
    assert watchdog.incidents()[0].recovery_s is None
    watchdog.sent('front', 500 * MS)
    watchdog.sent('front', 600 * MS)
    assert watchdog.incidents()[0].recovery_s == .25


def test_a_silence_that_nobody_has_checked_for_is_found_by_the_frame_that_ends_it():
    watchdog, found = dog()
    watchdog.input('front', 0, 0)
    watchdog.input('front', 300 * MS, 1)
    assert [one.detection_ms for one in found] == [100]


def test_an_engine_that_fails_is_one_incident_for_all_cameras():
    watchdog, found = dog()
    watchdog.input('front', 0, 0)
    watchdog.engine_failed(HANG, 10 * MS, 410 * MS, 'stuck')
    watchdog.engine_failed(CRASH, 0, 420 * MS, 'killed for it')
    assert [(one.kind, one.detection_ms) for one in found] == [('hang', 400)]
    assert watchdog.safe('front')
    assert watchdog.safe('rear')
    watchdog.engine_back()
    assert not watchdog.safe('rear')
    watchdog.sent('rear', 2410 * MS)
    assert watchdog.incidents()[0].recovery_s == 2
    watchdog.engine_failed(CRASH, 3000 * MS, 3010 * MS, 'again')
    assert len(found) == 2


def test_both_may_be_wrong_at_once():
    watchdog, _ = dog()
    watchdog.input('front', 0, 0)
    watchdog.engine_failed(CRASH, 0, 1, '')
    watchdog.check(300 * MS)
    watchdog.engine_back()
    assert watchdog.safe('front')
    watchdog.input('front', 400 * MS, 3)
    assert not watchdog.safe('front')
    watchdog.sent('front', 500 * MS)
    assert [one.recovered_ns for one in watchdog.incidents()] == [500 * MS, 500 * MS]
