"""The engine process and its client, with real processes that are killed and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from rgb2swir_ros.engines import child as child_module
from rgb2swir_ros.engines.build import open_engine
from rgb2swir_ros.engines.client import (
    EngineCrashed,
    EngineHung,
    EngineNotReady,
)
from rgb2swir_ros.errors import UserError

from .processes import PATIENCE_S, SIZE, Rig, group_members, wait_until


class Raised(threading.Thread):
    """Calls in a separate thread and keeps the exception."""

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


@pytest.fixture(scope='module')
def here(model, cache):
    """The engine that the client's process has, in this one."""
    return open_engine(model, SIZE, backend='eager', threads=1, cache=cache)


@pytest.fixture(scope='module')
def rig(here, model, cache):
    """One client for all tests that leave it in working order.

    Its engine is the soonest loaded: the process is what they kill.
    """
    made = Rig(model, cache, backend='eager', heartbeat_timeout_s=4, infer_timeout_s=30)
    with made.client:
        made.client.prepare(SIZE)
        yield made


@pytest.fixture
def ready(rig):
    rig.until_ready()
    return rig.client


def test_same_bits_as_in_this_process(ready, here, frame):
    for picture in (frame, 255 - frame, frame):
        result = ready.infer(picture)
        assert (result.radiance == here(picture[None])[0]).all()
        assert result.radiance.dtype == np.float32
        assert result.inference_ms > 0
        assert result.transfer_ms > 0


def test_result_is_the_callers_own(ready, frame):
    first = ready.infer(frame).radiance
    kept = first.copy()
    ready.infer(255 - frame)
    assert (first == kept).all()


def test_status_of_a_working_engine(ready, here):
    ready.infer(np.zeros((*SIZE, 3), np.uint8))
    status = ready.status()
    assert status.state == 'ready'
    assert 0 <= status.heartbeat_age_s < 4
    assert status.engines[SIZE]['model_hash'] == here.describe()['model_hash']


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
    rig = Rig(model, cache, backend='inductor', infer_timeout_s=1.5)
    with rig.client as client:
        client.prepare(SIZE)
        rig.until_ready()
        assert client.status().engines[SIZE]['from_cache']
        before, pid = client.infer(frame).radiance, client.pid
        assert (before == compiled(frame[None])[0]).all()
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
    # and no OpenVINO: what this file says holds for the processes that this one starts
    (tmp_path / 'sitecustomize.py').write_text('import sys; sys.modules["openvino"] = None')
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    rig = Rig(model, tmp_path / 'engines')
    with rig.client as client:
        client.prepare(SIZE)
        rig.until_ready()
        assert client.status().engines[SIZE]['backend'] == 'eager'
    assert len([line for line in rig.lines if 'install g++' in line]) == 1
    assert len(rig.lines) == 1


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
