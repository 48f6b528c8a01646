"""Which topics of a bag are translated, where to, and which CameraInfo an image gets."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.replay.bag import BagSource, CameraBag, stamp_ns
from rgb2swir_ros.replay.frames import FootageError

from .footage import START, camera_info, compressed, image, picture, write_bag

SIZE = (16, 18)
THEORA = 'sensor_msgs/msg/PointCloud2'  # stands for a type that is no image


def numbers(encoding: str, stamp: int) -> object:
    """Return an Image of one number a pixel."""
    kind = {'16UC1': np.uint16, 'mono16': np.uint16, '32FC1': np.float32, '32SC1': np.int32,
            'mono8': np.uint8, '8UC1': np.uint8, '32FC2': np.float64}[encoding]
    message = image(picture(0, SIZE), stamp, 'rgb8')
    data = np.full(SIZE, 9, kind)
    message.encoding, message.step = encoding, SIZE[1] * data.itemsize
    message.data = np.frombuffer(data.tobytes(), np.uint8)
    return message


def packed(text: str, stamp: int) -> object:
    message = compressed(picture(0, SIZE), stamp)
    message.format = text
    return message


def stereo_and_more(stamp: int) -> list[tuple[str, object]]:
    rgb = picture(1, SIZE)
    return [
        ('/left/image_raw', image(rgb, stamp)), ('/right/image_raw', image(rgb, stamp)),
        ('/left/image_raw/compressed', compressed(rgb, stamp)),
        ('/left/image_raw/compressedDepth', packed('16UC1; compressedDepth png', stamp)),
        ('/rear/image_raw/compressed', compressed(rgb, stamp)),
        ('/depth/image_rect_raw', numbers('16UC1', stamp)),
        ('/depth/points', numbers('32FC1', stamp)),
        ('/depth/image_rect_raw/compressed', packed('16UC1; png compressed ', stamp)),
        ('/labels/image', numbers('32SC1', stamp)), ('/flow/image', numbers('32FC2', stamp)),
        ('/left/swir/image_raw', numbers('mono8', stamp)),
        ('/mono/image_raw', numbers('mono8', stamp)),
    ]


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_every_colour_camera_and_nothing_else(tmp_path: Path, storage: str) -> None:
    messages = [item for n in range(2) for item in stereo_and_more(START + n)]
    bag = CameraBag(write_bag(tmp_path / 'bag', messages, storage, empty={
        '/off/image_raw': 'sensor_msgs/msg/Image', '/cloud': THEORA}))
    assert {camera.topic: camera.base for camera in bag.cameras} == {
        '/left/image_raw': '/left/swir', '/right/image_raw': '/right/swir',
        '/rear/image_raw/compressed': '/rear/swir', '/mono/image_raw': '/mono/swir'}
    assert dict(bag.left_out) == {
        '/left/image_raw/compressed': 'the same as /left/image_raw',
        '/left/image_raw/compressedDepth': 'depth, compressed',
        '/depth/image_rect_raw': 'depth, 16UC1', '/depth/points': 'depth, 32FC1',
        '/depth/image_rect_raw/compressed': 'depth, 16UC1',
        '/labels/image': 'no colours, 32SC1', '/flow/image': 'no colours, 32FC2',
        '/left/swir/image_raw': 'SWIR already', '/off/image_raw': 'no messages'}
    assert bag.count == 8
    assert [frame.topic for frame in bag.frames()].count('/right/image_raw') == 2


def test_the_only_colour_camera_needs_no_choice(tmp_path: Path) -> None:
    messages = [('/c/image_raw', image(picture(0, SIZE), START)),
                ('/c/image_raw/compressed', compressed(picture(0, SIZE), START)),
                ('/d/image_raw', numbers('16UC1', START))]
    bag = write_bag(tmp_path / 'bag', messages)
    assert BagSource(bag).topic == '/c/image_raw'
    assert BagSource(bag, '/d/image_raw').topic == '/d/image_raw'
    assert BagSource(bag, 'c/image_raw/compressed').topic == '/c/image_raw/compressed'


def test_a_compressed_topic_counts_where_the_raw_one_is_empty(tmp_path: Path) -> None:
    bag = CameraBag(write_bag(
        tmp_path / 'bag', [('/c/image_raw/compressed', compressed(picture(0, SIZE), START))],
        empty={'/c/image_raw': 'sensor_msgs/msg/Image'}))
    assert [camera.topic for camera in bag.cameras] == ['/c/image_raw/compressed']
    assert bag.left_out == [('/c/image_raw', 'no messages')]


def test_topics_can_be_chosen(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', stereo_and_more(START))
    chosen = CameraBag(bag, ['/depth/image_rect_raw', 'right/image_raw', 'right/image_raw',
                             '/left/image_raw', '/left/image_raw/compressed'])
    assert [(camera.topic, camera.base) for camera in chosen.cameras] == [
        ('/depth/image_rect_raw', '/depth/swir'), ('/right/image_raw', '/right/swir'),
        ('/left/image_raw', '/left/swir'),
        ('/left/image_raw/compressed', '/left/image_raw/compressed/swir')]
    with pytest.raises(FootageError, match=r"no image topic '/none'.*: /depth/image_rect_raw, "):
        CameraBag(bag, ['/none'])
    with pytest.raises(FootageError, match='choose one with --topic'):
        BagSource(bag)


def test_outputs_beside_each_other_have_names_of_their_own(tmp_path: Path) -> None:
    names = ['/c/image_color', '/c/image_raw', '/c/image_rect', '/a/one', '/a/two', '/image']
    bag = CameraBag(write_bag(tmp_path / 'bag', [(name, image(picture(0, SIZE), START))
                                                 for name in names]))
    assert {camera.topic: camera.base for camera in bag.cameras} == {
        '/c/image_raw': '/c/swir', '/c/image_color': '/c/image_color/swir',
        '/c/image_rect': '/c/image_rect/swir', '/a/one': '/a/swir', '/a/two': '/a/two/swir',
        '/image': '/swir'}


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
def test_one_topic_with_two_types(tmp_path: Path, storage: str) -> None:
    messages = [('/c/image', compressed(picture(0, SIZE), START)),
                ('/c/image', image(picture(1, SIZE), START + 1))]
    bag = CameraBag(write_bag(tmp_path / 'bag', messages, storage))
    assert [frame.stamp_ns for frame in bag.frames()] == [START + 1]
    assert bag.left_out == [
        ('/c/image', 'a second type of this topic, sensor_msgs/msg/CompressedImage')]


@pytest.mark.parametrize(('messages', 'empty', 'text'), [
    ([('/d', numbers('32FC1', START))], {}, r'no colour camera: /d \(depth, 32FC1\); --topic'),
    ([('/i', camera_info(SIZE, START))], {'/c': 'sensor_msgs/msg/Image'},
     r'topic /c of the bag .* holds no message'),
    ([('/i', camera_info(SIZE, START))], {'/theora': THEORA},
     rf'no topic of type .*/theora \({THEORA}, 0\)'),
])
def test_a_bag_without_a_camera_says_what_it_has(
        tmp_path: Path, messages: list[tuple[str, object]], empty: dict[str, str],
        text: str) -> None:
    with pytest.raises(FootageError, match=text):
        CameraBag(write_bag(tmp_path / 'bag', messages, empty=empty))


def info_stamps(path: Path) -> list[int | None]:
    frames = list(BagSource(path).frames())
    assert [frame.stamp_ns for frame in frames] == [START + n for n in range(len(frames))]
    return [frame.info_cdr and stamp_ns(frame.info_cdr) for frame in frames]


def recorded(images: int, infos: dict[int, int], path: Path) -> Path:
    """Write images at 0, 10, 20, ...; CameraInfos by their record times, with their stamps."""
    messages = [('/c/image_raw', image(picture(n, SIZE), START + n), 10 * n)
                for n in range(images)]
    messages += [('/c/camera_info', camera_info(SIZE, stamp), at) for at, stamp in infos.items()]
    return write_bag(path, sorted(messages, key=lambda item: item[2]))


def test_camera_info_recorded_once_holds_for_all(tmp_path: Path) -> None:
    assert info_stamps(recorded(6, {5: 77}, tmp_path / 'a')) == [77] * 6
    assert info_stamps(recorded(6, {0: 77, 45: 78}, tmp_path / 'b')) == [77] * 5 + [78]
    late = info_stamps(recorded(6, {51: 77}, tmp_path / 'c'))
    assert late == [None] * 4 + [77] * 2  # an image waits for two later ones, no longer


def test_camera_info_of_other_stamps_is_the_latest(tmp_path: Path) -> None:
    infos = {10 * n + 5: START + n + 500 for n in range(6)}
    assert info_stamps(recorded(6, infos, tmp_path / 'a')) == [
        START + 500, START + 500, *(START + n + 499 for n in range(2, 6))]


def test_camera_info_of_the_own_stamp_goes_first(tmp_path: Path) -> None:
    infos = {10 * n + 15: START + n for n in range(6)}  # each comes after the next image
    assert info_stamps(recorded(6, infos, tmp_path / 'a')) == [START + n for n in range(6)]


def test_two_cameras_share_a_camera_info(tmp_path: Path) -> None:
    messages = [('/c/camera_info', camera_info(SIZE, 5)),
                ('/c/image_raw', image(picture(0, SIZE), 5)),
                ('/c/image_rect', image(picture(0, SIZE), 5))]
    frames = list(CameraBag(write_bag(tmp_path / 'bag', messages)).frames())
    assert len(frames) == 2
    assert all(frame.info_cdr for frame in frames)


def test_a_malformed_camera_info_is_named(tmp_path: Path) -> None:
    bag = recorded(3, {1: START, 11: START + 1}, tmp_path / 'a')
    file = bag / 'a.mcap'
    data = bytearray(file.read_bytes())
    at = data.rindex(b'plumb_bob')
    data[at - 4:at] = b'\xff\xff\xff\x7f'
    file.write_bytes(data)
    found = []
    with pytest.raises(FootageError, match='1 messages of /c/camera_info are malformed'):
        found.extend(BagSource(bag).frames())
    assert [frame.info_cdr is not None for frame in found] == [True] * 3


def test_compressed_mono_is_no_depth(tmp_path: Path) -> None:
    message = packed('mono8; jpeg compressed ', START)
    message.data = cv2.imencode('.jpg', picture(0, SIZE)[..., 0])[1].reshape(-1)
    assert BagSource(write_bag(tmp_path / 'bag', [('/c/compressed', message)])).count == 1
