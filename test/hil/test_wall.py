"""A run in real time with a fake engine: what it does when it is too slow, or fails."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

pytest.importorskip('rclpy', reason='rclpy is not installed')

from rgb2swir_ros.engines.status import EngineCrashed, EngineHung, EngineStatus, Inference
from rgb2swir_ros.hil.injection import Injector
from rgb2swir_ros.hil.ledger import Ledger
from rgb2swir_ros.hil.outputs import Ready, digest
from rgb2swir_ros.hil.parts import Parts, summary_of_engine
from rgb2swir_ros.hil.pipeline import Pipeline
from rgb2swir_ros.hil.scenario import load_scenario
from rgb2swir_ros.hil.source import SourceFrame
from rgb2swir_ros.hil.wall import WallRun
from rgb2swir_ros.hil.watchdog import Watchdog
from rgb2swir_ros.imaging.sensor import VirtualSensor

SIZE = (32, 48)


class Client:
    """An engine that takes its time, and fails when told to."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.pid = seconds, None
        self.fails, self.hangs = threading.Event(), threading.Event()

    def ready(self, size) -> bool:
        return not self.fails.is_set()

    def prepare(self, size) -> None:
        """Take note of nothing."""

    def status(self) -> EngineStatus:
        return EngineStatus('restarting' if self.fails.is_set() else 'ready', 'as told')

    def infer(self, rgb) -> Inference:
        time.sleep(self.seconds)
        if self.hangs.is_set():
            self.fails.set()  # killed: everybody sees that it is gone before this call returns
            time.sleep(.03)
            raise EngineHung('as told')
        if self.fails.is_set():
            raise EngineCrashed('as told')
        return Inference(rgb[..., 0].astype(np.float32) / 255, 0, 0)


class Reports:
    """Takes what a run reports."""

    def __getattr__(self, name: str):
        return lambda *_: None


def parts(folder: Path, seconds: float, faults: tuple = (), **pacing) -> Parts:
    path = folder / 'it.yaml'
    path.write_text(yaml.safe_dump({
        'name': 'it', 'duration_s': 1.5, 'sensor': {'preset': 'ideal', 'noise': True}, 'seed': 5,
        'phases': [{'name': 'all', 'faults': list(faults)}],
        'pacing': {'rate_hz': 20, 'latency_ms': 100, 'tolerance_ms': 30, **pacing}}))
    scenario = load_scenario(path)
    injector = Injector(scenario.faults, scenario.seed, scenario.pacing.period_ns)
    ledger = Ledger()
    outputs = SimpleNamespace(
        publish=lambda ready: None, subscribers=lambda: 0,
        prepare=lambda out, t0: Ready(out, t0 + out.frame.time_ns, None, None,
                                      digest(out.frame.pixels)))
    frames = (SourceFrame(i, i * scenario.pacing.period_ns, np.full((*SIZE, 3), i, np.uint8), SIZE)
              for i in itertools.count())
    return Parts(
        scenario=scenario, client=Client(seconds), injector=injector, ledger=ledger,
        pipeline=Pipeline(injector, VirtualSensor(scenario.sensor), ledger),
        watchdog=Watchdog(['camera'], 3 * scenario.pacing.period_ns),
        outputs={'camera': outputs}, footage={'camera': frames}, failover=None, reports=Reports())


def test_a_machine_that_is_too_slow_sends_what_it_can_in_time(tmp_path):
    """Each frame takes one and a half periods: one of two can leave."""
    made = parts(tmp_path, .075)
    WallRun(made).run({SIZE})
    outcomes = Counter(one.outcome for one in made.ledger.records())
    assert sum(outcomes.values()) == 30
    assert set(outcomes) <= {'left', 'missed'}
    assert outcomes['left'] >= 9
    assert outcomes['missed'] >= 5


def test_one_that_is_slower_than_the_latency_misses_all_of_them_and_says_so(tmp_path):
    made = parts(tmp_path, .15)
    WallRun(made).run({SIZE})
    assert Counter(one.outcome for one in made.ledger.records()) == {'missed': 30}
    timings = summary_of_engine(made.client, made.timings)['timings']
    assert timings['frame_ms']['p50'] >= 150  # which is why


def test_a_slow_spell_is_forgotten_when_it_is_over(tmp_path):
    """An estimate just below the latency lets no frame be tried, however fast the engine is."""
    made = parts(tmp_path, .005)
    run = WallRun(made)
    run._usual_ns = 99_900_000
    run.run({SIZE})
    outcomes = Counter(one.outcome for one in made.ledger.records())
    assert outcomes['left'] >= 20


def test_a_crash_is_found_frames_are_counted_and_the_engine_comes_back(tmp_path):
    made = parts(tmp_path, .005)
    threading.Timer(.8, made.client.fails.set).start()
    threading.Timer(1.3, made.client.fails.clear).start()
    WallRun(made).run({SIZE})
    outcomes = Counter(one.outcome for one in made.ledger.records())
    assert sum(outcomes.values()) == 30
    assert 5 <= outcomes['dropped_engine_not_ready'] + outcomes['dropped_engine_failed'] <= 13
    assert outcomes['left'] >= 14
    incident, = made.watchdog.incidents()
    assert incident.kind == 'crash'
    assert .3 < incident.recovery_s < 1
    assert not [one for one in made.ledger.records()
                if incident.safe_ns + 30e6 < one.left_ns < incident.recovered_ns]


def test_an_engine_that_is_killed_because_it_hangs_is_no_crash(tmp_path):
    made = parts(tmp_path, .005)
    threading.Timer(.8, made.client.hangs.set).start()
    WallRun(made).run({SIZE})
    incident, = made.watchdog.incidents()
    assert incident.kind == 'hang'
    assert incident.recovery_s is None


def test_an_engine_that_dies_while_it_has_nothing_to_do_is_found(tmp_path):
    made = parts(tmp_path, .005, rate_hz=2)
    threading.Timer(.5, made.client.fails.set).start()  # the frame of 0.5 s comes .3 s later
    WallRun(made).run({SIZE})
    incident = made.watchdog.incidents()[0]
    assert incident.kind == 'crash'
    assert incident.happened_ns == 0  # nobody knows
    assert incident.time_ns == 0


def test_two_runs_have_equal_faults_by_index_and_equal_pixels_where_both_delivered(tmp_path):
    faults = ({'kind': 'drop', 'intensity': .3}, {'kind': 'banding'}, {'kind': 'freeze',
              'start_s': .5, 'end_s': .9})
    runs = []
    for seconds in (.005, .075):  # the second one misses frames
        made = parts(tmp_path, seconds, faults)
        WallRun(made).run({SIZE})
        runs.append(made.ledger.records())
    fast, slow = ({one.index: one for one in run} for run in runs)
    missed = {index for index, one in slow.items() if one.outcome == 'missed'}
    assert missed
    assert {i for i, one in fast.items() if one.outcome == 'lost_drop'} >= {
        i for i, one in slow.items() if one.outcome == 'lost_drop'}
    both = [i for i in fast if fast[i].digest and slow[i].digest]
    assert len(both) >= 4
    for index in both:
        assert fast[index].digest == slow[index].digest
        assert fast[index].faults == slow[index].faults
    assert len({fast[i].digest for i in both}) > 2


def test_the_failover_source_fills_the_slots_while_the_engine_is_away(tmp_path):
    made = parts(tmp_path, .005)
    grey = np.full((*SIZE, 3), 128, np.uint8)
    made.failover = (SourceFrame(i, 0, grey, SIZE) for i in itertools.count())
    threading.Timer(.8, made.client.fails.set).start()
    threading.Timer(1.3, made.client.fails.clear).start()
    WallRun(made).run({SIZE})
    records = made.ledger.records()
    stood_in = [one for one in records if one.failover]
    assert len(stood_in) >= 6
    assert {one.time_ns % made.scenario.pacing.period_ns for one in stood_in} == {0}
    incident, = made.watchdog.incidents()
    assert all(incident.safe_ns < one.left_ns for one in stood_in)
    stamps = [one.time_ns for one in records if one.left_ns]
    assert len(stamps) == len(set(stamps))  # never two for one slot


def test_an_error_in_the_source_ends_the_run_and_is_named(tmp_path):
    made = parts(tmp_path, .005)
    made.footage['camera'] = itertools.chain(
        itertools.islice(made.footage['camera'], 5), iter(lambda: 1 / 0, 1))
    WallRun(made).run({SIZE})
    assert made.errors == ['the source of camera: ZeroDivisionError: division by zero']
