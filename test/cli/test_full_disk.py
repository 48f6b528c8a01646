"""Full disks and names that are too long cost one output, and are told in one line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.replay.video import VideoSource

from ..outputs import START, run, small_disk
from ..replay import footage

pytestmark = pytest.mark.usefixtures('without_network')

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


def test_other_system_errors_are_one_line(monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), '/full/disk')

    monkeypatch.setattr(command, 'parser_for', fail)
    assert run('scenes') == 2
    assert capsys.readouterr().err == "rgb2swir scenes: '/full/disk': No space left on device\n"
