"""A live topic as a source, message by message."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rgb2swir_ros.hil import live
from rgb2swir_ros.hil.live import TopicSource

T0 = 100 * 10**9
SECOND = 10**9


class Rig:
    """A source whose subscriptions are called by hand, on a clock of the test's own."""

    def __init__(self, monkeypatch, topic: str) -> None:
        self.subscribed: dict[str, object] = {}
        monkeypatch.setattr(live.qos, 'subscribe', lambda node, kind, topic, take: (
            self.subscribed.__setitem__(topic.name, take)))
        self.now, self.t0 = T0, T0
        self.frames: list = []
        self.complaints: list[str] = []
        clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=self.now))
        node = SimpleNamespace(get_clock=lambda: clock, resolve_topic_name=lambda name: f'/{name}')
        self.source = TopicSource(node, topic, (32, 64), 2 * SECOND, self.frames.append,
                                  lambda: self.t0, self.complaints.append)

    def send(self, name: str, stamp_ns: int, **fields) -> None:
        stamp = SimpleNamespace(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
        self.subscribed[name](SimpleNamespace(header=SimpleNamespace(stamp=stamp), **fields))


def raw(height: int = 64, width: int = 128, **changes) -> dict:
    data = np.full((height, width, 3), 7, np.uint8).tobytes()
    return {'height': height, 'width': width, 'encoding': 'rgb8', 'is_bigendian': 0,
            'step': width * 3, 'data': data} | changes


def test_frames_keep_their_time_and_get_the_size_of_the_engine(monkeypatch):
    rig = Rig(monkeypatch, 'front/image_raw')
    assert set(rig.subscribed) == {'/front/image_raw', '/front/camera_info'}
    info = SimpleNamespace(k=[1.0])
    rig.subscribed['/front/camera_info'](info)
    rig.now = T0 + SECOND
    rig.send('/front/image_raw', T0 + SECOND // 2, **raw())
    frame, = rig.frames
    assert (frame.index, frame.time_ns, frame.source_size) == (0, SECOND // 2, (64, 128))
    assert frame.rgb.shape == (32, 64, 3)
    assert frame.info is info
    assert rig.source.size == (32, 64)


def test_before_the_run_only_the_size_is_learned(monkeypatch):
    rig = Rig(monkeypatch, 'front/image_raw')
    rig.t0 = 0
    rig.send('/front/image_raw', T0, **raw())
    rig.t0 = T0 + SECOND
    rig.send('/front/image_raw', T0, **raw())
    assert not rig.frames
    assert rig.source.size == (32, 64)


def test_compressed_images_are_decoded(monkeypatch):
    rig = Rig(monkeypatch, 'front/image_raw/compressed')
    assert set(rig.subscribed) == {'/front/image_raw/compressed', '/front/camera_info'}
    _, data = cv2.imencode('.png', np.full((64, 128, 3), (10, 20, 30), np.uint8))
    rig.send('/front/image_raw/compressed', T0, format='bgr8; png compressed bgr8',
             data=data.tobytes())
    frame, = rig.frames
    assert frame.rgb[0, 0].tolist() == [30, 20, 10]
    rig.send('/front/image_raw/compressed', T0, format='jpeg', data=b'no picture')
    assert rig.frames[1].rgb is None
    assert rig.frames[1].refusal


@pytest.mark.parametrize(('changes', 'reason'), [
    ({'data': b'1234'}, 'wrong_length'), ({'encoding': 'nonsense'}, 'unsupported_encoding'),
    ({'height': 0}, 'zero_size')])
def test_what_is_no_picture_is_counted_by_its_reason(monkeypatch, changes, reason):
    rig = Rig(monkeypatch, 'front/image_raw')
    rig.send('/front/image_raw', T0, **raw(**changes))
    frame, = rig.frames
    assert frame.rgb is None
    assert frame.refusal == reason


@pytest.mark.parametrize(('age_s', 'says'), [(-1, 'in the future'), (5, '5.0 s old')])
def test_impossible_ages_are_told_and_refused(monkeypatch, age_s, says):
    rig = Rig(monkeypatch, 'front/image_raw')
    rig.now = T0 + 10 * SECOND
    rig.send('/front/image_raw', rig.now - age_s * SECOND, **raw())
    frame, = rig.frames
    assert frame.rgb is None
    assert frame.refusal == 'impossible_age'
    assert says in rig.complaints[0]
