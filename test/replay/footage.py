"""Small footage for the tests: bags of both storages, videos, pictures."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

TYPES = get_typestore(Stores.ROS2_JAZZY)
START = 1_500_000_000 * 10**9


def picture(seed: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    """Return a smooth random RGB picture, uint8 (H, W, 3): survives JPEG and H.264 well."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(small, size[::-1], interpolation=cv2.INTER_LINEAR)


def header(stamp_ns: int, frame_id: str = 'front_camera') -> object:
    time = TYPES.types['builtin_interfaces/msg/Time']
    return TYPES.types['std_msgs/msg/Header'](
        stamp=time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id=frame_id)


def image(rgb: np.ndarray, stamp_ns: int, encoding: str = 'bgr8', pad: int = 0) -> object:
    """Return an Image message; rows padded by some bytes."""
    pixels = rgb[..., ::-1] if encoding == 'bgr8' else rgb
    height, width = rgb.shape[:2]
    rows = np.zeros((height, width * 3 + pad), np.uint8)
    rows[:, :width * 3] = pixels.reshape(height, -1)
    return TYPES.types['sensor_msgs/msg/Image'](
        header=header(stamp_ns), height=height, width=width, encoding=encoding, is_bigendian=0,
        step=rows.shape[1], data=rows.reshape(-1))


def compressed(rgb: np.ndarray, stamp_ns: int, suffix: str = 'png') -> object:
    _, data = cv2.imencode(f'.{suffix}', rgb[..., ::-1])
    return TYPES.types['sensor_msgs/msg/CompressedImage'](
        header=header(stamp_ns), format=f'bgr8; {suffix} compressed bgr8', data=data.reshape(-1))


def camera_info(size: tuple[int, int], stamp_ns: int) -> object:
    height, width = size
    roi = TYPES.types['sensor_msgs/msg/RegionOfInterest']
    k = np.array([100, 0, width / 2, 0, 100, height / 2, 0, 0, 1], np.float64)
    return TYPES.types['sensor_msgs/msg/CameraInfo'](
        header=header(stamp_ns), height=height, width=width, distortion_model='plumb_bob',
        d=np.zeros(5), k=k, r=np.eye(3).reshape(-1), binning_x=0, binning_y=0,
        p=np.insert(k.reshape(3, 3), 3, 0, axis=1).reshape(-1),
        roi=roi(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False))


def cdr(message: object) -> bytes:
    return bytes(TYPES.serialize_cdr(message, message.__msgtype__))


def write_bag(path: Path, messages: list[tuple[str, object] | tuple[str, object, int]],
              storage: str = 'mcap', empty: dict[str, str] | None = None,
              compression: str = '') -> Path:
    """Write messages to a new bag: (topic, message), at their own stamps, or with a record time.

    :param empty: topics without a message, and their types.
    :param compression: 'file' or 'message'.
    """
    plugin = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}[storage]
    writer = Writer(path, version=9, storage_plugin=plugin)
    if compression:
        writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    with writer:
        connections: dict[tuple[str, str], object] = {}
        for topic, kind in (empty or {}).items():
            writer.add_connection(topic, kind, typestore=TYPES)
        for topic, message, *when in messages:
            kind = message.__msgtype__
            if (topic, kind) not in connections:
                connections[topic, kind] = writer.add_connection(topic, kind, typestore=TYPES)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            writer.write(connections[topic, kind], when[0] if when else stamp, cdr(message))
    return path


def write_video(path: Path, count: int = 12, size: tuple[int, int] = (48, 64),
                times: list[float] | None = None, noise: bool = False) -> Path:
    """Write an mp4 whose frames are picture(0), picture(1), ... at 10 Hz or at given seconds."""
    with av.open(str(path), 'w', options={'movflags': 'faststart'}) as container:
        stream = container.add_stream('libx264', rate=10)
        stream.height, stream.width = size
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {'crf': '10'}
        for index in range(count):
            rgb = picture(index, size)
            if noise:
                rgb = np.random.default_rng(index).integers(0, 256, (*size, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * (index / 10 if times is None else times[index]))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn_video(path: Path) -> Path:
    """Mark an mp4 as filmed upright: its player turns it a quarter clockwise.

    The 3x3 matrix (16.16 fixed, last column 2.30) stands at byte 40 of a version 0 ``tkhd`` box
    after its type (ISO 14496-12, 8.3.2); rows (0, 1, 0) and (-1, 0, 0) turn clockwise.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b'tkhd') + 4 + 40
    one = 1 << 16
    data[at:at + 36] = struct.pack('>9i', 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def turn_jpeg(data: bytes, orientation: int = 6) -> bytes:
    """Return the JPEG with an EXIF orientation (6: to be turned a quarter clockwise)."""
    tiff = b'MM\0*' + struct.pack('>IHHHIHHI', 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b'Exif\0\0' + tiff
    return data[:2] + b'\xff\xe1' + struct.pack('>H', len(body) + 2) + body + data[2:]


@dataclass
class FakeEngine:
    """An engine without a network: radiance is the mean of the channels, over 255."""

    size: tuple[int, int]
    backend: str
    calls: list[tuple[int, ...]] = field(default_factory=list)

    def __call__(self, rgb: np.ndarray) -> np.ndarray:
        assert rgb.dtype == np.uint8
        assert rgb.shape == (1, *self.size, 3)
        self.calls.append(rgb.shape)
        return (rgb.astype(np.float32).mean(-1) / 255).astype(np.float32)

    def describe(self) -> dict[str, object]:
        return {'backend': self.backend, 'height': self.size[0], 'width': self.size[1]}


class FakeOpener:
    """Stands for engines.build.open_engine and remembers what was asked."""

    def __init__(self) -> None:
        self.opened: list[FakeEngine] = []

    def __call__(self, model: str, size: tuple[int, int], **options: object) -> FakeEngine:
        engine = FakeEngine(size, str(options['backend']))
        self.opened.append(engine)
        return engine


def image_fields(pixels: np.ndarray, encoding: str) -> SimpleNamespace:
    return SimpleNamespace(height=pixels.shape[0], width=pixels.shape[1], encoding=encoding,
                           is_bigendian=0, step=pixels.strides[0], data=pixels.tobytes())
