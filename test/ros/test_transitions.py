"""Every transition completes or is undone as a whole, and no callback ends the process."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros import camera as camera_module
from rgb2swir_ros.ros import main, qos
from rgb2swir_ros.ros import node as node_module
from rgb2swir_ros.ros.worker import Worker

pytestmark = pytest.mark.ros
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
CAMERAS = ['front', 'rear']


def state(node) -> str:
    return node._state_machine.current_state[1]


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == 'translate']


def topics(node) -> set[str]:
    """Return the camera topics that the node has in the graph."""
    ends = (*node.publishers, *node.subscriptions)
    return {end.topic_name for end in ends if end.topic_name.startswith(('/front', '/rear'))}


def failing(at: int = 1, error: Exception | None = None):
    """Return a function that raises when it is called for the at-th time, and a switch."""
    calls: list[int] = []

    def wrap(original):
        def call(*values, **more):
            calls.append(1)
            if len(calls) == at:
                raise error or ZeroDivisionError('out of the blue')
            return original(*values, **more)
        return call
    return wrap


def break_once(monkeypatch, owner, name, at=1, error=None) -> None:
    monkeypatch.setattr(owner, name, failing(at, error)(getattr(owner, name)))


@pytest.mark.parametrize(('where', 'name', 'at'), [
    ('client', '__init__', 1), ('client', 'start', 1), ('client', 'prepare', 2),
    ('worker', '__init__', 1), ('worker', 'start', 1),
    ('camera', 'update', 1), ('camera', 'update', 2),
    ('qos', 'subscribe', 1), ('qos', 'subscribe', 4),
])
def test_a_failed_activation_leaves_nothing_behind_and_the_next_one_works(
        make_node, monkeypatch, where, name, at):
    # without a source_size the cameras are subscribed to until their size is known
    node = make_node(cameras=CAMERAS, source_size='64x48' if where == 'client' else '')
    engines = node_module.EngineClient
    assert node.trigger_configure() == SUCCESS
    inactive = topics(node)
    owner = {'client': engines, 'worker': Worker, 'camera': camera_module.Camera,
             'qos': qos}[where]
    break_once(monkeypatch, owner, name, at)
    assert node.trigger_activate() == FAILURE
    assert 'cannot activate: ZeroDivisionError: out of the blue' in node.failure
    assert state(node) == 'inactive'
    assert not node.active
    assert node._client is None
    assert node._worker is None
    assert workers() == []
    assert engines.living == []
    assert topics(node) == inactive
    node._tick()  # what the timer does while the node is inactive
    assert topics(node) == inactive
    assert node.trigger_activate() == SUCCESS, node.failure
    assert state(node) == 'active'
    assert len(workers()) == len(engines.living) == 1
    assert node.trigger_deactivate() == SUCCESS
    assert workers() == engines.living == []


@pytest.mark.parametrize(('name', 'at'), [
    ('advertise', 1), ('advertise', 2), ('advertise', 6), ('subscribe', 1), ('subscribe', 3),
    ('subscribe', 6)])
def test_a_failed_configuration_leaves_nothing_behind_and_the_next_one_works(
        make_node, monkeypatch, name, at):
    node = make_node(cameras=CAMERAS)
    break_once(monkeypatch, qos, name, at)
    assert node.trigger_configure() == FAILURE
    assert 'cannot configure: ZeroDivisionError' in node.failure
    assert state(node) == 'unconfigured'
    assert topics(node) == set()
    assert node._cameras == node._reports == []
    assert node.trigger_configure() == SUCCESS, node.failure
    assert len(topics(node)) == 6
    assert node.trigger_cleanup() == SUCCESS
    assert topics(node) == set()


@pytest.mark.parametrize('step', ['update', 'stop', 'close', 'destroy'])
def test_the_way_down_is_gone_to_its_end_whatever_fails(make_node, monkeypatch, step):
    node = make_node(cameras=CAMERAS)
    engines = node_module.EngineClient
    assert node.trigger_configure() == node.trigger_activate() == SUCCESS
    owner = {'update': camera_module.Camera, 'stop': Worker, 'close': engines,
             'destroy': camera_module.Camera}[step]
    break_once(monkeypatch, owner, step)
    assert node.trigger_deactivate() == SUCCESS
    assert node.trigger_cleanup() == SUCCESS
    assert state(node) == 'unconfigured'
    assert workers() == []
    assert node._errors == 1
    assert 'out of the blue' in node._last_error
    if step in {'update', 'stop'}:  # the steps after the one that failed
        assert engines.living == []
    engines.living.clear()
    if step != 'destroy':
        assert topics(node) == set()
    else:
        assert {name.split('/')[1] for name in topics(node)} == {'front'}


def test_a_user_error_of_activation_is_said_as_it_is(make_node, monkeypatch):
    node = make_node()
    break_once(monkeypatch, node_module.EngineClient, 'start', error=UserError('no such model'))
    with pytest.raises(UserError, match=r'^no such model$'):
        node.autostart()
    assert state(node) == 'inactive'


def status(node) -> DiagnosticStatus:
    """Return the engine's status, as it was published last."""
    published = []
    node._diagnostics = type('Publisher', (), {'publish': lambda _, one: published.append(one)})()
    node._tick()
    return published[-1].status


def test_a_camera_that_fails_stops_neither_the_timer_nor_the_others(make_node, monkeypatch):
    node = make_node(cameras=CAMERAS)
    node.autostart()
    front, rear = node._cameras
    monkeypatch.setattr(front, 'update', lambda **_: 1 / 0)
    updated = []
    monkeypatch.setattr(rear, 'update', lambda **_: updated.append(1))
    monkeypatch.setattr(node._reports[0], 'status', lambda *_, **__: 1 / 0)
    found = status(node)
    assert updated
    assert [one.name for one in found] == ['/translator: camera rear', '/translator: engine']
    values = {pair.key: pair.value for pair in found[-1].values}
    assert values['node_errors'] == '2'
    assert 'cannot report on front: ZeroDivisionError' in values['last_node_error']
    assert found[-1].level == DiagnosticStatus.WARN


def test_warnings_and_errors_go_the_same_way_to_the_console(make_node):
    node = make_node()
    for _ in range(2):
        node._throttled.warn('one', 'a warning')
        node.note_error(ValueError('wrong'), 'an error')  # rclpy tells severities by the line
        node._throttled.warn('two', 'another warning')
    assert node._errors == 2


def test_a_size_that_no_engine_takes_ends_nothing(make_node, monkeypatch):
    node = make_node()
    node.autostart()
    monkeypatch.setattr(node._client, 'prepare',
                        lambda size: (_ for _ in ()).throw(UserError(f'{size} is too small')))
    node._cameras[0].learn_size((16, 5000))
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    for _ in range(5):  # the guard condition, at least
        executor.spin_once(timeout_sec=0.1)
    assert 'is too small' in node._last_error
    executor.remove_node(node)


def test_no_callback_ends_the_process(make_node, monkeypatch):
    node = make_node()
    monkeypatch.setattr(main.rclpy, 'ok', node.context.ok)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    done = []
    node.create_timer(0.001, lambda: done.append(1) or 1 / 0)
    while len(done) < 3:
        main.spin_once(executor, node, timeout_s=1.0)
    assert node._errors >= 2
    assert node._last_error == 'a callback failed: ZeroDivisionError: division by zero'
    executor.remove_node(node)
    node.context.try_shutdown()
    with pytest.raises(main.ExternalShutdownException):
        main.spin_once(executor, node, timeout_s=0.1)


def test_a_parameter_that_cannot_be_applied_ends_nothing(make_node, monkeypatch):
    node = make_node()
    node.autostart()
    monkeypatch.setattr(node._worker, 'configure', lambda _: 1 / 0)
    result, = node.set_parameters([Parameter('gamma', value=2.5)])
    assert result.successful
    assert 'cannot apply a parameter: ZeroDivisionError' in node._last_error
    monkeypatch.setattr('rgb2swir_ros.ros.declaration.read', lambda *_: 1 / 0)
    result, = node.set_parameters([Parameter('gamma', value=2.6)])
    assert not result.successful
    assert result.reason == 'ZeroDivisionError: division by zero'
