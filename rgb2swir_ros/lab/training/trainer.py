"""The one trainer: stages in order, averaged weights, checkpoints, exact resume, interruption."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rgb2swir_ros.lab.training.batches import prepared
from rgb2swir_ros.lab.training.board import Board
from rgb2swir_ros.lab.training.checkpoint import (
    check_identity,
    read_checkpoint,
    restore_optimizers,
    restore_weights,
    save_checkpoint,
)
from rgb2swir_ros.lab.training.interruption import Interruption
from rgb2swir_ros.lab.training.losses import total
from rgb2swir_ros.lab.training.optimization import Optimization, averaged, copy_weights
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.schedule import TIMED_STEPS, Schedule
from rgb2swir_ros.lab.training.training import Feed, Training

REPORT_EVERY = 50  # steps
GLANCES = 8  # looks at held-out pairs in a stage, the one at its end apart


@dataclass(frozen=True)
class Orders:
    """What a run is; a resumed one must be given the same.

    :param minutes: that the training shall take, in place of the plan's steps.
    :param start: says which weights it started from.
    """

    seed: int = 0
    minutes: float | None = None
    start: str = ''


@dataclass
class Outcome:
    """What came of a training.

    :param seconds: it took, resumed runs added up.
    :param stages: for each stage its steps and the figures at its end.
    """

    seconds: float = 0.0
    stages: list[dict[str, Any]] = field(default_factory=list)


class Watch(Protocol):
    """Judges a training on held-out data."""

    frames: Sequence[Any]

    def glance(self, training: Any, board: Board, step: int) -> None:
        """Write the figures of a little of it, on the way."""

    def judge(self, training: Any, board: Board, step: int) -> dict[str, float]:
        """Write the figures of all of it, at the end of a stage, and return them."""


class _Losses(nn.Module):
    """A training's loss as a module, the form in which several processes average gradients."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self.network, self.parts = training.network, training.parts

    def forward(self, stage: Stage, batch: Any) -> dict[str, Tensor]:
        """Return the parts of the loss of a batch."""
        return self.parts(stage, batch)


class Trainer:
    """A training between two steps."""

    def __init__(self, training: Training, feed: Feed, work: Path, orders: Orders, *,
                 watch: Watch | None = None, save_every_s: float = 60.0,
                 log: Callable[[str], None] = print) -> None:
        """Begin, or go on from the checkpoint in ``work``.

        :param feed: gives the batches.
        :param work: a run killed and started again with the same folder goes on where the
            checkpoint was written, and ends as the uninterrupted one would, bit by bit.
        :raises UserError: if the checkpoint is of another training.
        """
        self.training, self.feed, self.orders, self.watch = training, feed, orders, watch
        self.world, self.save_every_s = training.world, save_every_s
        self.log = log if self.world.is_first else lambda _line: None
        work.mkdir(parents=True, exist_ok=True)
        self.path = work / 'checkpoint.safetensors'
        self.network = training.network.to(self.world.device).train()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = averaged(self.network)
        self.schedule = Schedule(training.plan.stages, orders.minutes)
        self.outcome = Outcome()
        self.stage, self.step, self.left_out = 0, 0, 0
        self.moments: dict[str, Tensor] = {}
        self.identity = {
            'training': training.kind, **asdict(orders), 'plan': training.plan.steering(),
            'model': training.shape(), 'data': feed.identity, 'processes': self.world.size}
        if self.path.exists():
            self._restore()
        self.begun, self.before = time.monotonic(), self.outcome.seconds
        self.board = Board(work / 'tensorboard', self._total_step, self.log) if (
            self.world.is_first) else None
        self.world.wait()  # nobody writes a checkpoint before all have read the old one

    def run(self) -> Outcome:
        """Train to the end; the network then has averaged weights and is in evaluation mode.

        :raises KeyboardInterrupt: if interrupted; a checkpoint is written before.
        """
        while self.stage < len(self.schedule.stages):
            self._run_stage(self.schedule.stages[self.stage])
        stages = self.schedule.stages
        measured = self.feed.measured(self.training.measured, len(stages), stages[-1])
        self.training.scale(batch.to(self.world.device) for batch in measured)
        if self.board is not None:
            self.board.close()
        self.log(f'trained for {self.outcome.seconds / 60:.1f} min')
        self.network.requires_grad_(False).eval()
        return self.outcome

    @property
    def _total_step(self) -> int:
        return self.schedule.before(self.stage) + self.step

    @property
    def _spent(self) -> float:
        """Seconds of the whole training."""
        return self.before + time.monotonic() - self.begun

    def _run_stage(self, stage: Stage) -> None:
        optimization = self.training.optimization(stage, self.average)
        optimization.left_out = self.left_out
        restore_optimizers(optimization.optimizers, self.moments, self.path)
        spent = self._spent
        self._run_steps(stage, optimization)
        self._save(optimization)  # what follows may take minutes
        # the next stage builds on the averaged weights
        self.network.load_state_dict(self.average.module.state_dict())
        self.average.n_averaged.zero_()
        about = {'stage': stage.name, 'steps': self.step, 'batch': stage.batch,
                 'large': stage.large, 'rate': stage.rate}
        if self.board is not None and self.watch is not None:
            self.log(f'judging on {len(self.watch.frames)} held-out pairs')
            figures = self.watch.judge(self.training, self.board, self._total_step)
            self.watch.glance(self.training, self.board, self._total_step)
            self.log(f'{stage.name} is done: ' + ', '.join(
                f'{name} {value:.2f}' for name, value in figures.items()))
            about |= figures
        self.outcome.stages.append({**about, 'minutes': round((self._spent - spent) / 60, 1)})
        self.stage, self.step, self.left_out, self.moments = self.stage + 1, 0, 0, {}
        self.training.state = None
        self._save(None)

    def _losses(self) -> Callable[[Stage, Any], dict[str, Tensor]]:
        """Return the loss; of several processes each gets the mean of all gradients.

        A parameter without a gradient in one process (a dropped skip) counts as zero there; one
        without any stays without, as the optimiser leaves it alone then.
        """
        if self.world.size == 1:
            return self.training.parts
        return DistributedDataParallel(_Losses(self.training), broadcast_buffers=False,
                                       find_unused_parameters=True)

    def _run_steps(self, stage: Stage, optimization: Optimization) -> None:
        begin, steps = self.step, self.schedule.steps[self.stage]
        recent: dict[str, list[float]] = {}
        saved = timed = marked = self._spent
        mark = begin  # the step that `marked` is the time of
        losses = self._losses()
        with closing(self._batches(stage, begin, steps)) as batches, \
                Interruption(patient=self.world.size > 1) as interruption:
            while steps is None or self.step < steps:
                parts = losses(stage, next(batches))
                stop = self._advance(optimization, parts, recent, interruption)
                taken, spent = self.step - begin, self._spent
                if taken == TIMED_STEPS[0]:
                    timed = spent
                if steps is None and taken == TIMED_STEPS[1]:
                    steps = self._settle(spent, (spent - timed) / (taken - TIMED_STEPS[0]))
                if self.step % REPORT_EVERY == 0 or self.step == steps:
                    self._report(stage, optimization, recent,
                                 (spent - marked) / (self.step - mark))
                    recent, mark, marked = {}, self.step, spent
                if spent - saved > self.save_every_s or stop:
                    self._save(optimization)
                    saved = spent
                if stop:
                    self.log(f'interrupted in {stage.name} after {self.step} steps; '
                             f'{self.path} is written: the same command goes on from there')
                    raise KeyboardInterrupt
                self._glance(steps)

    def _advance(self, optimization: Optimization, parts: dict[str, Tensor],
                 recent: dict[str, list[float]], interruption: Interruption) -> bool:
        """Take a step and note its losses; return whether a process was asked to stop."""
        steps, done = self.schedule.steps[self.stage], self.schedule.done(self.stage, self.step)
        optimization.step(total(parts), self.training.rate_factor(self.step, steps, done),
                          self.step)
        self.step, self.left_out = self.step + 1, optimization.left_out
        values = torch.stack([part.detach() for part in parts.values()]).tolist()
        stop, *means = self.world.mean([float(interruption.asked), *values])
        for name, value in zip(parts, means, strict=True):
            recent.setdefault(name, []).append(value)
        return stop > 0

    def _batches(self, stage: Stage, begin: int, steps: int | None) -> Generator[Any, None, None]:
        """Yield the batches of a stage, of which only the transfer to the device is not ahead."""
        numbers: Iterable[int] = itertools.count(begin) if steps is None else range(begin, steps)

        def make(step: int) -> Any:
            return self.feed.batch(self.stage, stage, step,
                                   self.schedule.done(self.stage, step))

        with closing(prepared(make, numbers)) as batches:
            for batch in batches:
                yield batch.to(self.world.device)

    def _settle(self, spent: float, pace: float) -> int:
        spent, pace = self.world.mean([spent, pace])  # one number of steps for all processes
        steps = self.schedule.settle(self.stage, self.step, pace, spent)
        self.log(f'{pace:.2f} s a step: this stage gets {steps} steps')
        return steps

    def _report(self, stage: Stage, optimization: Optimization, recent: dict[str, list[float]],
                pace: float) -> None:
        losses = {name: float(np.nanmean(values)) for name, values in recent.items()}
        losses['total'] = sum(losses.values())
        left = self.schedule.left(self.stage, self.step, pace, self._spent)
        out = f', {self.left_out} steps left out' * bool(self.left_out)
        self.log(f'{stage.name} {self.step}/{self.schedule.steps[self.stage] or "?"}  '
                 f'loss {losses["total"]:.4f}  {pace:.2f} s a step, {readable(left)} left{out}')
        if self.board is not None:
            rate = optimization.optimizers[0].param_groups[0]['lr']
            self.board.scalars({**{f'loss/{name}': value for name, value in losses.items()},
                                'rate': rate, 'pace/s_a_step': pace}, self._total_step)

    def _glance(self, steps: int | None) -> None:
        """Look at some held-out pairs now and then, with the averaged weights."""
        if self.board is None or self.watch is None or steps is None or self.step == steps or (
                self.step * GLANCES // steps == (self.step - 1) * GLANCES // steps):
            return
        current = copy_weights(self.network)
        self.network.load_state_dict(self.average.module.state_dict())
        self.watch.glance(self.training, self.board, self._total_step)
        self.network.load_state_dict(current)

    def _save(self, optimization: Optimization | None) -> None:
        if not self.world.is_first:
            return
        self.outcome.seconds = self._spent
        optimizers = [] if optimization is None else optimization.optimizers
        average = self.average.module.state_dict()
        save_checkpoint(self.path, self.network.state_dict(), average, optimizers, {
            'identity': self.identity, 'stage': self.stage, 'step': self.step,
            'steps': self.schedule.steps, 'left_out': self.left_out,
            'averaged': int(self.average.n_averaged), 'loss': self.training.state,
            **asdict(self.outcome)})

    def _restore(self) -> None:
        groups, state = read_checkpoint(self.path)
        check_identity(self.path, state.get('identity', {}), self.identity)
        restore_weights(self.network, self.average.module, groups, self.path)
        self.moments = groups['optimizer']
        self.stage, self.step, self.left_out = (
            state[name] for name in ('stage', 'step', 'left_out'))
        self.average.n_averaged.fill_(state['averaged'])
        self.training.state = state['loss']
        self.outcome = Outcome(state['seconds'], state['stages'])
        self.schedule.steps = state['steps']
        self.log(f'resuming stage {self.stage + 1} at step {self.step}, after '
                 f'{readable(self.outcome.seconds)}')


def readable(seconds: float) -> str:
    """Return a duration as a person says it: ``3 min``, ``2 h 05 min``."""
    minutes = round(seconds / 60)
    return f'{minutes} min' if minutes < 60 else f'{minutes // 60} h {minutes % 60:02d} min'
