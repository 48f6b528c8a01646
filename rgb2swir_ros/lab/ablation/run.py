"""Runs the ablation: trainings and judgements in order, each once, resumable after any kill.

Several runs may share a folder: each takes the next piece of work that is ready and that no other
run has in hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.ablation.judge import TRUE, Judge
from rgb2swir_ros.lab.ablation.pace import Pace
from rgb2swir_ros.lab.ablation.rows import Row, Task
from rgb2swir_ros.lab.ablation.train import Log, Trainings
from rgb2swir_ros.lab.training.locks import held
from rgb2swir_ros.lab.training.trainer import readable

POLL_S = 2.0  # between two looks at work that another run has in hand


@dataclass(frozen=True)
class Work:
    """A piece of work.

    :param needs: what must be done before it.
    :param task: the training that it is, if it is one.
    """

    name: str
    is_done: Callable[[], bool]
    do: Callable[[], None]
    needs: tuple[Work, ...] = ()
    task: Task | None = None


@dataclass
class Runner:
    """Does pieces of work in their order; one that fails does not end the others.

    :param locks: folder of the locks by which runs share the work.
    :param failures: by name of the work, its reason; filled by `run`.
    """

    works: Sequence[Work]
    locks: Path
    pace: Pace
    log: Log
    poll_s: float = POLL_S
    failures: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Do what is not done. :raises KeyboardInterrupt: if interrupted."""
        total = len(self.works)
        pending = [work for work in self.works if not work.is_done()]
        self.log(f'{total - len(pending)} of {total} trainings and judgements are done; '
                 + self._left(pending))
        while pending:
            work = self._take(pending)
            if work is None:
                time.sleep(self.poll_s)  # another run has all that is ready
            elif work.name not in self.failures:
                self.log(f'{work.name} is done: {total - len(pending) + 1} of {total}; '
                         + self._left([one for one in pending if one is not work]))
            pending = [one for one in pending if not (one.name in self.failures or one.is_done())]

    def _take(self, pending: Sequence[Work]) -> Work | None:
        """Do the first piece of work that is ready and free; return it, or None."""
        for work in pending:
            if blocked := next((n for n in work.needs if n.name in self.failures), None):
                self.failures[work.name] = f'needs {blocked.name}, which failed'
                return work
            if not all(need.is_done() for need in work.needs):
                continue
            with held(self.locks / f'{work.name}.lock') as mine:
                if not mine:
                    continue
                if not work.is_done():
                    self._do(work)
                return work
        return None

    def _do(self, work: Work) -> None:
        self.log(work.name + self._about([] if work.task is None else [work.task], ': '))
        try:
            work.do()
        except UserError as error:
            self.failures[work.name] = str(error)
            self.log(f'{work.name} failed: {error}')

    def _left(self, pending: Sequence[Work]) -> str:
        tasks = [work.task for work in pending if work.task is not None]
        judged = len(pending) - len(tasks)
        return (f'{len(tasks)} trainings are left{self._about(tasks)}'
                + f', and {judged} judgements' * bool(judged))

    def _about(self, tasks: Sequence[Task], before: str = ', ') -> str:
        """Return the estimated time of trainings, if there are any and the pace is known."""
        seconds = self.pace.seconds(tasks) if tasks else None
        return '' if seconds is None else f'{before}about {readable(seconds)}'


def make_works(rows: Sequence[Row], trainings: Trainings, pace: Pace, log: Log,
               judge: Judge | None) -> list[Work]:
    """Return the work for some rows: each training once, then each row's judgement.

    :param judge: None: nothing is judged.
    """
    by_task: dict[Task, Work] = {}
    works: list[Work] = []

    def training(task: Task) -> Work:
        if task not in by_task:
            needs = (training(task.start),) if task.start else ()

            def do() -> None:
                trainings.run(task, log)
                pace.note(task, trainings.seconds(task))

            by_task[task] = Work(task.name, lambda: trainings.is_done(task), do, needs, task)
            works.append(by_task[task])
            if trainings.is_done(task):
                pace.note(task, trainings.seconds(task))
        return by_task[task]

    true = None if judge is None else Work(f'judge_{TRUE}', partial(judge.is_judged, TRUE),
                                           judge.judge_true)
    for row in rows:
        needs = [training(row.task)] if row.task is not None else []
        if judge is not None and true is not None:
            if true not in works:
                works.append(true)
            works.append(Work(f'judge_{row.name}', partial(judge.is_judged, row.name),
                              partial(judge.judge, row), (true, *needs)))
    return works
