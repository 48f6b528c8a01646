"""The node's life: start, wrong parameters, lifecycle, a dying engine, the end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch

from .conftest import tiny_model

pytestmark = pytest.mark.ros


def engine(watcher) -> dict:
    heard = watcher.of('/diagnostics')
    return heard[-1]['status'].get('/translator: engine', {}) if heard else {}


def camera(watcher, name: str = 'camera') -> dict:
    heard = watcher.of('/diagnostics')
    return heard[-1]['status'].get(f'/translator: camera {name}', {}) if heard else {}


def count(watcher, key: str) -> int:
    return int(camera(watcher).get('values', {}).get(key, 0))


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, by any of its threads."""
    return [int(child) for task in Path(f'/proc/{pid}/task').iterdir()
            for child in (task / 'children').read_text().split()]


def running(pid: int) -> bool:
    """Return whether a process runs: a zombie does not."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'
    except OSError:
        return False


def test_engine_killed_while_translating_then_ctrl_c(rig):
    node = rig.node()  # no source_size: it is learned from the camera before anyone listens
    watcher = rig.listen('/diagnostics:diagnostics')
    watcher.wait(lambda: camera(watcher), 'diagnostics before the engine is there')
    assert 'waiting for the first image' in camera(watcher)['message']
    rig.camera('camera', '--count', 100000, '--info')
    watcher.wait(lambda: camera(watcher)['values']['source_size'] == '160x128',
                 'the size that the camera has', 60)
    watcher.wait(lambda: engine(watcher).get('message', '').startswith('ready'),
                 'an engine of that size', 90)
    assert camera(watcher)['message'] == 'idle: no subscribers'

    ears = rig.listen('/camera/swir/image_raw:image')
    ears.wait(lambda: ears.of('/camera/swir/image_raw'), 'an image')
    child, = children(node.child.pid)
    os.kill(child, signal.SIGKILL)
    watcher.wait(lambda: int(engine(watcher)['values']['restarts']) >= 1, 'a restart', 60)
    watcher.wait(lambda: engine(watcher)['message'].startswith('ready'), 'the new engine', 90)
    translated = count(watcher, 'translated')
    watcher.wait(lambda: count(watcher, 'translated') > translated + 5, 'images again')
    values = {key: int(value) for key, value in camera(watcher)['values'].items()
              if key in {'received', 'translated', 'in_hand'}
              or key.startswith(('dropped_', 'refused_'))}
    assert values['dropped_engine_not_ready'] + values['dropped_engine_failed'] > 0
    assert values['received'] == sum(values.values()) - values['received']

    child, = children(node.child.pid)
    for _ in range(2):  # a terminal and `ros2 launch` both send it
        node.child.send_signal(signal.SIGINT)
    assert node.ended() == 0
    assert 'Traceback' not in node.output()
    watcher.wait(lambda: not running(child), 'the engine process to end')


HANGING = """
import ctypes, sys
from rgb2swir_ros.ros import main
from rgb2swir_ros.ros.node import TranslatorNode
def tick(node):
    if node.engine().state == 'ready':
        ctypes.PyDLL(None).sleep(300)  # keeps Python's lock, as a hanging middleware does
TranslatorNode._tick = tick
sys.exit(main.main())
"""


def test_a_node_that_hangs_says_where_and_ends_with_its_engine(rig):
    parameters = ('hang_timeout_s:=10.0', 'size:=160x128', 'source_size:=160x128',
                  'backend:=eager', f'model:={tiny_model()}')
    node = rig.start('-c', HANGING, '--ros-args',
                     *(word for text in parameters for word in ('-p', text)))
    child, = node.wait(lambda: children(node.child.pid), 'the engine process', 60)
    assert node.ended(90) == 1
    assert 'Timeout (0:00:10)!' in node.lines
    assert any(' in tick' in line for line in node.lines)
    node.wait(lambda: not running(child), 'the engine process to end')


@pytest.mark.parametrize(('parameters', 'text'), [
    ({'gamma': 99.0}, "parameter 'gamma' must be 0.1 to 10.0, not 99.0"),
    ({'gamma': 2}, "parameter 'gamma' must be a decimal number, not 2 (write 2.0, not 2)"),
    ({'cameras': ['a', 'a']}, "parameter 'cameras' names a camera twice: a, a"),
    ({'qos_overrides./camera/image_raw.subscription.reliability': 'perhaps'}, 'qos_overrides'),
    ({'cameras': []}, "parameter 'cameras' must be a list of names, not []"),
])
def test_wrong_parameters_end_the_start_with_one_line(rig, parameters, text):
    node = rig.node(**parameters)
    assert node.ended() == 2
    said = [line for line in node.lines if line.startswith('translator_node: ')]
    assert len(said) == 1
    assert text in said[0]
    assert 'Traceback' not in node.output()


def test_wrong_parameter_file_ends_the_start_and_a_typing_slip_is_named(rig, tmp_path):
    bad = tmp_path / 'bad.yaml'
    bad.write_text('/**:\n  ros__parameters:\n    size: [1, 2\n')
    node = rig.node('--params-file', str(bad))
    assert node.ended() == 2
    assert 'Traceback' not in node.output()
    slip = tmp_path / 'slip.yaml'
    slip.write_text('/**:\n  ros__parameters:\n    gama: 2.0\n    seed: -3\n')
    node = rig.node('--params-file', str(slip))
    assert node.ended() == 2
    assert "parameter 'seed' must be 0 to 2147483647, not -3" in node.output()


def test_lifecycle_by_hand_and_what_may_change_when(rig):
    node = rig.node(autostart=False, gama=1.0, use_sim_time=True)  # and no /clock
    watcher = rig.listen('/diagnostics:diagnostics')
    watcher.wait(lambda: engine(watcher), 'diagnostics of a node that is not configured')
    assert engine(watcher)['values']['state'] == 'stopped'
    assert any("'gama' is unknown and ignored; did you mean 'gamma'?" in line
               for line in node.lines)
    assert rig.set(size='96x64') == [[True, '']]
    assert rig.transition('configure')
    status = watcher.wait(lambda: camera(watcher), 'the camera')
    assert status['message'] == 'the node is not active'
    assert rig.transition('activate')
    watcher.wait(lambda: engine(watcher)['values']['state'] != 'stopped', 'the engine to start')
    child = watcher.wait(lambda: children(node.child.pid), 'the engine process')[0]
    assert rig.transition('deactivate')
    watcher.wait(lambda: not running(child), 'the engine process to end')
    node.child.terminate()
    assert node.ended() == 0
    assert 'Traceback' not in node.output()


def test_build_only_builds_and_ends(rig):
    node = rig.node(build_only=True, source_size='320x180')
    assert node.ended(90) == 0
    assert 'engine 160x90 is built' in node.output()


def test_build_only_with_a_wrong_model_fails(rig):
    node = rig.node(build_only=True, source_size='320x180', model='absent')
    assert node.ended(90) == 1
    assert "no model 'absent'" in node.output()


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
@pytest.mark.parametrize(('asked', 'says'), [
    ({'backend': 'tensorrt'}, 'TensorRT needs a GPU'),
    ({'device': 'cuda'}, "device 'cuda'")])
def test_build_only_without_the_gpu_that_was_asked_for_fails(rig, asked, says):
    """The request reaches the engine process, and its reply comes back."""
    node = rig.node(build_only=True, source_size='320x180', **asked)
    assert node.ended(90) == 1
    assert says in node.output()
