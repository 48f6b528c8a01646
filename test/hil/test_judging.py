"""Verdicts on runs of known figures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.judging import judge
from rgb2swir_ros.hil.measures import MEASURES
from rgb2swir_ros.hil.result import LATE, MISSED, Incident
from rgb2swir_ros.hil.verdict import HilResult
from rgb2swir_ros.report.model import Verdict

from .made import MS, T0, ZERO, records, scenario

SECOND = 10**9
ON_TIME = {'name': 'on_time', 'measure': 'pacing_error_ms_p99', 'at_most': 3}
ALL = {'name': 'all', 'measure': 'delivered_share', 'at_least': 1, 'phase': 'second'}


def judged(made, given):
    figures = Figures(made, given.run, given.observation, given.responses)
    result = HilResult(given.run, given.observation, given.responses)
    judge(figures, result, given.load)
    return result, {check.name: check for check in result.checks}


def drop(camera=''):
    return {'phases': [{'name': 'all', 'faults': [
        {'kind': 'drop', 'point': 'rgb', 'camera': camera, 'start_s': 2, 'end_s': 3}]}]}


def dropped(frame, until=3.0):
    hit = 2 <= frame.time_ns / 1e9 < until
    return replace(frame, outcome='lost_drop') if hit else frame


def test_a_run_without_a_fault_passes(tmp_path):
    made = scenario(tmp_path, thresholds=[ON_TIME, ALL])
    result, checks = judged(made, records(made))
    assert {check.verdict for check in result.checks} == {Verdict.PASS}
    assert (result.verdict, result.exit_code) == (Verdict.PASS, 0)
    assert checks['threshold.on_time'].value == .5
    assert checks['threshold.all'].value == 1
    assert sum(name.startswith('rule.') for name in checks) == 8


def test_a_threshold_fails_in_its_own_phase_only(tmp_path):
    made = scenario(tmp_path, thresholds=[ON_TIME, ALL, {**ALL, 'name': 'before',
                                                         'phase': 'first'}])
    result, checks = judged(made, records(made, lambda one: replace(one, outcome=MISSED)
                                          if one.time_ns == 4 * SECOND else one))
    assert checks['threshold.all'].verdict == Verdict.FAIL
    assert checks['threshold.all'].value == pytest.approx(29 / 30)
    assert checks['threshold.before'].verdict == Verdict.PASS
    assert (result.verdict, result.exit_code) == (Verdict.FAIL, 1)


def test_an_overloaded_bench_says_nothing_whatever_failed(tmp_path):
    made = scenario(tmp_path, thresholds=[{**ON_TIME, 'at_most': .1}])
    result, checks = judged(made, records(made, overload=['held up']))
    assert checks['threshold.on_time'].verdict == Verdict.FAIL
    assert checks['rule.bench_keeps_up'].verdict == Verdict.INCONCLUSIVE
    assert (result.verdict, result.exit_code) == (Verdict.INCONCLUSIVE, 3)


def test_processors_without_idle_time_are_an_overload_unless_a_fault_loads_them(tmp_path):
    made = scenario(tmp_path)
    given = records(made)
    given.load = [(at, .01) for at, _ in given.load]
    assert judged(made, given)[0].verdict == Verdict.INCONCLUSIVE
    made = scenario(tmp_path, phases=[{'name': 'busy', 'faults': [
        {'kind': 'cpu_load', 'start_s': 0, 'end_s': 5}]}])
    given = records(made)
    given.load = [(at, .01) for at, _ in given.load]
    assert judged(made, given)[0].verdict == Verdict.PASS


def test_a_frame_that_the_observer_never_got_is_inconclusive_and_one_too_many_an_error(tmp_path):
    made = scenario(tmp_path)
    given = records(made)
    lost = given.observation.arrivals.pop(7)
    result, checks = judged(made, given)
    assert checks['rule.observer_whole'].verdict == Verdict.INCONCLUSIVE
    assert 'camera, frame 7' in checks['rule.observer_whole'].text
    assert result.exit_code == 3
    given.observation.arrivals += [lost, replace(lost, digest='ff')]
    assert judged(made, given)[1]['rule.arrivals_known'].verdict == Verdict.ERROR


@pytest.mark.parametrize('changes', [
    {'error': 'the engine failed'}, {'clock_errors': ['a stamp lies in the future']}])
def test_a_run_that_broke_off_is_an_error(tmp_path, changes):
    made = scenario(tmp_path, thresholds=[{**ON_TIME, 'at_most': .1}])
    result, _ = judged(made, records(made, overload=['held up'], **changes))
    assert (result.verdict, result.exit_code) == (Verdict.ERROR, 4)


def test_a_node_that_was_killed_is_the_one_error_of_its_run(tmp_path):
    made = scenario(tmp_path)
    given = records(made, error='the hil_node ended with exit code -9')
    given.run.frames.clear()
    result, checks = judged(made, given)
    assert [name for name, one in checks.items() if one.verdict is Verdict.ERROR] == [
        'rule.run_whole']
    assert result.decided_by == ['rule.run_whole']


def test_a_frame_without_an_end_is_an_error(tmp_path):
    made = scenario(tmp_path)
    given = records(made)
    del given.run.frames[5], given.observation.arrivals[5]
    result, checks = judged(made, given)
    assert checks['rule.frames_accounted'].text == 'frames have no known end: 1 of camera'
    assert result.exit_code == 4


@pytest.mark.parametrize(('until', 'verdict', 'value'), [
    (3.0, Verdict.PASS, 1), (3.1, Verdict.PASS, 2),
    (3.2, Verdict.FAIL, 3), (6.0, Verdict.FAIL, None)])
def test_the_stream_must_be_whole_two_frames_after_a_fault(tmp_path, until, verdict, value):
    made = scenario(tmp_path, **drop())
    _, checks = judged(made, records(made, lambda one: replace(one, outcome='missed')
                                     if 3 <= one.time_ns / 1e9 < until else dropped(one)))
    found = checks['recovery.drop']
    assert (found.verdict, found.value) == (verdict, value)


def test_a_frame_that_still_shows_the_fault_is_not_whole(tmp_path):
    made = scenario(tmp_path, **drop())
    _, checks = judged(made, records(made, lambda one: replace(one, faults=('drop',))
                                     if one.time_ns == round(3.4e9) else dropped(one)))
    assert checks['recovery.drop'].value == 6
    assert checks['recovery.drop'].verdict == Verdict.FAIL


def test_recoveries_of_several_cameras_have_names_of_their_own(tmp_path):
    made = scenario(tmp_path, cameras=['left', 'right'], **drop())
    _, checks = judged(made, records(made, dropped))
    assert {'recovery.drop.left', 'recovery.drop.right'} <= set(checks)
    made = scenario(tmp_path, cameras=['left', 'right'], **drop('left'))
    _, checks = judged(made, records(made, dropped))
    assert 'recovery.drop.left' in checks
    assert 'recovery.drop.right' not in checks


def test_frames_sent_in_the_safe_state_fail(tmp_path):
    made = scenario(tmp_path, **drop())
    silence = Incident('silence', 'camera', ZERO + round(2.2e9), ZERO + round(2.21e9),
                       ZERO + round(2.21e9), ZERO + round(3.1e9), round(1.9e9))
    result, checks = judged(made, records(made, dropped, incidents=[silence]))
    assert result.verdict == Verdict.PASS
    result, checks = judged(made, records(
        made, lambda one: one if one.time_ns == round(2.5e9) else dropped(one),
        incidents=[silence]))
    assert checks['rule.nothing_stale'].verdict == Verdict.FAIL
    assert 'frame 25' in checks['rule.nothing_stale'].text


CRASH = {'phases': [{'name': 'all', 'faults': [
    {'kind': 'engine_crash', 'start_s': 2, 'end_s': 2.5}]}], 'thresholds': [
        {'name': 'found', 'measure': 'crash_detection_ms_max', 'at_most': 200},
        {'name': 'back', 'measure': 'engine_recovery_s_max', 'at_most': 1}]}


def crash(back=3.0):
    at = ZERO + 2 * SECOND
    return Incident('crash', '', at, at + 90 * MS, at + 90 * MS,
                    ZERO + round(back * 1e9) if back else 0, 2 * SECOND)


def test_an_engine_that_crashed_must_be_found_and_come_back(tmp_path):
    made = scenario(tmp_path, **CRASH)
    _, checks = judged(made, records(made, incidents=[crash()]))
    assert checks['threshold.found'].value == 90
    assert checks['threshold.back'].value == pytest.approx(.91)
    assert checks['recovery.engine_crash'].verdict == Verdict.PASS
    _, checks = judged(made, records(made, incidents=[crash(0)]))
    assert checks['threshold.back'].verdict == Verdict.FAIL
    assert checks['recovery.engine_crash'].verdict == Verdict.FAIL


def test_a_crash_that_nobody_found_fails(tmp_path):
    made = scenario(tmp_path, **CRASH)
    result, checks = judged(made, records(made))
    assert checks['threshold.found'].verdict == Verdict.FAIL
    assert 'did not find engine_crash' in checks['threshold.found'].text
    assert checks['recovery.engine_crash'].verdict == Verdict.FAIL
    assert checks['threshold.back'].verdict == Verdict.INCONCLUSIVE
    assert result.exit_code == 1  # what cannot be measured hides no failure


def test_a_silence_that_nobody_found_fails(tmp_path):
    made = scenario(tmp_path, **drop(), thresholds=[
        {'name': 'found', 'measure': 'silence_detection_ms_max', 'at_most': 50}])
    _, checks = judged(made, records(made, dropped))
    assert checks['threshold.found'].verdict == Verdict.FAIL
    assert 'did not find drop' in checks['threshold.found'].text


def test_an_incident_that_no_fault_explains_fails(tmp_path):
    made = scenario(tmp_path)
    _, checks = judged(made, records(made, incidents=[crash()]))
    assert checks['rule.incidents_expected'].verdict == Verdict.FAIL
    assert 'crash at 2.09 s' in checks['rule.incidents_expected'].text


def test_every_measure_has_a_value_or_none_and_nothing_else(tmp_path):
    made = scenario(tmp_path, **CRASH)
    given = records(made, incidents=[crash()])
    figures = Figures(made, given.run, given.observation, given.responses)
    found = {name: figures.value(name) for name in MEASURES}
    missing = {name for name, value in found.items() if value is None}
    assert missing == {'silence_detection_ms_max', 'hang_detection_ms_max', 'recovery_frames_max',
                       'response_ms_p50', 'response_ms_p99', 'response_ms_max', 'unanswered'}


def test_every_measure_has_a_unit_and_stands_in_the_document():
    document = (Path(__file__).parents[2] / 'docs/hil.md').read_text()
    for name, text in MEASURES.items():
        unit, colon, what = text.partition(': ')
        assert colon
        assert unit in ('frames', 'share', 'ms', 's', 'events')
        assert f'| `{name}` | {unit} | {what} |' in document


def test_figures_by_hand(tmp_path):
    made = scenario(tmp_path)

    def change(one):
        if one.index == 10:
            return replace(one, outcome=LATE, left_ns=one.due_ns + 7 * MS)
        return replace(one, outcome='refused_truncated') if one.index == 20 else one
    given = records(made, change)
    figures = Figures(made, given.run, given.observation, given.responses)
    assert figures.value('frames_due') == 60
    assert figures.value('late') == figures.value('dropped') == 1
    assert figures.value('delivered_share') == pytest.approx(58 / 60)
    assert figures.value('pacing_error_ms_max') == 7
    assert figures.value('pacing_error_ms_p99', 'second') == .5
    assert figures.value('jitter_ms_p99') == pytest.approx(6.5)
    assert figures.value('arrival_ms_p50') == pytest.approx(101.5)
    assert figures.value('arrival_ms_max', 'first') == pytest.approx(108)


def test_responses_are_measured_from_the_stamp(tmp_path):
    made = scenario(tmp_path, monitor={'topic': '/answers', 'timeout_ms': 500})
    given = records(made)
    given.responses.topic = '/answers'
    for frame in given.run.frames:
        if frame.index != 3:
            late = 600 if frame.index == 4 else 20
            given.responses.responses.append((frame.stamp_ns, 0, frame.left_ns + late * MS))
    given.responses.responses.append((T0 - 1, 0, ZERO))  # of no frame
    figures = Figures(made, given.run, given.observation, given.responses)
    assert figures.value('response_ms_p50') == pytest.approx(120.5)
    assert figures.value('unanswered') == 2
    assert figures.value('unanswered', 'second') == 0
    assert math.isnan(figures.answers[4][1])
