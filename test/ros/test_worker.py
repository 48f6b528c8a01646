"""The worker: round-robin over cameras, and exactly one outcome for every frame."""

from __future__ import annotations

import threading
import time
from array import array
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rgb2swir_ros.engines.client import EngineCrashed, EngineHung, EngineNotReady, Inference
from rgb2swir_ros.imaging import compressed
from rgb2swir_ros.imaging.headers import read_header
from rgb2swir_ros.ros.camera import ReceivedImage
from rgb2swir_ros.ros.mailbox import Mailbox
from rgb2swir_ros.ros.parameters import check
from rgb2swir_ros.ros.timing import Window
from rgb2swir_ros.ros.worker import Worker


class Client:
    """An engine that returns the red channel, or fails on request."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.sizes = {(16, 32)}
        self.asked: list[tuple[int, int]] = []
        self.failures: dict[tuple[int, int], str] = {}

    def why_failed(self, size):
        return self.failures.get(size, '')

    def ready(self, size):
        return size in self.sizes

    def prepare(self, size):
        self.asked.append(size)

    def infer(self, rgb):
        if self.failure:
            raise self.failure
        return Inference(rgb[..., 0].astype(np.float32) / 255, 0.5, 1.5)


class Log:
    """Keeps what is logged as errors."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, text, **_):
        self.errors.append(text)


class Bench:
    """A worker between fake cameras and a fake engine."""

    def __init__(self, *names: str, novelty=None, **parameters: object) -> None:
        self.client, self.log = Client(), Log()
        self.published: list[tuple[str, object, np.ndarray, str]] = []
        self.reports: list[tuple[str, dict]] = []
        self.cameras = [self.camera(name) for name in names]
        self.alive = True
        self.novelty = novelty
        self.worker = Worker(
            self.cameras, self.client, check({'size': '32x16', **parameters}), logger=self.log,
            now_ns=lambda: 10 * 10**9,
            report=lambda camera, _, timing: self.reports.append((camera, timing)),
            alive=lambda: self.alive, novelty=self.novelty)

    def camera(self, name: str) -> SimpleNamespace:
        """Return what the worker uses of a camera."""
        camera = SimpleNamespace(
            name=name, mailbox=Mailbox(), source_size=(16, 32), refusal='', departures=Window(),
            ages=Window(), novelties=Window(), transformed_info=lambda *_: None)
        camera.refuse = lambda reason, text: setattr(camera, 'refusal', text)
        camera.learn_size = lambda size: setattr(camera, 'source_size', size)
        camera.outputs = SimpleNamespace(
            has_subscribers=lambda: True, publish=lambda header, swir, encoding, info:
            self.published.append((name, header, swir, encoding)))
        return camera

    def work(self) -> None:
        """Let the worker empty the mailboxes."""
        self.worker.start()
        self.worker.wake()
        deadline = time.monotonic() + 20
        while any(camera.mailbox.snapshot()['in_hand'] for camera in self.cameras):
            assert time.monotonic() < deadline, 'the worker does not finish'
            time.sleep(0.002)
        self.worker.stop()
        assert not any(thread.name == 'translate' for thread in threading.enumerate())


def frame(height=16, width=32, encoding='rgb8', second=9, data=None) -> ReceivedImage:
    header = SimpleNamespace(stamp=SimpleNamespace(sec=second, nanosec=0), frame_id='optical')
    content = array('B', bytes(range(256)) * 12)[:height * width * 3] if data is None else data
    return ReceivedImage(
        SimpleNamespace(header=header, height=height, width=width, encoding=encoding,
                        is_bigendian=0, step=width * 3, data=content), False)


def outcomes(camera) -> dict[str, int]:
    return {key: n for key, n in camera.mailbox.snapshot().items()
            if key not in {'received', 'in_hand'}}


def test_a_frame_is_translated_with_its_own_header():
    bench = Bench('front', encoding='mono16')
    one = frame()
    bench.cameras[0].mailbox.put(one)
    bench.work()
    assert outcomes(bench.cameras[0]) == {'translated': 1}
    (name, header, swir, encoding), = bench.published
    assert (name, encoding) == ('front', 'mono16')
    assert header is one.message.header
    red = np.frombuffer(one.message.data, np.uint8).reshape(16, 32, 3)[..., 0]
    assert np.abs(swir / 65535 - red / 255).max() < 1e-4
    (camera, timing), = bench.reports
    assert camera == 'front'
    assert timing['age_ms'] == 1000
    assert (timing['transfer_ms'], timing['inference_ms']) == (0.5, 1.5)


def test_novelty_is_measured_after_the_frame_has_left():
    published_before = []

    def novelty(rgb):
        published_before.append(len(bench.published))
        assert rgb.shape == (16, 32, 3)
        return 1.5
    bench = Bench('front', novelty=novelty)
    bench.cameras[0].mailbox.put(frame())
    bench.work()
    assert published_before == [1]
    assert bench.reports[0][1]['input_novelty'] == 1.5
    assert bench.cameras[0].novelties.values(time.monotonic_ns()) == [1.5]


def test_without_novelty_the_timing_has_none():
    bench = Bench('front')
    bench.cameras[0].mailbox.put(frame())
    bench.work()
    assert 'input_novelty' not in bench.reports[0][1]


def test_turns_are_fair():
    bench = Bench('a', 'b', 'c')
    order = []
    for camera in bench.cameras:
        publish = camera.outputs.publish

        def again(*arguments, camera=camera, publish=publish):
            publish(*arguments)
            order.append(camera.name)
            if len(order) < 30:  # a camera faster than the worker: the next frame is there
                camera.mailbox.put(frame())
        camera.outputs.publish = again
        camera.mailbox.put(frame())
    bench.work()
    assert order[:30] == ['a', 'b', 'c'] * 10


@pytest.mark.parametrize(('failure', 'outcome', 'logged'), [
    (EngineNotReady('not yet'), 'dropped_engine_not_ready', 0),
    (EngineCrashed('killed'), 'dropped_engine_failed', 1),
    (EngineHung('too long'), 'dropped_engine_failed', 1),
    (ZeroDivisionError('surprise'), 'dropped_error', 1),
])
def test_failures_are_counted_and_the_next_frame_is_served(failure, outcome, logged):
    bench = Bench('bad', 'good')
    bench.client.failure = failure
    good = bench.cameras[1]
    good.outputs.has_subscribers = lambda: setattr(bench.client, 'failure', None) or True
    for camera in bench.cameras:
        camera.mailbox.put(frame())
    bench.work()
    assert outcomes(bench.cameras[0]) == {outcome: 1}
    assert outcomes(good) == {'translated': 1}
    assert len(bench.log.errors) == logged


def test_a_frame_that_ros_ended_under_is_counted_and_is_no_error():
    bench = Bench('front')
    bench.client.failure = RuntimeError("publisher's context is invalid")
    bench.alive = False
    bench.cameras[0].mailbox.put(frame())
    bench.work()
    assert outcomes(bench.cameras[0]) == {'dropped_shutdown': 1}
    assert not bench.log.errors


@pytest.mark.parametrize(('bad', 'outcome'), [
    (frame(encoding='nonsense'), 'refused_unsupported_encoding'),
    (frame(height=0, width=0), 'refused_zero_size'),
    (frame(data=array('B', b'short')), 'refused_wrong_length'),
    (frame(height=3000, width=4000, data=array('B', b'short')), 'refused_wrong_length'),
])
def test_malformed_frames_are_refused_and_have_no_engine_built(bad, outcome):
    bench = Bench('front')
    bench.cameras[0].mailbox.put(bad)
    bench.work()
    assert outcomes(bench.cameras[0]) == {outcome: 1}
    assert bench.cameras[0].refusal
    assert bench.cameras[0].source_size == (16, 32)
    assert bench.client.asked == []


def test_another_size_asks_for_another_engine():
    bench = Bench('front')
    bench.cameras[0].mailbox.put(frame(height=16, width=16))
    bench.work()
    assert outcomes(bench.cameras[0]) == {'dropped_engine_not_ready': 1}
    assert bench.client.asked == [(16, 16)]
    assert bench.cameras[0].source_size == (16, 16)


def test_a_size_that_failed_drops_its_frames_and_no_other_cameras():
    bench = Bench('bad', 'good')
    bench.client.failures[16, 16] = 'no converter'
    bench.cameras[0].mailbox.put(frame(height=16, width=16))
    bench.cameras[1].mailbox.put(frame())
    bench.work()
    assert outcomes(bench.cameras[0]) == {'dropped_engine_failed': 1}
    assert outcomes(bench.cameras[1]) == {'translated': 1}
    assert bench.log.errors == ['bad: the engine for 16x16 failed: no converter']


def test_late_and_unheard_frames_are_dropped_by_reason():
    bench = Bench('late', 'idle', max_age_ms=500.0)
    bench.cameras[0].mailbox.put(frame(second=9))
    bench.cameras[1].mailbox.put(frame(second=10))
    bench.cameras[1].outputs.has_subscribers = lambda: False
    bench.work()
    assert outcomes(bench.cameras[0]) == {'dropped_late': 1}
    assert outcomes(bench.cameras[1]) == {'dropped_idle': 1}


def test_a_clock_that_jumped_back_makes_no_frame_late():
    bench = Bench('loop', max_age_ms=500.0)
    bench.cameras[0].mailbox.put(frame(second=3600))
    bench.work()
    assert outcomes(bench.cameras[0]) == {'translated': 1}
    assert bench.reports[0][1]['age_ms'] < 0


def test_the_thread_outlives_what_nobody_expected():
    """A frame whose failure cannot even be noted is counted, and the next camera is served."""
    bench = Bench('bad', 'good')
    bad, good = bench.cameras
    bad.refuse = lambda *_: 1 / 0
    bad.mailbox.put(frame(encoding='nonsense'))
    good.mailbox.put(frame())
    bench.work()
    assert outcomes(bad) == {'dropped_error': 1}
    assert outcomes(good) == {'translated': 1}
    assert 'ZeroDivisionError' in bench.log.errors[0]


@pytest.mark.parametrize('codec', ['jpeg', 'png'])
def test_a_compressed_frame_is_copied_and_parsed_once(codec, monkeypatch):
    data, style = compressed.encode(np.full((16, 32, 3), 200, np.uint8), codec)
    parsed = []
    monkeypatch.setattr(compressed, 'read_header', lambda content: (
        parsed.append(content) or read_header(content)))
    bench = Bench('front')
    message = SimpleNamespace(header=frame().message.header, format=style, data=array('B', data))
    bench.cameras[0].mailbox.put(ReceivedImage(message, True))
    bench.work()
    assert outcomes(bench.cameras[0]) == {'translated': 1}
    assert parsed == [data]
