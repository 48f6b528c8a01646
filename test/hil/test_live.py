"""A live camera as the source: its own stamps, and ages that cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ros
PEER = Path(__file__).parents[1] / 'ros' / 'peer.py'


def ran(bench, name: str, *words: str):
    def start():
        return subprocess.Popen(
            [sys.executable, str(PEER), 'camera', '--camera', 'street', '--size', '80x64',
             '--count', '1000', '--rate', '20', '--info', '--no-wait', *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    entries = {
        'name': name, 'duration_s': 3.0, 'source': {'kind': 'topic', 'topic': '/street/image_raw'},
        'pacing': {'latency_ms': 150, 'rate_hz': 20, 'tolerance_ms': 30},
        'phases': [{'name': 'all', 'faults': [
            {'kind': 'drop', 'start_s': 1, 'end_s': 1.5}]}]}
    camera = start()
    try:
        _, records, _ = bench(entries)
    finally:
        said, _ = camera.communicate(timeout=20)
    sent = [line['sent'] for line in map(json.loads, said.splitlines()) if 'sent' in line]
    return records, sent


def test_a_live_camera_keeps_its_stamps_and_loses_what_a_fault_says(bench):
    records, sent = ran(bench, 'live')
    run = records.run
    left = [f for f in run.frames if f.digest]
    assert len(left) >= 30
    assert {f.stamp_ns for f in left} <= set(sent)
    assert [a.stamp_ns for a in records.observation.arrivals] == [f.stamp_ns for f in left]
    lost = [f.time_ns for f in run.frames if f.outcome == 'lost_drop']
    assert 7 <= len(lost) <= 11
    assert all(1e9 <= at < 1.5e9 for at in lost)
    assert {stamp for _, stamp in records.observation.infos} == {f.stamp_ns for f in left}
    for arrival in records.observation.arrivals:
        assert arrival.wall_ns - arrival.stamp_ns >= 150_000_000
    assert not run.clock_errors


def test_frames_from_the_future_are_errors_of_the_clock_and_are_not_translated(bench):
    records, _ = ran(bench, 'future', '--offset-ms', '500')
    run = records.run
    assert run.counts()['refused_impossible_age'] >= 20
    assert not [f for f in run.frames if f.digest]
    assert 'in the future: the clocks do not agree' in run.clock_errors[0]
