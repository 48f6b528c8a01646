"""The demo end to end: three processes over real ROS 2, and its ways out."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.demo import run as demo_run
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.marks import is_ours
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.video import VideoSource

from ..replay.footage import START, camera_info, image, picture, write_bag

needs_ros = pytest.mark.skipif(importlib.util.find_spec('rclpy') is None, reason='no rclpy')
COUNT = 12
BROKEN = 5  # this frame's encoding is unknown


def make_bag(path: Path) -> tuple[Path, list[int]]:
    stamps = [START + 150_000_007 * n for n in range(COUNT)]
    messages = []
    for n, stamp in enumerate(stamps):
        message = image(picture(n, (96, 128)), stamp)
        if n == BROKEN:
            message.encoding = 'unheard_of'
        messages += [('/front/camera_info', camera_info((96, 128), stamp)),
                     ('/front/image_raw', message)]
    return write_bag(path, messages), stamps


def processes_with(word: str) -> list[int]:
    """Return the processes, zombies apart, in whose command line or environment a word is."""
    found = []
    for folder in Path('/proc').iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            text = (folder / 'cmdline').read_bytes() + (folder / 'environ').read_bytes()
        except OSError:
            continue
        if word.encode() in text:
            found.append(int(folder.name))
    return found


# What people have in ~/.bashrc for their own system; each breaks or silences a process of ROS.
HOSTILE = {
    'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp', 'CYCLONEDDS_URI': 'file:///nowhere.xml',
    'ROS_DISCOVERY_SERVER': '10.255.255.1:11811', 'ROS_SUPER_CLIENT': 'TRUE',
    'ROS_SECURITY_ENABLE': 'true', 'ROS_SECURITY_STRATEGY': 'Enforce',
    'FASTRTPS_DEFAULT_PROFILES_FILE': '/nowhere.xml',
    'FASTDDS_DEFAULT_PROFILES_FILE': '/nowhere.xml', 'FASTDDS_BUILTIN_TRANSPORTS': 'NONE',
    'RMW_FASTRTPS_USE_QOS_FROM_XML': '1', 'ROS_STATIC_PEERS': '10.255.255.1',
    'ROS_LOCALHOST_ONLY': '1', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF', 'ROS_DOMAIN_ID': 'mine',
    'ROS_NAMESPACE': '/mine', 'RCUTILS_LOGGING_BUFFERED_STREAM': '7',
    'RCUTILS_COLORIZED_OUTPUT': '7', 'RCUTILS_CONSOLE_OUTPUT_FORMAT': '{"event": "done"}',
}


@needs_ros
@pytest.mark.ros
@pytest.mark.slow
def test_every_frame_of_a_bag_is_accounted_for(
        tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a shell whose settings of ROS are for another system: the demo has its own."""
    for variable, value in HOSTILE.items():
        monkeypatch.setenv(variable, value)
    bag, stamps = make_bag(tmp_path / 'bag')
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'mine.txt').write_text('keep')
    write_bytes(out / 'swir.mp4', b'of an earlier run')
    code = command.main(['demo', '--input', str(bag), '--output', str(out), '--backend', 'eager',
                         '--size', '64x64', '--overwrite'])
    streams = capsys.readouterr()
    assert code == 0, streams
    report = json.loads((out / 'report.json').read_text())
    frames = report['frames']
    assert frames['sent'] == COUNT
    # six small frames a second: not one may be lost, neither at the start nor at the end
    assert (frames['received'], frames['lost_transport']) == (COUNT, 0)
    assert frames['sent'] == (frames['translated'] + sum(frames['dropped'].values())
                              + sum(frames['refused'].values()) + frames['lost_transport'])
    assert frames['recorded'] == frames['translated'] > 0
    if not sum(frames['dropped'].values()):
        assert frames['refused'] == {'unsupported_encoding': 1}
    assert report['stamps'] == "the input's"
    assert {'p50', 'p95', 'p99', 'max'} == set(report['latency_ms']['inference_ms'])
    assert report['latency_ms']['camera_to_recorder_ms']['p50'] > 0

    recorded = list(BagSource(out / 'swir_bag').frames())
    assert len(recorded) == frames['recorded']
    assert {f.stamp_ns for f in recorded} <= set(stamps) - {stamps[BROKEN]}
    assert {f.frame_id for f in recorded} == {'front_camera'}
    assert {(f.content.encoding, f.content.height, f.content.width) for f in recorded} == {
        ('mono8', 48, 64)}
    assert report['bag_messages']['/camera/swir/camera_info'] == frames['recorded']
    assert report['bag_messages']['/translator/timing'] == frames['translated']

    assert VideoSource(out / 'swir.mp4').count == frames['recorded']
    assert cv2.imread(str(out / 'side_by_side.png')) is not None
    assert (out / 'table.txt').read_text() in streams.out
    assert f'accounted for: {COUNT} sent' in streams.out
    assert {p.name for p in out.iterdir()} - {'latency.png'} == {
        'swir_bag', 'side_by_side.png', 'swir.mp4', 'report.json', 'table.txt', 'logs',
        'mine.txt', '.rgb2swir'}
    assert all(is_ours(out / name) for name in (*demo_run.FILES, 'swir_bag'))
    assert all(is_ours(out / 'logs' / name) for name in demo_run.LOGS)
    assert not processes_with(str(out))


@needs_ros
@pytest.mark.ros
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                                    signal.SIGKILL])
def test_interrupted_demo_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    bag, _ = make_bag(tmp_path / 'bag')
    out = tmp_path / 'out'
    demo = subprocess.Popen(
        [sys.executable, '-m', 'rgb2swir_ros.cli.main', 'demo', '--input', str(bag), '--output',
         str(out), '--size', '64x64', '--backend', 'eager'],
        stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert demo.stderr is not None
        for said in demo.stderr:
            if '] engine' in said:  # all three processes run, the engine's is being started
                break
        assert len(processes_with(str(out))) >= 4
        demo.send_signal(number)
        rest = demo.stderr.read()
        code = demo.wait(30)
    finally:
        demo.kill()
        demo.wait()
    if number == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130
        assert 'interrupted' in rest
        assert 'Traceback' not in rest
        assert {p.name for p in out.iterdir()} <= {'logs', 'swir_bag'}
    deadline = time.monotonic() + 20
    while processes_with(str(out)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_with(str(out))


@needs_ros
@pytest.mark.ros
def test_failing_node_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                capsys: pytest.CaptureFixture[str]) -> None:
    bag, _ = make_bag(tmp_path / 'bag')
    monkeypatch.setattr(demo_run, 'model_directory', lambda model: None)  # let the node find out
    code = command.main(['demo', '--input', str(bag), '--output', str(tmp_path / 'out'),
                         '--model', 'nowhere', '--backend', 'eager'])
    told = capsys.readouterr().err
    assert code == 2
    assert "no model 'nowhere'" in told
    assert not processes_with(str(tmp_path / 'out'))


def test_without_ros_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec',
                        lambda name, *words: None if name == 'rclpy' else real(name, *words))
    assert command.main(['demo', '--output', str(tmp_path / 'out')]) == 2
    told = capsys.readouterr().err
    assert 'no ROS 2 here (rclpy cannot be imported)' in told
    assert told.count('\n') == 1
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(('words', 'text'), [
    (['--input', 'nothing'], "there is no file or folder 'nothing'"),
    (['--rate', 'fast'], '--rate fast'), (['--rate', '0'], '--rate 0'),
    (['--seconds', '0'], '--seconds 0'), (['--size', 'big'], "'big' is no size"),
    (['--model', 'nowhere'], "no model 'nowhere'"),
])
def test_wrong_arguments_give_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str], words: list[str],
                                       text: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_run, 'require_ros', lambda: None)
    assert command.main(['demo', *words]) == 2
    told = capsys.readouterr().err
    assert text in told
    assert told.count('\n') == 1


def test_foreign_folder_in_the_bags_place_is_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo_run, 'require_ros', lambda: None)
    (tmp_path / 'swir_bag').mkdir()
    (tmp_path / 'swir_bag/thesis.tex').write_text('years of work')
    write_bytes(tmp_path / 'table.txt', b'of an earlier run')
    assert command.main(['demo', '--output', str(tmp_path), '--overwrite']) == 2
    assert "swir_bag' exists, not as this tool wrote it" in capsys.readouterr().err
    assert (tmp_path / 'swir_bag/thesis.tex').read_text() == 'years of work'
    assert (tmp_path / 'table.txt').exists()
