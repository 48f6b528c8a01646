"""The profiles say what the code says of them, and a user's own choice is left alone."""

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


def test_environment_is_set_for_both_generations_of_fast_dds():
    environment = transport.local_environment({'PATH': '/bin', 'ROS_LOCALHOST_ONLY': '0'}, 7)
    path = str(transport.profile_path('local'))
    assert environment == {
        'PATH': '/bin', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_DOMAIN_ID': '7',
        'FASTRTPS_DEFAULT_PROFILES_FILE': path, 'FASTDDS_DEFAULT_PROFILES_FILE': path}
    assert transport.local_environment({'ROS_DISTRO': 'humble'})['ROS_LOCALHOST_ONLY'] == '1'


@pytest.mark.parametrize('variable', transport.PROFILE_VARIABLES)
def test_a_profile_of_the_user_is_kept(variable):
    environment = transport.local_environment({variable: '/my.xml'})
    assert {environment.get(name) for name in transport.PROFILE_VARIABLES} <= {'/my.xml', None}
    assert transport.profile_in_use({variable: '/my.xml'}) == '/my.xml'
    assert transport.profile_environment('vehicle', {variable: '/my.xml'}) == {}


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
