"""Recordings of any storage: their names, parts, compression and metadata."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import zstandard
from rosbags.rosbag2 import StoragePlugin, Writer

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.storage.recording import Recording, is_recording

from .footage import TYPES, cdr, image, picture, write_bag
from .recordings import IMAGE, SMALL, TIMES, messages, stamps


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
