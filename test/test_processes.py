"""Processes of the package start in any folder, whatever lies there, and end with their parent."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rgb2swir_ros import processes
from rgb2swir_ros.bench.peers import Peer
from rgb2swir_ros.demo.children import Children
from rgb2swir_ros.engines.child import EngineHandle
from rgb2swir_ros.pool import map_unordered
from rgb2swir_ros.processes import python_command, safe_path

# what one user had, and others that are imported early
SHADOWS = ('queue', 'socket', 'logging', 'types', 'random', 'runpy', 'ctypes', 'numpy', 'yaml')
MODULE = 'rgb2swir_ros.engines.process'  # says what it is where no client starts it
SAYS = 'this is the engine process'


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, full of files named like modules."""
    folder = tmp_path / 'crowded'
    folder.mkdir()
    for name in SHADOWS:
        (folder / f'{name}.py').write_text(f'raise SystemExit("{name} of the current folder")\n')
    monkeypatch.chdir(folder)
    return folder


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                          text=True, timeout=60)


def test_python_m_is_led_astray(crowded: Path) -> None:
    """What the module is there for: without it, this is what happens."""
    done = run([sys.executable, '-m', MODULE])
    assert SAYS not in done.stderr
    assert 'of the current folder' in done.stderr


@pytest.mark.parametrize('signalled', [False, True])
def test_files_of_the_current_folder_are_not_taken_for_modules(crowded: Path,
                                                               signalled: bool) -> None:
    done = run(python_command(MODULE, parent_death_signal=signalled))
    assert SAYS in done.stderr, done


@pytest.mark.parametrize('value', ['', ':', '.', '{folder}', '{folder}:/nowhere', '/nowhere:'])
def test_nor_where_pythonpath_names_it(crowded: Path, value: str) -> None:
    """An empty part of PYTHONPATH, as in ``PYTHONPATH=$PYTHONPATH:/more``, is that folder."""
    (crowded / 'types.py').unlink()  # loaded by site in an editable installation: none can help
    done = run(python_command(MODULE), PYTHONPATH=value.format(folder=crowded))
    assert SAYS in done.stderr, done


def test_a_checkout_that_is_not_installed_runs_itself(tmp_path: Path) -> None:
    """The process is of the checkout that its parent is of, whatever else is installed."""
    package = Path(processes.__file__).parent
    (tmp_path / 'rgb2swir_ros').mkdir()
    for name in ('__init__.py', 'processes.py'):
        shutil.copy(package / name, tmp_path / 'rgb2swir_ros')
    (tmp_path / 'rgb2swir_ros' / 'mine.py').write_text('import sys; print(__file__, sys.argv[1:])')
    (tmp_path / 'rgb2swir_ros' / 'start.py').write_text(
        'import subprocess\nfrom rgb2swir_ros.processes import python_command\n'
        'subprocess.run(python_command("rgb2swir_ros.mine", "word"), cwd="/")\n')
    done = subprocess.run([sys.executable, '-m', 'rgb2swir_ros.start'], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == f"{tmp_path / 'rgb2swir_ros' / 'mine.py'} ['word']", done


def test_order_of_the_path() -> None:
    library = os.path.dirname(os.path.realpath(os.__file__))
    given = ['/script', '/here', '/opt/ros', '/nowhere.zip', library, f'{library}/site-packages']
    assert safe_path(given, '/script', '/here') == [
        '/nowhere.zip', library, '/opt/ros', f'{library}/site-packages', '/here']
    assert safe_path(given[1:], '/script', '/here')[-1] == '/here'  # PYTHONSAFEPATH is set


def test_started_by_hand_it_says_what_it_is() -> None:
    done = run([sys.executable, processes.__file__])
    assert done.returncode == 1
    assert 'it is no command' in done.stderr


def test_the_engine_process_starts(crowded: Path) -> None:
    child = EngineHandle({'model': 'none', 'backend': 'eager', 'precision': 'int4', 'threads': 1,
                   'device': 'cpu', 'optimization_level': 3, 'cache': None}, lambda _: None)
    try:
        operations = []
        while 'failed' not in operations:
            heard, message = child.receive(60)
            assert heard
            assert message, f'the process died: {child.end()}'
            operations.append(message['op'])
    finally:
        child.end()


def test_the_processes_of_the_demo_start(crowded: Path, tmp_path: Path) -> None:
    with Children() as children:
        child = children.start('leader', MODULE, [], dict(os.environ), tmp_path / 'log')
        assert child.wait(60) == 1
        assert SAYS in (tmp_path / 'log').read_text()


def test_the_processes_of_the_benches_start(crowded: Path) -> None:
    for name in ('numpy', 'yaml'):  # shadowed for this test's own imports as well
        (crowded / f'{name}.py').unlink()
    peer = Peer(['--help'], os.environ)
    assert peer.wait(60) == 0
    assert peer.end() == 0
    assert 'usage' in peer.lines[0]


def test_the_workers_of_the_scenes_start(crowded: Path) -> None:
    assert [result.value for result in map_unordered(abs, [-1], 1)] == [1]


def test_a_process_with_the_parent_death_signal_ends_with_its_parent() -> None:
    """Killed, so that the parent can do nothing about it."""
    script = ('import subprocess, sys; from rgb2swir_ros.processes import python_command\n'
              'child = subprocess.Popen(python_command("rgb2swir_ros.bench.peers", "listener", '
              '"--topic", "x", parent_death_signal=True), stdin=subprocess.PIPE, '
              'start_new_session=True)\n'
              'print(child.pid, flush=True); child.wait()')
    parent = subprocess.Popen([sys.executable, '-c', script], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    try:
        deadline = time.monotonic() + 30
        # the signal is set once the file has become the module
        while not _loaded(pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        parent.kill()
        parent.communicate()
        while _alive(pid):
            assert time.monotonic() < deadline, 'the child outlives its parent'
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    command = python_command(MODULE, parent_death_signal=True)
    [option] = [word for word in command if word.startswith(processes.PARENT_OPTION)]
    done = run([f'{processes.PARENT_OPTION}1' if word == option else word for word in command])
    assert 'is gone' in done.stderr


def _alive(pid: int) -> bool:
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


def _loaded(pid: int) -> bool:
    """Say whether ctypes, which the signal needs, and then the module's numpy are there."""
    return 'numpy' in Path(f'/proc/{pid}/maps').read_text()
