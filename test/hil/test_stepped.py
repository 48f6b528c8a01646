"""On simulated time a run is twice the same, and everything leaves at its time."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from rgb2swir_ros.replay.bag import BagSource

pytestmark = pytest.mark.ros
P = 1 / 30


def scenario(name: str) -> dict:
    def at(kind: str, start: int, frames: int = 8, **more: object) -> dict:
        return {'kind': kind, 'start_s': start * P - .001, 'end_s': (start + frames) * P - .001,
                **more}
    return {
        'name': name, 'seed': 3, 'duration_s': 6.0, 'cameras': ['front', 'rear'],
        'sensor': {'preset': 'imx991_low_gain', 'output_size': '80x64', 'prnu': .01},
        'pacing': {'clock': 'stepped', 'latency_ms': 100, 'rate_hz': 30},
        'phases': [{'name': 'all', 'faults': [
            at('drop', 10, intensity=.5), at('drop', 20, 9, point='rgb', camera='front'),
            at('jitter', 40), at('reorder', 50), at('duplicate', 60), at('freeze', 70),
            at('noise', 80), at('occlusion', 90), at('stamp_jump', 100), at('delay', 110),
            at('dead_pixels', 120, intensity=[0, 1]), at('banding', 140)]}]}


def test_two_runs_of_a_scenario_and_seed_are_equal_bit_for_bit(bench):
    _, first, folder = bench(scenario('first'))
    _, again, _ = bench(scenario('again'))
    assert not first.run.error
    for name in ('frames', 'faults', 'incidents', 'sensor'):
        assert [str(one) for one in asdict(first.run)[name]] == [
            str(one) for one in asdict(again.run)[name]]
    sent = [(f.camera, f.time_ns, f.digest, f.faults) for f in first.run.frames if f.digest]
    assert len({digest for _, _, digest, _ in sent}) > 100
    # an outside process has received exactly this, in this order of leaving
    for records in (first, again):
        arrived = [(a.camera, a.stamp_ns, a.digest) for a in records.observation.arrivals]
        leaving = sorted((f for f in records.run.frames if f.left_ns), key=lambda f: f.left_ns)
        assert sorted(arrived) == sorted((f.camera, f.stamp_ns, f.digest) for f in leaving)
        assert not any(records.observation.lost.values())
    _check_times(first.run)
    _check_silence(first.run)
    _check_bag(folder, first)


def _check_times(run) -> None:
    for frame in run.frames:
        if frame.left_ns:
            assert frame.outcome == 'left'
            assert frame.left_ns == frame.due_ns
            delayed = {'jitter', 'reorder', 'delay'} & set(frame.faults)
            late = frame.left_ns - frame.time_ns - 100_000_000
            assert (late > 0) if 'delay' in delayed else (late == 0 or delayed)
            shift = 10**9 if 'stamp_jump' in frame.faults else 0
            assert frame.stamp_ns == run.t0_ns + frame.time_ns + shift
    counts = run.counts('front')
    assert counts['lost_drop_2'] == 9
    assert sum(counts.values()) == 180 + 8  # of eight frames a copy left, too
    assert run.counts('rear')['lost_drop_2'] == 0


def _check_silence(run) -> None:
    incident, = run.incidents
    assert (incident.kind, incident.camera) == ('silence', 'front')
    assert incident.detected_ns - incident.happened_ns == 1
    back = next(f for f in run.frames if f.camera == 'front' and f.index == 29)
    assert incident.recovered_ns == back.left_ns


def _check_bag(folder: Path, records) -> None:
    """The bag holds every frame, and the faults as they were published."""
    frames = list(BagSource(folder / 'bag', '/front/swir/image_raw').frames())
    arrived = [a for a in records.observation.arrivals if a.camera == 'front']
    assert sorted(f.stamp_ns for f in frames) == sorted(a.stamp_ns for a in arrived)
    assert all(frame.info_cdr for frame in frames)
    assert records.observation.messages['/hil/faults'] >= 20
    named = {name for _, names in records.observation.faults for name in names}
    assert named == {fault.name for fault in records.run.faults}


def test_the_failover_source_stands_in_for_a_silent_camera_and_no_longer(bench):
    silent = {'kind': 'drop', 'point': 'rgb', 'start_s': 10 * P - .001, 'end_s': 25 * P - .001}
    _, records, _ = bench({
        'name': 'failover', 'duration_s': 40 * P - .001,
        'pacing': {'clock': 'stepped', 'latency_ms': 50, 'rate_hz': 30},
        'watchdog': {'safe_state': 'failover', 'failover': {'kind': 'folder', 'path': 'other'}},
        'phases': [{'name': 'all', 'faults': [silent]}]})
    run = records.run
    stood_in = [f for f in run.frames if f.failover]
    # silent from three periods after frame 9 on; frame 25 is there before that of 24 is due
    assert [round(f.time_ns * 30 / 1e9) for f in stood_in if f.outcome == 'left'] == list(
        range(12, 24))
    assert len({f.digest for f in stood_in if f.digest}) == 1
    assert run.counts()['dropped_failover_over'] == 1
    own = [f.index for f in run.frames if not f.failover and f.digest]
    assert own == [*range(10), *range(25, 40)]
    grey = stood_in[0].digest
    arrived = [a.digest for a in records.observation.arrivals]
    assert arrived[10:22] == [grey] * 12
    assert grey not in arrived[:10] + arrived[22:]
