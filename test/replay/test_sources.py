"""Bags, videos and pictures come in whole, in order, with their times; damage is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.replay.bag import BagSource, stamp_ns
from rgb2swir_ros.replay.frames import FootageError, decode
from rgb2swir_ros.replay.pictures import natural_key, read_picture
from rgb2swir_ros.replay.source import open_source

from .footage import (
    START,
    TYPES,
    camera_info,
    compressed,
    image,
    picture,
    turn_jpeg,
    turn_video,
    write_bag,
    write_video,
)

STAMPS = [START + 40_000_003 * n for n in range(4)]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('bare', [False, True])
@pytest.mark.parametrize('kind', ['raw', 'compressed'])
def test_bag_frames_are_what_was_written(tmp_path: Path, storage: str, bare: bool,
                                         kind: str) -> None:
    rgb = [picture(n, (31, 45)) for n in range(4)]
    topic = '/front/image_raw' + ('/compressed' if kind == 'compressed' else '')
    messages = [image(p, s, pad=5) if kind == 'raw' else compressed(p, s)
                for p, s in zip(rgb, STAMPS, strict=True)]
    bag = write_bag(tmp_path / 'bag', [(topic, m) for m in messages], storage)
    path = next(p for p in bag.iterdir() if p.suffix in ('.mcap', '.db3')) if bare else bag
    source = open_source(path)
    assert (source.kind, source.topic, source.count) == ('bag', topic, 4)
    for _ in range(2):  # again from the start
        frames = list(source.frames())
        assert [f.stamp_ns for f in frames] == STAMPS
        assert {f.frame_id for f in frames} == {'front_camera'}
        for frame, expected, message in zip(frames, rgb, messages, strict=True):
            np.testing.assert_array_equal(decode(frame), expected)
            assert frame.cdr == bytes(TYPES.serialize_cdr(message, message.__msgtype__))
            assert stamp_ns(frame.cdr) == frame.stamp_ns


def test_camera_info_goes_with_the_image_of_its_stamp(tmp_path: Path) -> None:
    messages: list[tuple[str, object]] = []
    for index, stamp in enumerate(STAMPS):
        if index != 2:
            messages.append(('/front/camera_info', camera_info((48, 64), stamp)))
        messages.append(('/rear/camera_info', camera_info((1, 1), stamp)))
        # before or after its CameraInfo
        messages.insert(len(messages) - index % 2 * 2, (
            '/front/image_raw', image(picture(index), stamp)))
    frames = list(open_source(write_bag(tmp_path / 'bag', messages)).frames())
    assert [f.stamp_ns for f in frames] == STAMPS
    # the third has none of its own and gets the one before it, as in the node
    assert [stamp_ns(f.info_cdr) for f in frames] == [STAMPS[n] for n in (0, 1, 1, 3)]
    info = TYPES.deserialize_cdr(frames[3].info_cdr, 'sensor_msgs/msg/CameraInfo')
    assert info.width == 64


def test_bag_without_images_says_what_it_has(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [('/front/camera_info', camera_info((4, 4), START))])
    with pytest.raises(FootageError, match=r'/front/camera_info \(sensor_msgs/msg/CameraInfo, 1'):
        open_source(bag)


def test_several_image_topics_need_a_choice(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [('/b/image_raw', image(picture(1), START)),
                                       ('/a/image_raw', image(picture(2), START))])
    with pytest.raises(FootageError, match='/a/image_raw, /b/image_raw; choose one with --topic'):
        open_source(bag)
    for topic in ('/b/image_raw', 'b/image_raw'):
        np.testing.assert_array_equal(decode(next(open_source(bag, topic).frames())), picture(1))
    with pytest.raises(FootageError, match=r"no image topic '/c'.*: /a/image_raw, /b/image_raw"):
        open_source(bag, '/c')


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('damage', ['cut', 'garbage', 'empty'])
def test_damaged_bag_is_named(tmp_path: Path, storage: str, damage: str) -> None:
    bag = write_bag(tmp_path / 'bag', [('/i', image(picture(0, (99, 99)), s)) for s in STAMPS],
                    storage)
    file = next(p for p in bag.iterdir() if p.suffix in ('.mcap', '.db3'))
    data = file.read_bytes()
    file.write_bytes({'cut': data[:len(data) // 2], 'garbage': b'x' * 999, 'empty': b''}[damage])
    for path in (bag, file):
        with pytest.raises(FootageError, match=str(path)):
            list(open_source(path).frames())


def test_bag_with_fewer_messages_than_announced_ends_early(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [('/i', image(picture(0), s)) for s in STAMPS])
    about = bag / 'metadata.yaml'
    about.write_text(about.read_text().replace('message_count: 4', 'message_count: 5'))
    source = BagSource(bag)
    assert source.count == 5
    read = source.frames()
    assert [next(read).stamp_ns for _ in range(4)] == STAMPS
    with pytest.raises(FootageError, match='/i has 4 of the 5 messages that it announces'):
        next(read)


def test_message_that_is_no_image_is_left_out_and_named(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', [('/i', image(picture(0), s)) for s in STAMPS])
    file = bag / 'bag.mcap'
    data = bytearray(file.read_bytes())
    at = data.index(b'bgr8', data.index(b'bgr8') + 1)  # the string's length stands before it
    data[at - 4:at] = b'\xff\xff\xff\x7f'
    file.write_bytes(data)
    stamps = []
    with pytest.raises(FootageError, match=r'1 messages of /i are malformed \(frame 1: '):
        stamps.extend(frame.stamp_ns for frame in open_source(bag).frames())
    assert stamps == [STAMPS[0], *STAMPS[2:]]


def test_folder_of_several_storages_without_metadata_asks(tmp_path: Path) -> None:
    one = write_bag(tmp_path / 'one', [('/i', image(picture(0), START))])
    shutil.copy(one / 'one.mcap', one / 'two.mcap')
    (one / 'metadata.yaml').unlink()
    with pytest.raises(FootageError, match=r'one\.mcap, two\.mcap'):
        open_source(one)
    (one / 'two.mcap').unlink()
    assert open_source(one).count == 1


def test_video_frames_in_order_with_their_own_times(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.35, 0.4, 1.0]
    source = open_source(write_video(tmp_path / 'drive.mp4', 5, times=times))
    frames = list(source.frames())
    assert source.count == 5
    assert [f.stamp_ns for f in frames] == [round(t * 1e9) for t in times]
    for index, frame in enumerate(frames):
        assert np.abs(decode(frame).astype(int) - picture(index)).mean() < 4


def test_video_is_turned_upright(tmp_path: Path) -> None:
    path = turn_video(write_video(tmp_path / 'phone.mp4', 3))
    rgb = decode(next(open_source(path).frames()))
    assert rgb.shape == (64, 48, 3)
    upright = np.rot90(picture(0), -1)  # a quarter clockwise
    assert np.abs(rgb.astype(int) - upright).mean() < 4


@pytest.mark.parametrize('keep', [0.0, 0.4, 0.8])
def test_cut_video_is_named(tmp_path: Path, keep: float) -> None:
    path = write_video(tmp_path / 'cut.mp4', 30, noise=True)
    data = path.read_bytes()
    path.write_bytes(data[:int(len(data) * keep)])
    with pytest.raises(FootageError, match=r'cut\.mp4'):
        list(open_source(path).frames())


def test_sound_only_is_no_video(tmp_path: Path) -> None:
    (tmp_path / 'text.mp4').write_text('not a video')
    with pytest.raises(FootageError, match='no readable video'):
        open_source(tmp_path / 'text.mp4')


def test_folder_of_pictures_in_natural_order(tmp_path: Path) -> None:
    names = ['f1.PNG', 'f2.jpg', 'f10.Tiff', 'f11.webp', 'f12.bmp', 'f13.JPEG', 'f14.tif']
    for index, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), picture(index)[..., ::-1])
    (tmp_path / 'notes.txt').write_text('no picture')
    source = open_source(tmp_path)
    frames = list(source.frames())
    assert [f.name for f in frames] == names
    assert source.count == len(names)
    assert [f.stamp_ns for f in frames] == [n * 10**8 for n in range(len(names))]
    for index, frame in enumerate(frames):
        assert np.abs(decode(frame).astype(int) - picture(index)).mean() < 6


def test_natural_order_counts() -> None:
    names = ['a10', 'a9', '10', '9', 'b', 'a', 'A1x', 'a²']
    ordered = [p.name for p in sorted(map(Path, names), key=natural_key)]
    assert ordered.index('9') < ordered.index('10') < ordered.index('a9') < ordered.index('a10')


def test_picture_is_turned_upright_and_brought_to_8_bits(tmp_path: Path) -> None:
    rgb = picture(3)
    _, data = cv2.imencode('.jpg', rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    (tmp_path / 'phone.jpg').write_bytes(turn_jpeg(data.tobytes()))
    upright = read_picture(tmp_path / 'phone.jpg')
    assert np.abs(upright.astype(int) - np.rot90(rgb, -1)).mean() < 4
    cv2.imwrite(str(tmp_path / 'deep.png'), rgb[..., ::-1].astype(np.uint16) * 257)
    assert np.abs(read_picture(tmp_path / 'deep.png').astype(int) - rgb).max() <= 1
    cv2.imwrite(str(tmp_path / 'grey.png'), rgb[..., 0])
    np.testing.assert_array_equal(read_picture(tmp_path / 'grey.png')[..., 2], rgb[..., 0])
    cv2.imwrite(str(tmp_path / 'clear.png'), np.dstack([rgb[..., ::-1], rgb[..., :1]]))
    np.testing.assert_array_equal(read_picture(tmp_path / 'clear.png'), rgb)


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.webp', '.bmp', '.tiff'])
def test_damaged_picture_is_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    _, data = cv2.imencode(suffix, noise)
    for content in (data.tobytes()[:len(data) // 2], b'no picture', b''):
        path = tmp_path / f'bad{suffix}'
        path.write_bytes(content)
        with pytest.raises(FootageError, match=str(path)):
            read_picture(path)


def test_the_end_of_a_thumbnail_is_not_the_end_of_a_jpeg(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    plain = cv2.imencode('.jpg', noise)[1].tobytes()
    body = b'Exif\0\0' + plain
    whole = plain[:2] + b'\xff\xe1' + (len(body) + 2).to_bytes(2, 'big') + body + plain[2:]
    path = tmp_path / 'phone.jpg'
    path.write_bytes(whole)
    assert read_picture(path).shape == (60, 80, 3)
    path.write_bytes(whole[:-1000])
    with pytest.raises(FootageError, match='cut off'):
        read_picture(path)


@pytest.mark.parametrize(('name', 'text'), [
    ('nothing', 'there is no file or folder'), ('empty', 'no picture.*it is empty'),
    ('texts', r'no picture.*it has a\.txt'), ('texts/a.txt', 'no footage by its name'),
])
def test_what_is_no_footage_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'texts').mkdir()
    (tmp_path / 'texts/a.txt').write_text('a')
    with pytest.raises(FootageError, match=text):
        open_source(tmp_path / name)


def test_topic_is_refused_where_there_are_none(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), picture(0))
    with pytest.raises(FootageError, match='--topic'):
        open_source(tmp_path / 'a.png', '/camera')


def test_real_footage_reads(shared: Path) -> None:
    real = shared / 'real'
    for path, count, size in (
        ('CarND-Vehicle-Detection/derived_bag_compressed_mcap', 38, (720, 1280)),
        ('CarND-Vehicle-Detection/derived_bag_raw_db3', 10, (360, 640)),
        ('CarND-LaneLines-P1/test_videos/solidWhiteRight.mp4', 221, (540, 960)),
        ('CarND-LaneLines-P1/test_images', 6, (540, 960)),
    ):
        source = open_source(real / path)
        assert source.count == count
        assert decode(next(source.frames())).shape == (*size, 3)
