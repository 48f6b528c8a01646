"""The transport bench: four rows, each from two real processes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from rgb2swir_ros.bench.transport import COMBINATIONS, TransportSettings, environment
from rgb2swir_ros.cli.main import main
from rgb2swir_ros.ros.transport import PROFILE_VARIABLES, profile_path


@pytest.mark.ros
def test_four_rows_of_figures_as_one_json_document():
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    done = subprocess.run(
        [sys.executable, '-m', 'rgb2swir_ros.cli.main', 'bench', 'transport', '--size', '160x128',
         '--rate', '20', '--seconds', '1', '--json'],
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row['transport'] for row in rows] == [name for name, _, _ in COMBINATIONS]
    for row in rows:
        assert set(row) == {'transport', 'sent', 'arrived', 'latency_p50_ms', 'latency_p99_ms'}
        assert 0 <= row['arrived'] <= row['sent']
        assert row['sent'] >= 15
    # frames as small as these arrive with the profile on any machine
    both = next(row for row in rows if row['transport'] == 'profile on both sides')
    assert both['arrived'] >= 0.8 * both['sent']
    assert 0 < both['latency_p50_ms'] <= both['latency_p99_ms'] < 1000


@pytest.mark.parametrize('profile', [True, False])
def test_each_side_has_the_profile_or_the_defaults(monkeypatch, profile):
    monkeypatch.setenv(PROFILE_VARIABLES[0], '/of/the/user.xml')
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'LARGE_DATA')
    side = environment(TransportSettings((128, 160), 20.0, 1.0, 'vehicle', 9), profile=profile)
    path = str(profile_path('vehicle')) if profile else None
    assert {side.get(variable) for variable in PROFILE_VARIABLES} == {path}
    assert 'FASTDDS_BUILTIN_TRANSPORTS' not in side
    assert side['ROS_DOMAIN_ID'] == '9'
    assert side['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'


@pytest.mark.parametrize('words', [
    ['--size', 'hd'], ['--rate', '0'], ['--seconds', '-1'], ['--domain-id', '500'],
    ['--profile', 'lan'],
])
def test_wrong_arguments_are_one_line_and_exit_code_2(words, capsys):
    assert main(['bench', 'transport', *words]) == 2
    out, error = capsys.readouterr()
    assert out == ''
    assert len(error.splitlines()) == 1
    assert words[1] in error
