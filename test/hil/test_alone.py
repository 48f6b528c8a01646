"""Two benches in one ROS domain: the second one is refused."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil import alone
from rgb2swir_ros.ros.domain import claim_domain, release_domain
from rgb2swir_ros.ros.transport import local_environment

pytestmark = pytest.mark.ros
TOPIC = '/front/swir/image_raw'


@pytest.fixture
def create(monkeypatch):
    """Yield a function that makes a node in a domain of the test's own."""
    rclpy = pytest.importorskip('rclpy', reason='rclpy is not installed')
    domain = claim_domain()
    for name, value in local_environment(domain_id=domain).items():
        monkeypatch.setenv(name, value)
    context = rclpy.context.Context()
    context.init(args=[], domain_id=domain)
    nodes = []

    def make(name):
        nodes.append(rclpy.create_node(name, context=context))
        return nodes[-1]
    yield make
    while nodes:  # else their participant stays in the graph until somebody collects garbage
        nodes.pop().destroy_node()
    context.try_shutdown()
    release_domain(domain)


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_publisher_is_refused_by_name_unless_it_leaves(create):
    from sensor_msgs.msg import Image

    ours, other = create('hil'), create('other_bench')
    publisher = ours.create_publisher(Image, TOPIC, 1)
    alone.require_alone(ours, ['/nobody', TOPIC], wait_s=0)

    foreign = other.create_publisher(Image, TOPIC, 1)
    said = []
    until(lambda: ours.count_publishers(TOPIC) == 2)
    with pytest.raises(UserError, match=f'somebody else publishes {TOPIC}: /other_bench.*'
                                        'ROS_DOMAIN_ID'):
        alone.require_alone(ours, [TOPIC], wait_s=0.2, say=said.append)
    assert said == [f'/other_bench publishes {TOPIC}, too: waiting until it has left']

    twin = create('hil')  # another bench has the same name
    second = twin.create_publisher(Image, TOPIC, 1)
    other.destroy_publisher(foreign)
    until(lambda: [one.node_name for one in ours.get_publishers_info_by_topic(TOPIC)] == [
        'hil', 'hil'])
    with pytest.raises(UserError, match=f'publishes {TOPIC}: /hil'):
        alone.require_alone(ours, [TOPIC], wait_s=0)
    threading.Timer(0.3, lambda: twin.destroy_publisher(second)).start()
    alone.require_alone(ours, [TOPIC], wait_s=10)
    assert publisher.topic_name == TOPIC


class Graph:
    """A node in whose graph another publisher is known a while before its name."""

    def __init__(self, *seen):
        self._seen = iter(seen)

    def get_fully_qualified_name(self):
        return '/hil'

    def get_publishers_info_by_topic(self, topic):
        named = {'': ('_NODE_NAMESPACE_UNKNOWN_', '_NODE_NAME_UNKNOWN_')}
        return [SimpleNamespace(node_namespace=namespace, node_name=name)
                for namespace, name in (named.get(one, ('/', one)) for one in next(self._seen))]


def test_who_is_waited_for_is_named_once_the_name_is_known(monkeypatch):
    monkeypatch.setattr(alone, 'POLL_S', 0)
    said = []
    alone.require_alone(Graph(['hil', ''], ['hil', ''], ['hil', 'bench'], ['hil']), [TOPIC],
                        say=said.append)
    assert said == [f'/bench publishes {TOPIC}, too: waiting until it has left']
    alone.require_alone(Graph(['hil', ''], ['hil']), [TOPIC], say=said.append)
    assert len(said) == 1
    assert f'published {TOPIC} during the run: /bench.' in alone.joined(
        Graph(['hil', ''], ['hil', 'bench']), [TOPIC])
    assert alone.joined(Graph(['hil', ''], ['hil']), [TOPIC]) == ''


def test_a_name_that_stays_unknown_is_said_so(monkeypatch):
    monkeypatch.setattr(alone, 'POLL_S', 0)
    monkeypatch.setattr(alone, 'NAMED_S', 0)
    said = []
    alone.require_alone(Graph(*[['hil', '']] * 3, ['hil']), [TOPIC], say=said.append)
    assert said == [f'a node of unknown name publishes {TOPIC}, too: waiting until it has left']
    assert ': a node of unknown name.' in alone.joined(Graph(*[['', 'hil']] * 3), [TOPIC])
    with pytest.raises(UserError, match=f'publishes {TOPIC}: a node of unknown name'):
        alone.require_alone(Graph(*[['hil', '']] * 3), [TOPIC], wait_s=-1)


@pytest.fixture
def neighbour(bench):
    """Yield two functions: one begins to publish a topic of the bench, one leaves the graph.

    What stays in the graph would spoil the tests that follow.
    """
    import rclpy
    from sensor_msgs.msg import CameraInfo
    context = rclpy.context.Context()
    context.init(args=[])
    nodes = []

    def come():
        nodes.append(rclpy.create_node('neighbour', context=context))
        nodes[0].create_publisher(CameraInfo, '/camera/swir/camera_info', 1)

    def leave():
        while nodes:
            nodes.pop().destroy_node()
    yield come, leave
    leave()
    context.try_shutdown()


def test_the_bench_s_node_asks_before_it_sends_anything(bench, neighbour):
    come, leave = neighbour
    said = []

    def say(line):
        said.append(line)
        if 'waiting until it has left' in line:
            leave()
    come()
    time.sleep(1)  # its first announcements are over; it is announced again every three seconds
    _, records, _ = bench({'name': 'second', 'duration_s': 4}, say=say)
    waited = any('/neighbour publishes /camera/swir/camera_info, too' in line for line in said)
    late = 'somebody else published /camera/swir/camera_info during the run' in records.run.error
    # on a busy machine a neighbour may be found late, but it is found
    assert waited != late, (said, records.run.error)
    assert records.run.counts()['left'] > 0


def test_who_comes_during_the_run_is_an_error_of_it(bench, neighbour):
    come, _ = neighbour

    def say(line):
        if 'running joined' in line:
            come()
    _, records, _ = bench({'name': 'joined', 'duration_s': 5}, say=say)
    assert ('somebody else published /camera/swir/camera_info during the run: /neighbour'
            in records.run.error)
    assert 'ROS_DOMAIN_ID' in records.run.error
    assert records.run.counts()['left'] > 0
