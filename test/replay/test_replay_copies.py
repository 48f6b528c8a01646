"""`--all`, `--clock` and damaged bags: what else a replay takes over, and what it names."""

from __future__ import annotations

import sqlite3
import struct
from io import BytesIO
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest
import yaml
from mcap.reader import make_reader
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rgb2swir_ros.replay.storage.recording import Recording

from . import footage
from .mcap_bytes import McapBytes
from .recordings import ros1
from .replays import START, STEP, SWIR, Opener, digest_bag, drive, replay

INFINITE = QosTime(9223372036, 854775807)
LATCHED = Qos(QosHistory.KEEP_LAST, 1, QosReliability.RELIABLE, QosDurability.TRANSIENT_LOCAL,
              INFINITE, INFINITE, QosLiveliness.AUTOMATIC, INFINITE, False)
THING = 'uint32 count\nmy_msgs/Part[] parts\n' + '=' * 80 + '\nMSG: my_msgs/Part\nfloat64 size\n'
THING_CDR = b'\0\1\0\0' + struct.pack('<II', 7, 0)


def full_bag(path: Path, storage: StoragePlugin) -> Path:
    """Write a bag with a camera, a latched topic and a topic of a type that nobody knows."""
    with Writer(path, version=9, storage_plugin=storage) as writer:
        writer.set_custom_data('driver', 'Ada')
        image = writer.add_connection('/c/image_raw', 'sensor_msgs/msg/Image',
                                      typestore=footage.TYPES)
        static = writer.add_connection('/tf_static', 'tf2_msgs/msg/TFMessage',
                                       typestore=footage.TYPES, offered_qos_profiles=[LATCHED])
        thing = writer.add_connection('/thing', 'my_msgs/msg/Thing', msgdef=THING,
                                      rihs01='RIHS01_' + '0' * 64)
        writer.write(static, START, b'\0\1\0\0\0\0\0\0')
        for n in range(6):
            stamp = START + n * STEP
            message = footage.image(footage.picture(n), stamp)
            writer.write(image, stamp + 7, footage.cdr(message))
            writer.write(thing, stamp + 8, THING_CDR)
    return path


@pytest.mark.parametrize('storage', list(StoragePlugin))
def test_everything_is_copied_as_it_was(tmp_path: Path, storage: StoragePlugin) -> None:
    source = full_bag(tmp_path / 'in', storage)
    run = replay(source, tmp_path / 'out', everything=True)
    assert run.faults == []
    assert run.left_out == {}
    before, after = digest_bag(source), digest_bag(tmp_path / 'out' / 'swir')
    assert {topic: after[topic] for topic in before} == before
    assert set(after) - set(before) == {SWIR, '/translator/timing'}
    with Reader(tmp_path / 'out' / 'swir') as reader:  # by its metadata
        found = {c.topic: c for c in reader.connections}
        assert found['/tf_static'].ext.offered_qos_profiles == [LATCHED]
        assert found['/thing'].msgtype == 'my_msgs/msg/Thing'
        assert found['/c/image_raw'].ext.offered_qos_profiles == []
    about = yaml.safe_load((tmp_path / 'out' / 'swir' / 'metadata.yaml').read_text())
    assert about['rosbag2_bagfile_information']['custom_data']['driver'] == 'Ada'
    with (tmp_path / 'out' / 'swir' / 'swir_0.mcap').open('rb') as stream:  # by the file
        summary = make_reader(stream).get_summary()
    channels = {channel.topic: channel for channel in summary.channels.values()}
    profile, = yaml.safe_load(channels['/tf_static'].metadata['offered_qos_profiles'])
    assert (profile['durability'], profile['reliability'], profile['depth']) == (1, 1, 1)
    schema = summary.schemas[channels['/thing'].schema_id]
    assert (schema.name, schema.encoding) == ('my_msgs/msg/Thing', 'ros2msg')
    assert schema.data.decode() == THING


def test_copies_are_the_same_after_an_interrupt(tmp_path: Path) -> None:
    source = full_bag(tmp_path / 'in', StoragePlugin.MCAP)
    options = {'everything': True, 'clock_hz': 20.0, 'segment_frames': 2}
    whole = replay(source, tmp_path / 'whole', **options)
    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Opener(3), **options)
    run = replay(source, tmp_path / 'out', **options)
    assert run.topics == whole.topics
    bag = tmp_path / 'out' / 'swir'
    assert len(list(bag.glob('*.mcap'))) > 2
    for topic, digest in digest_bag(bag).items():
        assert topic == '/translator/timing' or digest == whole.topics[topic]


def test_the_clock_ticks_along_the_bags_time(tmp_path: Path) -> None:
    run = replay(drive(tmp_path / 'in'), tmp_path / 'out', clock_hz=20.0)
    with Reader(tmp_path / 'out' / 'swir') as reader:
        ticks = [(log_ns, struct.unpack('<iI', data[4:])) for connection, log_ns, data
                 in reader.messages() if connection.topic == '/clock']
        kinds = {c.topic: c.msgtype for c in reader.connections}
    assert kinds['/clock'] == 'rosgraph_msgs/msg/Clock'
    first = START + 7
    assert ticks == [(first + n * STEP // 2, divmod(first + n * STEP // 2, 10**9))
                     for n in range(23)]
    assert run.topics['/clock'].messages == 23


def test_the_clock_stands_in_a_gap(tmp_path: Path) -> None:
    times = [0, START, START + STEP]
    source = footage.write_bag(tmp_path / 'in', [
        ('/c/image_raw', footage.image(footage.picture(n), time), time)
        for n, time in enumerate(times)])
    run = replay(source, tmp_path / 'out', clock_hz=10.0)
    assert run.topics['/clock'].messages == 3


def test_topics_of_the_run_win(tmp_path: Path) -> None:
    first = replay(drive(tmp_path / 'in'), tmp_path / 'first', everything=True)
    run = replay(tmp_path / 'first' / 'swir', tmp_path / 'out', everything=True)
    assert run.left_out == {
        SWIR: 'this run writes that topic', '/translator/timing': 'this run writes that topic',
        '/c/swir/camera_info': 'this run writes that topic'}
    assert run.topics[SWIR] == first.topics[SWIR]


def test_attachments_and_metadata_of_mcap(tmp_path: Path) -> None:
    buffer = BytesIO()
    writer = McapWriter(buffer)
    writer.start(profile='ros2')
    schema = writer.register_schema('sensor_msgs/msg/Image', 'ros2msg', b'')
    channel = writer.register_channel('/c/image_raw', 'cdr', schema)
    for n in range(3):
        stamp = START + n * STEP
        writer.add_message(channel, stamp, footage.cdr(footage.image(footage.picture(n), stamp)),
                           stamp)
    writer.add_attachment(11, 12, 'calibration.yaml', 'text/yaml', b'f: 1')
    writer.add_metadata('vehicle', {'name': 'Ada'})
    writer.add_metadata('rosbag2', {'serialized_metadata': 'of the other bag'})
    writer.finish()
    (tmp_path / 'in.mcap').write_bytes(buffer.getvalue())
    replay(tmp_path / 'in.mcap', tmp_path / 'plain')
    run = replay(tmp_path / 'in.mcap', tmp_path / 'out', everything=True)
    assert run.faults == []
    for folder, expected in (('plain', []), ('out', [('calibration.yaml', b'f: 1', 11, 12)])):
        with (tmp_path / folder / 'swir' / 'swir_0.mcap').open('rb') as stream:
            reader = make_reader(stream)
            assert [(one.name, one.data, one.create_time, one.log_time)
                    for one in reader.iter_attachments()] == expected
            metadata = [(one.name, one.metadata) for one in reader.iter_metadata()]
            assert metadata == (
                [('vehicle', {'name': 'Ada'})] if expected else []) + [
                    ('rosbag2', {'serialized_metadata': ANY})]
            about = yaml.safe_load(metadata[-1][1]['serialized_metadata'])
            assert (about['version'], about['message_count']) == (8, 9 if expected else 6)


def test_ros1_messages_are_converted_by_their_own_definitions(tmp_path: Path) -> None:
    types = get_typestore(Stores.ROS1_NOETIC)
    types.register(get_types_from_msg(THING, 'my_msgs/msg/Thing'))
    kind = types.types['my_msgs/msg/Thing']
    path = tmp_path / 'in.bag'
    with Ros1Writer(path) as writer:
        image = writer.add_connection('/c/image_raw', 'sensor_msgs/msg/Image', typestore=types)
        thing = writer.add_connection('/thing', 'my_msgs/msg/Thing', typestore=types, latching=1)
        for n in range(3):
            stamp = START + n * STEP
            writer.write(image, stamp, ros1(footage.image(footage.picture(n), stamp)))
            writer.write(thing, stamp + 1, bytes(types.serialize_ros1(
                kind(count=n, parts=[]), 'my_msgs/msg/Thing')))
    run = replay(path, tmp_path / 'out', everything=True)
    assert run.faults == []
    assert run.frames == 3
    with Reader(tmp_path / 'out' / 'swir') as reader:
        found = {c.topic: c for c in reader.connections}
        profile, = found['/thing'].ext.offered_qos_profiles
        assert profile.durability == QosDurability.TRANSIENT_LOCAL  # as it was latched
        assert found['/thing'].ext.serialization_format == 'cdr'
        counts = [struct.unpack('<I', data[4:8])[0] for connection, _, data in reader.messages()
                  if connection.topic == '/thing']
    assert counts == [0, 1, 2]
    assert run.topics['/c/image_raw'].messages == 3


def test_what_cannot_be_converted_is_named(tmp_path: Path) -> None:
    made = (McapBytes('ros1').channel(1, '/c/image_raw', 'sensor_msgs/Image', 'ros1', 'ros1msg',
                                      b'')
            .channel(2, '/thing', 'my_msgs/Thing', 'ros1', 'ros1msg', THING.encode())
            .channel(3, '/json', '', 'json', '', b''))
    for n in range(3):
        stamp = START + n * STEP
        made.message(1, stamp, ros1(footage.image(footage.picture(n), stamp)))
        made.message(2, stamp, b'\1')  # too short
        made.message(3, stamp, b'{}')
    (tmp_path / 'in.mcap').write_bytes(made.finish())
    run = replay(tmp_path / 'in.mcap', tmp_path / 'out', everything=True)
    assert run.frames == 3
    assert any('3 messages of /thing cannot be converted' in fault for fault in run.faults)
    assert 'no type (json)' in run.left_out['/json']


def cut_in_a_chunk(path: Path) -> tuple[Path, int]:
    made = McapBytes().channel(1, '/c/image_raw', 'sensor_msgs/msg/Image')
    for n in range(12):
        stamp = START + n * STEP
        made.message(1, stamp, footage.cdr(footage.image(footage.picture(n), stamp)))
    data = made.finish(chunk=4)
    size = len(footage.cdr(footage.image(footage.picture(0), START)))
    path = path.with_suffix('.mcap')
    path.write_bytes(data[:6 * size + 3000])  # in the second chunk, behind its second message
    return path, 6


def without_index(path: Path) -> tuple[Path, int]:
    made = McapBytes().channel(1, '/c/image_raw', 'sensor_msgs/msg/Image')
    for n in range(12):
        stamp = START + n * STEP
        made.message(1, stamp, footage.cdr(footage.image(footage.picture(n), stamp)))
    path = path.with_suffix('.mcap')
    path.write_bytes(made.finish(chunk=4, message_index=False, end=False))
    return path, 12


def killed_sqlite(path: Path) -> tuple[Path, int]:
    """Return a bag whose writer was killed: all is in the write-ahead log, nothing in the file."""
    whole = drive(path.with_name('whole'), storage='sqlite3', infos=False)
    content = sqlite3.connect(next(whole.glob('*.db3')))
    rows = {table: list(content.execute(f'SELECT * FROM {table}'))
            for table in ('topics', 'messages')}
    schema = [sql for (sql,) in content.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages')")]
    content.close()
    source = path.with_name('writing.db3')
    writer = sqlite3.connect(source, isolation_level=None)
    writer.execute('PRAGMA journal_mode = WAL')
    writer.execute('PRAGMA wal_autocheckpoint = 0')
    for sql in schema:
        writer.execute(sql)
    for table, entries in rows.items():
        for row in entries if table == 'topics' else entries[:9]:
            writer.execute(f'INSERT INTO {table} VALUES ({",".join("?" * len(row))})', row)
    target = path.with_suffix('.db3')
    for suffix in ('', '-wal'):  # as they lie on disk at this moment
        Path(f'{target}{suffix}').write_bytes(Path(f'{source}{suffix}').read_bytes())
    writer.close()
    return target, 9


@pytest.mark.parametrize(('damage', 'fault'), [
    (cut_in_a_chunk, 'cut off'), (without_index, 'cut off, or never closed'),
    (killed_sqlite, 'its writer did not close it')])
def test_of_damaged_bags_everything_readable_is_translated(tmp_path: Path, damage: object,
                                                           fault: str) -> None:
    source, readable = damage(tmp_path / 'in')
    run = replay(source, tmp_path / 'out')
    assert run.frames == readable
    assert run.topics[SWIR] == digest_bag(tmp_path / 'out' / 'swir')[SWIR]
    assert run.topics[SWIR].messages == readable
    assert any(fault in line for line in run.faults), run.faults
    stamps = [message.log_ns for message in Recording(tmp_path / 'out' / 'swir').messages(
        lambda one: one.topic == SWIR)]
    assert len(set(stamps)) == readable
    assert np.all(np.diff(stamps) == STEP)
