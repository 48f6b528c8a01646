"""The supervisor of a child process: its output, its input, its end, and what it has started."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from rgb2swir_ros import child_process
from rgb2swir_ros.child_process import LAST_LINES, ChildProcess

STUBBORN = '''
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(['sleep', '600']).pid, flush=True)
signal.pause()
'''


@pytest.fixture
def start(tmp_path: Path):
    """Start a process that runs some code; end it with the test."""
    children: list[ChildProcess] = []

    def start(code: str, **options) -> ChildProcess:
        (tmp_path / f'child_{len(children)}.py').write_text(code)
        environment = {**os.environ, 'PYTHONPATH': str(tmp_path), 'PYTHONDONTWRITEBYTECODE': '1'}
        children.append(ChildProcess(f'child_{len(children)}', environment=environment,
                                     **options))
        return children[-1]

    yield start
    for child in children:
        child.end()


def is_alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


def test_lines_of_both_streams_come_apart_and_before_the_end(start):
    output: list[str] = []
    errors: list[str] = []
    child = start('import sys\nfor n in range(30):\n    print(n)\n'
                  '    print("line", n, file=sys.stderr)\nsys.exit(3)',
                  on_output=output.append, on_error=errors.append)
    assert child.wait(60) == 3
    assert output == [str(n) for n in range(30)]
    assert errors == [f'line {n}' for n in range(30)]
    assert list(child.last_lines) == errors[-LAST_LINES:]


def test_one_function_for_both_streams_reads_them_in_their_order(start):
    lines: list[str] = []
    child = start('import sys\nprint("a")\nprint("b", file=sys.stderr)\nprint("c")',
                  on_output=lines.append, on_error=lines.append)
    assert child.wait(60) == 0
    assert lines == list(child.last_lines) == ['a', 'b', 'c']


def test_output_that_nobody_takes_goes_to_standard_error(start, capfd):
    assert start('print("hello")').wait(60) == 0
    assert capfd.readouterr() == ('', 'hello\n')


def test_input_is_written_and_closed(start):
    lines: list[str] = []
    child = start('import sys\nfor line in sys.stdin:\n    print(line.strip())', takes_input=True,
                  on_output=lines.append)
    child.write_line('one')
    child.write_line('two')
    assert child.wait(0.2) is None
    child.close_input()
    assert child.wait(60) == 0
    assert lines == ['one', 'two']
    child.write_line('three')  # reaches nobody, and harms nobody


def test_a_killed_process_is_told_by_its_signal(start):
    child = start('import time; time.sleep(60)')
    child.signal(signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL
    assert child.end() == -signal.SIGKILL


@pytest.mark.parametrize('patience_s', [0.0, 0.3])
def test_what_ignores_sigterm_is_killed_with_what_it_started(start, patience_s):
    lines: list[str] = []
    child = start(STUBBORN, on_output=lines.append)
    deadline = time.monotonic() + 60
    while not lines:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    grandchild = int(lines[0])
    assert is_alive(grandchild)
    started = time.monotonic()
    assert child.end(patience_s) == -signal.SIGKILL
    assert time.monotonic() - started >= patience_s
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_a_process_leaves_behind_is_killed_too(start):
    lines: list[str] = []
    child = start('import subprocess\nprint(subprocess.Popen(["sleep", "600"], '
                  'stdout=subprocess.DEVNULL).pid)', on_output=lines.append)
    assert child.wait(60) == 0
    grandchild = int(lines[0])
    assert is_alive(grandchild)
    assert child.end() == 0
    deadline = time.monotonic() + 10
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_reaped_process_gets_no_signal(start, monkeypatch):
    """Its number may be somebody else's by then."""
    child = start('')
    assert child.end() is not None
    sent: list[int] = []
    monkeypatch.setattr(child_process.os, 'killpg', lambda *_: sent.append(1))
    child.kill()
    assert child.end() is not None
    assert not sent


def test_where_nobody_reaps_children_the_end_is_noticed(start):
    """SIGCHLD is ignored, as some supervisors leave it: the kernel keeps no zombie."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        child = start('')
        assert child.wait(60) == 0
        assert child.end() == 0
    finally:
        signal.signal(signal.SIGCHLD, before)
