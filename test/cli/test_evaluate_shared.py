"""The report of an evaluation: on the screen, as JSON, and in a folder."""

import argparse
import json

import pytest

from rgb2swir_ros.cli.evaluate_shared import add_report_arguments, give_report
from rgb2swir_ros.lab.evaluation.intervals import RESAMPLES
from rgb2swir_ros.marks import is_ours


def parse(*words):
    parser = argparse.ArgumentParser()
    add_report_arguments(parser, 'table.txt and toy.json')
    return parser.parse_args([str(w) for w in words])


def test_defaults_and_help(capsys):
    arguments = parse()
    assert (arguments.resamples, arguments.seed) == (RESAMPLES, 0)
    assert arguments.json is False
    assert arguments.output is None
    with pytest.raises(SystemExit):
        parse('--help')
    assert 'write table.txt and toy.json' in capsys.readouterr().out


def test_table_is_printed_and_nothing_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    give_report(parse(), 'toy', 'the table', {'figure': 3})
    assert capsys.readouterr() == ('the table\n', '')
    assert not list(tmp_path.iterdir())


def test_folder_has_table_and_figures_and_the_screen_either(tmp_path, capsys):
    out = tmp_path / 'a' / 'b'
    give_report(parse('--json', '-o', out), 'toy', 'the table', {'figure': 3})
    printed, told = capsys.readouterr()
    assert json.loads(printed) == {'figure': 3}
    assert told == f'report: {out}/\n'
    assert (out / 'table.txt').read_text() == 'the table'
    written = json.loads((out / 'toy.json').read_text())
    assert written == {'figure': 3, 'rgb2swir_ros': written['rgb2swir_ros']}
    assert is_ours(out / 'toy.json')
