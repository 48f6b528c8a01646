"""What is written is whole, is read back the same, and never replaces what is not ours."""

from __future__ import annotations

import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import finished, write_bytes, write_picture
from rgb2swir_ros.imaging.raw import to_fields
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.frames import decode
from rgb2swir_ros.replay.overlap import Behind, ahead
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.replay.video_writer import VideoWriter

from .footage import START, TYPES, camera_info, image, picture


def records(data: bytes) -> list[tuple[int, bytes]]:
    """Return (opcode, content) of an mcap file's records (mcap.dev/spec), chunks opened."""
    assert data[:8] == data[-8:] == b'\x89MCAP0\r\n'
    found, at = [], 8
    while at < len(data) - 8:
        length = int.from_bytes(data[at + 1:at + 9], 'little')
        content = data[at + 9:at + 9 + length]
        found.append((data[at], content))
        at += 9 + length
        if found[-1][0] == 0x06:  # chunk: times, size, checksum, name of compression, records
            name = int.from_bytes(content[28:32], 'little')
            assert name == 0
            found += records(data[:8] + content[40:] + data[:8])
    return found


def text(content: bytes, at: int) -> tuple[str, int]:
    end = at + 4 + int.from_bytes(content[at:at + 4], 'little')
    return content[at + 4:end].decode(), end


def test_bag_is_what_foxglove_needs(tmp_path: Path) -> None:
    with BagWriter(tmp_path / 'swir_bag') as writer:
        for n in range(3):
            stamp = START + n * 10**8
            writer.write_image('/c/swir/image_raw', stamp, 'cam',
                               to_fields(picture(n)[..., 0], 'mono8'))
            writer.write_camera_info('/c/swir/camera_info', stamp, 'cam',
                                     camera_info((48, 64), stamp))
            writer.write_compressed('/c/swir/image_raw/compressed', stamp, 'cam', b'\xff\xd8',
                                    'mono8; jpeg compressed mono8')
            writer.write_diagnostics('/timing', stamp, 'timing', {'total_ms': '1.5'})
    assert [p.name for p in tmp_path.iterdir()] == ['swir_bag']
    data = (tmp_path / 'swir_bag/swir_bag.mcap').read_bytes()
    found = records(data)
    assert text(found[0][1], 0)[0] == 'ros2'
    schemas = {}
    for content in (c for op, c in found if op == 0x03):
        name, at = text(content, 2)
        encoding, at = text(content, at)
        schemas[name] = (encoding, text(content, at)[0])
    assert set(schemas) == {
        'sensor_msgs/msg/Image', 'sensor_msgs/msg/CameraInfo', 'sensor_msgs/msg/CompressedImage',
        'diagnostic_msgs/msg/DiagnosticArray'}
    assert {encoding for encoding, _ in schemas.values()} == {'ros2msg'}
    assert 'uint8[] data' in schemas['sensor_msgs/msg/Image'][1]
    assert 'MSG: std_msgs/Header' in schemas['sensor_msgs/msg/CameraInfo'][1]
    told = yaml.safe_load((tmp_path / 'swir_bag/metadata.yaml').read_text())
    told = told['rosbag2_bagfile_information']
    assert told['relative_file_paths'] == ['swir_bag.mcap']
    assert (told['storage_identifier'], told['message_count']) == ('mcap', 12)
    assert told['starting_time']['nanoseconds_since_epoch'] == START


@settings(deadline=None)  # of disks that others use
@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_image_survives_a_bag(tmp_path_factory: pytest.TempPathFactory, height: int, width: int,
                              deep: bool) -> None:
    folder = tmp_path_factory.mktemp('bag')
    rng = np.random.default_rng([height, width])
    pixels = rng.integers(0, 65536, (height, width)).astype(np.uint16 if deep else np.uint8)
    with BagWriter(folder / 'b') as writer:
        writer.write_image('/i', START + 7, 'f', to_fields(pixels, 'mono16' if deep else 'mono8'))
    (frame,) = BagSource(folder / 'b').frames()
    assert (frame.stamp_ns, frame.frame_id) == (START + 7, 'f')
    np.testing.assert_array_equal(
        np.frombuffer(frame.content.data, pixels.dtype).reshape(pixels.shape), pixels)


def test_bag_survives_an_exception_and_replaces_only_bags(tmp_path: Path) -> None:
    def write(count: int, crash: bool = False) -> None:
        with BagWriter(tmp_path / 'b') as writer:
            for n in range(count):
                writer.write('/i', 'sensor_msgs/msg/Image', bytes(TYPES.serialize_cdr(
                    image(picture(n), START + n), 'sensor_msgs/msg/Image')), START + n)
            if crash:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(2, crash=True)
    assert [f.stamp_ns for f in BagSource(tmp_path / 'b').frames()] == [START, START + 1]
    write(3)
    assert BagSource(tmp_path / 'b').count == 3
    (tmp_path / 'b/notes.txt').write_text('mine')
    with pytest.raises(UserError, match='exists, not as this tool wrote it'):
        BagWriter(tmp_path / 'b')  # before anything was recorded that had no place then
    assert (tmp_path / 'b/notes.txt').read_text() == 'mine'
    assert BagSource(tmp_path / 'b').count == 3


@pytest.mark.parametrize('size', [(48, 64), (47, 63), (48, 63)])
@pytest.mark.parametrize('grey', [True, False])
def test_video_keeps_size_levels_and_times(tmp_path: Path, size: tuple[int, int],
                                           grey: bool) -> None:
    stamps = [0, 40_000_000, 80_000_000, 200_000_000]
    frames = [picture(n, size)[..., 0] if grey else picture(n, size) for n in range(4)]
    with VideoWriter(tmp_path / 'v.mp4', 25.0, crf=5) as writer:
        for frame, stamp in zip(frames, stamps, strict=True):
            writer.write(frame, stamp)
    read = list(VideoSource(tmp_path / 'v.mp4').frames())
    assert [f.stamp_ns for f in read] == stamps
    for written, back in zip(frames, read, strict=True):
        rgb = decode(back)
        assert rgb.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
        rgb = rgb[:size[0], :size[1]].astype(int)
        assert np.abs(rgb - (written[..., None] if grey else written)).mean() < 4


def test_video_is_what_a_browser_plays(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / 'v.mp4') as writer:
        for n in range(3):
            writer.write(picture(n, (47, 63)))
    with av.open(str(tmp_path / 'v.mp4')) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
        assert (stream.height, stream.width, stream.frames) == (48, 64, 3)
    data = (tmp_path / 'v.mp4').read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')  # plays before all of it has come


def test_video_refuses_a_frame_of_another_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / 'v.mp4') as writer:
        writer.write(picture(0))
        with pytest.raises(UserError, match='in a video of'):
            writer.write(picture(0, (64, 64)))


def test_picture_keeps_depth_and_colours(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (20, 30)).astype(np.uint16)
    write_picture(tmp_path / 'new/deep.png', deep)
    back = cv2.imread(str(tmp_path / 'new/deep.png'), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, deep)
    write_picture(tmp_path / 'rgb.png', picture(1))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'rgb.png'))[..., ::-1], picture(1))


def test_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / 'a.txt'
    write_bytes(target, b'old')

    def fail() -> None:
        with finished(target) as temporary:
            temporary.write_text('half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert {p.name for p in tmp_path.iterdir()} == {'a.txt', '.rgb2swir'}
    assert target.read_text() == 'old'
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='cannot be written'), \
            finished(tmp_path / 'file/inside.txt'):
        pass


def test_reading_ahead_keeps_order_and_errors_and_ends() -> None:
    def items() -> object:
        yield from range(5)
        raise ValueError('broken')

    read: list[int] = []
    with pytest.raises(ValueError, match='broken'):
        read.extend(ahead(items()))
    assert read == [0, 1, 2, 3, 4]
    endless = ahead(iter(int, 1))
    assert next(endless) == 0
    endless.close()
    assert 'read-ahead' not in {thread.name for thread in threading.enumerate()}


def test_writing_behind_keeps_order_and_raises() -> None:
    done: list[int] = []
    with Behind() as behind:
        for n in range(20):
            behind.put(done.append, n)
    assert done == list(range(20))

    def fail() -> None:
        raise OSError('disk full')

    with pytest.raises(OSError, match='disk full'), Behind() as behind:
        behind.put(fail)
