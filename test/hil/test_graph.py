"""Every fault in one running graph: an outside process sees it begin, and end within two frames.

The pictures repeat and have no noise, so that a frame of each index has one known digest.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from rgb2swir_ros.hil.faults import HOST, fault_kinds

pytestmark = pytest.mark.ros
RATE, LATENCY_MS = 20.0, 100.0
P = round(1e9 / RATE)
ACTIVE, QUIET, FIRST = 8, 6, 14  # frames
MORE: dict[str, dict[str, Any]] = {
    'burst_drop': {'frames': 4}, 'delay': {'ms': 400}, 'jitter': {'ms': 400},
    'stamp_jump': {'ms': 3_600_000}, 'exposure_hunting': {'period_s': .3}}


# Those of this package that hit frames
KINDS = [name for name, kind in fault_kinds().items()
         if kind.points[0] != HOST and kind.__module__.startswith('rgb2swir_ros.')]


def timetable() -> list[dict[str, Any]]:
    faults = []
    for number, kind in enumerate(KINDS):
        start = FIRST + number * (ACTIVE + QUIET)
        faults.append({'kind': kind, 'start_s': (start - .5) * P / 1e9,
                       'end_s': (start + ACTIVE - .5) * P / 1e9, **MORE.get(kind, {})})
    end = faults[-1]['end_s']
    faults.append({'kind': 'drop', 'name': 'camera_gone', 'point': 'rgb', 'start_s': end + .5,
                   'end_s': end + 1.5})
    return [*faults, {'kind': 'engine_crash', 'start_s': end + 3, 'end_s': end + 3.1},
            {'kind': 'engine_hang', 'start_s': end + 6.5, 'end_s': end + 7.5}]


@pytest.fixture(scope='module')
def ran(bench):
    faults = timetable()
    entries = {'name': 'all_faults', 'seed': 9, 'duration_s': faults[-1]['end_s'] + 5.0,
               'pacing': {'latency_ms': LATENCY_MS, 'rate_hz': RATE, 'tolerance_ms': 20},
               'phases': [{'name': 'all', 'faults': faults}]}
    caller = Caller(faults[-1]['end_s'] + 1.5)
    caller.start()
    _, records, _ = bench(entries)
    caller.join()
    assert not records.run.error
    return records, caller


class Caller(threading.Thread):
    """Begins and ends faults at run time, as an operator would."""

    def __init__(self, at_s: float) -> None:
        super().__init__(daemon=True)
        self.at_s, self.said = at_s, []

    def run(self) -> None:
        """Wait until the run has come that far, then set the parameter and call the service."""
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rcl_interfaces.srv import SetParameters
        from rclpy.context import Context
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.parameter import Parameter
        from std_srvs.srv import Trigger
        context = Context()
        context.init(args=[])
        node = rclpy.create_node('operator', context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        seen: list[int] = []
        node.create_subscription(DiagnosticArray, '/hil/frames', lambda m: seen.append(
            m.header.stamp.sec * 10**9 + m.header.stamp.nanosec), 10)
        setting = node.create_client(SetParameters, '/hil/set_parameters')
        clearing = node.create_client(Trigger, '/hil/clear_faults')

        def call(client: Any, request: Any) -> Any:
            future = client.call_async(request)
            executor.spin_until_future_complete(future, 10)
            return future.result()

        def inject(value: str) -> Any:
            result, = call(setting, SetParameters.Request(
                parameters=[Parameter('inject', value=value).to_parameter_msg()])).results
            return result.successful, result.reason
        while not seen or seen[-1] - seen[0] < self.at_s * 1e9:
            executor.spin_once(timeout_sec=0.1)
        self.said.append(inject('[{kind: dorp}]'))
        self.said.append(inject('[{kind: drop, kind: blur}]'))
        self.said.append(inject('[{kind: drop, name: by_hand, end_s: 60}]'))
        time.sleep(0.5)
        self.said.append(inject(''))
        time.sleep(0.5)
        self.said.append(inject(json.dumps([{'kind': 'wrong_encoding', 'name': 'by_hand'}])))
        time.sleep(0.5)
        self.said.append(call(clearing, Trigger.Request()).message)
        node.destroy_node()
        context.try_shutdown()


def clean_digests(records) -> dict[int, str]:
    """Return the digest of each picture, as the quiet time before the first fault shows it."""
    return {f.index % 7: f.digest for f in records.run.frames if f.index < FIRST and f.digest}


def window(records, name: str) -> tuple[int, int]:
    fault = next(one for one in records.run.faults if one.name == name)
    return fault.start_ns, fault.end_ns


def within(records, first_ns: int, last_ns: int) -> list[Any]:
    """Return what arrived, in order of arrival, with stamps of a stretch of the frames' time."""
    t0 = records.run.t0_ns
    return [a for a in records.observation.arrivals if first_ns <= a.stamp_ns - t0 < last_ns]


def age_ms(records, arrival) -> float:
    zero = records.run.monotonic_t0_ns
    return (arrival.monotonic_ns - zero - (arrival.stamp_ns - records.run.t0_ns)) / 1e6


def ages(records, some) -> list[float]:
    return [age_ms(records, one) for one in some]


def is_seen(kind: str, records, some: list[Any], clean: dict[int, str]) -> bool:
    """Return whether an outside process can tell a fault from what arrived meanwhile."""
    stamps = [a.stamp_ns for a in some]
    pixels = [a.digest not in clean.values() for a in some]
    told = {
        **dict.fromkeys(('drop', 'camera_info_loss', 'burst_drop', 'camera_gone'),
                        lambda: not stamps),
        'stamp_jump': lambda: not stamps,  # they are an hour ahead
        'freeze': lambda: len(stamps) > 1 and len({a.digest for a in some}) == 1,
        'delay': lambda: min(ages(records, some)) > LATENCY_MS + 350,
        'jitter': lambda: max(ages(records, some)) > LATENCY_MS + 100,
        'duplicate': lambda: len(stamps) > 1.5 * len(set(stamps)),
        'reorder': lambda: stamps != sorted(stamps),
        'wrong_size': lambda: {a.shape[:2] for a in some} == {(32, 40)},
        'wrong_encoding': lambda: {a.shape[2] for a in some} == {'rgb8'},
        'truncated': lambda: {a.shape[4] for a in some} == {64 * 80 // 2}}
    return told.get(kind, lambda: len(pixels) > 1 and sum(pixels) >= .6 * len(pixels))()


@pytest.mark.parametrize('kind', [*KINDS, 'camera_gone'])
def test_an_outside_process_sees_each_fault_and_its_end(ran, kind):
    records, _ = ran
    clean = clean_digests(records)
    assert len(set(clean.values())) == 7
    start, end = window(records, kind)
    assert is_seen(kind, records, within(records, start, end), clean), kind
    if kind == 'stamp_jump':
        assert len(within(records, start + 3600 * 10**9, end + 3600 * 10**9)) > 1
    # whole again from the second frame on: those that left, in their own shape and order
    back = [f for f in records.run.frames if end + P <= f.time_ns < end + (QUIET - 1) * P]
    assert len(back) >= QUIET - 3
    sent = [f for f in back if f.digest]
    assert len(sent) >= .5 * len(back)
    assert all(f.outcome in ('left', 'late', 'missed') and not f.faults for f in back)
    arrived = within(records, end + P, end + (QUIET - 1) * P)
    assert [a.stamp_ns for a in arrived] == [f.stamp_ns for f in sent]
    assert [a.digest for a in arrived] == [clean[f.index % 7] for f in sent]
    assert {a.shape for a in arrived} == {(64, 80, 'mono8', 80, 64 * 80)}
    assert {stamp for _, stamp in records.observation.infos} >= {f.stamp_ns for f in sent}


def test_the_active_faults_are_published_as_they_begin_and_end(ran):
    records, _ = ran
    told = [set(names) for _, names in records.observation.faults]
    for kind in [*KINDS, 'camera_gone', 'engine_crash', 'engine_hang', 'by_hand', 'by_hand_2']:
        seen = [kind in names for names in told]
        assert any(seen), kind
        assert not seen[-1], kind
    zero = records.run.monotonic_t0_ns
    for at, names in records.observation.faults:
        for name in names:
            start, end = window(records, name)
            assert start - P <= at - zero <= end + P


def test_what_arrived_is_what_left_and_nothing_is_unaccounted_for(ran):
    records, _ = ran
    sent = [(f.stamp_ns, f.digest) for f in records.run.frames if f.digest]
    assert sorted((a.stamp_ns, a.digest) for a in records.observation.arrivals) == sorted(sent)
    indices = {f.index for f in records.run.frames}
    assert indices == set(range(max(indices) + 1))
    for frame in records.run.frames:
        assert bool(frame.digest) == (frame.outcome in ('left', 'late'))


def test_the_watchdog_finds_silence_crash_and_stall_in_their_time_and_all_come_back(ran):
    records, _ = ran
    by_kind: dict[str, list[Any]] = {}
    for incident in records.run.incidents:
        by_kind.setdefault(incident.kind, []).append(incident)
    gone = window(records, 'camera_gone')
    silence = next(one for one in by_kind['silence'] if gone[0] - 2 * P < one.time_ns < gone[1])
    assert silence.detection_ms <= 50
    crash, = by_kind['crash']
    assert crash.detection_ms <= 200
    hang, = by_kind['hang']
    assert 350 <= hang.detection_ms <= 500
    for incident in (silence, crash, hang):
        assert incident.recovery_s is not None
        assert incident.recovery_s <= 5


def test_nothing_is_sent_in_the_safe_state(ran):
    records, _ = ran
    tolerance = records.run.tolerance_ns  # what left in time was begun so long before at most
    for incident in records.run.incidents:
        assert not [f for f in records.run.frames if f.outcome == 'left'
                    and incident.safe_ns + tolerance < f.left_ns < incident.recovered_ns]


def test_an_operator_begins_and_ends_faults(ran):
    records, caller = ran
    wrong, twice, begun, ended, again, cleared = caller.said
    assert wrong[0] is False
    assert "parameter 'inject': faults[0]: kind is 'dorp'" in wrong[1]
    assert twice == (False, "parameter 'inject' is no valid YAML: given twice: kind")
    assert begun == ended == again == (True, '')
    assert cleared == 'by_hand_2'
    for name, share in (('by_hand', 0.0), ('by_hand_2', .5)):
        start, end = window(records, name)
        assert .3e9 < end - start < 3e9
        assert next(f for f in records.run.faults if f.name == name).origin == 'parameter'
        arrived = within(records, start, end)
        assert len(arrived) >= share * (end - start) / P
        assert {a.shape[2] for a in arrived} <= {'rgb8'}
