"""`rgb2swir translate` on footage as people have it: what is lost or left out is named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.storage.recording import Recording

from ..replay import footage
from ..replay.mcap_bytes import McapBytes
from ..replay.test_video import encode, pictures, spoil
from .test_translate import opener, save, tree

__all__ = ['opener']
START = footage.START
IMAGE = 'sensor_msgs/msg/Image'
pytestmark = pytest.mark.usefixtures('opener')


def translate(source: Path, *words: str) -> tuple[int, Path]:
    out = source.parent / 'out'
    return command.main(['translate', str(source), str(out), *words]), out


def stereo(path: Path) -> Path:
    messages: list[tuple[str, object]] = []
    for n in range(3):
        for seed, name in enumerate(('left', 'right')):
            stamp = START + n * 10**8 + seed
            rgb = footage.picture(10 * seed + n)
            messages += [(f'/{name}/image_raw', footage.image(rgb, stamp)),
                         (f'/{name}/image_raw/compressed', footage.compressed(rgb, stamp)),
                         (f'/{name}/camera_info', footage.camera_info((48, 64), stamp))]
    return footage.write_bag(path, messages, empty={'/rear/image_raw': IMAGE})


def test_every_camera_gets_its_swir_topic(tmp_path: Path,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    code, out = translate(stereo(tmp_path / 'in'), '--json')
    assert code == 0
    counts = {c.topic: c.count for c in Recording(out).connections}
    assert counts == {f'/{side}/swir/{topic}': 3 for side in ('left', 'right')
                      for topic in ('image_raw', 'camera_info')}
    streams = capsys.readouterr()
    told = json.loads(streams.out)
    assert [(entry['topic'], entry['output'], entry['frames']) for entry in told['topics']] == [
        (f'/{side}/image_raw', f'/{side}/swir/image_raw', 3) for side in ('left', 'right')]
    assert {entry['topic']: entry['reason'] for entry in told['left_out']} == {
        '/left/image_raw/compressed': 'the same as /left/image_raw',
        '/right/image_raw/compressed': 'the same as /right/image_raw',
        '/rear/image_raw': 'no messages'}
    assert 'left out: /rear/image_raw (no messages)' in streams.err
    for frame in CameraBag(out, ['/right/swir/image_raw']).frames():
        grey = np.frombuffer(frame.content.data, np.uint8).reshape(48, 64)
        seed = 10 + (frame.stamp_ns - START) // 10**8
        expected = 255 * (footage.picture(seed).mean(-1) / 255) ** (1 / 2.2)
        assert np.abs(grey - expected).max() < 1


def test_topics_are_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = stereo(tmp_path / 'in')
    code, out = translate(bag, '--topic', '/right/image_raw', '--topic', '/left/image_raw')
    assert code == 0
    assert len(Recording(out).connections) == 4
    other = str(tmp_path / 'other')
    assert command.main(['translate', str(bag), other, '--topic', '/none']) == 2
    assert "no image topic '/none'" in capsys.readouterr().err
    save(tmp_path / 'a.png', 1)
    assert command.main(['translate', str(tmp_path / 'a.png'), str(tmp_path / 'b.png'),
                         '--topic', '/x']) == 2
    assert '--topic chooses topics of a bag' in capsys.readouterr().err


@pytest.mark.parametrize('case', ['other size', 'other stamps', 'once', 'none'])
def test_camera_info_as_the_node_treats_it(tmp_path: Path, case: str,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    messages: list[tuple[str, object, int]] = []
    for n in range(4):
        stamp = START + n * 10**8
        messages.append(('/c/image_raw', footage.image(footage.picture(n), stamp), stamp + 5))
        size = (1080, 1920) if case == 'other size' else (48, 64)
        if case in ('other size', 'other stamps') or (case == 'once' and not n):
            messages.insert(len(messages) - 1, (
                '/c/camera_info', footage.camera_info(size, stamp + 33), stamp))
    code, out = translate(footage.write_bag(tmp_path / 'in', messages), '--json')
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    assert told['frames'] == 4
    frames = list(CameraBag(out).frames())
    assert [frame.log_ns for frame in frames] == [START + n * 10**8 + 5 for n in range(4)]
    notes = [entry['note'] for entry in told['notes']]
    if case in ('other size', 'none'):
        assert all(frame.info_cdr is None for frame in frames)
        what = 'for images of another size' if case == 'other size' else 'without CameraInfo'
        assert len(notes) == 1
        assert f'/c/image_raw: 4 {"CameraInfos" if case == "other size" else "frames"}' in notes[0]
        assert what in notes[0]
    else:
        assert notes == []
        for frame in frames:  # the image's own header
            info = footage.TYPES.deserialize_cdr(frame.info_cdr, 'sensor_msgs/msg/CameraInfo')
            stamp = info.header.stamp
            assert stamp.sec * 10**9 + stamp.nanosec == frame.stamp_ns
            assert (info.height, info.width) == (48, 64)


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('first', [0, 12 * 10**9, -5 * 10**9 - 1, None])
def test_the_time_line_is_the_recordings(tmp_path: Path, storage: str, first: int | None) -> None:
    stamps = [-3 if first is None else first + (first != 0) * n * 10**8 for n in range(3)]
    records = [START + n * 10**8 for n in range(3)]
    bag = footage.write_bag(tmp_path / 'in', [
        ('/c/image_raw', footage.image(footage.picture(n), stamp), record)
        for n, (stamp, record) in enumerate(zip(stamps, records, strict=True))], storage)
    code, out = translate(bag)
    assert code == 0
    assert [(f.stamp_ns, f.log_ns) for f in CameraBag(out).frames()] == list(
        zip(stamps, records, strict=True))
    with Reader(out) as reader:
        assert [time for _, time, _ in reader.messages()] == records


def test_record_times_before_1970(tmp_path: Path) -> None:
    bag = footage.write_bag(tmp_path / 'in', [
        ('/c/image_raw', footage.image(footage.picture(0), 5), -7)], 'sqlite3')
    code, out = translate(bag)
    assert code == 0
    assert [(f.stamp_ns, f.log_ns) for f in CameraBag(out).frames()] == [(5, 0)]


def test_of_a_cut_bag_the_rest_is_translated(tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    made = McapBytes().channel(1, '/c/image_raw', IMAGE)
    for n in range(4):
        made.message(1, START + n, footage.cdr(footage.image(footage.picture(n), START + n)))
    data = made.finish(chunk=1)
    (tmp_path / 'in.mcap').write_bytes(data[:len(data) * 2 // 3])
    code, out = translate(tmp_path / 'in.mcap')
    told = capsys.readouterr().out
    assert code == 1
    assert [frame.stamp_ns for frame in CameraBag(out).frames()] == [START, START + 1]
    assert told.count('failed: ') == 1
    assert 'it was cut off' in told


def test_a_bag_of_which_no_frame_decodes_leaves_none(tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    messages = []
    for n in range(25):
        message = footage.image(footage.picture(n), START + n)
        message.encoding = 'unheard_of'
        messages.append(('/c/image_raw', message))
    code, out = translate(footage.write_bag(tmp_path / 'in', messages))
    told = capsys.readouterr().out
    assert code == 1
    assert not out.exists()
    assert told.count('failed: ') == 1
    assert '25 frames of /c/image_raw were left out; the first: frame 0: ' in told


def test_pictures_are_no_bag_and_a_bag_hides_none(tmp_path: Path,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(3):
        save(tmp_path / f'set/{n}.jpg', n)
    (tmp_path / 'set/metadata.yaml').write_text('dataset: street\n')
    code, out = translate(tmp_path / 'set')
    assert code == 0
    assert tree(out) == {'0.png', '1.png', '2.png'}
    bag = footage.write_bag(tmp_path / 'one', [
        ('/i', footage.image(footage.picture(0), START))])
    (bag / 'one.mcap').rename(tmp_path / 'set/log.mcap')
    capsys.readouterr()
    assert command.main(['translate', str(tmp_path / 'set'), str(tmp_path / 'two'),
                         '--json']) == 0
    streams = capsys.readouterr()
    assert set(json.loads(streams.out)['skipped']) == {'0.jpg', '1.jpg', '2.jpg', 'metadata.yaml'}
    assert 'skipped: 1.jpg (beside a bag: translate it by itself)' in streams.err


def test_what_macs_leave_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'in/a.jpg', 1)
    for name in ('in/._a.jpg', 'in/._v.mp4', 'in/._b.mcap', 'in/__MACOSX/in/._a.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b'\0\5\x16\7Mac OS X')
    code, out = translate(tmp_path / 'in')
    assert code == 0
    assert tree(out) == {'a.png'}
    told = capsys.readouterr().out
    assert '1 picture (1 frames)' in told
    assert told.count('left by a Mac') == 4


def test_float_tiff_is_refused_in_words(tmp_path: Path,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    cv2.imwrite(str(tmp_path / 'in/f.tiff'), np.random.default_rng(0).random(
        (20, 30, 3)).astype(np.float32))
    save(tmp_path / 'in/b.tiff', 1)
    code, out = translate(tmp_path / 'in')
    assert code == 1
    assert tree(out) == {'b.png'}
    assert 'f.tiff\' is a TIFF of float32 samples' in capsys.readouterr().out


def test_videos_of_all_kinds_and_the_batch_goes_on(tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'in'
    folder.mkdir()
    encode(folder / 'a.mp4', pictures(4))
    parts = [encode(tmp_path / f'{n}.ts', pictures(4, size), container='mpegts',
                    options={'bf': '0'}) for n, size in enumerate([(48, 64), (48, 48)])]
    (folder / 'b.ts').write_bytes(b''.join(part.read_bytes() for part in parts))
    spoil(encode(folder / 'c.avi', pictures(8), 'mjpeg', 'yuvj420p'), b'00dc', [1])
    encode(folder / 'd.mp4', pictures(4))
    code, out = translate(folder, '--json')
    streams = capsys.readouterr()
    told = json.loads(streams.out)
    assert code == 1
    assert tree(out) == {'a.mp4', 'b.mp4', 'c.mp4', 'd.mp4'}
    assert told['frames'] == 4 + 8 + 7 + 4
    assert [Path(entry['input']).name for entry in told['failed']] == ['c.avi']
    assert '1 of its frames cannot be decoded' in told['failed'][0]['reason']
    assert [Path(entry['input']).name for entry in told['notes']] == ['b.ts']
    assert '4 frames of 48x48 were fitted into 64x48' in streams.err


def test_names_that_are_no_utf8(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = os.fsdecode(b'caf\xe9')
    (tmp_path / 'in').mkdir(exist_ok=True)
    encode(tmp_path / 'v.mp4', pictures(3)).rename(tmp_path / f'in/{name}.mp4')
    (tmp_path / f'in/{name}.txt').write_text('')
    code, out = translate(tmp_path / 'in')
    assert code == 0
    assert tree(out) == {f'{name}.mp4'}
    assert 'skipped' in capsys.readouterr().out
