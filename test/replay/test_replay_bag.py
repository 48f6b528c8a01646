"""A bag is replayed whole and the same, whatever interrupts it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from rosbags.rosbag2 import Reader

from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.replay.bag import CameraBag
from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.replay_bag import BagReplay
from rgb2swir_ros.replay.replay_options import ReplayOptions
from rgb2swir_ros.replay.run_record import RunRecord, read_run
from rgb2swir_ros.replay.sameness import digest_bag

from . import footage

START = footage.START
STEP = 10**8
SWIR, INFO, TIMING = '/c/swir/image_raw', '/c/swir/camera_info', '/translator/timing'


class Opener(footage.FakeOpener):
    """Opens engines that are interrupted after some calls.

    :param after: calls until the interrupt; None: never.
    :param light: by what radiance is multiplied.
    """

    def __init__(self, after: int | None = None, error: BaseException | None = None,
                 light: float = 1.0, name: str = 'fake') -> None:
        super().__init__()
        self.left, self.error, self.light, self.name = after, error, light, name
        self.calls = 0

    def __call__(self, model: str, size: tuple[int, int], **options: object) -> object:
        inner = super().__call__(model, size, **{**options, 'backend': self.name})
        opener = self

        class Engine:
            def __call__(self, rgb: np.ndarray) -> np.ndarray:
                opener.calls += 1
                if opener.left is not None:
                    if opener.left == 0:
                        raise opener.error or KeyboardInterrupt
                    opener.left -= 1
                return inner(rgb) * np.float32(opener.light)

            def describe(self) -> dict[str, object]:
                return inner.describe()

        return Engine()


def drive(path: Path, count: int = 12, storage: str = 'mcap', infos: bool = True) -> Path:
    messages: list[tuple[str, object, int]] = []
    for n in range(count):
        stamp = START + n * STEP
        messages.append(('/c/image_raw', footage.image(footage.picture(n), stamp), stamp + 7))
        if infos:  # recorded after its image, and not at once
            messages.append(('/c/camera_info', footage.camera_info((48, 64), stamp),
                             stamp + STEP + 9))
    messages.sort(key=lambda message: message[2])
    return footage.write_bag(path, messages, storage)


def replay(source: Path, target: Path, *, opener: object | None = None, overwrite: bool = False,
           **options: object) -> RunRecord:
    options.setdefault('segment_frames', 4)
    chosen = ReplayOptions(Options(box=(48, 64)), **options)
    return BagReplay(source, target, chosen, opener=opener or Opener(),
                     overwrite=overwrite).run()


def payloads(bag: Path) -> dict[str, list[tuple[int, bytes]]]:
    found: dict[str, list[tuple[int, bytes]]] = {}
    with Reader(bag) as reader:
        for connection, log_ns, data in reader.messages():
            found.setdefault(connection.topic, []).append((log_ns, bytes(data)))
    return found


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


def same(found: RunRecord, expected: RunRecord) -> bool:
    return found.topics == expected.topics and found.frames == expected.frames


@pytest.mark.parametrize('after', [0, 1, 4, 6, 11])
def test_an_interrupted_run_goes_on_to_the_same(tmp_path: Path, after: int) -> None:
    source = drive(tmp_path / 'in')
    whole = replay(source, tmp_path / 'whole')
    target = tmp_path / 'out'
    with pytest.raises(KeyboardInterrupt):
        replay(source, target, opener=Opener(after))
    assert not (target / 'run.json').exists()
    again = Opener()
    run = replay(source, target, opener=again)
    assert same(run, whole)
    assert run.attempts == 2
    # an interrupt closes the part, so that nothing is done twice but one frame, the check
    assert again.calls == 12 - after + (after > 0)
    assert digest_bag(target / 'swir')[SWIR] == whole.topics[SWIR]
    assert not (target / 'unfinished').exists()


def stereo(path: Path) -> Path:
    """Write a raw and a compressed camera, the CameraInfo of one of them late."""
    messages: list[tuple[str, object, int]] = []
    for n in range(8):
        stamp = START + n * STEP
        messages += [
            ('/c/image_raw', footage.image(footage.picture(n), stamp), stamp + 3),
            ('/c/camera_info', footage.camera_info((48, 64), stamp), stamp + STEP + 1),
            ('/d/image_raw/compressed', footage.compressed(footage.picture(n + 20), stamp + 1),
             stamp + 2)]
    return footage.write_bag(path, sorted(messages, key=lambda message: message[2]))


@pytest.mark.parametrize('after', [1, 5, 12])
def test_several_cameras_go_on_to_the_same(tmp_path: Path, after: int) -> None:
    source = stereo(tmp_path / 'in')
    whole = replay(source, tmp_path / 'whole')
    assert [(c.topic, c.frames) for c in whole.cameras] == [
        (SWIR, 8), ('/d/swir/image_raw', 8)]
    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Opener(after))
    assert same(replay(source, tmp_path / 'out'), whole)
    part = replay(source, tmp_path / 'part', start_offset_s=.3, playback_duration_s=.3)
    assert [c.frames for c in part.cameras] == [3, 3]
    found, expected = payloads(tmp_path / 'part' / 'swir'), payloads(tmp_path / 'whole' / 'swir')
    for topic in (SWIR, INFO, '/d/swir/image_raw'):
        assert set(found[topic]) <= set(expected[topic])
        assert len(found[topic]) == 3


def test_a_killed_run_goes_on_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = drive(tmp_path / 'in')
    whole = replay(source, tmp_path / 'whole')
    target = tmp_path / 'out'
    from rgb2swir_ros.replay.replay_writer import ReplayWriter
    with monkeypatch.context() as patch:  # what SIGKILL leaves: parts by number, and one open
        split = ReplayWriter.split
        patch.setattr(ReplayWriter, 'split',
                      lambda self: split(self) if self._frames >= 4 else None)
        with pytest.raises(KeyboardInterrupt):
            replay(source, target, opener=Opener(10))
    parts = sorted(path.name for path in (target / 'unfinished' / 'swir').iterdir())
    assert parts == ['swir_0.mcap', 'swir_1.mcap', 'swir_2.mcap.part']
    again = Opener()
    assert same(replay(source, target, opener=again), whole)
    assert again.calls == 4 + 1
    assert digest_bag(target / 'swir')[SWIR] == whole.topics[SWIR]


def test_a_run_killed_in_its_last_steps_is_finished(tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    source = drive(tmp_path / 'in')
    whole = replay(source, tmp_path / 'whole')
    for number, name in enumerate(('place_folder', 'write_run')):
        target = tmp_path / f'out{number}'
        with monkeypatch.context() as patch:
            patch.setattr(f'rgb2swir_ros.replay.replay_bag.{name}', stop)
            with pytest.raises(KeyboardInterrupt):
                replay(source, target)
        again = Opener()
        assert same(replay(source, target, opener=again), whole)
        assert again.calls == 0
        assert digest_bag(target / 'swir')[SWIR] == whole.topics[SWIR]


def stop(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_finished_run_is_left_as_it_is(tmp_path: Path) -> None:
    source = drive(tmp_path / 'in')
    first = replay(source, tmp_path / 'out')
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / 'out').rglob('*')}
    again = Opener()
    assert replay(source, tmp_path / 'out', opener=again) == first
    assert again.calls == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / 'out').rglob('*')} == before
    with pytest.raises(UserError, match='other input or options: give --overwrite'):
        replay(source, tmp_path / 'out', start_offset_s=.5)
    run = replay(source, tmp_path / 'out', start_offset_s=.5, overwrite=True)
    assert run.frames == 7
    (tmp_path / 'out' / 'swir' / 'note.txt').write_text('mine')
    with pytest.raises(UserError, match='not as this tool wrote it'):
        replay(source, tmp_path / 'out', overwrite=True)


def test_another_engine_is_refused(tmp_path: Path) -> None:
    source = drive(tmp_path / 'in')
    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Opener(6))
    with pytest.raises(UserError, match='backend was fake and is other'):
        replay(source, tmp_path / 'out', opener=Opener(name='other'))
    with pytest.raises(UserError, match='makes another image of frame 5'):
        replay(source, tmp_path / 'out', opener=Opener(light=.5))
    assert replay(source, tmp_path / 'out').frames == 12


def test_the_backend_is_asked_for_as_it_was_begun(tmp_path: Path) -> None:
    source = drive(tmp_path / 'in')
    asked: list[object] = []

    class Asking(Opener):
        def __call__(self, model: str, size: tuple[int, int], **options: object) -> object:
            asked.append(options['backend'])
            return super().__call__(model, size, **options)

    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Asking(6))
    replay(source, tmp_path / 'out', opener=Asking())
    # never the eager one for the sake of a short bag: a part of a bag would differ from the whole
    assert asked == ['auto', 'fake']


def test_a_run_goes_on_with_the_threads_it_was_begun_with(tmp_path: Path) -> None:
    """A bag alone has all cores, one of many has a share of them."""
    source = drive(tmp_path / 'in')
    asked: list[object] = []

    class Threaded(Opener):
        def __call__(self, model: str, size: tuple[int, int], **options: object) -> object:
            asked.append(options['threads'])
            engine = super().__call__(model, size, **options)
            describe = engine.describe
            engine.describe = lambda: {**describe(), 'threads': options['threads']}
            return engine

    def run(threads: int, after: int | None = None) -> RunRecord:
        options = ReplayOptions(Options(box=(48, 64), threads=threads))
        return BagReplay(source, tmp_path / 'out', options, opener=Threaded(after)).run()

    with pytest.raises(KeyboardInterrupt):
        run(4, after=5)
    assert run(2).frames == run(1).frames == 12
    assert asked == [4, 4]


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


def test_changed_input_or_parts_are_refused(tmp_path: Path) -> None:
    source = drive(tmp_path / 'in')
    with pytest.raises(KeyboardInterrupt):
        replay(source, tmp_path / 'out', opener=Opener(6))
    part = tmp_path / 'out' / 'unfinished' / 'swir' / 'swir_0.mcap'
    kept = part.read_bytes()
    part.write_bytes(kept[:-9])
    with pytest.raises(UserError, match='not as it was written'):
        replay(source, tmp_path / 'out')
    part.write_bytes(kept)
    (tmp_path / 'out' / 'unfinished' / 'mine.txt').write_text('mine')
    with pytest.raises(UserError, match=r'mine\.txt.* is not of this tool'):
        replay(source, tmp_path / 'out', overwrite=True)
    (tmp_path / 'out' / 'unfinished' / 'mine.txt').unlink()
    other = drive(tmp_path / 'other', 11)
    with pytest.raises(UserError, match='of a run with other input'):
        replay(other, tmp_path / 'out')
    assert replay(source, tmp_path / 'out').frames == 12


def test_a_full_disk_keeps_the_whole_parts(tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    source = drive(tmp_path / 'in')
    from rgb2swir_ros.replay import split_bag_writer
    add, written = split_bag_writer.Writer.add_message, []

    def full(self: object, *arguments: object) -> None:
        written.append(arguments)
        if len(written) > 20:
            raise OSError(28, 'No space left on device')
        add(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(split_bag_writer.Writer, 'add_message', full)
        with pytest.raises(OutputError, match='No space left'):
            replay(source, tmp_path / 'out')
    assert [path.name for path in (tmp_path / 'out' / 'unfinished' / 'swir').iterdir()] == [
        'swir_0.mcap']
    whole = replay(source, tmp_path / 'whole')
    assert same(replay(source, tmp_path / 'out'), whole)


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
