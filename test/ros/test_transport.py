"""The profiles agree with the code, and a user's own choice is respected."""

from __future__ import annotations

import fcntl
import os
from collections import namedtuple
from xml.etree import ElementTree

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.ros import transport

XML = '{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}'


@pytest.mark.parametrize('name', transport.PROFILES)
def test_profiles_hold_a_large_segment_and_are_applied_to_every_participant(name):
    root = ElementTree.parse(transport.profile_path(name)).getroot()
    segments = [int(e.text) for e in root.iter(f'{XML}segment_size')]
    assert segments == [transport.SEGMENT_BYTES]
    declared = [e.text for e in root.find(f'{XML}transport_descriptors').iter(
        f'{XML}transport_id')]
    participant = root.find(f'{XML}participant')
    assert participant.get('is_default_profile') == 'true'
    assert [e.text for e in participant.iter(f'{XML}transport_id')] == declared
    assert participant.find(f'.//{XML}useBuiltinTransports').text == 'false'


def test_only_the_local_profile_stays_on_loopback():
    addresses = {name: [e.text for e in ElementTree.parse(transport.profile_path(name)).iter(
        f'{XML}address')] for name in transport.PROFILES}
    assert addresses == {'local': ['127.0.0.1'], 'vehicle': []}


OWN = {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'SKIP_DEFAULT_XML_FILE': '1',
       **dict.fromkeys(transport.PROFILE_VARIABLES, str(transport.profile_path('local')))}


def test_environment_is_set_for_both_generations_of_fast_dds():
    environment = transport.local_environment({'PATH': '/bin', 'ROS_LOCALHOST_ONLY': '0'}, 7)
    assert environment == {'PATH': '/bin', 'ROS_DOMAIN_ID': '7', **OWN}
    assert transport.local_environment({'ROS_DISTRO': 'humble'})['ROS_LOCALHOST_ONLY'] == '1'


@pytest.mark.parametrize('variable', [
    'RMW_IMPLEMENTATION', 'RMW_FASTRTPS_USE_QOS_FROM_XML', 'CYCLONEDDS_URI', 'CYCLONEDDS_HOME',
    'ROS_DISCOVERY_SERVER', 'ROS_SUPER_CLIENT', 'ROS_STATIC_PEERS', 'ROS_LOCALHOST_ONLY',
    'ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_SECURITY_ENABLE', 'ROS_SECURITY_KEYSTORE',
    'ROS_SECURITY_STRATEGY', 'ROS_SECURITY_ENCLAVE_OVERRIDE', 'ROS_NAMESPACE',
    'FASTDDS_BUILTIN_TRANSPORTS', 'FASTDDS_ENVIRONMENT_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE',
    'FASTDDS_DEFAULT_PROFILES_FILE', 'FASTDDS_STATISTICS', 'ZENOH_CONFIG_OVERRIDE',
    'ZENOH_ROUTER_CHECK_ATTEMPTS', 'RTI_LICENSE_FILE', 'NDDSHOME', 'RCUTILS_COLORIZED_OUTPUT',
    'RCUTILS_CONSOLE_OUTPUT_FORMAT', 'RCUTILS_LOGGING_USE_STDOUT', 'RCL_ASSERT_RMW_ID_MATCHES'])
def test_a_process_of_our_own_takes_over_no_setting_of_the_middleware(variable):
    assert transport.local_environment({variable: '/mine', 'PATH': '/bin'}) == {
        'PATH': '/bin', **OWN}


def test_a_process_of_our_own_finds_ros_and_its_log_folder():
    kept = {'AMENT_PREFIX_PATH': '/opt/ros/jazzy', 'PYTHONPATH': '/a', 'LD_LIBRARY_PATH': '/b',
            'ROS_DISTRO': 'jazzy', 'ROS_VERSION': '2', 'ROS_PYTHON_VERSION': '3',
            'ROS_LOG_DIR': '/log', 'ROS_HOME': '/home', 'ROS_DOMAIN_ID': '5'}
    assert transport.local_environment(kept) == {**kept, **OWN}


@pytest.mark.parametrize('variable', transport.PROFILE_VARIABLES)
def test_a_profile_of_the_user_is_kept_for_the_users_own_node(variable):
    assert transport.profile_in_use({variable: '/my.xml'}) == '/my.xml'
    assert transport.profile_environment('vehicle', {variable: '/my.xml'}) == {}


def test_security_without_a_keystore_is_said_in_words(tmp_path):
    enabled = {'ROS_SECURITY_ENABLE': 'true'}
    assert transport.security_problem({}) == ''
    assert transport.security_problem({'ROS_SECURITY_ENABLE': 'false'}) == ''
    assert 'names no keystore' in transport.security_problem(enabled)
    named = {**enabled, 'ROS_SECURITY_KEYSTORE': str(tmp_path)}
    assert f'KEYSTORE={tmp_path} has no folder enclaves' in transport.security_problem(named)
    (tmp_path / 'enclaves').mkdir()
    assert transport.security_problem(named) == ''


def test_unknown_profile_is_refused():
    with pytest.raises(UserError, match=r"'lan'.*local, vehicle"):
        transport.profile_path('lan')


def test_small_shared_memory_is_said(monkeypatch, tmp_path):
    usage = namedtuple('usage', 'total used free')
    monkeypatch.setattr(transport.shutil, 'disk_usage', lambda _: usage(2**26, 0, 2**26))
    text = transport.shared_memory_shortage()
    assert '64 of 64 MB' in text
    assert '--shm-size' in text
    monkeypatch.setattr(transport.shutil, 'disk_usage', lambda _: usage(2**30, 0, 2**30))
    assert transport.shared_memory_shortage() is None
    monkeypatch.undo()
    assert 'no shared memory' in transport.shared_memory_shortage(str(tmp_path / 'absent'))


def test_segments_of_killed_processes_are_told_from_those_in_use(tmp_path):
    long_ago = 1_000_000_000
    for name in ('fastrtps_' + '0' * 16, 'fastrtps_' + '1' * 16, 'fastrtps_port7411',
                 'something_else'):
        for path in (tmp_path / name, tmp_path / f'{name}_el'):
            path.write_bytes(bytes(8192))
            os.utime(path, (long_ago, long_ago))
    (tmp_path / ('fastrtps_' + '2' * 16)).write_bytes(b'just created, not yet locked')
    dead = tmp_path / ('fastrtps_' + '1' * 16)
    with (tmp_path / f"fastrtps_{'0' * 16}_el").open('rb') as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        assert transport.stale_segments(tmp_path) == [dead]
        assert transport.remove_stale_segments(tmp_path) == 8192
    assert not dead.exists()
    assert not (tmp_path / f'{dead.name}_el').exists()
    assert len(list(tmp_path.iterdir())) == 7


def test_advice_names_the_variable_and_the_profile(monkeypatch):
    for variable in transport.PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    advice = transport.loss_advice()
    assert 'this node and the camera driver' in advice
    assert f'FASTRTPS_DEFAULT_PROFILES_FILE={transport.profile_path()}' in advice
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', '/my.xml')
    assert transport.loss_advice().endswith('FASTRTPS_DEFAULT_PROFILES_FILE=/my.xml')
    assert 'this node' not in transport.loss_advice()
