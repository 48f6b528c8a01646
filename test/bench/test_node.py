"""The node bench: its figures from known arrivals, and one short run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from rgb2swir_ros.bench.node import cpu_seconds, summarise

MS = 10**6


def test_figures_of_known_arrivals():
    # five of six frames, every 100 ms, with latencies of 10, 20, 10, 20, 40 ms
    frames = [(n * 100 * MS, (n * 100 + latency) * MS)
              for n, latency in zip((0, 1, 2, 3, 5), (10, 20, 10, 20, 40), strict=True)]
    report = summarise(frames, sent=6, rate=10)
    assert (report['sent'], report['received'], report['missed']) == (6, 5, 1)
    assert report['mean_frame_rate'] == pytest.approx(4 / 0.530, abs=1e-3)
    assert report['first_latency_ms'] == 10
    assert report['last_latency_ms'] == 40
    assert report['mean_latency_ms'] == 20
    assert report['max_latency_ms'] == 40
    assert report['p50_latency_ms'] == 20
    # intervals 110, 90, 110, 220: mean 132.5
    assert report['jitter_ms'] == pytest.approx(51.175, abs=1e-3)


def test_nothing_received_is_no_figure():
    assert summarise([], sent=3, rate=10) == {'rate': 10, 'sent': 3, 'received': 0, 'missed': 3}


def test_processor_time_includes_children():
    script = ('import subprocess, sys; subprocess.run([sys.executable, "-c", '
              '"while True: pass"], timeout=60)')
    parent = subprocess.Popen([sys.executable, '-c', script], start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while cpu_seconds(parent.pid) < 0.5:
            assert time.monotonic() < deadline, 'the busy child is not counted'
            time.sleep(0.05)
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait(10)
    assert cpu_seconds(parent.pid) == 0


@pytest.mark.ros
def test_a_short_run_reports_in_the_vocabulary_of_ros2_benchmark():
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    done = subprocess.run(
        [sys.executable, '-m', 'rgb2swir_ros.cli.main', 'bench', 'node', '--size', '160x128',
         '--backend', 'eager', '--rates', '10', '--no-peak', '--seconds', '2', '--json'],
        capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    row, = report['fixed_rates']
    assert row['sent'] >= 15
    assert row['received'] + row['missed'] == row['sent']
    assert row['received'] > 1  # how many depends on what else the machine does
    assert 0 < row['first_latency_ms'] <= row['max_latency_ms']
    assert row['cpu_percent'] > 0
    assert row['node_counts']['translated'] >= row['received']
    assert row['node_counts']['received'] <= row['sent']
