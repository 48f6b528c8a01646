"""Nothing that this tool did not write is removed or replaced, by whatever verb."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from rosbags.rosbag2 import StoragePlugin, Writer

from rgb2swir_ros import ownership
from rgb2swir_ros.cli import main as command
from rgb2swir_ros.demo import run as demo_run
from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.files import finished, write_bytes, write_json, write_picture
from rgb2swir_ros.lab.training.checkpoint import save_checkpoint
from rgb2swir_ros.marks import is_ours
from rgb2swir_ros.nets.weights import write_weights
from rgb2swir_ros.ownership import require_apart, require_free, sweep, workspace
from rgb2swir_ros.replay import offline
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.bag_writer import BagWriter
from rgb2swir_ros.replay.offline import OfflineTranslator, Options
from rgb2swir_ros.replay.video import VideoSource
from rgb2swir_ros.replay.video_writer import VideoWriter

from .replay import footage

START = footage.START


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put an engine without a network in place of the real one, and ROS where there is none."""
    original = OfflineTranslator.__init__

    def construct(self: OfflineTranslator, options: Options, **rest: object) -> None:
        original(self, options, **{**rest, 'opener': footage.FakeOpener()})

    monkeypatch.setattr(offline.OfflineTranslator, '__init__', construct)
    monkeypatch.setattr(demo_run, 'require_ros', lambda: None)


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Let no file grow past so many bytes: as on a full disk, writing fails in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def run(*words: object) -> int:
    try:
        return command.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*') if p.is_file()}


def make_inputs(folder: Path) -> None:
    """Write inputs of every kind to a folder."""
    (folder / 'in').mkdir(parents=True)
    cv2.imwrite(str(folder / 'in/a.jpg'), footage.picture(1))
    cv2.imwrite(str(folder / 'in/b.jpg'), footage.picture(2))
    footage.write_video(folder / 'v.mp4', 3)
    make_bag(folder / 'bag')
    (folder / 'data').mkdir()
    (folder / 'data/dataset.txt').write_text('pairs')


def make_bag(path: Path, count: int = 3) -> Path:
    return footage.write_bag(path, [('/c/image_raw', footage.image(
        footage.picture(n), START + n * 10**8)) for n in range(count)])


# verb by name: its words, and an output of it
VERBS: dict[str, tuple[list[str], str]] = {
    'picture': (['translate', 'in/a.jpg', 'out/x.png'], 'out/x.png'),
    'folder': (['translate', 'in', 'out'], 'out/b.png'),
    'video': (['translate', 'v.mp4', 'out/x.mp4'], 'out/x.mp4'),
    'bag': (['translate', 'bag', 'out/swir'], 'out/swir/swir.mcap'),
    'replay': (['replay', 'bag', '-o', 'out'], 'out/bag/swir'),
    'replay record': (['replay', 'bag', '-o', 'out'], 'out/bag/run.json'),
    'replay resumed': (['replay', 'bag', '-o', 'out'], 'out/bag/unfinished/resume.json'),
    'replay part': (['replay', 'bag', '-o', 'out'], 'out/bag/unfinished/swir/swir_0.mcap'),
    'replay live': (['replay', 'bag', '-o', 'out', '--live'], 'out/bag/logs/player.log'),
    'demo': (['demo', '--input', 'bag', '--output', 'out'], 'out/swir_bag/swir_bag.mcap'),
    'demo report': (['demo', '--input', 'bag', '--output', 'out'], 'out/report.json'),
    'demo log': (['demo', '--input', 'bag', '--output', 'out'], 'out/logs/recorder.log'),
    'scenes': (['scenes', '--count', '1', '-o', 'out'], 'out/photo.png'),
    'canary': (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'work'],
               'out/weights.safetensors'),
    'canary work': (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'work'],
                    'work/contact_sheet.png'),
    'autoencoder': (['train', 'autoencoder', '--data', 'data', '--output', 'out', '--work', 'w'],
                    'out/training.yaml'),
    'detector': (['train', 'detector', '--data', 'data', '--output', 'out', '--work', 'w'],
                 'out/model.yaml'),
    'onnx': (['train', 'detector', '--data', 'data', '--output', 'out', '--onnx', 'x.onnx'],
             'x.onnx'),
    'export': (['build', '--backend', 'export', '-o', 'out/x.pt2'], 'out/x.pt2'),
    'export manifest': (['build', '--backend', 'export', '-o', 'out/x.pt2'], 'out/x.json'),
    'detection': (['evaluate', 'detection', '--data', 'data', '-o', 'out'], 'out/boxes.png'),
    'temporal': (['evaluate', 'temporal', '--model', 'grey', '--data', 'data', '-o', 'out'],
                 'out/temporal.json'),
    'materials': (['evaluate', 'materials', '--model', 'grey', '-o', 'out'], 'out/table.txt'),
}


@pytest.mark.parametrize('extra', [[], ['--overwrite']], ids=['plain', 'overwrite'])
@pytest.mark.parametrize('verb', VERBS)
def test_what_is_not_ours_survives_every_verb(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        verb: str, extra: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    words, output = VERBS[verb]
    (tmp_path / output).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / output).write_bytes(b'years of work')
    before = contents(tmp_path)
    assert run(*words, *extra) == 2
    told = capsys.readouterr().err
    assert told.count('\n') == 1, told
    assert Path(output).parts[1 if output.startswith('out/swir') else -1] in told
    assert contents(tmp_path) == before


@pytest.mark.parametrize(('words', 'text'), [
    (['translate', 'bag/bag.mcap', 'bag'], 'is the input'),
    (['translate', 'bag', '.'], 'contains the input'),
    (['translate', 'bag', 'bag/swir'], 'lies in the input'),
    (['translate', 'bag/bag.mcap', 'bag/swir'], 'lies in the input'),
    (['translate', 'in', 'in/out'], 'lies in the input'),
    (['translate', 'in', 'link/out'], 'lies in the input'),
    (['translate', 'link', 'in/out'], 'lies in the input'),
    (['translate', 'in', '.'], 'contains the input'),
    (['translate', 'in/a.jpg', 'in/a.jpg/out'], 'lies in the input'),
    (['translate', 'in/a.jpg', 'v.mp4/out.png'], 'is no folder'),
    (['replay', 'bag', '-o', 'bag/out'], 'lies in the input'),
    (['replay', 'in', '-o', '.'], 'contains the input'),
    (['demo', '--input', 'bag', '--output', '.'], 'contains the input'),
    (['demo', '--input', 'bag', '--output', 'bag'], 'is the input'),
    (['scenes', '--materials', 'in/a.jpg', '-o', 'in'], 'contains the input'),
    (['train', 'canary', '--data', 'data', '--output', 'data'], 'is the input'),
    (['train', 'canary', '--data', 'data', '--output', 'out', '--work', 'data/work'],
     'lies in the input'),
    (['train', 'detector', '--data', 'data', '--output', 'data/model'], 'lies in the input'),
    (['train', 'autoencoder', '--data', 'data', '--output', '.'], 'contains the input'),
    (['build', '--model', 'in', '-o', 'in'], 'is the input'),
    (['evaluate', 'detection', '--data', 'data', '-o', 'data'], 'is the input'),
    (['evaluate', 'temporal', '--model', 'in', '--data', 'data', '-o', 'in'], 'is the input'),
])
@pytest.mark.parametrize('extra', [[], ['--overwrite']], ids=['plain', 'overwrite'])
def test_outputs_and_inputs_never_contain_each_other(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        words: list[str], text: str, extra: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    (tmp_path / 'link').symlink_to('in')
    before = contents(tmp_path)
    assert run(*words, *extra) == 2
    told = capsys.readouterr().err
    assert text in told
    assert told.count('\n') == 1, told
    assert contents(tmp_path) == before


@pytest.mark.parametrize('verb', ['picture', 'folder', 'video', 'bag'])
def test_own_output_is_refused_then_replaced_then_refused_once_changed(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        verb: str) -> None:
    monkeypatch.chdir(tmp_path)
    make_inputs(tmp_path)
    words, output = VERBS[verb]
    assert run(*words) == 0
    first = contents(tmp_path)
    capsys.readouterr()
    assert run(*words) == 2
    told = capsys.readouterr().err
    assert 'give --overwrite' in told
    assert told.count('\n') == 1
    assert contents(tmp_path) == first
    assert run(*words, '--size', '32x32', '--overwrite') == 0
    second = contents(tmp_path)
    assert second.keys() == first.keys()
    assert second[output] != first[output]
    shutil.copytree('out', 'copy')  # the marks are in the files, and go where they go
    (tmp_path / output).write_bytes(second[output] + b'\0')
    assert run(*words, '--overwrite') == 2
    assert (tmp_path / output).read_bytes() == second[output] + b'\0'
    elsewhere = [word.replace('out', 'copy') for word in words]
    assert run(*elsewhere, '--overwrite') == 0


def test_a_batch_is_refused_before_its_first_frame(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    for n in range(6):
        cv2.imwrite(str(tmp_path / f'in/{n}.jpg'), footage.picture(n))
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 0
    (tmp_path / 'out/0.png').unlink()
    monkeypatch.setattr(OfflineTranslator, 'radiance', None)
    capsys.readouterr()
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 2
    told = capsys.readouterr().err
    assert '5 outputs exist (' in told
    assert told.count('.png') == 3


def test_what_a_user_put_into_our_bag_or_folder_stays(tmp_path: Path) -> None:
    make_inputs(tmp_path)
    words = ('translate', tmp_path / 'bag', tmp_path / 'swir', '--overwrite')
    assert run(*words) == 0
    assert run(*words) == 0
    (tmp_path / 'swir/notes.txt').write_text('mine')
    assert run(*words) == 2
    (tmp_path / 'swir/notes.txt').rename(tmp_path / 'notes.txt')
    assert run(*words) == 0
    # recorded anew in its place, with the same names of files
    shutil.rmtree(tmp_path / 'swir')
    make_bag(tmp_path / 'swir')
    before = contents(tmp_path / 'swir')
    assert run(*words) == 2
    # or only its storage, the metadata being ours
    shutil.rmtree(tmp_path / 'swir')
    assert run(*words) == 0
    (tmp_path / 'swir/swir.mcap').write_bytes(before['swir.mcap'])
    assert run(*words) == 2
    assert (tmp_path / 'swir/swir.mcap').read_bytes() == before['swir.mcap']
    # a folder of ours: what else is in it is left alone
    words = ('translate', tmp_path / 'in', tmp_path / 'out', '--overwrite')
    assert run(*words) == 0
    make_bag(tmp_path / 'out/recording')
    before = contents(tmp_path / 'out/recording')
    assert run(*words) == 0
    assert contents(tmp_path / 'out/recording') == before


def test_demo_clears_its_own_results_only(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with BagWriter(out / 'swir_bag') as bag:
        bag.write_compressed('/i', START, 'c', b'x', 'jpeg')
    write_json(out / 'report.json', {'sent': 1})
    write_bytes(out / 'table.txt', b'1 sent')
    write_picture(out / 'latency.png', footage.picture(0))
    (out / 'mine.txt').write_text('keep')
    with workspace(out / 'x') as busy:
        (out / '.rgb2swir-1-theirs').mkdir()
        with pytest.raises(UserError, match=r'4 outputs exist .* give --overwrite'):
            demo_run.clear(out, overwrite=False)
        demo_run.clear(out, overwrite=True)
        assert {p.name for p in out.iterdir()} == {
            'mine.txt', '.rgb2swir', '.rgb2swir-1-theirs', busy.name}


def test_workspace_of_a_killed_run_is_swept_a_living_one_stays(tmp_path: Path) -> None:
    if (child := os.fork()) == 0:
        held = workspace(tmp_path / 'x')
        held.__enter__()
        os._exit(0)  # as if killed: nothing is cleaned up
    os.waitpid(child, 0)
    assert len(list(tmp_path.iterdir())) == 1
    with workspace(tmp_path / 'y') as own:
        sweep(tmp_path)
        assert [p.name for p in tmp_path.iterdir()] == [own.name]
    assert not list(tmp_path.iterdir())


def edit(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize('name', ['a.png', 'a.mp4', 'a.json', 'a.txt', 'a.safetensors'])
def test_a_mark_holds_for_the_content_it_was_made_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / 'made' / name
    if name == 'a.png':
        write_picture(path, footage.picture(0))
        assert cv2.imread(str(path)) is not None
    elif name == 'a.mp4':
        with finished(path) as part, VideoWriter(part) as video:
            video.write(footage.picture(0))
        assert len(list(VideoSource(path).frames())) == 1
    elif name == 'a.json':
        write_json(path, {'a': [1, {'b': 2}]})
        assert json.loads(path.read_text())['a'] == [1, {'b': 2}]
    else:
        write_bytes(path, b'some text')
    assert is_ours(path)
    write_bytes(tmp_path / name, b'another')  # so that a record is there, too
    for change in (lambda copy: edit(copy, 5), lambda copy: edit(copy, -30 % len(b'some text')),
                   lambda copy: copy.write_bytes(copy.read_bytes() + b'\n'),
                   lambda copy: copy.write_bytes(copy.read_bytes()[:-1]),
                   lambda copy: copy.write_bytes(b'')):
        shutil.copy(path, tmp_path / name)
        change(tmp_path / name)
        assert not is_ours(tmp_path / name)
    (tmp_path / 'made' / f'link{path.suffix}').symlink_to(path)
    assert not is_ours(tmp_path / 'made' / f'link{path.suffix}')


def test_lists_and_foreign_records(tmp_path: Path) -> None:
    write_json(tmp_path / 'list.json', [1, 2])
    assert json.loads((tmp_path / 'list.json').read_text()) == [1, 2]
    assert is_ours(tmp_path / 'list.json')
    (tmp_path / 'b').mkdir()
    (tmp_path / 'b/.rgb2swir').write_text('a shopping list')
    with pytest.raises(OutputError, match='not of this tool'):
        write_bytes(tmp_path / 'b/a.txt', b'x')
    assert contents(tmp_path / 'b') == {'.rgb2swir': b'a shopping list'}


@pytest.mark.parametrize('links', [True, False])
def test_what_appears_while_we_write_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                              links: bool) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, 'no hard links here')

    if not links:
        monkeypatch.setattr(ownership.os, 'link', refuse)
    target = tmp_path / 'a.txt'

    def write(replace: bool) -> None:
        with finished(target, replace=replace) as part:
            part.write_text('ours')
            target.write_text('appeared')

    def write_bag() -> None:
        with BagWriter(tmp_path / 'bag') as bag:
            bag.write_compressed('/i', START, 'c', b'x', 'jpeg')
            make_bag(tmp_path / 'bag')

    for replace in (True, False):
        with pytest.raises(OutputError, match='did not write'):
            write(replace)
        assert target.read_text() == 'appeared'
        target.unlink()
    write_bytes(target, b'one')
    write_bytes(target, b'two')
    with pytest.raises(OutputError, match='it exists already'):
        write_bytes(target, b'three', replace=False)
    assert (target.read_bytes(), is_ours(target)) == (b'two', True)
    with pytest.raises(OutputError, match='did not write'):
        write_bag()
    assert BagSource(tmp_path / 'bag').count == 3
    assert {p.name for p in tmp_path.iterdir()} == {'a.txt', '.rgb2swir', 'bag'}


def test_links_are_never_followed_into_the_users_things(tmp_path: Path) -> None:
    (tmp_path / 'mine.txt').write_text('mine')
    (tmp_path / 'a.txt').symlink_to(tmp_path / 'mine.txt')
    (tmp_path / 'b.txt').symlink_to(tmp_path / 'nowhere')
    for name in ('a.txt', 'b.txt'):
        with pytest.raises(UserError, match='exists already'):
            require_free([tmp_path / name], overwrite=False)
        with pytest.raises(OutputError):
            write_bytes(tmp_path / name, b'x')
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / 'mine.txt').read_text() == 'mine'


def test_apart_knows_bags_and_neighbours(tmp_path: Path) -> None:
    make_bag(tmp_path / 'drive')
    (tmp_path / 'loose.mcap').write_bytes(b'')
    require_apart([tmp_path / 'drive_swir', None], [tmp_path / 'drive/drive.mcap', None])
    require_apart([tmp_path / 'swir'], [tmp_path / 'loose.mcap', tmp_path / 'absent'])
    with pytest.raises(UserError, match='lies in the input'):
        require_apart([tmp_path / 'drive/new/swir'], [tmp_path / 'drive/drive.mcap'])


LONG = 'm' * 249  # as long as a name may be with '.jpg'; the multi-byte one has 250 bytes


@pytest.mark.parametrize('name', [LONG, 'ü' * 125])
def test_names_of_255_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / 'in').mkdir()
    _, data = cv2.imencode('.jpg', footage.picture(1))
    for stem in ('a', name, 'z'):
        (tmp_path / f'in/{stem}.jpg').write_bytes(data.tobytes())
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 0
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {'a.png', f'{name}.png', 'z.png'}


def test_a_name_too_long_fails_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    _, data = cv2.imencode('.jpg', footage.picture(1))
    for name in ('a.jpg', 'm' * 252 + '.jp', 'z.jpg'):
        (tmp_path / 'in' / name).write_bytes(data.tobytes())
    (tmp_path / 'in' / ('m' * 252 + '.jp')).rename(tmp_path / 'in' / ('m' * 251 + '.bmp'))
    footage.write_video(tmp_path / 'in' / ('v' * 252 + '.ts'), 2)
    footage.write_video(tmp_path / 'in' / 'w.mp4', 2)
    assert run('translate', tmp_path / 'in', tmp_path / 'out') == 1
    told = capsys.readouterr()
    assert told.out.count('failed:') == 1
    assert 'File name too long' in told.out
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {
        'a.png', 'm' * 251 + '.png', 'z.png', 'w.mp4'}
    for words in (('translate', 'x' * 300, 'out'), ('demo', '--output', tmp_path / ('x' * 300)),
                  ('translate', tmp_path / 'in/a.jpg', tmp_path / ('x' * 300) / 'a.png')):
        assert run(*words) in {1, 2}
        assert 'Traceback' not in capsys.readouterr().err


def test_full_disk_ends_no_batch_and_leaves_whole_files(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'in').mkdir()
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'in/a.png'), footage.picture(1))
    cv2.imwrite(str(tmp_path / 'in/noise.png'), noise)
    cv2.imwrite(str(tmp_path / 'in/z.png'), footage.picture(2))
    footage.write_video(tmp_path / 'in/noise.mp4', 20, (240, 320), noise=True)
    footage.write_video(tmp_path / 'in/small.mp4', 3)
    with small_disk(40_000):
        assert run('translate', tmp_path / 'in', tmp_path / 'out') == 1
    told = capsys.readouterr().out
    assert told.count('cannot be written: File too large') == 2
    assert f"{tmp_path}/out/noise.mp4' cannot" in told
    assert 'Traceback' not in told
    assert {p.name for p in (tmp_path / 'out').iterdir()} == {'a.png', 'z.png', 'small.mp4'}
    assert len(list(VideoSource(tmp_path / 'out/small.mp4').frames())) == 3
    assert cv2.imread(str(tmp_path / 'out/z.png')) is not None


@pytest.mark.parametrize('limit', [1_000_000, 10_000, 100])
def test_full_disk_leaves_no_half_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                      limit: int) -> None:
    footage.write_bag(tmp_path / 'bag', [('/c/image_raw', footage.image(
        np.full((240, 320, 3), n, np.uint8), START + n)) for n in range(40)])
    with small_disk(limit):
        assert run('translate', tmp_path / 'bag', tmp_path / 'out') == 1
    told = capsys.readouterr()
    assert (told.out + told.err).count('File too large') == 1
    assert 'the unfinished bag is removed' in told.out
    assert 'Traceback' not in told.err
    assert [p.name for p in tmp_path.iterdir()] == ['bag']


def _savefig(path: Path) -> None:
    pyplot = pytest.importorskip('matplotlib.pyplot')
    with finished(path) as part:
        pyplot.figure(figsize=(9, 6)).savefig(part)


WRITERS: dict[str, Callable[[Path], object]] = {
    'a.json': lambda path: write_json(path, list(range(10_000))),
    'a.png': lambda path: write_picture(path, np.random.default_rng(0).integers(
        0, 256, (99, 99)).astype(np.uint8)),
    'plot.png': _savefig,
    'a.safetensors': lambda path: write_weights({'a': torch.zeros(10_000)}, path),
    'checkpoint.safetensors': lambda path: save_checkpoint(
        path, {'a': torch.zeros(10_000)}, {}, [], {}),
}


@pytest.mark.parametrize('name', WRITERS)
def test_every_writer_names_its_file_and_keeps_the_old_one(tmp_path: Path, name: str) -> None:
    write = WRITERS[name]
    write(tmp_path / name)
    before = contents(tmp_path)
    with small_disk(1000), pytest.raises(OutputError) as caught:
        write(tmp_path / name)
    assert str(caught.value).startswith(f"'{tmp_path / name}' cannot be written: ")
    assert 'too large' in str(caught.value)
    assert '\n' not in str(caught.value)
    assert contents(tmp_path) == before
    assert is_ours(tmp_path / name)
    with pytest.raises(OutputError, match='File name too long'):
        write(tmp_path / ('x' * 252 + name))
    write(tmp_path / name)  # and replaces its own


def test_other_system_errors_are_one_line(monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/full/disk')

    monkeypatch.setattr(command, 'parser_for', fail)
    assert run('scenes') == 2
    assert capsys.readouterr().err == "rgb2swir scenes: '/full/disk': No space left on device\n"


def test_foreign_bag_of_another_writer_is_not_ours(tmp_path: Path) -> None:
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        writer.set_custom_data('rgb2swir_ros', '0' * 32)
    assert not is_ours(tmp_path / 'bag')
