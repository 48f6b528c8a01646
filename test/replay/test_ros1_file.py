"""ROS 1 bags and messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from rosbags.rosbag1 import Writer as Ros1Writer

from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import decode

from .footage import TYPES, camera_info, image, picture
from .mcap_bytes import McapBytes
from .recordings import IMAGE, ROS1, SMALL, TIMES, ros1, stamps


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
