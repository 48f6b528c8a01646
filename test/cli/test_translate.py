"""`rgb2swir translate`: the tree mirrored, nothing lost or overwritten silently, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.cli import shared
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_picture
from rgb2swir_ros.replay import offline
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.frames import FootageError
from rgb2swir_ros.replay.job_list import list_jobs
from rgb2swir_ros.replay.offline import OfflineTranslator, Options
from rgb2swir_ros.replay.video import VideoSource

from ..replay import footage

START = footage.START


@pytest.fixture
def opener(monkeypatch: pytest.MonkeyPatch) -> object:
    """Put an engine without a network in place of the real one."""
    fake = footage.FakeOpener()
    original = OfflineTranslator.__init__

    def construct(self: OfflineTranslator, options: Options, **rest: object) -> None:
        original(self, options, **{**rest, 'opener': fake})

    monkeypatch.setattr(offline.OfflineTranslator, '__init__', construct)
    return fake


def save(path: Path, seed: int, size: tuple[int, int] = (48, 64)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), footage.picture(seed, size)[..., ::-1])
    return path


def tree(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()}


def expected(seed: int, size: tuple[int, int] = (48, 64), gamma: float = 2.2) -> np.ndarray:
    radiance = footage.picture(seed, size).astype(np.float64).mean(-1) / 255
    return 255 * radiance ** (1 / gamma)


def test_folder_is_mirrored_and_the_rest_named(tmp_path: Path, opener: object,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'in/a.png', 1)
    save(tmp_path / 'in/day one/b.JPG', 2)
    save(tmp_path / 'in/day one/c.tiff', 3, (96, 128))
    footage.write_video(tmp_path / 'in/day one/drive.mp4', 5)
    (tmp_path / 'in/notes.txt').write_text('x')
    assert command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out')]) == 0
    assert tree(tmp_path / 'out') == {'a.png', 'day one/b.png', 'day one/c.png',
                                      'day one/drive.mp4'}
    swir = cv2.imread(str(tmp_path / 'out/a.png'), cv2.IMREAD_UNCHANGED)
    assert (swir.dtype, swir.shape) == (np.uint8, (48, 64))
    assert np.abs(swir - expected(1)).max() < 1
    assert VideoSource(tmp_path / 'out/day one/drive.mp4').count == 5
    assert [engine.size for engine in opener.opened] == [(48, 64), (96, 128)]
    told = capsys.readouterr().out
    assert '3 pictures, 1 video (8 frames)' in told
    assert 'skipped: notes.txt' in told
    assert '1 skipped' in told


def test_pictures_beyond_a_file_s_first_are_named(tmp_path: Path, opener: object,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / 'in/stack.tif'
    file.parent.mkdir()
    assert cv2.imwritemulti(str(file), [footage.picture(seed)[..., ::-1] for seed in (1, 2, 3)])
    save(tmp_path / 'in/one.tif', 4)
    assert command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out')]) == 0
    swir = cv2.imread(str(tmp_path / 'out/stack.png'), cv2.IMREAD_UNCHANGED)
    assert np.abs(swir - expected(1)).max() < 1
    said = capsys.readouterr().out
    assert f'note: {file}: only the first of its 3 pictures was translated' in said
    assert 'one.tif' not in said


def test_linear16_gamma_and_size(tmp_path: Path, opener: object,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'in/a.png', 1)
    footage.write_video(tmp_path / 'in/v.mp4', 3)
    words = ['translate', str(tmp_path / 'in'), str(tmp_path / 'out')]
    assert command.main([*words, '--linear16']) == 0
    assert 'videos stay 8-bit' in capsys.readouterr().err
    deep = cv2.imread(str(tmp_path / 'out/a.png'), cv2.IMREAD_UNCHANGED)
    assert deep.dtype == np.uint16
    assert np.abs(deep - footage.picture(1).mean(-1) * 257).max() < 1
    words.append('--overwrite')
    assert command.main([*words, '--gamma', '1']) == 0
    plain = cv2.imread(str(tmp_path / 'out/a.png'), cv2.IMREAD_UNCHANGED)
    assert np.abs(plain - expected(1, gamma=1)).max() < 1
    assert command.main([*words, '--size', '32x32']) == 0
    small = cv2.imread(str(tmp_path / 'out/a.png'), cv2.IMREAD_UNCHANGED)
    assert small.shape == (24, 32)


def test_failed_inputs_are_named_and_exit_1(tmp_path: Path, opener: object,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'in/a.png', 1)
    save(tmp_path / 'in/z.png', 2)
    (tmp_path / 'in/broken.jpg').write_bytes(b'no picture')
    cut = footage.write_video(tmp_path / 'in/cut.mp4', 30, noise=True)
    cut.write_bytes(cut.read_bytes()[:-20_000])
    (tmp_path / 'in/junk.mp4').write_bytes(b'no video')
    assert command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out'), '--json']) == 1
    streams = capsys.readouterr()
    told = json.loads(streams.out)
    failed = {Path(entry['input']).name: entry['reason'] for entry in told['failed']}
    assert set(failed) == {'broken.jpg', 'cut.mp4', 'junk.mp4'}
    assert 'frames were written' in failed['cut.mp4']
    assert '3 failed' in streams.err
    assert 'broken.jpg' in streams.err
    assert tree(tmp_path / 'out') == {'a.png', 'z.png', 'cut.mp4'}
    kept = len(list(VideoSource(tmp_path / 'out/cut.mp4').frames()))
    assert 0 < kept < 30
    assert told['frames'] == 2 + kept
    assert told['made'] == {'picture': 2, 'video': 1, 'bag': 0}


def test_inputs_of_one_name_do_not_overwrite(tmp_path: Path, opener: object,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    for seed, name in enumerate(['a.jpg', 'a.png', 'a.png.png', 'A.png']):
        save(tmp_path / 'in' / name, seed)
    command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out')])
    made = tree(tmp_path / 'out')
    assert made == {'a.png', 'a.png.png', 'a.png.png.png', 'A.png'}
    told = capsys.readouterr().out
    assert f'renamed, so as not to overwrite another output: {tmp_path}/in/a.png -> ' in told
    second = cv2.imread(str(tmp_path / 'out/a.png.png'), cv2.IMREAD_UNCHANGED)
    assert np.abs(second - expected(1)).max() < 1


def test_inputs_are_never_overwritten(tmp_path: Path) -> None:
    save(tmp_path / 'in/a.png', 1)
    save(tmp_path / 'in/in/a.png', 2)
    (tmp_path / 'link').symlink_to(tmp_path / 'in')
    for target in ('in', 'link', 'in/../in'):
        with pytest.raises(UserError, match='is the input'):
            list_jobs(tmp_path / 'in', tmp_path / target)
    with pytest.raises(UserError, match='is the input'):
        list_jobs(tmp_path / 'in/a.png', tmp_path / 'in', overwrite=True)
    with pytest.raises(UserError, match='contains the input'):
        list_jobs(tmp_path / 'in', tmp_path)  # in/in/a.png would become in/a.png
    write_picture(tmp_path / 'out/b.png', footage.picture(3))  # ours, and an input now
    (tmp_path / 'in/b.png').symlink_to(tmp_path / 'out/b.png')
    with pytest.raises(FootageError, match=r'out/b\.png. would replace an input'):
        list_jobs(tmp_path / 'in', tmp_path / 'out', overwrite=True)


@pytest.mark.parametrize(('name', 'out', 'made'), [
    ('a.jpg', 'b.png', 'b.png'), ('a.jpg', 'new', 'new/a.png'), ('v.mp4', 'w.mp4', 'w.mp4'),
    ('v.mp4', 'new', 'new/v.mp4'),
])
def test_single_file(tmp_path: Path, opener: object, name: str, out: str, made: str) -> None:
    save(tmp_path / 'a.jpg', 1)
    footage.write_video(tmp_path / 'v.mp4', 3)
    assert command.main(['translate', str(tmp_path / name), str(tmp_path / out)]) == 0
    assert tree(tmp_path) == {'a.jpg', 'v.mp4', made}


@pytest.mark.parametrize('linear', [True, False])
def test_bag_becomes_a_bag(tmp_path: Path, opener: object, linear: bool) -> None:
    stamps = [START + 10**8 * n for n in range(3)]
    messages = []
    for n, stamp in enumerate(stamps):
        messages.append(('/front/camera_info', footage.camera_info((96, 128), stamp)))
        message = footage.image(footage.picture(n, (96, 128)), stamp)
        if n == 1:
            message.encoding = 'unheard_of'
        messages.append(('/front/image_raw', message))
    bag = footage.write_bag(tmp_path / 'bag', messages)
    words = ['translate', str(bag), str(tmp_path / 'out'), '--size', '64x64']
    assert command.main(words + ['--linear16'] * linear) == 1  # one frame is malformed
    source = BagSource(tmp_path / 'out')
    frames = list(source.frames())
    assert source.topic == '/front/swir/image_raw'
    assert [f.stamp_ns for f in frames] == [stamps[0], stamps[2]]
    assert {(f.content.encoding, f.content.height, f.content.width) for f in frames} == {
        ('mono16' if linear else 'mono8', 48, 64)}
    info = footage.TYPES.deserialize_cdr(frames[1].info_cdr, 'sensor_msgs/msg/CameraInfo')
    assert (info.height, info.width, info.k[0]) == (48, 64, 50.0)


@pytest.mark.parametrize(('words', 'text'), [
    (['nothing', 'out'], 'there is no file or folder'),
    (['empty', 'out'], 'holds no picture and no video'),
    (['notes.txt', 'out'], 'neither picture, video nor bag'),
    (['a.png', 'b.jpg'], 'a picture is written as .png'),
    (['a.png', 'out', '--size', 'big'], "'big' is no size"),
    (['a.png', 'out', '--gamma', '0'], '--gamma'),
    (['a.png', 'out', '--threads', '-1'], '--threads'),
    (['a.png', 'out', '--model', 'nowhere'], "no model 'nowhere'"),
    (['a.png', 'out', '--backend', 'fast'], 'invalid choice'),
])
def test_wrong_arguments_give_one_line_and_exit_2(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        words: list[str], text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'notes.txt').write_text('')
    save(tmp_path / 'a.png', 1)
    try:
        code = command.main(['translate', *words])
    except SystemExit as stop:
        code = stop.code
    told = capsys.readouterr().err
    assert code == 2
    assert text in told
    assert told.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_many_names_are_capped(tmp_path: Path, opener: object,
                               capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'in/a.png', 1)
    for n in range(25):
        (tmp_path / f'in/{n}.txt').write_text('')
    command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out'), '--json'])
    streams = capsys.readouterr()
    assert len(json.loads(streams.out)['skipped']) == 25
    assert streams.err.count('.txt') == 10
    assert 'and 15 more' in streams.err


def test_auto_compiles_only_where_it_pays(tmp_path: Path) -> None:
    fake = footage.FakeOpener()
    translator = OfflineTranslator(Options(), opener=fake)
    translator.radiance(footage.picture(0), 10)
    translator.radiance(footage.picture(0), offline.WORTH_COMPILING)  # kept as it is
    translator.radiance(footage.picture(0, (64, 64)), offline.WORTH_COMPILING)
    assert [engine.backend for engine in fake.opened] == ['eager', 'auto']
    chosen = OfflineTranslator(Options(backend='inductor'), opener=fake)
    chosen.radiance(footage.picture(0))
    assert fake.opened[-1].backend == 'inductor'


def test_interrupt_leaves_whole_files(tmp_path: Path, opener: object,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        save(tmp_path / f'in/{n}.png', n)
    real = OfflineTranslator.radiance
    calls = []

    def interrupted(self: OfflineTranslator, *words: object) -> np.ndarray:
        calls.append(words)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, *words)

    monkeypatch.setattr(OfflineTranslator, 'radiance', interrupted)
    assert command.main(['translate', str(tmp_path / 'in'), str(tmp_path / 'out')]) == 130
    assert tree(tmp_path / 'out') == {'0.png', '1.png'}
    for n in range(2):
        swir = cv2.imread(str(tmp_path / f'out/{n}.png'), cv2.IMREAD_UNCHANGED)
        assert np.abs(swir - expected(n)).max() < 1


def test_missing_model_is_told_before_work(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no model'):
        OfflineTranslator(Options(model='nowhere')).radiance(footage.picture(0))


def test_missing_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / 'a.png', 1)
    monkeypatch.setattr(shared, 'find_spec', lambda name: None if name == 'av' else name)
    assert command.main(['translate', str(tmp_path / 'a.png'), str(tmp_path / 'b.png')]) == 2
    told = capsys.readouterr().err
    assert 'av cannot be imported' in told
    assert told.count('\n') == 1


@pytest.mark.parametrize(('given', 'used'), [('', 'passive'), ('active', 'active')])
def test_waiting_threads_sleep_unless_the_user_wants_them_to_spin(given: str, used: str) -> None:
    # libgomp reads the variable when torch loads: nothing may load torch before it is set
    program = ('import os, sys\n'
               'from rgb2swir_ros.cli import translate\n'
               'from rgb2swir_ros.replay import job_list, offline\n'
               'from rgb2swir_ros.replay.translate import Runner\n'
               "assert 'torch' not in sys.modules\n"
               'class Spy:\n'
               '    def find_spec(self, name, *rest):\n'
               "        if name == 'torch':\n"
               "            print(os.environ['OMP_WAIT_POLICY'], flush=True)\n"
               '            os._exit(0)\n'  # what torch does then is not looked at
               'sys.meta_path.insert(0, Spy())\n'
               'offline._import_opener()\n')
    environment = {k: v for k, v in os.environ.items() if k != 'OMP_WAIT_POLICY'}
    if given:
        environment['OMP_WAIT_POLICY'] = given
    ran = subprocess.run([sys.executable, '-c', program], env=environment, text=True,
                         capture_output=True, check=False)
    assert ran.stdout.split() == [used], ran.stderr
