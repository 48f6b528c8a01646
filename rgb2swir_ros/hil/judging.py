"""Judge a run: the scenario's thresholds, the recoveries, and what every run must keep."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rgb2swir_ros.hil.faults import HOST, RGB
from rgb2swir_ros.hil.figures import Figures
from rgb2swir_ros.hil.measures import MEASURES
from rgb2swir_ros.hil.recovery import ENGINE_FAULTS, Recovery, unexpected
from rgb2swir_ros.hil.result import FaultRecord, HilRun
from rgb2swir_ros.hil.sections import Threshold
from rgb2swir_ros.hil.verdict import RECOVERY, RULE, THRESHOLD, Check, HilResult
from rgb2swir_ros.hil.watchdog import SILENCE
from rgb2swir_ros.report.model import Verdict

Load = Sequence[tuple[int, float]]

SATURATED = 0.03  # a second with less idle processor time shows that somebody had to wait
SATURATED_SHARE = 0.1  # of the seconds: more are an overload
AFTER_NS = 3 * 10**9  # after a fault of the machine its traces are still the fault's
FOUND_WITHIN_NS = 50_000_000  # the time in which a silence must be found
SHOWN = 3  # of a list of mistakes


def judge(figures: Figures, result: HilResult, load: Load) -> None:
    """Fill in a result's checks.

    :param load: samples of `rgb2swir_ros.hil.load.LoadMeter`.
    """
    scenario, run = figures.scenario, figures.run
    result.checks = [_threshold(figures, one) for one in scenario.thresholds]
    several = len(scenario.cameras) > 1
    result.checks += [_recovery(one, several=several) for one in figures.recoveries]
    result.checks += [
        _rule('run_whole', Verdict.ERROR, [run.error] if run.error else [], 'the run broke off: '),
        _rule('clock', Verdict.ERROR, run.clock_errors, 'the clocks cannot be trusted: '),
        _rule('frames_accounted', Verdict.ERROR, unaccounted(run), 'frames have no known end: '),
        _rule('arrivals_known', Verdict.ERROR, [
            f'{one.camera}, stamp {one.stamp_ns}' for one in figures.surplus
            if run.frames or not run.error],  # a node that was killed has left no record
            'images arrived that the bench never sent: does anybody else publish there, perhaps '
            'another bench in this ROS domain? '),
        _rule('bench_keeps_up', Verdict.INCONCLUSIVE, [*run.overload, *saturation(run, load)],
              'the bench was overloaded: '),
        _rule('observer_whole', Verdict.INCONCLUSIVE, [
            f'{one.camera}, frame {one.index}' for one in figures.not_arrived],
            f'{len(figures.not_arrived)} frames that were sent did not reach the observer: '),
        _rule('nothing_stale', Verdict.FAIL, [
            f'{one.camera}, frame {one.index}' for one in figures.stale(lambda _: True)],
            'frames were sent in the safe state: '),
        _rule('incidents_expected', Verdict.FAIL, [
            f'{one.kind} {one.camera}'.strip() + f' at {_seconds(run, one.detected_ns):.2f} s'
            for one in unexpected(run)], 'the watchdog found what no fault explains: ')]


def unaccounted(run: HilRun) -> list[str]:
    """Return what shows that frames of a source are missing in the record.

    The indices of a source's frames are 0, 1, 2, ...; each occurs, for each of its copies.
    """
    found = []
    for camera in run.topics:
        indices = {frame.index for frame in run.frames
                   if frame.camera == camera and not frame.failover}
        missing = len(set(range(max(indices, default=-1) + 1)) - indices)
        if missing:
            found.append(f'{missing} of {camera}')
        if not indices and not run.error:
            found.append(f'all of {camera}: its source gave nothing')
    return found


def saturation(run: HilRun, load: Load) -> list[str]:
    """Return what shows that the processors had no time left, but for faults of the machine.

    A run on simulated time may take all that there is: its clock waits.
    """
    if run.clock == 'stepped' or not run.monotonic_t0_ns:
        return []
    seconds = [(at, idle) for at, idle in load
               if 0 <= at - run.monotonic_t0_ns <= run.duration_ns and not _explained(run, at)]
    busy = [at for at, idle in seconds if idle < SATURATED]
    if not seconds or len(busy) <= SATURATED_SHARE * len(seconds):
        return []
    return [f'the processors had less than {100 * SATURATED:.0f} % idle time in {len(busy)} of '
            f'{len(seconds)} seconds without a fault of the machine']


def _explained(run: HilRun, at_ns: int) -> bool:
    """Return whether a fault of the machine, or an engine that starts again, explains a load."""
    time_ns = at_ns - run.monotonic_t0_ns
    return any(fault.point == HOST and fault.start_ns <= time_ns <= fault.end_ns + AFTER_NS
               for fault in run.faults) or any(
        one.detected_ns <= at_ns <= (one.recovered_ns or at_ns) + AFTER_NS
        for one in run.incidents if not one.camera)


def _threshold(figures: Figures, one: Threshold) -> Check:
    value = figures.value(one.measure, one.phase, one.camera)
    limit = one.at_least if one.at_most is None else one.at_most
    assert limit is not None
    unit = MEASURES[one.measure].partition(':')[0]
    where = f' in phase {one.phase}' if one.phase else ''
    if value is None:
        verdict, text = _unmeasured(figures, one)
    elif math.isinf(value):
        verdict, text = Verdict.FAIL, 'not before the end of the run'
    else:
        kept = value >= limit if one.at_most is None else value <= limit
        verdict, text = (Verdict.PASS if kept else Verdict.FAIL), ''
    return Check(f'{THRESHOLD}.{one.name}', THRESHOLD, verdict, text or f'{one.measure}{where}',
                 value, limit, unit, one.phase, one.camera, lower=one.at_most is None)


def _unmeasured(figures: Figures, one: Threshold) -> tuple[Verdict, str]:
    """Return the verdict on a threshold without anything to measure, and why."""
    kind = one.measure.partition('_')[0]
    silence_ns = figures.scenario.watchdog.silence_periods * figures.run.period_ns
    planned = [fault.name for fault in figures.run.faults if one.phase in ('', fault.phase)
               and kind == _found_as(fault, round(silence_ns))]
    if planned:  # it was there to be found
        return Verdict.FAIL, f"the watchdog did not find {', '.join(planned)}"
    return Verdict.INCONCLUSIVE, f'{one.measure}: there was nothing to measure'


def _found_as(fault: FaultRecord, silence_ns: int) -> str:
    """Return the kind of incident that the watchdog must find for a fault; empty for none."""
    silent = (fault.kind == 'drop' and fault.point == RGB and min(fault.intensity) == 1
              and fault.end_ns - fault.start_ns > silence_ns + FOUND_WITHIN_NS)
    return SILENCE if silent else ENGINE_FAULTS.get(fault.kind, '')


def _recovery(one: Recovery, *, several: bool) -> Check:
    fault = one.fault
    camera = one.camera.strip('/').replace('/', '.')
    name = f'{RECOVERY}.{fault.name}' + (f'.{camera}' if several and camera else '')
    if one.counts_frames:
        limit = float(fault.recovery_frames)
        if one.frames is None:
            return Check(name, RECOVERY, Verdict.FAIL,
                         'the stream was not whole again before the end of the run', None, limit,
                         'frames', fault.phase, one.camera)
        kept = one.frames <= max(limit, 1)
        return Check(name, RECOVERY, Verdict.PASS if kept else Verdict.FAIL,
                     'first whole frame after the end of the fault', float(one.frames), limit,
                     'frames', fault.phase, one.camera)
    if one.incident is None:
        return Check(name, RECOVERY, Verdict.FAIL, 'the watchdog found nothing', unit='s',
                     phase=fault.phase)
    seconds = one.incident.recovery_s
    found = 'unknown' if not one.incident.happened_ns else f'{one.incident.detection_ms:.0f} ms'
    text = f'found after {found}; ' + ('frames again after this time' if seconds is not None
                                       else 'not back before the end of the run')
    verdict = Verdict.FAIL if seconds is None else Verdict.PASS
    return Check(name, RECOVERY, verdict, text, seconds, None, 's', fault.phase)


def _rule(name: str, verdict: Verdict, problems: Sequence[str], text: str) -> Check:
    if not problems:
        return Check(f'{RULE}.{name}', RULE, Verdict.PASS, '')
    more = f' and {len(problems) - SHOWN} more' if len(problems) > SHOWN else ''
    return Check(f'{RULE}.{name}', RULE, verdict, text + '; '.join(problems[:SHOWN]) + more)


def _seconds(run: HilRun, at_ns: int) -> float:
    return (at_ns - run.monotonic_t0_ns) / 1e9
