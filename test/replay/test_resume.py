"""A replay goes on to the same bag, whatever interrupted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.replay_bag import BagReplay
from rgb2swir_ros.replay.replay_options import ReplayOptions
from rgb2swir_ros.replay.run_record import RunRecord

from . import footage
from .replays import INFO, START, STEP, SWIR, Opener, digest_bag, drive, payloads, replay


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
