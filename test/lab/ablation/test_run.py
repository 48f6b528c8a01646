"""The runner: order, resumption, failures, and several runs at once."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.pace import (
    Pace,
    canary_config,
    expected_seconds,
    share_for,
)
from rgb2swir_ros.lab.ablation.rows import FULL, ROWS, Task, trainings
from rgb2swir_ros.lab.ablation.run import Runner, Work
from rgb2swir_ros.lab.training.canary import CanaryConfig
from rgb2swir_ros.lab.training.preset import read_preset

NANO = read_preset('nano')


class Bench:
    """Pieces of work that leave a file, and a list of what was done."""

    def __init__(self, folder: Path):
        self.folder, self.did, self.lines = folder, [], []

    def work(self, name, needs=(), error=None):
        def do():
            if error is not None:
                raise error
            self.did.append(name)
            (self.folder / name).touch()
        return Work(name, (self.folder / name).exists, do, tuple(needs))

    def runner(self, works):
        return Runner(works, self.folder / 'locks', Pace(NANO, .25), self.lines.append, .01)


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_work_is_done_in_order_and_not_twice(bench):
    first = bench.work('first')
    works = [first, bench.work('second', [first]), bench.work('third')]
    bench.runner(works).run()
    assert bench.did == ['first', 'second', 'third']
    (bench.folder / 'second').unlink()
    bench.runner(works).run()
    assert bench.did[3:] == ['second']
    assert bench.lines[-1].startswith('second is done: 3 of 3')


def test_what_failed_stops_what_needs_it_and_nothing_else(bench):
    bad = bench.work('bad', error=UserError('it diverges'))
    works = [bad, bench.work('child', [bad]), bench.work('other')]
    runner = bench.runner(works)
    runner.run()
    assert bench.did == ['other']
    assert runner.failures == {'bad': 'it diverges', 'child': 'needs bad, which failed'}


def test_an_interruption_ends_the_run(bench):
    works = [bench.work('a', error=KeyboardInterrupt()), bench.work('b')]
    with pytest.raises(KeyboardInterrupt):
        bench.runner(works).run()
    assert bench.did == []


def test_two_runs_share_the_work(bench):
    inside, go_on = threading.Event(), threading.Event()
    slow = bench.work('slow')

    def wait():
        inside.set()
        assert go_on.wait(10)
        slow.do()

    works = [replace(slow, do=wait), bench.work('free'), bench.work('after', [slow])]
    first = threading.Thread(target=bench.runner(works).run)
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=bench.runner(works).run)
    second.start()
    while not (bench.folder / 'free').exists():
        pass
    assert not (bench.folder / 'after').exists()
    go_on.set()
    first.join(10)
    second.join(10)
    assert bench.did == ['free', 'slow', 'after']


def test_the_canary_sees_as_many_pairs_as_a_translator():
    pairs = 8 * (600 + 1200 + 2400 + 600 + 1500 + 7500) + 12 * 2500
    assert (canary_config(NANO, 1).steps, canary_config(NANO, 1).batch) == (pairs // 8, 8)
    assert canary_config(NANO, .25).steps * 8 == pytest.approx(pairs / 4, abs=8)
    small = canary_config(NANO, .25, .25)
    assert (small.batch, small.rate) == (2, CanaryConfig().rate / 2)
    assert small.steps * 2 == pytest.approx(pairs / 4, abs=8)


def test_the_estimate_follows_the_pace():
    tasks = trainings([row for row in ROWS if row.name == 'unet_scae_lge'])
    pace = Pace(NANO, .25, 1)
    assert Pace(NANO, .25, 2).seconds(tasks) == 2 * pace.seconds(tasks)
    # nano's first round took 72 minutes on the machine of these figures
    assert pace.seconds(tasks) == pytest.approx(.25 * 72 * 60, rel=.1)
    pace.note(tasks[0], 3 * expected_seconds(tasks[0], NANO, .25))
    assert pace.seconds(tasks[1:]) == pytest.approx(
        3 * sum(expected_seconds(task, NANO, .25) for task in tasks[1:]))


def test_no_time_is_foretold_before_this_machine_has_shown_its_pace(bench):
    first, second = (replace(bench.work(name), task=Task('canary', FULL, seed))
                     for seed, name in enumerate(('first', 'second')))
    runner = bench.runner([first, second])
    assert runner.pace.seconds([second.task]) is None

    def timed():
        first.do()
        runner.pace.note(first.task, 6000)

    runner.works[0] = replace(first, do=timed)
    runner.run()
    before = bench.lines[:bench.lines.index('second: about 1 h 40 min')]
    assert not any('about' in line for line in before[:2])
    assert '1 trainings are left, about 1 h 40 min' in before[-1]


def test_minutes_choose_the_share():
    tasks = trainings(ROWS[:1])
    share = share_for(10, tasks, NANO, factor=2)
    assert 2 * sum(expected_seconds(t, NANO, share) for t in tasks) == pytest.approx(600, rel=.01)
    assert share_for(100_000, tasks, NANO, factor=1) == 1
    assert expected_seconds(Task('student', FULL, 0, 4), NANO, 1) > expected_seconds(
        Task('student', FULL, 0), NANO, 1)
