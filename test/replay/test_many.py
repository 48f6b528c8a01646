"""Many bags: on processes and on Ray, the bad among them in their own lines."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.replay.many import (
    BagJob,
    BagResult,
    list_bags,
    replay_job,
    replay_on_processes,
    replay_on_ray,
)
from rgb2swir_ros.replay.offline import Options
from rgb2swir_ros.replay.replay_options import ReplayOptions

from . import footage

BAGS = 20
CUT, KILLER = 7, 13


@pytest.fixture(scope='module')
def bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 20 bags: one is cut off, the frames of another kill their process."""
    folder = tmp_path_factory.mktemp('drives')
    for number in range(BAGS):
        rgb = footage.picture(number)
        frames = [('/c/image_raw', footage.image(
            np.full_like(rgb, 255) if number == KILLER else rgb, footage.START + n * 10**8))
            for n in range(3)]
        bag = footage.write_bag(folder / f'drive_{number:02}', frames, compression='file'
                                if number == CUT else '')
        if number == CUT:
            file = next(bag.glob('*.zstd'))
            file.write_bytes(file.read_bytes()[:-40])
    return folder


def jobs(bags: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> list[BagJob]:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parent))  # for Ray's workers
    from worker_engines import open_engine
    options = ReplayOptions(Options(box=(48, 64), threads=1))
    return [BagJob(source, target, options, opener=open_engine)
            for source, target in list_bags([bags], out)]


def content(results: list[BagResult], out: Path) -> dict[str, Any]:
    """Return what must not depend on where the bags ran."""
    assert {path.parent.name for path in out.glob('*/run.json')} == {
        result.target.name for result in results if result.run is not None}
    found = {}
    for result in results:
        run = result.run
        found[result.source.name] = (
            'died' if run is None else (run.frames, run.topics, run.failures, run.engines))
        assert run is not None or 'died' in result.failure.replace('exit code 9', 'died') \
            or 'Ray worker' in result.failure, result.failure
    return found


def expected(found: dict[str, Any]) -> None:
    assert len(found) == BAGS
    assert found[f'drive_{KILLER:02}'] == 'died'
    cut = found[f'drive_{CUT:02}']
    assert 'cut off' in ' '.join(cut[2])
    whole = [value for name, value in found.items() if name[-2:] not in (f'{CUT:02}', '13')]
    assert all(value[0] == 3 and value[2] == [] for value in whole)


def test_processes(bags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = list(replay_on_processes(jobs(bags, tmp_path, monkeypatch), 2))
    found = content(results, tmp_path)
    expected(found)
    alone = replay_job(jobs(bags, tmp_path / 'alone', monkeypatch)[0])
    assert content([alone], tmp_path / 'alone')['drive_00'] == found['drive_00']


@pytest.mark.slow
def test_ray(bags: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec('ray') is None:
        pytest.skip('Ray is not installed (pip install ray)')
    results = list(replay_on_ray(jobs(bags, tmp_path / 'ray', monkeypatch), 'local'))
    found = content(results, tmp_path / 'ray')
    expected(found)
    assert os.environ['RAY_USAGE_STATS_ENABLED'] == '0'
    others = list(replay_on_processes(jobs(bags, tmp_path / 'here', monkeypatch), 2))
    assert content(others, tmp_path / 'here') == found


def test_without_ray_or_its_cluster(bags: Path, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'ray', None)
    with pytest.raises(UserError, match=r'rgb2swir_ros\[fleet\]'):
        next(replay_on_ray(jobs(bags, tmp_path, monkeypatch), 'local'))


def test_folders_stand_for_the_bags_in_them(tmp_path: Path) -> None:
    frames = [('/c/image_raw', footage.image(footage.picture(0), footage.START))]
    for name in ('week/mon', 'week/tue', 'other/mon'):
        footage.write_bag(tmp_path / name, frames)
    loose = tmp_path / 'loose'
    loose.mkdir()
    for name in ('a.mcap', 'b.MCAP'):
        (loose / name).write_bytes(next((tmp_path / 'week' / 'mon').glob('*.mcap')).read_bytes())
    (loose / 'notes.txt').write_text('nothing')
    found = list_bags([tmp_path / 'week', tmp_path / 'other' / 'mon', loose, tmp_path / 'none',
                       tmp_path / 'week' / 'tue'], tmp_path / 'out')
    assert [(str(bag.relative_to(tmp_path)), folder.name) for bag, folder in found] == [
        ('week/mon', 'mon'), ('week/tue', 'tue'), ('other/mon', 'mon_2'),
        ('loose/a.mcap', 'a'), ('loose/b.MCAP', 'b'), ('none', 'none')]
