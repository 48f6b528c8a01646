"""The camera sends a bag's own messages; other footage becomes images with fresh stamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rgb2swir_ros.demo.camera import shots
from rgb2swir_ros.demo.footage import Footage, image_message, info_message, restamped
from rgb2swir_ros.imaging.raw import to_rgb
from rgb2swir_ros.replay import drive
from rgb2swir_ros.replay.bag import stamp_ns
from rgb2swir_ros.replay.frames import FootageError

from ..replay.footage import (
    START,
    TYPES,
    camera_info,
    compressed,
    image,
    picture,
    write_bag,
    write_video,
)

RAW = 'sensor_msgs/msg/Image'


@pytest.mark.parametrize('storage', ['mcap', 'sqlite3'])
@pytest.mark.parametrize('kind', ['raw', 'compressed'])
def test_bag_messages_go_out_unchanged(tmp_path: Path, storage: str, kind: str) -> None:
    make = image if kind == 'raw' else compressed
    stamps = [START + n * 10**8 for n in range(3)]
    messages = [make(picture(n), stamp) for n, stamp in enumerate(stamps)]
    infos = [camera_info((48, 64), stamp) for stamp in stamps]
    topic = '/c/image_raw' + '/compressed' * (kind == 'compressed')
    bag = write_bag(tmp_path / 'bag', [pair for i, m in zip(infos, messages, strict=True)
                                       for pair in (('/c/camera_info', i), (topic, m))], storage)
    footage = Footage(bag, 60)
    assert (footage.live, footage.compressed, footage.size) == (False, kind == 'compressed',
                                                                (48, 64))
    sent = list(shots(footage))
    assert [shot.stamp_ns for shot in sent] == stamps
    for shot, message, info in zip(sent, messages, infos, strict=True):
        assert shot.image == bytes(TYPES.serialize_cdr(message, message.__msgtype__))
        assert shot.info == bytes(TYPES.serialize_cdr(info, info.__msgtype__))


def test_video_becomes_bgr8_images(tmp_path: Path) -> None:
    footage = Footage(write_video(tmp_path / 'v.mp4', 5), 60)
    assert (footage.live, footage.compressed, footage.size) == (True, False, (48, 64))
    sent = list(shots(footage))
    assert [shot.due_ns for shot in sent] == [n * 10**8 for n in range(5)]
    message = TYPES.deserialize_cdr(restamped(sent[2].image, START + 5), RAW)
    assert (message.encoding, message.height, message.width, message.step) == (
        'bgr8', 48, 64, 192)
    assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == START + 5
    assert message.header.frame_id == 'camera'
    assert np.abs(to_rgb(message).astype(int) - picture(2)).mean() < 4
    assert sent[2].info is None


@given(st.integers(0, 2**31 - 1), st.integers(0, 10**9 - 1))
def test_restamped_changes_nothing_but_the_stamp(seconds: int, nanoseconds: int) -> None:
    message = image(picture(0, (16, 16)), START)
    stamp = seconds * 10**9 + nanoseconds
    changed = restamped(bytes(TYPES.serialize_cdr(message, RAW)), stamp)
    assert stamp_ns(changed) == stamp
    back = TYPES.deserialize_cdr(changed, RAW)
    assert back.header.frame_id == 'front_camera'
    np.testing.assert_array_equal(back.data, message.data)
    with pytest.raises(ValueError, match='big-endian'):
        restamped(b'\0\0\0\0' + changed[4:], stamp)


def test_footage_is_cut_to_its_seconds(tmp_path: Path) -> None:
    video = write_video(tmp_path / 'v.mp4', 10)
    footage = Footage(video, 0.35)
    assert [frame.stamp_ns for frame in footage.frames()] == [0, 10**8, 2 * 10**8, 3 * 10**8]
    assert footage.is_cut(4)
    assert not Footage(video, 60).is_cut(10)


def test_size_is_that_of_the_first_usable_frame(tmp_path: Path) -> None:
    broken = image(picture(0), START)
    broken.height = 0
    messages = [('/i', broken), ('/i', image(picture(1, (20, 30)), START + 1))]
    assert Footage(write_bag(tmp_path / 'one', messages), 60).size == (20, 30)
    with pytest.raises(FootageError, match='no usable image'):
        Footage(write_bag(tmp_path / 'two', messages[:1]), 60)


def test_the_packages_drive_moves_and_has_its_pinhole_camera() -> None:
    footage = Footage(drive.FILE, 0.3)
    frames = list(footage.frames())
    assert footage.live
    assert len(frames) == 5
    assert np.abs(np.asarray(frames[0].content, int) - frames[4].content).mean() > 0.5
    message = TYPES.deserialize_cdr(image_message(frames[0]), RAW)
    np.testing.assert_array_equal(to_rgb(message), frames[0].content)
    info = TYPES.deserialize_cdr(info_message(frames[0], True), 'sensor_msgs/msg/CameraInfo')
    height, width = footage.size
    assert (info.height, info.width) == (height, width)
    assert info.k[0] == info.k[4] == info.p[0] == drive.FOCAL * width
    assert (info.k[2], info.k[5]) == (width / 2 - .5, height / 2 - .5)


@pytest.mark.parametrize(('stamp', 'start'), [
    (START - 10**9, None), (0, START), (12 * 10**9, START)])
def test_stamps_of_another_clock_are_told_from_record_times(
        tmp_path: Path, stamp: int, start: int | None) -> None:
    bag = write_bag(tmp_path / 'bag', [('/c/image_raw', image(picture(0), stamp), START)])
    assert Footage(bag, 1).record_start_ns == start


@pytest.mark.parametrize('stamp', [0, -5 * 10**9])
def test_bag_is_paced_by_its_record_times(tmp_path: Path, stamp: int) -> None:
    bag = write_bag(tmp_path / 'bag', [
        ('/c/image_raw', image(picture(n), stamp), START + n * 10**8) for n in range(3)])
    sent = list(shots(Footage(bag, 0.25)))
    assert [shot.due_ns - START for shot in sent] == [0, 10**8, 2 * 10**8]
    assert [shot.stamp_ns for shot in sent] == [stamp] * 3
