"""Processes end with the demo: politely, by force, and with all they have started."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from rgb2swir_ros.demo import children
from rgb2swir_ros.demo.children import ChildError, Children
from rgb2swir_ros.demo.wire import parse
from rgb2swir_ros.marks import is_ours

ENVIRONMENT = {**os.environ, 'PYTHONDONTWRITEBYTECODE': '1'}
STUBBORN = '''
import signal, subprocess, sys
from rgb2swir_ros.demo.wire import say
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
grandchild = subprocess.Popen(['sleep', '600'])
say('up', pid=grandchild.pid)
print('no event')
print('{"no": "event"}')
signal.pause()
'''
FAILING = '''
import sys
print('first words', file=sys.stderr)
sys.exit('the disk is on fire')
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Make two modules that can be started."""
    (tmp_path / 'stubborn_child.py').write_text(STUBBORN)
    (tmp_path / 'failing_child.py').write_text(FAILING)
    return {**ENVIRONMENT, 'PYTHONPATH': str(tmp_path)}


def is_alive(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state != 'Z'


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_stubborn_process_and_its_child_are_ended(
        tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, 'POLITE_S', 0.5)

    def interrupted() -> None:
        with Children() as all_:
            child = all_.start('mule', 'stubborn_child', [], environment, tmp_path / 'log')
            pids.extend([child.pid, all_.await_event(child, 'up', 30)['pid']])
            assert all(map(is_alive, pids))
            raise KeyboardInterrupt

    pids: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(pids) == 2
    assert all(map(gone, pids))
    assert (tmp_path / 'log').read_text().splitlines() == ['no event', '{"no": "event"}']


def test_failing_process_is_quoted(tmp_path: Path, environment: dict[str, str],
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, 'POLITE_S', 0.5)
    with Children() as all_:
        child = all_.start('cook', 'failing_child', [], environment, tmp_path / 'log')
        with pytest.raises(ChildError, match=r'(?s)the cook ended with exit code 1.*first words'
                                             r'.*the disk is on fire'):
            all_.await_event(child, 'up', 30)


class FullDisk:
    """A log that has no room."""

    def write(self, _: str) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')

    flush = close = lambda *_: None


def test_one_line_of_a_process_reaches_the_user_though_its_log_has_no_room(
        tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / 'full_child.py').write_text(
        "import sys; sys.stdin.readline(); print('cook: No space left', file=sys.stderr); "
        "sys.exit(2)")
    with Children() as all_:
        child = all_.start('cook', 'full_child', [], environment, tmp_path / 'log')
        real, child._log = child._log, FullDisk()
        real.close()
        child.write_line('go')
        with pytest.raises(ChildError, match=r'^cook: No space left$'):
            all_.await_event(child, 'never', 30)
    assert is_ours(tmp_path / 'log')


def test_other_process_failing_is_noticed(tmp_path: Path, environment: dict[str, str],
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, 'POLITE_S', 0.5)
    with Children() as all_:
        waiting = all_.start('mule', 'stubborn_child', [], environment, tmp_path / 'a')
        all_.start('cook', 'failing_child', [], environment, tmp_path / 'b')
        with pytest.raises(ChildError, match='the cook ended'):
            all_.await_event(waiting, 'never', 30)


def test_silence_has_an_end(tmp_path: Path, environment: dict[str, str],
                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, 'POLITE_S', 0.5)
    with Children() as all_:
        child = all_.start('mule', 'stubborn_child', [], environment, tmp_path / 'log')
        with pytest.raises(ChildError, match="has not said 'never' within 0 s"):
            all_.await_event(child, 'never', 0)


@pytest.mark.parametrize('line', ['', 'text', '{', '[1]', '{"no": "event"}', '{"event"'])
def test_what_is_no_event_is_told_apart(line: str) -> None:
    assert parse(line) is None


def test_event_is_parsed() -> None:
    assert parse('{"event": "done", "sent": 3}\n') == {'event': 'done', 'sent': 3}
