"""Healthy mcap files are read whole; of damaged ones all that is readable."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.storage.mcap_file import McapFile
from rgb2swir_ros.replay.storage.recording import Recording

from .footage import cdr, image, picture
from .mcap_bytes import McapBytes
from .recordings import IMAGE, SMALL, TIMES, stamps


def mcap(order: list[int] | None = None, **channel: object) -> McapBytes:
    made = McapBytes().channel(1, '/i', IMAGE, **channel)
    for n in order or range(len(TIMES)):
        made.message(1, TIMES[n], cdr(image(picture(n, SMALL), TIMES[n])))
    return made


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
