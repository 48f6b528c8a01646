"""A node in a namespace, renamed and remapped, as a user meets it: from images to its end."""

from __future__ import annotations

import signal

import pytest

pytestmark = pytest.mark.ros
RULES = ('__ns:=/left', '__node:=eye', 'plain/image_raw:=/usb/image_raw',
         'plain/swir/image_raw:=/swir')


@pytest.fixture(scope='module')
def node(shared_rig):
    """Give the node and a listener to its diagnostics, its engine ready."""
    one = shared_rig.node(*(word for rule in RULES for word in ('-r', rule)),
                          cameras=['plain', 'odd'], source_size='160x128')
    one.watcher = shared_rig.listen('/diagnostics:diagnostics', '/swir:image')
    one.watcher.wait(lambda: status(one, 'engine').get('message', '').startswith('ready'),
                     'the engine to be ready', 90)
    return one


def status(node, name: str) -> dict:
    heard = node.watcher.of('/diagnostics')
    return heard[-1]['status'].get(f'/left/eye: {name}', {}) if heard else {}


def said(node, text: str) -> list[str]:
    return [line for line in node.lines if text in line]


def test_a_remapped_camera_is_found_on_either_topic_and_raw_is_returned_to(shared_rig, node):
    node.wait(lambda: said(node, 'active: /usb/image_raw or /usb/image_raw/compressed -> /swir'),
              'the names of its topics')
    shared_rig.camera('usb', '--count', 100000, '--compressed')
    node.watcher.wait(lambda: node.watcher.of('/swir'), 'an image of the compressed topic')
    reading = node.watcher.wait(
        lambda: status(node, 'camera plain')['values']['input'] ==
        '/usb/image_raw/compressed' and status(node, 'camera plain'), 'its resolved name')
    assert reading['hardware'] == '/swir'
    shared_rig.camera('usb', '--count', 100000)
    node.watcher.wait(lambda: status(node, 'camera plain')['values']['input'] ==
                      '/usb/image_raw', 'the raw topic, once it delivers')
    node.wait(lambda: said(node, 'plain: reading /usb/image_raw instead of '
                                 '/usb/image_raw/compressed'), 'the change of topics')


def test_refused_images_are_said_once_on_the_console(shared_rig, node):
    shared_rig.listen('/left/odd/swir/image_raw:image')
    shared_rig.camera('left/odd', '--count', 100000, '--encoding', '8UC4')
    node.watcher.wait(lambda: int(status(node, 'camera odd')['values'].get(
        'refused_unsupported_encoding', 0)) >= 50, 'many refused images')
    lines = said(node, "encoding '8UC4' is not supported")
    assert len(lines) == 1
    assert '[WARN]' in lines[0]
    assert 'odd: ' in lines[0]


def test_another_publisher_of_an_output_is_warned_of(shared_rig, node):
    shared_rig.camera('left/odd/swir', '--count', 100000, '--no-wait')  # a true SWIR camera
    found = node.watcher.wait(
        lambda: (s := status(node, 'camera odd')) and 'another node' in s['message'] and s,
        'a warning in the diagnostics')
    assert found['level'] >= 1
    rival = '/left/odd/swir/image_raw by /test_camera'
    assert rival in found['message']
    # diagnostics and the log take different ways here
    assert len(node.wait(lambda: said(node, rival), 'a warning in the log')) == 1
    assert not said(node, '/swir by ')


def test_a_closed_terminal_ends_the_node_as_ctrl_c_does(node):
    for _ in range(2):
        node.child.send_signal(signal.SIGHUP)
    assert node.ended() == 0
    assert 'Traceback' not in node.output()


@pytest.mark.parametrize('keystore', ['', '/nowhere'])
def test_security_without_a_keystore_is_one_line(rig, keystore):
    rig.environment |= {'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': 'Enforce',
                        'ROS_SECURITY_KEYSTORE': keystore}
    refused = rig.node()
    assert refused.ended() == 2
    lines = said(refused, 'translator_node: ')
    assert len(lines) == 1
    assert 'ROS_SECURITY_ENABLE is true, but ROS_SECURITY_KEYSTORE' in lines[0]
    assert 'Traceback' not in refused.output()


def test_security_without_a_keystore_that_is_not_enforced_is_a_warning(rig):
    rig.environment['ROS_SECURITY_ENABLE'] = 'true'
    node = rig.node(autostart=False, gain=[])
    assert node.ended() == 2  # for the one mistake that was made
    assert said(node, "translator_node: parameter 'gain' must be a decimal number")
    node = rig.node(autostart=False)
    node.wait(lambda: said(node, 'ROS_SECURITY_KEYSTORE names no keystore'), 'a warning')
    assert node.child.poll() is None
