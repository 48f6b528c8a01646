"""The engine process under its client: real processes, really killed and stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.engines import child as child_module
from rgb2swir_ros.engines import client as client_module
from rgb2swir_ros.engines.client import (
    EngineClient,
    EngineCrashed,
    EngineHung,
    EngineNotReady,
)
from rgb2swir_ros.errors import UserError

SIZE = (32, 48)
PATIENCE_S = 60.0


def wait_until(condition, what: str) -> None:
    """Wait for something that happens soon on an idle machine."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f'{what} did not happen in {PATIENCE_S} s'
        time.sleep(0.02)


def group_members(group: int) -> list[int]:
    """Return the living processes of a process group."""
    members = []
    for stat in Path('/proc').glob('[0-9]*/stat'):
        try:
            state, _, pgrp = stat.read_text().rsplit(')', 1)[1].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state not in 'ZX':
            members.append(int(stat.parent.name))
    return members


class Raised(threading.Thread):
    """Calls in a thread of its own and keeps what was raised."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.error = call, None
        self.start()

    def run(self):
        try:
            self.call()
        except Exception as error:
            self.error = error

    def result(self):
        self.join(PATIENCE_S)
        return self.error


class Rig:
    """A client with what it logged."""

    def __init__(self, model, cache, **arguments):
        self.lines: list[str] = []
        self.client = EngineClient(str(model), cache=cache, threads=1, log=self.lines.append,
                                   **arguments)

    def until_ready(self, size=SIZE):
        def settled():
            assert self.client.status().state != 'failed', (self.client.status(), self.lines)
            return self.client.ready(size)
        wait_until(settled, f'engine {size}')


@pytest.fixture(scope='module')
def rig(compiled, model, cache):
    """One client for all tests that leave it working; faults must not keep it from that."""
    made = Rig(model, cache, heartbeat_timeout_s=4, infer_timeout_s=30)
    with made.client:
        made.client.prepare(SIZE)
        yield made


@pytest.fixture
def ready(rig):
    rig.until_ready()
    return rig.client


def test_same_bits_as_in_this_process(ready, compiled, frame):
    for picture in (frame, 255 - frame, frame):
        result = ready.infer(picture)
        assert (result.radiance == compiled(picture[None])[0]).all()
        assert result.radiance.dtype == np.float32
        assert result.inference_ms > 0
        assert result.transfer_ms > 0


def test_result_is_the_callers_own(ready, frame):
    first = ready.infer(frame).radiance
    kept = first.copy()
    ready.infer(255 - frame)
    assert (first == kept).all()


def test_status_of_a_working_engine(ready, compiled):
    ready.infer(np.zeros((*SIZE, 3), np.uint8))
    status = ready.status()
    assert status.state == 'ready'
    assert 0 <= status.heartbeat_age_s < 4
    assert status.engines[SIZE]['model_hash'] == compiled.describe()['model_hash']
    assert status.engines[SIZE]['from_cache']


def test_prepare_again_changes_nothing(ready):
    pid = ready.pid
    ready.prepare(SIZE)
    ready.start()
    assert ready.ready(SIZE)
    assert ready.pid == pid


def test_wrong_frames_and_sizes(ready, frame):
    with pytest.raises(EngineNotReady, match='no engine for 32x48 yet'):
        ready.infer(np.zeros((48, 32, 3), np.uint8))
    with pytest.raises(UserError, match='float32'):
        ready.infer(np.zeros((*SIZE, 3), np.float32))
    with pytest.raises(UserError, match='4x4 is too small'):
        ready.prepare((4, 4))
    assert ready.infer(frame).radiance.shape == SIZE


def test_interrupt_does_not_reach_the_engine(ready, frame):
    pid = ready.pid
    os.kill(pid, signal.SIGINT)
    ready.infer(frame)
    time.sleep(0.2)
    ready.infer(frame)
    assert ready.pid == pid


def test_killed_while_idle(rig, ready, frame):
    before, restarts = ready.infer(frame).radiance, ready.status().restarts
    os.kill(ready.pid, signal.SIGKILL)
    wait_until(lambda: ready.status().restarts == restarts + 1, 'restart')
    assert 'SIGKILL' in rig.lines[-1]
    rig.until_ready()
    assert (ready.infer(frame).radiance == before).all()


def test_killed_during_inference(rig, ready, frame):
    before, pid = ready.infer(frame).radiance, ready.pid
    os.kill(pid, signal.SIGSTOP)  # so that the inference cannot end before the kill
    waiting = Raised(lambda: ready.infer(frame))
    time.sleep(0.3)
    os.kill(pid, signal.SIGKILL)
    error = waiting.result()
    assert isinstance(error, EngineCrashed), error
    assert f'{pid} was killed (SIGKILL)' in str(error)
    rig.until_ready()
    assert (ready.infer(frame).radiance == before).all()


def test_stopped_while_idle(rig, ready, frame):
    before, pid = ready.infer(frame).radiance, ready.pid
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: ready.pid != pid, 'kill of a silent engine')
    assert not group_members(pid)
    assert any('no sign of life' in line for line in rig.lines)
    rig.until_ready()
    assert (ready.infer(frame).radiance == before).all()


def test_stopped_during_inference(compiled, model, cache, frame):
    rig = Rig(model, cache, infer_timeout_s=1.5)
    with rig.client as client:
        client.prepare(SIZE)
        rig.until_ready()
        before, pid = client.infer(frame).radiance, client.pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(EngineHung, match=r'longer than 1\.5 s'):
            client.infer(frame)
        rig.until_ready()
        assert client.status().restarts == 1
        assert not group_members(pid)
        assert (client.infer(frame).radiance == before).all()
    assert client.status().state == 'stopped'
    assert client.pid is None
    with pytest.raises(EngineNotReady):
        client.infer(frame)


def test_builds_one_size_while_serving_another(frame, model, tmp_path):
    busy = Rig(model, tmp_path / 'engines', infer_timeout_s=30, backend='eager')
    with busy.client as client:
        client.prepare(SIZE)
        busy.until_ready()
        before = client.infer(frame).radiance
        client.prepare((64, 64))
        states = set()
        while not client.ready((64, 64)):
            states.add(client.status().state)
            assert (client.infer(frame).radiance == before).all()
        assert 'building' in states
        assert client.infer(np.zeros((64, 64, 3), np.uint8)).radiance.shape == (64, 64)


def test_closed_while_compiling(model, tmp_path):
    rig = Rig(model, tmp_path / 'engines', backend='inductor')
    rig.client.start()
    rig.client.prepare(SIZE)
    pid = compiling_group(lambda: rig.client.pid)
    assert rig.client.status().state == 'building'
    assert 'compiling (' in rig.client.status().detail
    rig.client.close()
    assert_group_ends(pid)
    assert not list((tmp_path / 'engines').glob('tiny-*'))


def compiling_group(pid_of) -> int:
    """Wait until a process's group has a compiler in it, and freeze that; return its number.

    Frozen, because a compiler that is left behind would soon end by itself and look tidied up.
    """
    wait_until(lambda: pid_of() is not None and len(group_members(pid_of())) > 1, 'a compiler')
    pid = pid_of()
    for compiler in group_members(pid):
        if compiler != pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(compiler, signal.SIGSTOP)
    return pid


def assert_group_ends(group: int) -> None:
    """Wait for a process group's end, and leave none of it behind, whatever comes out."""
    try:
        wait_until(lambda: not group_members(group), f'end of process group {group}')
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


PARENT = textwrap.dedent('''
    import sys, time
    from rgb2swir_ros.engines.client import EngineClient
    client = EngineClient(sys.argv[1], cache=sys.argv[2], backend=sys.argv[3], threads=1)
    client.start()
    client.prepare((32, 48))
    while client.pid is None or sys.argv[4] == 'ready' and not client.ready((32, 48)):
        time.sleep(0.02)
    print(client.pid, flush=True)
    time.sleep(600)
''')


@pytest.mark.parametrize('moment', ['ready', 'stopped', 'compiling'])
def test_nothing_outlives_the_parent(compiled, model, cache, tmp_path, moment):
    folder = tmp_path / 'engines' if moment == 'compiling' else cache
    until = 'started' if moment == 'compiling' else 'ready'
    parent = subprocess.Popen([sys.executable, '-c', PARENT, str(model), str(folder), 'inductor',
                               until], stdout=subprocess.PIPE, text=True)
    try:
        pid = int(parent.stdout.readline())
        if moment == 'compiling':
            compiling_group(lambda: pid)
        if moment == 'stopped':
            time.sleep(0.7)  # a heartbeat later the kernel knows what to do
            os.kill(pid, signal.SIGSTOP)
        assert group_members(pid)
    finally:
        parent.kill()
        parent.communicate()
    assert_group_ends(pid)


def test_damaged_weights_fail_with_a_text_and_can_be_mended(model, tmp_path, frame):
    damaged = shutil.copytree(model, tmp_path / 'tiny')
    weights = (damaged / 'weights.safetensors').read_bytes()
    (damaged / 'weights.safetensors').write_bytes(weights[:-100])
    rig = Rig(damaged, tmp_path / 'engines', backend='eager')
    with rig.client as client:
        client.prepare(SIZE)
        wait_until(lambda: client.status().state == 'failed', 'failure')
        assert 'weights.safetensors is damaged' in client.status().detail
        assert client.status().restarts == 0
        assert client.pid is None
        assert len(rig.lines) == 1
        with pytest.raises(EngineNotReady, match='damaged'):
            client.infer(frame)
        (damaged / 'weights.safetensors').write_bytes(weights)
        client.start()
        wait_until(lambda: client.ready(SIZE), 'recovery')
        assert client.infer(frame).radiance.shape == SIZE


def test_warning_of_the_engine_process_is_logged_once(model, tmp_path, monkeypatch):
    monkeypatch.setenv('CXX', '/nowhere/g++')
    rig = Rig(model, tmp_path / 'engines')
    with rig.client as client:
        client.prepare(SIZE)
        rig.until_ready()
        assert client.status().engines[SIZE]['backend'] == 'eager'
    assert len([line for line in rig.lines if 'install g++' in line]) == 1
    assert len(rig.lines) == 1


def test_gives_up_after_crashes_in_a_row(monkeypatch):
    monkeypatch.setattr(child_module, 'MODULE', 'rgb2swir_ros.nonesuch')
    monkeypatch.setattr(client_module, 'FIRST_BACKOFF_S', 0.01)
    rig = Rig('nano', None)
    with rig.client as client:
        client.prepare(SIZE)
        wait_until(lambda: client.status().state == 'failed', 'failure')
        status = client.status()
        assert status.restarts == 4
        assert '5 failures in a row' in status.detail
        assert 'No module named rgb2swir_ros.nonesuch' in status.detail
        time.sleep(0.2)
        assert client.pid is None  # no loop
        client.start()
        wait_until(lambda: client.status().restarts == 8, 'more attempts after start()')


def test_building_for_too_long(model, tmp_path):
    rig = Rig(model, tmp_path / 'engines', backend='inductor', build_timeout_s=0.01)
    with rig.client as client:
        client.prepare(SIZE)
        wait_until(lambda: client.status().restarts >= 1, 'kill of a slow build')
    assert any('building took longer than 0.01 s' in line for line in rig.lines)


def test_client_loads_no_torch():
    script = textwrap.dedent('''
        import sys
        from rgb2swir_ros.engines.client import EngineClient
        EngineClient('nano').status()
        print([name for name in ('torch', 'safetensors', 'cv2') if name in sys.modules])
    ''')
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True,
                          check=True)
    assert done.stdout.strip() == '[]'


def test_started_by_hand_it_says_what_it_is():
    done = subprocess.run([sys.executable, '-m', child_module.MODULE], capture_output=True,
                          text=True)
    assert done.returncode == 1
    assert 'translator_node starts it' in done.stderr
