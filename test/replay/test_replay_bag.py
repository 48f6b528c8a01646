"""A bag is replayed whole, and the same in parts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.run_record import read_run

from . import footage
from .replays import INFO, START, STEP, SWIR, TIMING, Opener, digest_bag, drive, payloads, replay


def test_a_whole_run(tmp_path: Path) -> None:
    run = replay(drive(tmp_path / 'in'), tmp_path / 'out')
    assert run == read_run(tmp_path / 'out')
    assert (run.faults, run.frames, run.attempts) == ([], 12, 1)
    camera, = run.cameras
    assert (camera.source, camera.topic, camera.announced) == ('/c/image_raw', SWIR, 12)
    assert (camera.size, camera.source_size, camera.encoding) == ((48, 64), (48, 64), 'mono8')
    bag = tmp_path / 'out' / 'swir'
    assert sorted(path.name for path in bag.iterdir()) == [
        'metadata.yaml', 'swir_0.mcap', 'swir_1.mcap', 'swir_2.mcap']
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == ['run.json', 'swir']
    found = payloads(bag)
    assert {topic: len(messages) for topic, messages in found.items()} == {
        SWIR: 12, INFO: 12, TIMING: 12}
    assert [log_ns for log_ns, _ in found[SWIR]] == [START + n * STEP + 7 for n in range(12)]
    for n, frame in enumerate(CameraBag(bag, [SWIR]).frames()):
        grey = np.frombuffer(frame.content.data, np.uint8).reshape(48, 64)
        expected = 255 * (footage.picture(n).mean(-1) / 255) ** (1 / 2.2)
        assert np.abs(grey - expected).max() < 1
        assert frame.stamp_ns == START + n * STEP
    digests = digest_bag(bag)
    assert run.topics[SWIR] == digests[SWIR]
    assert run.topics[INFO] == digests[INFO]
    assert run.topics[TIMING].sha256 == ''  # measured times differ from run to run
    about = yaml.safe_load((bag / 'metadata.yaml').read_text())['rosbag2_bagfile_information']
    assert about['message_count'] == 36
    assert [file['message_count'] for file in about['files']] == [12, 12, 12]
    assert (about['version'], about['storage_identifier']) == (8, 'mcap')


def test_a_part_of_the_time_is_the_same_as_in_the_whole(tmp_path: Path) -> None:
    source = drive(tmp_path / 'in')
    replay(source, tmp_path / 'whole')
    run = replay(source, tmp_path / 'part', start_offset_s=.25, playback_duration_s=.5)
    whole, part = payloads(tmp_path / 'whole' / 'swir'), payloads(tmp_path / 'part' / 'swir')
    first = START + 7 + 25 * 10**7
    for topic in (SWIR, INFO):
        expected = [m for m in whole[topic] if first <= m[0] < first + 5 * STEP]
        assert len(expected) == 5
        assert part[topic] == expected
    assert (run.start_ns, run.end_ns, run.faults) == (first, first + 5 * STEP, [])


def test_what_cannot_be_decoded_is_counted_once(tmp_path: Path) -> None:
    messages: list[tuple[str, object]] = []
    for n in range(10):
        picture = footage.compressed(footage.picture(n), START + n * STEP, 'jpg')
        if n in (2, 7):
            picture.data = picture.data[:40].copy()
        messages.append(('/c/image_raw/compressed', picture))
    source = footage.write_bag(tmp_path / 'in', messages)
    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Opener(5))
    run = replay(source, tmp_path / 'out')
    assert run.frames == 8
    assert sum(run.cameras[0].refused.values()) == 2
    assert len(run.failures) == 1
    assert 'frame 2' in run.failures[0]


def test_nothing_to_read_leaves_a_record(tmp_path: Path) -> None:
    (tmp_path / 'empty.mcap').write_bytes(b'')
    for source, what in ((tmp_path / 'none', 'there is no file'),
                         (tmp_path / 'empty.mcap', 'empty file')):
        run = replay(source, tmp_path / 'out' / source.stem)
        assert what in run.faults[0]
        assert run == read_run(tmp_path / 'out' / source.stem)
        assert json.loads((tmp_path / 'out' / source.stem / 'run.json').read_text())['faults']
    drive(tmp_path / 'none')  # it is there now
    assert replay(tmp_path / 'none', tmp_path / 'out' / 'none').frames == 12
