"""Names are resolved ones in the graph, in parameters and in every text."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSPolicyKind, ReliabilityPolicy

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros import declaration, qos
from rgb2swir_ros.ros.diagnostics import engine_status

pytestmark = pytest.mark.ros
SUCCESS = TransitionCallbackReturn.SUCCESS


def remapped(*rules: str) -> list[str]:
    return [word for rule in rules for word in ('-r', rule)]


def names(camera) -> dict[str, str]:
    return {kind: getattr(camera.topics, kind).name for kind in (
        'raw', 'compressed', 'info', 'swir', 'swir_compressed', 'swir_info')}


PLAIN = {'raw': '/camera/image_raw', 'compressed': '/camera/image_raw/compressed',
         'info': '/camera/camera_info', 'swir': '/camera/swir/image_raw',
         'swir_compressed': '/camera/swir/image_raw/compressed',
         'swir_info': '/camera/swir/camera_info'}


@pytest.mark.parametrize(('rules', 'camera', 'changed'), [
    ([], 'camera', {}),
    (['__ns:=/left'], 'camera', {kind: f'/left{name}' for kind, name in PLAIN.items()}),
    (['__ns:=/left'], '/camera', {}),
    (['camera/image_raw:=/image_raw'], 'camera', {
        'raw': '/image_raw', 'compressed': '/image_raw/compressed', 'info': '/camera_info'}),
    (['camera/image_raw:=/a/rect', 'camera/camera_info:=/b', '/camera/image_raw/compressed:=/c'],
     'camera', {'raw': '/a/rect', 'compressed': '/c', 'info': '/b'}),
    (['camera/swir/image_raw:=/swir'], 'camera', {
        'swir': '/swir', 'swir_compressed': '/swir/compressed'}),
    (['camera/swir/image_raw:=~/out'], 'camera', {
        'swir': '/translator/out', 'swir_compressed': '/translator/out/compressed'}),
    # one rule's result is another rule's match
    (['camera/image_raw:=/other', '/other:=/third'], 'camera', {
        'raw': '/other', 'compressed': '/other/compressed', 'info': '/camera_info'}),
])
def test_names_are_those_of_the_graph(make_node, rules, camera, changed):
    node = make_node(*remapped(*rules), cameras=[camera])
    assert node.trigger_configure() == SUCCESS, node.failure
    one, = node._cameras
    assert names(one) == PLAIN | changed
    publishers = [publisher.topic_name for publisher in one.outputs.all]
    assert publishers == [names(one)[kind] for kind in ('swir', 'swir_compressed', 'swir_info')]
    for kind in ('raw', 'compressed', 'info'):
        one._subscribe(kind)
        assert one._subscriptions[kind].topic_name == names(one)[kind]
        other = node.create_publisher(type_of(kind), names(one)[kind], 1)
        # created by its full name, it is remapped as well, and so counts where it ends up
        assert one.publishers(kind) == int(other.topic_name == names(one)[kind])
        node.destroy_publisher(other)


def type_of(kind: str) -> type:
    from sensor_msgs.msg import CameraInfo, CompressedImage, Image
    return {'raw': Image, 'compressed': CompressedImage, 'info': CameraInfo}[kind]


@pytest.mark.parametrize(('rules', 'cameras', 'topic'), [
    ([], ['front', '/front'], '/front/swir/image_raw'),
    (['a/swir/image_raw:=/out', 'b/swir/image_raw:=/out'], ['a', 'b'], '/out'),
    (['a/swir/image_raw:=/a/image_raw'], ['a'], '/a/image_raw'),
    (['a/swir/image_raw:=/b/image_raw'], ['a', 'b'], '/b/image_raw'),
    (['a/swir/camera_info:=a/camera_info'], ['a'], '/a/camera_info'),
])
def test_outputs_that_fall_on_another_topic_of_the_node_are_refused(make_node, rules, cameras,
                                                                    topic):
    node = make_node(*remapped(*rules), cameras=cameras)
    assert node.trigger_configure() != SUCCESS
    assert f'would publish {topic}, which camera ' in node.failure
    assert node._cameras == []


def test_statuses_carry_the_full_name_of_the_node(make_node):
    found = set()
    for rules in ([], ['__ns:=/left'], ['__ns:=/right', '__node:=second']):
        node = make_node(*remapped(*rules))
        assert node.trigger_configure() == SUCCESS, node.failure
        full = node.get_fully_qualified_name()
        status = node._reports[0].status(node.settings, node.engine(), advice='', active=False)
        found |= {status.name, engine_status(node.settings, node.engine(), full).name}
    assert found == {f'{name}: {what}' for name in ('/translator', '/left/translator',
                                                    '/right/second')
                     for what in ('camera camera', 'engine')}


@pytest.mark.parametrize(('policy', 'value', 'attribute', 'expected'), [
    (QoSPolicyKind.RELIABILITY, 'best_effort', 'reliability', ReliabilityPolicy.BEST_EFFORT),
    (QoSPolicyKind.DURABILITY, 'transient_local', 'durability', DurabilityPolicy.TRANSIENT_LOCAL),
])
def test_the_parameter_that_is_advised_works(make_node, policy, value, attribute, expected):
    rules = remapped('__ns:=/left', 'camera/swir/image_raw:=/swir')
    node = make_node(*rules)
    node.trigger_configure()
    event = SimpleNamespace(last_policy_kind=policy)
    for topic, entity in (('swir', 'publisher'), ('raw', 'subscription')):
        advice = qos.advice(getattr(node._cameras[0].topics, topic), entity, event)
        name = advice.split("'")[1]
        assert node.has_parameter(name)
        other = make_node(*rules, **{name: value})
        assert other.trigger_configure() == SUCCESS, other.failure
        camera, = other._cameras
        camera._subscribe('raw')
        end = camera.outputs.image if entity == 'publisher' else camera._subscriptions['raw']
        given = [info.qos_profile for info in (
            other.get_publishers_info_by_topic if entity == 'publisher'
            else other.get_subscriptions_info_by_topic)(end.topic_name)]
        assert expected in {getattr(profile, attribute) for profile in given}


def test_a_policy_without_parameter_is_changed_in_the_other_node():
    event = SimpleNamespace(last_policy_kind=QoSPolicyKind.LIVELINESS)
    topic = SimpleNamespace(name='/a')
    assert 'change LIVELINESS in the other node' in qos.advice(topic, 'publisher', event)


GOOD = 'qos_overrides./camera/image_raw.subscription.reliability'


@pytest.mark.parametrize(('name', 'meant'), [
    (GOOD, None),
    ('qos_overrides.camera/image_raw.subscription.reliability', GOOD),
    ('qos_overrides./camera/image_raw.subscription.reliabilty', GOOD),
    ('qos_overrides./camera/image_raw.publisher.reliability',
     'qos_overrides./camera/swir/image_raw.publisher.reliability'),
    ('qos_overrides./camera/image_raw/compressed.subscription.depth', None),
    ('qos_overrides./camera/camera_info.subscription.depth', None),
    ('qos_overrides./camera/swir/camera_info.publisher.depth', None),
])
def test_an_override_that_does_nothing_is_warned_of(make_node, name, meant):
    value = 7 if name.endswith('depth') else 'reliable'
    node = make_node(**{name: value})
    said: list[str] = []
    node._throttled.warn = lambda _, text: said.append(text)
    assert node.trigger_configure() == SUCCESS, node.failure
    if meant is None:
        assert said == []
    else:
        assert said == [f"parameter '{name}' does nothing: this node has no such topic or policy; "
                        f"did you mean '{meant}'?"]


def test_an_override_under_the_name_before_remapping_is_warned_of(make_node):
    node = make_node('-r', 'camera/image_raw:=/usb/image_raw', **{GOOD: 'reliable'})
    said: list[str] = []
    node._throttled.warn = lambda _, text: said.append(text)
    assert node.trigger_configure() == SUCCESS, node.failure
    assert len(said) == 1
    assert "did you mean 'qos_overrides./usb/image_raw.subscription.reliability'" in said[0]


@pytest.mark.parametrize('topic', ['image_raw', 'image_raw/compressed', 'camera_info',
                                   'swir/image_raw', 'swir/camera_info'])
@pytest.mark.parametrize(('policy', 'value'), [
    ('reliability', 'perhaps'), ('depth', 'five'), ('depth', -1), ('history', 3)])
def test_a_wrong_override_of_any_topic_is_refused_by_name(make_node, topic, policy, value):
    entity = 'publisher' if topic.startswith('swir') else 'subscription'
    name = f'qos_overrides./camera/{topic}.{entity}.{policy}'
    node = make_node(**{name: value})
    for _ in range(2):  # what the first attempt left behind changes nothing
        assert node.trigger_configure() != SUCCESS
        assert f'parameter {name}: {value!r} is wrong: ' in node.failure
        assert '\n' not in node.failure
    assert node._cameras == []
    with pytest.raises(UserError, match='is wrong'):
        node.autostart()


def test_unknown_leaves_overrides_to_those_who_know_the_topics():
    assert declaration.unknown(['qos_overrides./a.publisher.depth', 'use_sim_time']) == []
    assert declaration.unknown(['gama']) == [
        "parameter 'gama' is unknown and ignored; did you mean 'gamma'?"]


def test_two_nodes_of_one_name_see_each_other(make_node):
    one, other = make_node(), make_node('-r', 'camera/swir/image_raw:=/swir')
    for node in (one, other):
        assert node.trigger_configure() == SUCCESS, node.failure
    found = eventually(one._cameras[0].outputs.other_publishers)
    # their images are apart, not their CameraInfo
    assert found == '/camera/swir/camera_info by /translator'
    assert eventually(lambda: other._cameras[0].outputs.other_publishers() == found)
    other.trigger_cleanup()
    assert eventually(lambda: not one._cameras[0].outputs.other_publishers())


def test_a_rival_is_found_on_a_topic_whose_name_is_remapped_on(make_node):
    """One rule's result is the other's match: a name must not be remapped twice."""
    node = make_node('-r', 'camera/swir/image_raw:=/a', '-r', '/a:=/camera/swir/image_raw')
    assert node.trigger_configure() == SUCCESS, node.failure
    other = make_node('-r', '__node:=rival')
    other.create_publisher(type_of('raw'), '/a', 1)
    camera, = node._cameras
    assert camera.topics.swir.name == camera.outputs.image.topic_name == '/a'
    assert eventually(camera.outputs.other_publishers) == '/a by /rival'


def eventually(condition):
    """Return a condition's value once it is true: the graph takes its time."""
    deadline = time.monotonic() + 10
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def test_a_camera_info_that_cannot_arrive_is_said(make_node):
    """Not images alone: an override made the two ends incompatible."""
    name = 'qos_overrides./camera/camera_info.subscription.reliability'
    node = make_node(**{name: 'reliable'})
    said: list[str] = []
    node.get_logger().warning = said.append
    node.autostart()
    from rclpy.qos import qos_profile_sensor_data
    node.create_publisher(type_of('info'), '/camera/camera_info', qos_profile_sensor_data)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    camera, = node._cameras
    assert eventually(lambda: executor.spin_once(timeout_sec=0.1) or camera.counts[
        'incompatible_qos'])
    executor.remove_node(node)
    text, = [line for line in said if 'incompatible' in line or 'RELIABILITY' in line]
    assert text.startswith('a publisher of /camera/camera_info offers another RELIABILITY')
    assert text.endswith(f"set the parameter '{name}'")
