"""Only what this tool wrote is removed or replaced, and every file appears whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from rgb2swir_ros import ownership
from rgb2swir_ros.demo import run as demo_run
from rgb2swir_ros.errors import OutputError, UserError
from rgb2swir_ros.files import finished, write_bytes, write_json, write_picture
from rgb2swir_ros.lab.training.checkpoint import save_checkpoint
from rgb2swir_ros.marks import is_ours
from rgb2swir_ros.nets.weights import write_weights
from rgb2swir_ros.ownership import require_apart, require_free, sweep, workspace
from rgb2swir_ros.replay.bag import BagSource
from rgb2swir_ros.replay.bag_writer import BagWriter

from .outputs import START, contents, make_bag, small_disk
from .replay import footage


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
