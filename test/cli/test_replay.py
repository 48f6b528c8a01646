"""`rgb2swir replay`: what a person sees of it, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rgb2swir_ros.cli import main as command
from rgb2swir_ros.pool import UnitResult
from rgb2swir_ros.replay import many
from rgb2swir_ros.replay.run_record import read_run

from ..replay.replays import drive
from .test_translate import opener

__all__ = ['opener']
pytestmark = pytest.mark.usefixtures('opener')


def replay(*words: object) -> int:
    return command.main(['replay', *map(str, words), '--size', '64x48'])


def test_a_bag_and_what_is_said_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = drive(tmp_path / 'in')
    assert replay(source, '-o', tmp_path / 'out', '--json', '--clock') == 0
    streams = capsys.readouterr()
    told = json.loads(streams.out)
    bag, = told['bags']
    assert bag['failures'] == []
    assert bag['run']['options']['clock'] == 40.0
    assert read_run(tmp_path / 'out' / 'in').frames == 12
    assert 'camera: /c/image_raw -> /c/swir/image_raw (12 frames)' in streams.err
    assert replay(source, '-o', tmp_path / 'out', '--clock') == 0  # it is done
    assert replay(source, '-o', tmp_path / 'out') == 2
    assert 'give --overwrite' in capsys.readouterr().err
    assert replay(source, '-o', tmp_path / 'out', '--overwrite', '--topics', 'c/image_raw',
                  '--start-offset', '.95') == 0
    assert read_run(tmp_path / 'out' / 'in').frames == 2


def test_bad_bags_get_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, 'map_unordered', lambda function, jobs, workers: (
        UnitResult(job, function(job)) for job in reversed(jobs)))
    drive(tmp_path / 'good')
    (tmp_path / 'empty.mcap').write_bytes(b'')
    (tmp_path / 'foreign.bag').write_bytes(b'no bag at all')
    cut = next(drive(tmp_path / 'cut').glob('*.mcap'))
    cut.write_bytes(cut.read_bytes()[:30_000])
    bags = [tmp_path / name for name in ('good', 'empty.mcap', 'foreign.bag', 'cut', 'none')]
    assert replay(*bags, '-o', tmp_path / 'out') == 1
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if line.startswith('  failed: ')]
    for part, line in zip(('empty file', 'no ROS 1 bag', 'cut off at byte', 'is damaged',
                           'announces', 'there is no file'), said, strict=True):
        assert part in line
    assert [line.partition(':')[0] for line in lines if ' frames -> ' in line] == [
        path.name for path in bags]
    assert read_run(tmp_path / 'out' / 'cut').frames == 3
    assert lines[-1].endswith('4 bags failed or could not be read whole')


@pytest.mark.parametrize(('words', 'text'), [
    (['--start-offset', '-1'], '--start-offset -1.0: give seconds'),
    (['--rate', '2'], '--rate is the pace of --live'),
    (['--loop'], '--loop is the pace of --live'),
    (['--gamma', '0'], '--gamma 0.0'),
    (['--model', 'none'], "no model 'none'"),
    (['--topics', '/x'], "no image topic '/x'"),
])
def test_wrong_arguments_are_one_line(tmp_path: Path, words: list[str], text: str,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    source = drive(tmp_path / 'in', 2)
    code = replay(source, '-o', tmp_path / 'out', *words)
    said = capsys.readouterr()
    assert (code, text in said.out + said.err) == (1 if '--topics' in words else 2, True)


def test_the_output_never_touches_an_input(tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    source = drive(tmp_path / 'drives' / 'in', 2)
    before = sorted(tmp_path.rglob('*'))
    for out in (source, tmp_path / 'drives' / 'out', tmp_path):
        assert replay(tmp_path / 'drives', '-o', out) == 2
        assert "the input '" in capsys.readouterr().err
    assert sorted(tmp_path.rglob('*')) == before
