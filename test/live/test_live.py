"""A bag in real time through the node: the frames are those of the offline replay."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.live import run as live_run
from rgb2swir_ros.live.conduct import LiveRun
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.run_record import RunRecord, read_run
from rgb2swir_ros.replay.split_bag_writer import SplitBagWriter
from rgb2swir_ros.replay.storage.recording import Recording

from ..replay import footage
from ..replay.replays import digest_bag

needs_ros = pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='no rclpy')
START, STEP = footage.START, 2 * 10**8
COUNT = 8
SWIR = '/front/swir/image_raw'


def two_cameras(path: Path) -> Path:
    """Write a bag with a raw and a compressed camera, whose CameraInfo comes late."""
    messages: list[tuple[str, object, int]] = []
    for n in range(COUNT):
        stamp = START + n * STEP
        messages += [
            ('/front/image_raw', footage.image(footage.picture(n), stamp), stamp + 10**7),
            ('/front/camera_info', footage.camera_info((48, 64), stamp), stamp + 3 * 10**7),
            ('/rear/image_raw/compressed', footage.compressed(footage.picture(n + 50), stamp + 5),
             stamp + 2 * 10**7)]
    return footage.write_bag(path, messages)


@needs_ros
@pytest.mark.ros
@pytest.mark.slow
def test_live_frames_are_those_of_the_offline_replay(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = two_cameras(tmp_path / 'bag')
    words = [str(bag), '-o', str(tmp_path / 'live'), '--backend', 'eager', '--size', '64x48',
             '--threads', '1', '--json']
    assert command.main(['replay', *words, '--live', '--rate', '2', '--loop', '2']) == 0
    told = json.loads(capsys.readouterr().out)['bags'][0]['run']
    words[2] = str(tmp_path / 'offline')
    assert command.main(['replay', *words]) == 0
    run, offline = read_run(tmp_path / 'live' / 'bag'), read_run(tmp_path / 'offline' / 'bag')
    assert told['live'] == run.live
    assert run.live['problems'] == []
    for name in ('front', 'rear'):
        frames = run.live['frames'][name]
        assert frames['sent by the camera'] == 2 * COUNT
        assert frames['recorded'] == frames['translated'] > COUNT
        assert run.live['latency_ms'][name]['player_to_recorder_ms']['p50'] > 0
    assert run.live['latency_ms']['node']['inference_ms']['p50'] > 0
    assert [(c.source, c.topic, c.camera_info) for c in run.cameras] == [
        (c.source, c.topic, c.camera_info) for c in offline.cameras]

    topics = {c.topic for c in run.cameras}
    expected = {(m.connection.topic, m.log_ns): m.data for m in Recording(
        tmp_path / 'offline' / 'bag' / 'swir').messages(lambda one: one.topic in topics)}
    found = list(Recording(tmp_path / 'live' / 'bag' / 'swir').messages(
        lambda one: one.topic in topics))
    first = [m for m in found if (m.connection.topic, m.log_ns) in expected]
    assert len(first) >= COUNT  # of two cameras; a busy machine may drop some
    assert all(m.data == expected[m.connection.topic, m.log_ns] for m in first)
    later = [m for m in found if m.log_ns >= START + COUNT * STEP]
    assert len(first) + len(later) == len(found) == run.frames
    payloads = set(expected.values())
    assert all(m.data in payloads for m in later)
    assert digest_bag(tmp_path / 'live' / 'bag' / 'swir')[SWIR] == run.topics[SWIR]
    # the next run does not replace it
    assert command.main(['replay', str(bag), '-o', str(tmp_path / 'live'), '--live']) == 2
    assert 'give --overwrite' in capsys.readouterr().err


def recorded(path: Path, frames: list[tuple[str, int, int]]) -> Path:
    """Write what a recorder received: (camera, stamp, when it arrived)."""
    writer = SplitBagWriter(path, path.name)
    for camera, stamp, arrived in frames:
        message = footage.image(footage.picture(0), stamp)
        writer.write(f'/{camera}/swir/image_raw', 'sensor_msgs/msg/Image', footage.cdr(message),
                     arrived)
        status = footage.TYPES.types['diagnostic_msgs/msg/DiagnosticArray'](
            header=footage.header(5), status=[])
        writer.write('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray', footage.cdr(status),
                     arrived + 1)
    writer.write_metadata({})
    return path


def test_frames_lie_where_their_sources_lie(tmp_path: Path) -> None:
    """Stamps may be of any clock and of two cameras; a second round lies a round later."""
    sent = [(camera, n, START + n * STEP + (camera == 'rear'), 100 * (3 * turn + n))
            for turn in range(2) for n in range(3) for camera in ('front', 'rear')]
    run = RunRecord('bag')
    # the front camera's frame 1 was dropped in the first round
    frames = [('front', 0, 50), ('rear', 0, 60), ('rear', 1, 150), ('front', 2, 250),
              ('front', 0, 350), ('front', 1, 450)]
    live_run._rewrite(run, LiveRun(sent=sent), recorded(tmp_path / 'r', frames),
                      tmp_path / 'swir')
    at = {topic: [m.log_ns - START for m in Recording(tmp_path / 'swir').messages(
        lambda one, topic=topic: one.topic == topic)]
        for topic in (SWIR, '/rear/swir/image_raw', '/diagnostics')}
    length = 3 * STEP + 1
    assert at[SWIR][:2] == [0, 2 * STEP]
    assert np.allclose(at[SWIR][2:], [length, length + STEP], atol=2, rtol=0)
    assert at['/rear/swir/image_raw'] == [1, STEP + 1]
    assert len(at['/diagnostics']) == 6
    assert run.topics[SWIR] == digest_bag(tmp_path / 'swir')[SWIR]
    assert run.topics['/diagnostics'].sha256 == ''
    assert [f.stamp_ns for f in CameraBag(tmp_path / 'swir', [SWIR]).frames()] == [0, 2, 0, 1]
