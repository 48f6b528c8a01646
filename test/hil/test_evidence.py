"""The files of the evidence, of runs of known figures."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from rgb2swir_ros.cli.main import main, parser_for
from rgb2swir_ros.hil import evidence
from rgb2swir_ros.hil.evidence import text_table, write_evidence
from rgb2swir_ros.hil.result import MISSED
from rgb2swir_ros.hil.verdict import EXIT_CODES

from ..report.test_junit import check_schema
from .made import records, scenario

pytest.importorskip('jinja2', reason='Jinja2 is not installed')
pytest.importorskip('matplotlib', reason='matplotlib is not installed')
THRESHOLDS = [{'name': 'on_time', 'measure': 'pacing_error_ms_p99', 'at_most': 3},
              {'name': 'all', 'measure': 'delivered_share', 'at_least': 1}]
FAULTS = [{'name': 'all', 'faults': [
    {'kind': 'noise', 'start_s': 1, 'end_s': 2},
    {'kind': 'drop', 'point': 'rgb', 'start_s': 3, 'end_s': 3.2}]}]


@pytest.fixture
def failed(tmp_path):
    """Return the folder of the evidence of a run that misses a frame, and the result."""
    made = scenario(tmp_path, thresholds=THRESHOLDS, phases=FAULTS)

    def change(one):
        if 3 <= one.time_ns / 1e9 < 3.2:
            return replace(one, outcome='lost_drop')
        if 1 <= one.time_ns / 1e9 < 2:
            return replace(one, faults=('noise',))
        return replace(one, outcome=MISSED) if one.index == 50 else one
    return tmp_path, write_evidence(made, records(made, change), tmp_path)


def test_a_failed_threshold_fails_the_exit_code_and_its_case_alone(failed):
    folder, result = failed
    assert result.exit_code == 1
    root = ElementTree.parse(folder / 'junit.xml').getroot()
    cases = {case.get('name'): case for case in root.iter('testcase')}
    assert [name for name, case in cases.items() if case.find('failure') is not None] == [
        'threshold.all']
    assert not [name for name, case in cases.items() if case.find('error') is not None]
    assert {'threshold.on_time', 'threshold.all', 'recovery.noise', 'recovery.drop',
            'rule.bench_keeps_up'} <= set(cases)
    assert 'at least 1' in cases['threshold.all'].find('failure').get('message')


def test_an_overload_is_an_error_of_the_suite_and_no_failure(tmp_path):
    made = scenario(tmp_path)
    engine = {'state': 'ready', 'timings': {'inference_ms': {'p50': 6.5, 'p99': 80.}}}
    result = write_evidence(made, records(made, overload=['held up 9 times'], engine=engine),
                            tmp_path)
    assert result.exit_code == 3
    case, = (one for one in ElementTree.parse(tmp_path / 'junit.xml').getroot().iter('testcase')
             if len(one) and one.find('system-out') is None)
    assert case.get('name') == 'rule.bench_keeps_up'
    assert case.find('error').get('type') == 'inconclusive'
    facts = json.loads((tmp_path / 'report.json').read_text())['facts'][2]['entries']
    assert facts['engine timings: inference_ms'] == 'p50 6.5, p99 80'


def test_jenkins_schema_and_a_stock_parser_accept_the_file(failed):
    folder, _ = failed
    check_schema(ElementTree.parse(folder / 'junit.xml').getroot())
    junitparser = pytest.importorskip('junitparser', reason='junitparser is not installed')
    suite, = junitparser.JUnitXml.fromfile(str(folder / 'junit.xml'))
    assert suite.name == 'hil.made'
    assert (suite.failures, suite.errors) == (1, 0)
    assert suite.tests == len(list(suite)) == 2 + 2 + 8
    bad, = (case for case in suite if case.result)
    assert isinstance(bad.result[0], junitparser.Failure)


def test_names_are_the_same_whatever_came_out(tmp_path):
    made = scenario(tmp_path, thresholds=THRESHOLDS, phases=FAULTS)
    names = []
    for changes in ({}, {'error': 'broken'}, {'frames': [], 'error': 'nothing'}):
        result = write_evidence(made, records(made, **changes), tmp_path)
        names.append([check.name for check in result.checks])
    assert names[0] == names[1] == names[2]


def test_report_json_says_what_was_measured_and_of_what(failed):
    folder, _ = failed
    report = json.loads((folder / 'report.json').read_text())
    assert report['verdict'] == 'fail'
    checks = {check['name']: check for check in report['checks']}
    assert checks['threshold.on_time']['measured'] == .5
    items = {item['title']: item for section in report['sections'] for item in section['items']}
    rows = items['Phases, faults and safe states']['rows']
    assert [row['name'] for row in rows] == ['phase', 'noise', 'drop']
    assert rows[2]['spans'] == [{'name': '', 'start': 3.0, 'end': 3.2}]
    faults = {row['name']: row for row in items['Faults']['rows']}
    assert (faults['noise']['hit'], faults['drop']['hit']) == (10, 2)
    outcomes = {row['outcome']: row['camera'] for row in items['Outcomes']['rows']}
    assert outcomes == {'left': 57, 'lost_drop': 2, 'missed': 1, 'arrived outside': 57}
    facts = {one['title']: one['entries'] for one in report['facts']}
    assert len(facts['SHA-256']['scenario made.yaml']) == 64
    assert len(facts['SHA-256']['model nano']) == 64
    assert facts['Versions']['Python']


def test_the_footage_of_a_run_is_named_by_its_hash(tmp_path, monkeypatch):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for name in 'ba':
        (folder / f'{name}.png').write_bytes(name.encode())
    (tmp_path / 'a.mp4').write_bytes(b'video')
    made = scenario(tmp_path, cameras=['front', 'rear'], source={'kind': 'video', 'path': 'a.mp4'},
                    sources={'rear': {'kind': 'folder', 'path': 'pictures'}})

    def hashes():
        write_evidence(made, records(made), tmp_path)
        report = json.loads((tmp_path / 'report.json').read_text())
        return {one['title']: one['entries'] for one in report['facts']}['SHA-256']
    assert hashes()['source of front'] == hashlib.sha256(b'video').hexdigest()
    listed = ''.join(f'{hashlib.sha256(name.encode()).hexdigest()}  {name}.png\n' for name in 'ab')
    assert hashes()['source of rear'] == hashlib.sha256(listed.encode()).hexdigest()
    monkeypatch.setattr(evidence, 'MOST_BYTES', 1)
    assert hashes()['source of rear'] == 'not computed of 0.0 GB'


def test_the_summary_says_what_decided(tmp_path):
    made = scenario(tmp_path, thresholds=[THRESHOLDS[1]])

    def summary(**changes):
        missed = records(made, lambda one: replace(one, outcome=MISSED), **changes)
        write_evidence(made, missed, tmp_path)
        return json.loads((tmp_path / 'report.json').read_text())['summary']
    assert summary().endswith(' Verdict: fail, by threshold.all.')
    assert summary(overload=['held up']).endswith(
        ' Verdict: inconclusive, by rule.bench_keeps_up. Such a run says nothing of the system '
        'under test.')
    assert summary(overload=['x'], clock_errors=['jump']).endswith(' error, by rule.clock.')
    write_evidence(made, records(made), tmp_path)
    assert json.loads((tmp_path / 'report.json').read_text())['summary'].endswith(' pass.')


def test_counts_of_frames_are_whole_numbers(failed):
    report = json.loads((failed[0] / 'report.json').read_text())
    measured = {check['name']: check['measured'] for check in report['checks']}
    assert isinstance(measured['recovery.noise'], int)
    assert measured['recovery.noise'] == 1
    assert isinstance(measured['threshold.on_time'], float)


def test_the_page_shows_the_time_line(failed):
    folder, _ = failed
    page = (folder / 'report.html').read_text()
    assert '<h1>Hardware in the loop: made</h1>' in page
    assert 'noise: from 1 to 2' in page
    assert '<svg' in page


def test_help_lists_every_exit_code():
    text = parser_for('hil').format_help()
    for verdict, code in EXIT_CODES.items():
        assert re.search(rf'^ +{code} +{verdict} ', text, re.MULTILINE)
    assert re.search(r'^ +2 +wrong arguments', text, re.MULTILINE)


def test_a_sample_is_found_by_its_name_and_a_wrong_one_is_told(capsys):
    assert main(['hil', 'nominal', '--dry-run']) == 0
    assert 'a minute without faults' in capsys.readouterr().out
    assert main(['hil', 'nominl', '--dry-run']) == 2
    assert ("no file 'nominl' here, and no sample of that name: there are camera_loss, nominal, "
            'overload, sensor_ageing') in capsys.readouterr().err


def test_a_terminal_gets_a_line_a_check_and_the_verdict(failed):
    lines = text_table(failed[1]).splitlines()
    assert lines[-1] == 'verdict: fail, by threshold.all'
    assert any(line.startswith('fail') and 'threshold.all' in line and '(at least 1)' in line
               for line in lines)
