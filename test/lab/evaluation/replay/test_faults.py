"""What goes wrong with one recording stands in the report, and the others are judged."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('pycocotools')
pytest.importorskip('jinja2')

from rgb2swir_ros.cli.replay_judgement import add_judgement_arguments, run_judgement
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.replay.run_record import BAG_FOLDER, RunRecord, SwirTopic, write_run

from ....replay.footage import START, image, picture, write_bag
from .recordings import SOURCE, SWIR, grey16

COUNT = 3


def replayed(folder: Path, name: str, *, source: str = '') -> Path:
    """Write a bag and a replay of it; ``source`` may name another bag as its input."""
    stamps = [START + k * 10**8 for k in range(COUNT)]
    bag = write_bag(folder / f'{name}_bag', [
        (SOURCE, image(picture(k, (96, 128)), stamp)) for k, stamp in enumerate(stamps)])
    out = folder / 'out' / name
    out.mkdir(parents=True)
    write_bag(out / BAG_FOLDER, [
        (SWIR, grey16(picture(k, (96, 128))[..., 0].astype(np.uint16) * 257, stamp))
        for k, stamp in enumerate(stamps)])
    write_run(out, RunRecord(source or str(bag), options={'model': 'nano'}, cameras=[SwirTopic(
        SOURCE, 'sensor_msgs/msg/Image', SWIR, encoding='mono16', gamma=1., frames=COUNT,
        refused={'corrupt_data': 2} if source else {})]))
    return out


def run(folder: Path, replays: list[Path], faults: list[str]) -> tuple[int, dict]:
    parser = argparse.ArgumentParser()
    add_judgement_arguments(parser)
    given = parser.parse_args(['--judge', '--detector', 'none'])
    given.output, given.overwrite = folder / 'out', False
    code = run_judgement(given, replays, faults=faults)
    return code, json.loads((folder / 'out' / 'report.json').read_text())


def test_a_recording_whose_input_is_gone_does_not_stop_the_others(tmp_path):
    replays = [replayed(tmp_path, 'whole'),
               replayed(tmp_path, 'gone', source=str(tmp_path / 'moved_away'))]
    code, report = run(tmp_path, replays, ['third: it is no bag'])
    assert code == 1
    check = next(one for one in report['checks'] if one['name'] == 'input.whole')
    assert check['verdict'] == 'fail'
    assert 'third: it is no bag' in check['message']
    assert 'gone: 2 frames of /camera/image_raw were left out (corrupt_data)' in check['message']
    assert 'moved_away' in check['message']
    lines = (tmp_path / 'out' / 'frames.jsonl').read_text().splitlines()
    assert [json.loads(line)['bag'] for line in lines] == ['whole'] * COUNT


def test_where_nothing_was_replayed_the_report_says_why(tmp_path):
    (tmp_path / 'out').mkdir()
    code, report = run(tmp_path, [], ['a: it is empty', 'b: it is no bag'])
    assert code == 1
    assert report['verdict'] == 'fail'
    assert report['checks'][0]['measured'] == 2
    assert 'a: it is empty' in (tmp_path / 'out' / 'report.html').read_text()
    assert (tmp_path / 'out' / 'frames.jsonl').read_text() == ''


def test_nothing_to_judge_at_all_is_an_error_with_its_reason(tmp_path):
    replays = [replayed(tmp_path, 'gone', source=str(tmp_path / 'moved_away'))]
    with pytest.raises(UserError, match='moved_away'):
        run(tmp_path, replays, [])
