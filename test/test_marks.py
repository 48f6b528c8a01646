"""The marks by which this tool knows again what it wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from rgb2swir_ros.errors import OutputError
from rgb2swir_ros.files import finished, write_bytes, write_json, write_picture
from rgb2swir_ros.marks import is_ours
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.replay.video_writer import VideoWriter

from .outputs import contents
from .replay import footage


def edit(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize('name', ['a.png', 'a.mp4', 'a.json', 'a.txt', 'a.safetensors'])
def test_a_mark_holds_for_the_content_it_was_made_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / 'made' / name
    if name == 'a.png':
        write_picture(path, footage.picture(0))
        assert cv2.imread(str(path)) is not None
    elif name == 'a.mp4':
        with finished(path) as part, VideoWriter(part) as video:
            video.write(footage.picture(0))
        assert len(list(VideoSource(path).frames())) == 1
    elif name == 'a.json':
        write_json(path, {'a': [1, {'b': 2}]})
        assert json.loads(path.read_text())['a'] == [1, {'b': 2}]
    else:
        write_bytes(path, b'some text')
    assert is_ours(path)
    write_bytes(tmp_path / name, b'another')  # so that a record is there, too
    for change in (lambda copy: edit(copy, 5), lambda copy: edit(copy, -30 % len(b'some text')),
                   lambda copy: copy.write_bytes(copy.read_bytes() + b'\n'),
                   lambda copy: copy.write_bytes(copy.read_bytes()[:-1]),
                   lambda copy: copy.write_bytes(b'')):
        shutil.copy(path, tmp_path / name)
        change(tmp_path / name)
        assert not is_ours(tmp_path / name)
    (tmp_path / 'made' / f'link{path.suffix}').symlink_to(path)
    assert not is_ours(tmp_path / 'made' / f'link{path.suffix}')


def test_lists_and_foreign_records(tmp_path: Path) -> None:
    write_json(tmp_path / 'list.json', [1, 2])
    assert json.loads((tmp_path / 'list.json').read_text()) == [1, 2]
    assert is_ours(tmp_path / 'list.json')
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/.rgb2swir').write_text('a shopping list')
    with pytest.raises(OutputError, match='not of this tool'):
        write_bytes(tmp_path / 'b/a.txt', b'x')
    assert contents(tmp_path / 'b') == {'.rgb2swir': b'a shopping list'}


def test_foreign_bag_of_another_writer_is_not_ours(tmp_path: Path) -> None:
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.set_custom_data('rgb2swir_ros', '0' * 32)
    assert not is_ours(tmp_path / 'bag')
