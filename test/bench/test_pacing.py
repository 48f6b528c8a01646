"""The bench of the pacing: its counts, never its times."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from rgb2swir_ros.bench.pacing import PacingSettings, report_of, summarise, table
from rgb2swir_ros.cli.main import main
from rgb2swir_ros.hil.result import MISSED

from ..engines.standin import SCRIPT
from ..hil.made import records, scenario

pytestmark = pytest.mark.ros


@pytest.fixture
def _standin(tmp_path, monkeypatch):
    pytest.importorskip('rclpy', reason='rclpy is not installed')
    (tmp_path / 'sitecustomize.py').write_text(SCRIPT)
    monkeypatch.setenv('PYTHONPATH', f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv('STANDIN_PLAN', '{}')
    monkeypatch.setenv('STANDIN_JOURNAL', str(tmp_path / 'journal'))


@pytest.mark.usefixtures('_standin')
def test_the_bench_and_a_subscriber_count_the_same_misses_beside_a_hog(capsys):
    # the latency is so short that frames are missed
    assert main(['bench', 'pacing', '--frames', '60', '--runs', '1', '--rate', '30', '--latency',
                 '8', '--size', '80x64', '--hog', '2', '--json']) == 0
    report = json.loads(capsys.readouterr().out)
    run, = report['runs']
    assert report['counts_equal']
    assert run['frames'] == 60
    assert run['bench_misses'] == run['subscriber_misses']
    outcomes = {key: run[key] for key in ('left', 'late', 'missed') if key in run}
    assert sum(outcomes.values()) == 60
    assert run['bench_misses'] == outcomes.get('missed', 0)
    if run['bench_misses'] < 60:
        assert 0 <= run['pacing_error_ms']['p50'] <= run['pacing_error_ms']['max']
        assert run['arrival_after_due_ms']['p50'] >= 0


def test_the_subscriber_s_count_does_not_rest_on_the_bench_s(tmp_path):
    made = scenario(tmp_path)  # 6 s at 10 Hz
    given = records(made, lambda one: replace(one, outcome=MISSED) if one.index == 7 else one)
    whole = summarise(made, given)
    assert (whole['frames'], whole['bench_misses'], whole['subscriber_misses']) == (60, 1, 1)
    given.run.frames = [frame for frame in given.run.frames if frame.index != 7]  # forgotten
    forgotten = summarise(made, given)
    assert (forgotten['bench_misses'], forgotten['subscriber_misses']) == (0, 1)
    settings = PacingSettings('nano', '80x64', 'auto', 10, 100, 60, 0, 1)
    assert report_of(settings, [whole])['counts_equal']
    assert not report_of(settings, [whole, forgotten])['counts_equal']
    assert table(report_of(settings, [whole])).endswith('at most 3 ms: yes; counts equal: yes')
    nothing = summarise(made, records(made, lambda one: replace(one, outcome=MISSED)))
    text = table(report_of(settings, [whole, nothing]))
    assert text.endswith('at most 3 ms: nothing left in a run; counts equal: yes')
    assert 'run 2: 60 frames due, misses 60, of the subscriber 60' in text


@pytest.mark.parametrize(('words', 'says'), [
    (['--frames', '1'], '--frames must be at least 2, not 1'),
    (['--rate', '0'], '--rate must be above 0')])
def test_wrong_arguments_are_named(capsys, words, says):
    assert main(['bench', 'pacing', *words]) == 2
    assert says in capsys.readouterr().err
