"""A process whose main thread hangs ends, even where no Python thread can run any more."""

from __future__ import annotations

import subprocess
import sys

import pytest

# ctypes.PyDLL keeps Python's lock during the call, as rclpy does while it removes a subscription
HANG = 'import ctypes\ndef hang(): ctypes.PyDLL(None).sleep(60)\n'
START = 'import sys, time\nfrom rgb2swir_ros.ros.hang_watch import HangWatch\n'


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, '-c', START + HANG + code], capture_output=True,
                          text=True, timeout=50)


def test_it_ends_and_says_where_each_thread_stands():
    ended = run('with HangWatch(1) as watch:\n    watch.step()\n    hang()')
    assert ended.returncode == 1
    assert ended.stderr.startswith('Timeout (0:00:01)!')
    assert 'in hang' in ended.stderr


@pytest.mark.parametrize('lost', ['sys.stderr = None', 'sys.stderr.close()'])
def test_it_ends_where_nobody_reads_what_it_says(lost):
    assert run(f'{lost}\nwith HangWatch(1):\n    hang()').returncode == 1


@pytest.mark.parametrize('code', [
    # gets on, for longer than the limit in all
    'with HangWatch(2) as watch:\n    for _ in range(8): time.sleep(.5); watch.step()',
    'with HangWatch(1): pass\ntime.sleep(2)',
    'with HangWatch(0) as watch:\n    watch.step()\n    time.sleep(2)',
    'with HangWatch(1) as watch:\n    watch.limit(0)\n    watch.step()\n    time.sleep(2)',
])
def test_what_gets_on_or_is_not_watched_goes_on(code):
    ended = run(code + '\nprint("done")')
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, 'done\n', '')


def test_a_limit_that_is_set_later_counts():
    ended = run('with HangWatch(0) as watch:\n    watch.limit(1)\n    hang()')
    assert ended.returncode == 1
    assert ended.stderr.startswith('Timeout (0:00:01)!')
