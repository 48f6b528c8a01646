"""Healthy recordings come whole whatever they look like; of damaged ones all that is readable."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError, decode
from rgb2swir_ros.replay.storage.mcap_file import McapFile
from rgb2swir_ros.replay.storage.recording import Recording, is_recording

from .footage import START, TYPES, camera_info, cdr, image, picture, write_bag
from .mcap_bytes import McapBytes

IMAGE = 'sensor_msgs/msg/Image'
TIMES = [START + 10**8 * n for n in range(6)]
SMALL = (16, 18)


def messages() -> list[tuple[str, object]]:
    return [('/i', image(picture(n, SMALL), time)) for n, time in enumerate(TIMES)]


def mcap(order: list[int] | None = None, **channel: object) -> McapBytes:
    made = McapBytes().channel(1, '/i', IMAGE, **channel)
    for n in order or range(len(TIMES)):
        made.message(1, TIMES[n], cdr(image(picture(n, SMALL), TIMES[n])))
    return made


def stamps(path: Path) -> tuple[list[int], str]:
    """Return the stamps of the frames, and what is told of the damage."""
    found: list[int] = []
    try:
        found.extend(frame.stamp_ns for frame in BagSource(path).frames())
    except FootageError as error:
        return found, str(error)
    return found, ''


@pytest.mark.parametrize('packing', ['', 'zstd', 'lz4'])
@pytest.mark.parametrize('chunk', [0, 2, 9])
@pytest.mark.parametrize('shape', [
    {}, {'message_index': False}, {'chunk_index': False}, {'statistics': False},
    {'summary': False}, {'summary': False, 'message_index': False},
    {'message_index': False, 'statistics': False}, {'crc': 0}])
def test_healthy_mcap_is_read_whole(tmp_path: Path, packing: str, chunk: int,
                                    shape: dict[str, object]) -> None:
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap().finish(chunk=chunk, packing=packing, **shape))
    assert stamps(path) == (TIMES, '')
    assert BagSource(path).count in (len(TIMES), None)


@pytest.mark.parametrize('chunk', [0, 2, 3, 9])
def test_messages_come_in_order_of_record_time(tmp_path: Path, chunk: int) -> None:
    for order in itertools.islice(itertools.permutations(range(6)), 0, 720, 37):
        path = tmp_path / 'a.mcap'
        path.write_bytes(mcap(list(order)).finish(chunk=chunk))
        assert stamps(path) == (TIMES, '')


@pytest.mark.parametrize(('schema', 'encoding'), [
    ('protobuf', 'protobuf'), ('jsonschema', 'json'), ('flatbuffer', 'flatbuffer'),
    ('', 'cbor'), ('omgidl', 'cdr'), ('ros2idl', 'cdr'), ('unheard of', 'unheard of')])
def test_other_schemas_hide_no_image(tmp_path: Path, schema: str, encoding: str) -> None:
    path = tmp_path / 'a.mcap'
    made = mcap().channel(2, '/other', 'other.Thing', encoding, schema, b'\xff{}')
    path.write_bytes(made.message(2, TIMES[0], b'{}').finish(chunk=3))
    assert stamps(path) == (TIMES, '')
    other = next(c for c in Recording(path).connections if c.topic == '/other')
    assert (other.encoding, other.schema_encoding, other.definition, other.count) == (
        encoding, schema, b'\xff{}', 1)


@pytest.mark.parametrize('channel', [
    {'schema': 'ros2idl', 'definition': b'module sensor_msgs {};'}, {'definition': b''},
    {'schema': '', 'definition': b''}])
def test_images_are_read_whatever_their_definition(tmp_path: Path,
                                                   channel: dict[str, object]) -> None:
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap(**channel).finish(chunk=3))
    assert stamps(path) == (TIMES, '')


def test_only_images_of_another_encoding_are_named(tmp_path: Path) -> None:
    path = tmp_path / 'a.mcap'
    made = McapBytes().channel(1, '/i', 'foxglove.RawImage', 'protobuf', 'protobuf', b'')
    path.write_bytes(made.message(1, 5, b'x').finish())
    with pytest.raises(FootageError, match=r'/i \(foxglove\.RawImage, protobuf, 1\)') as told:
        BagSource(path)
    assert 'recover' not in str(told.value)


@pytest.mark.parametrize('packing', ['', 'zstd', 'lz4'])
@pytest.mark.parametrize('chunk', [0, 1, 4])
def test_cut_mcap_keeps_every_whole_message(tmp_path: Path, packing: str, chunk: int) -> None:
    data = mcap().finish(chunk=chunk, packing=packing)
    ends = data.rindex(b'\x0f\x04\0\0\0\0\0\0\0')  # of the data section
    path = tmp_path / 'a.mcap'
    kept = 0
    for size in sorted(random.Random(0).sample(range(1200, ends), 25)):
        path.write_bytes(data[:size])
        found, told = stamps(path)
        assert found == TIMES[:len(found)]
        assert len(found) >= kept
        assert str(path) in told
        assert found == [] or 'could not be read whole' in told
        kept = len(found)
        if not packing and chunk != 4:  # what lies whole in the file is there
            assert len(found) >= data[:size].count(b'front_camera') - 1
    # of a packed chunk that was cut, only whole blocks of the packer can be had
    assert kept >= len(TIMES) - (2 if chunk == 4 and packing else 1)


def test_mcap_without_its_end_is_named_and_whole(tmp_path: Path) -> None:
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap().finish(chunk=2, end=False))
    found, told = stamps(path)
    assert found == TIMES
    assert 'it was cut off, or never closed' in told


@pytest.mark.parametrize('packing', ['', 'zstd', 'lz4'])
def test_a_damaged_chunk_costs_no_other(tmp_path: Path, packing: str) -> None:
    data = bytearray(mcap().finish(chunk=2, packing=packing))
    path = tmp_path / 'a.mcap'
    second = [block.at for block in _blocks(path, data)][1]
    data[second + 60:second + 900] = bytes(840)
    path.write_bytes(data)
    found, told = stamps(path)
    assert set(TIMES[:2] + TIMES[4:]) <= set(found)
    assert 'the chunk at byte' in told


def test_a_wrong_checksum_is_named_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / 'a.mcap'
    path.write_bytes(mcap().finish(chunk=9, crc=77))
    found, told = stamps(path)
    assert found == TIMES
    assert 'its checksum is wrong' in told


def test_a_wrong_length_costs_no_chunk_that_the_index_knows(tmp_path: Path) -> None:
    data = bytearray(mcap().finish(chunk=2))
    path = tmp_path / 'a.mcap'
    second = [block.at for block in _blocks(path, data)][1]
    data[second - 8:second] = b'\xff' * 8
    path.write_bytes(data)
    found, told = stamps(path)
    assert found == TIMES[:2] + TIMES[4:]
    assert f'damaged at byte {second - 9}' in told
    assert '/i has 4 of the 6 messages' in told


def _blocks(path: Path, data: bytes) -> list[object]:
    path.write_bytes(data)
    return McapFile(path)._blocks


@pytest.mark.parametrize('name', ['run #3', 'what?', 'a%20b', 'a b', "it's", 'ä€', '%', 'x;y&z',
                                  os.fsdecode(b'caf\xe9')])
@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_names_need_no_care(tmp_path: Path, name: str, storage: str) -> None:
    bag = write_bag(tmp_path / 'plain', messages(), storage)
    (tmp_path / name).mkdir()
    moved = bag.rename(tmp_path / name / name)
    assert stamps(moved) == (TIMES, '')
    file = next(p for p in moved.iterdir() if p.suffix in ('.mcap', '.db3'))
    assert stamps(file.rename(tmp_path / f'{name}{file.suffix}')) == (TIMES, '')


@pytest.mark.parametrize('summary', [True, False])
def test_mcap_without_its_index_is_named_and_whole(tmp_path: Path, *, summary: bool) -> None:
    path = tmp_path / 'a.mcap'
    whole = mcap().finish(chunk=2, summary=summary)
    path.write_bytes(whole)
    assert stamps(path) == (TIMES, '')
    for cut in (8, 30, 37) if summary else (8, 30):
        path.write_bytes(whole[:-cut])
        found, told = stamps(path)
        assert found == TIMES
        assert 'its index is missing' in told, cut


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


@pytest.mark.parametrize('mode', ['wal', 'delete'])
def test_killed_sqlite_writer(tmp_path: Path, mode: str) -> None:
    bag = write_bag(tmp_path / 'bag', messages()[:4], 'sqlite3')
    file = bag / 'bag.db3'
    program = f'''
import os, sqlite3, sys
database = sqlite3.connect({str(file)!r}, isolation_level=None)
database.execute('PRAGMA journal_mode = {mode}')
database.execute('PRAGMA cache_size = 1')
database.execute('BEGIN')
for row in database.execute('SELECT topic_id, data FROM messages').fetchall()[:2]:
    database.execute('INSERT INTO messages (topic_id, timestamp, data) VALUES (?, ?, ?)',
                     (row[0], {TIMES[5]}, row[1] + bytes(200_000)))
if {mode!r} == 'wal':
    database.execute('COMMIT')
os._exit(9)
'''
    assert subprocess.run([sys.executable, '-c', program]).returncode == 9
    assert (bag / f'bag.db3-{"wal" if mode == "wal" else "journal"}').stat().st_size
    before = snapshot(bag)
    # what was committed is there, what was not is rolled back
    records = [m.log_ns for m in Recording(file).messages(lambda _: True)]
    assert records == TIMES[:4] + ([TIMES[5]] * 2 if mode == 'wal' else [])
    # and the reader is told that the recording ended before its time
    told = Recording(file).faults
    assert len(told) == 1
    assert 'its writer did not close it' in told[0]
    assert snapshot(bag) == before


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_read_only_folder(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', messages(), storage)
    before = snapshot(bag)
    for path in (*bag.iterdir(), bag):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert stamps(bag) == (TIMES, '')
    finally:
        bag.chmod(0o755)
    assert snapshot(bag) == before


def test_cut_and_damaged_sqlite_keep_what_can_be_read(tmp_path: Path) -> None:
    many = [('/i', image(picture(n, SMALL), START + n)) for n in range(200)]
    file = write_bag(tmp_path / 'bag', many, 'sqlite3') / 'bag.db3'
    data = file.read_bytes()
    file.write_bytes(data[:len(data) * 2 // 3])
    found, told = stamps(file)
    assert 60 < len(found) < 200
    assert 'damaged' in told
    hole = bytearray(data)
    hole[len(data) // 2:len(data) // 2 + 8192] = b'\xa5' * 8192
    file.write_bytes(hole)
    found, told = stamps(file)
    assert 150 < len(found) < 200
    assert str(file) in told
    file.write_bytes(b'')
    with pytest.raises(FootageError, match='is an empty file'):
        BagSource(file)
    with sqlite3.connect(tmp_path / 'other.db3') as database:
        database.execute('CREATE TABLE mine (x)')
    with pytest.raises(FootageError, match='is a database, but no bag'):
        BagSource(tmp_path / 'other.db3')


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('mode', ['file', 'message'])
@pytest.mark.parametrize('told', [True, False])
def test_compressed_bags(tmp_path: Path, storage: str, mode: str, told: bool) -> None:
    if (storage, mode) == ('mcap', 'message'):
        pytest.skip('rosbags writes none')
    bag = write_bag(tmp_path / 'bag', messages(), storage, compression=mode)
    if not told:
        (bag / 'metadata.yaml').unlink()
    file = next(p for p in bag.iterdir() if p.suffix != '.yaml')
    assert (file.suffix == '.zstd') == (mode == 'file')
    for path in (bag, file):
        assert is_recording(path)
        assert stamps(path) == (TIMES, '')
    if mode == 'file':
        file.write_bytes(file.read_bytes()[:-100])
        told = stamps(file)[1]
        assert f"'{file.name}' was cut off" in told
        assert 'rgb2swir-bag' not in told


def split(folder: Path, storage: str = 'mcap', pack: bool = False) -> Path:
    """Write a bag of three files with two messages each."""
    folder.mkdir()
    files, rest = [], ''
    for part in range(3):
        one = write_bag(folder / f'p{part}', messages()[2 * part:2 * part + 2], storage)
        file = next(p for p in one.iterdir() if p.suffix != '.yaml')
        data = file.read_bytes()
        name = f'bag_{part}{file.suffix}' + '.zstd' * pack
        (folder / name).write_bytes(zstandard.ZstdCompressor().compress(data) if pack else data)
        files.append(name)
        rest = (one / 'metadata.yaml').read_text()
        shutil.rmtree(one)
    rest = rest.replace('message_count: 2', 'message_count: 6')
    start = rest.index('  relative_file_paths:')
    lines = rest[start:].splitlines(keepends=True)
    rest = rest[:start] + '  relative_file_paths:\n' + ''.join(
        f'    - old_name/{name}\n' for name in files) + ''.join(lines[2:])
    (folder / 'metadata.yaml').write_text(rest)
    return folder


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('pack', [False, True])
def test_split_bags_and_their_missing_parts(tmp_path: Path, storage: str, pack: bool) -> None:
    bag = split(tmp_path / 'bag', storage, pack)
    assert stamps(bag) == (TIMES, '')
    assert BagSource(bag).count == 6
    middle = next(bag.glob('bag_1*'))
    middle.rename(tmp_path / 'elsewhere')
    found, told = stamps(bag)
    assert found == TIMES[:2] + TIMES[4:]
    assert f"its file '{middle.name}' is missing" in told
    assert '4 of the 6 messages' in told
    middle.write_bytes(b'')
    found, told = stamps(bag)
    assert found == TIMES[:2] + TIMES[4:]
    assert f'{middle.name}' in told
    for file in bag.glob('bag_*'):
        file.unlink()
    with pytest.raises(FootageError, match=r"its file 'bag_0\.\w+(\.zstd)?' is missing"):
        BagSource(bag)


@pytest.mark.parametrize('text', ['dataset: street\n', '', '{[', '- a list\n', 'a string',
                                  'rosbag2_bagfile_information: 5\n'])
def test_only_metadata_of_rosbag2_make_a_bag(tmp_path: Path, text: str) -> None:
    (tmp_path / 'metadata.yaml').write_text(text)
    assert not is_recording(tmp_path)
    bag = write_bag(tmp_path / 'bag', messages())
    assert is_recording(bag)
    (bag / 'metadata.yaml').write_text(text)
    assert stamps(bag) == (TIMES, '')  # by its file


ROS1 = get_typestore(Stores.ROS1_NOETIC)


def ros1(message: object) -> bytes:
    """Return a ROS 2 message serialized as ROS 1 does: with a counter, D K R P in capitals."""
    kind = message.__msgtype__
    head = message.header
    fields = {name: getattr(message, name) for name in vars(message) if name != '__msgtype__'}
    fields['header'] = ROS1.types['std_msgs/msg/Header'](
        seq=7, stamp=ROS1.types['builtin_interfaces/msg/Time'](
            sec=head.stamp.sec, nanosec=head.stamp.nanosec), frame_id=head.frame_id)
    for name in {'d', 'k', 'r', 'p'} & fields.keys():
        fields[name.upper()] = fields.pop(name)
    return bytes(ROS1.serialize_ros1(ROS1.types[kind](**fields), kind))


@pytest.mark.parametrize('packing', [None, 'BZ2', 'LZ4'])
def test_ros1_bags(tmp_path: Path, packing: str | None) -> None:
    path = tmp_path / 'drive.bag'
    writer = Ros1Writer(path)
    if packing:
        writer.set_compression(Ros1Writer.CompressionFormat[packing])
    with writer:
        images = writer.add_connection('/c//image_raw', IMAGE, typestore=ROS1)
        infos = writer.add_connection('/c/camera_info', 'sensor_msgs/msg/CameraInfo',
                                      typestore=ROS1)
        for n, time in enumerate(TIMES):
            writer.write(images, time + 7, ros1(image(picture(n, SMALL), time)))
            writer.write(infos, time + 9, ros1(camera_info(SMALL, time)))
    source = BagSource(path)
    assert (source.topic, source.count) == ('/c/image_raw', 6)
    frames = list(source.frames())
    assert [(f.stamp_ns, f.log_ns) for f in frames] == [(time, time + 7) for time in TIMES]
    assert (decode(frames[3]) == picture(3, SMALL)).all()
    info = TYPES.deserialize_cdr(frames[3].info_cdr, 'sensor_msgs/msg/CameraInfo')
    assert (info.height, info.k[0]) == (SMALL[0], 100)
    data = path.read_bytes()
    path.write_bytes(data[:len(data) * 3 // 4] if packing is None else data[:-200])
    found, told = stamps(path)
    assert found == TIMES[:len(found)]
    assert len(found) >= 3
    assert 'cut off' in told


def test_ros1_mcap(tmp_path: Path) -> None:
    made = McapBytes('ros1').channel(1, '/i', 'sensor_msgs/Image', 'ros1', 'ros1msg', b'')
    for n, time in enumerate(TIMES):
        made.message(1, time, ros1(image(picture(n, SMALL), time)))
    (tmp_path / 'a.mcap').write_bytes(made.finish(chunk=2, packing='lz4'))
    assert stamps(tmp_path / 'a.mcap') == (TIMES, '')


def test_a_file_that_is_no_bag_is_named(tmp_path: Path) -> None:
    for name, text in (('a.bag', 'is no ROS 1 bag'), ('a.mcap', 'is no mcap file'),
                       ('a.db3', 'cannot be opened')):
        (tmp_path / name).write_bytes(b'x' * 999)
        with pytest.raises(FootageError, match=text) as told:
            BagSource(tmp_path / name)
        assert 'recover' not in str(told.value)
    (tmp_path / 'a.bag').write_bytes(b'#ROSBAG V1.2\n')
    with pytest.raises(FootageError, match='of another version'):
        BagSource(tmp_path / 'a.bag')


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_connections_say_what_there_is(tmp_path: Path, storage: StoragePlugin) -> None:
    with Writer(tmp_path / 'bag', version=9, storage_plugin=storage) as writer:
        writer.add_connection('/none', IMAGE, typestore=TYPES)
        some = writer.add_connection('/some', IMAGE, typestore=TYPES)
        writer.write(some, 5, cdr(image(picture(0, SMALL), 5)))
    for path in (tmp_path / 'bag', next((tmp_path / 'bag').glob('bag.*'))):
        found = {c.topic: c for c in Recording(path).connections}
        assert (found['/some'].msgtype, found['/some'].encoding, found['/some'].count) == (
            IMAGE, 'cdr', 1)
        assert found['/none'].count == 0
        assert (found['/some'].schema_encoding, b'uint8[] data' in found['/some'].definition) == (
            'ros2msg', True)
