"""The trainer: stages, averaged weights, checkpoints, exact resume, interruption."""

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
from torch import Tensor

from rgb2swir_ros.lab.training.batches import prefetched
from rgb2swir_ros.lab.training.checkpoint import (
    check_identity,
    read_checkpoint,
    restore_optimizers,
    restore_weights,
    save_checkpoint,
)
from rgb2swir_ros.lab.training.gradients import loss_over_processes
from rgb2swir_ros.lab.training.interruption import Interruption
from rgb2swir_ros.lab.training.losses import total
from rgb2swir_ros.lab.training.optimization import Optimization, copy_weights, moving_average
from rgb2swir_ros.lab.training.parallel import batch_workers
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.schedule import TIMED_STEPS, Schedule
from rgb2swir_ros.lab.training.tensorboard import TensorBoardWriter
from rgb2swir_ros.lab.training.training import BatchSource, Training

REPORT_EVERY = 50  # steps
VALIDATIONS_PER_STAGE = 8  # on a subset of the held-out pairs; one on all follows at the end


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run; a resumed run must have the same ones.

    :param minutes: duration of the training, in place of the configured steps.
    :param start: identity of the weights that the training starts from.
    """

    seed: int = 0
    minutes: float | None = None
    start: str = ''


@dataclass
class TrainingResult:
    """The result of a training.

    :param seconds: its duration, all resumed runs together.
    :param stages: for each stage its steps and the figures at its end.
    """

    seconds: float = 0.0
    stages: list[dict[str, Any]] = field(default_factory=list)


class Validator(Protocol):
    """Validates a training on held-out data."""

    frames: Sequence[Any]

    def validate_subset(self, training: Any, writer: TensorBoardWriter, step: int) -> None:
        """Write the figures of a subset of the data, within a stage."""

    def validate(self, training: Any, writer: TensorBoardWriter, step: int) -> dict[str, float]:
        """Write the figures of all data, at the end of a stage, and return them."""


class Trainer:
    """The state of a training between two steps, and its loop."""

    def __init__(self, training: Training, batch_source: BatchSource, work: Path,
                 settings: RunSettings, *, validator: Validator | None = None,
                 save_every_s: float = 60.0, log: Callable[[str], None] = print) -> None:
        """Begin, or resume from the checkpoint in ``work``.

        :param work: a run that was killed resumes from its checkpoint when it is started again
            with the same folder; its weights are bit-equal to those of an uninterrupted run.
        :raises UserError: if the checkpoint belongs to another training.
        """
        self.training, self.batch_source = training, batch_source
        self.settings, self.validator = settings, validator
        self.group, self.save_every_s = training.group, save_every_s
        self.log = log if self.group.is_first else lambda _line: None
        work.mkdir(parents=True, exist_ok=True)
        self.path = work / 'checkpoint.safetensors'
        self.network = training.network.to(self.group.device).train()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = moving_average(self.network)
        self.schedule = Schedule(training.config.stages, settings.minutes)
        self.result = TrainingResult()
        self.stage, self.step, self.left_out = 0, 0, 0
        self.moments: dict[str, Tensor] = {}
        self.identity = {
            'training': training.kind, **asdict(settings),
            'plan': training.config.checkpoint_identity(), 'model': training.shape(),
            'data': batch_source.identity, 'processes': self.group.size}
        if self.path.exists():
            self._restore()
        self.begun, self.before = time.monotonic(), self.result.seconds
        self.writer = TensorBoardWriter(work / 'tensorboard', self._total_step, self.log) if (
            self.group.is_first) else None
        self.group.wait()  # no checkpoint is written before all processes have read the old one

    def run(self) -> TrainingResult:
        """Train to the end; the network then has the averaged weights and is in evaluation mode.

        :raises KeyboardInterrupt: if interrupted; a checkpoint is written before.
        """
        while self.stage < len(self.schedule.stages):
            self._run_stage(self.schedule.stages[self.stage])
        stages = self.schedule.stages
        batches = self.batch_source.calibration_batches(self.training.calibration_count,
                                                        len(stages), stages[-1])
        self.training.calibrate(batch.to(self.group.device) for batch in batches)
        if self.writer is not None:
            self.writer.close()
        self.log(f'trained for {self.result.seconds / 60:.1f} min')
        self.network.requires_grad_(False).eval()
        return self.result

    @property
    def _total_step(self) -> int:
        return self.schedule.before(self.stage) + self.step

    @property
    def _spent(self) -> float:
        """Seconds of the training so far, all resumed runs together."""
        return self.before + time.monotonic() - self.begun

    def _run_stage(self, stage: Stage) -> None:
        optimization = self.training.optimization(stage, self.average)
        optimization.left_out = self.left_out
        restore_optimizers(optimization.optimizers, self.moments, self.path)
        spent = self._spent
        self._run_steps(stage, optimization)
        self._save(optimization)  # before the validation, which may take minutes
        # the next stage builds on the averaged weights
        self.network.load_state_dict(self.average.module.state_dict())
        self.average.n_averaged.zero_()
        about = {'stage': stage.name, 'steps': self.step, 'batch': stage.batch,
                 'large': stage.large, 'rate': stage.rate}
        if self.writer is not None and self.validator is not None:
            self.log(f'validating on {len(self.validator.frames)} held-out pairs')
            figures = self.validator.validate(self.training, self.writer, self._total_step)
            self.validator.validate_subset(self.training, self.writer, self._total_step)
            self.log(f'{stage.name} is done: ' + ', '.join(
                f'{name} {value:.2f}' for name, value in figures.items()))
            about |= figures
        self.result.stages.append({**about, 'minutes': round((self._spent - spent) / 60, 1)})
        self.stage, self.step, self.left_out, self.moments = self.stage + 1, 0, 0, {}
        self.training.state = None
        self._save(None)

    def _run_steps(self, stage: Stage, optimization: Optimization) -> None:
        begin, steps = self.step, self.schedule.steps[self.stage]
        recent: dict[str, list[float]] = {}
        saved = timed = marked = self._spent
        mark = begin  # the step that `marked` is the time of
        losses = loss_over_processes(self.training)
        with closing(self._batches(stage, begin, steps)) as batches, \
                Interruption(ignore_repeated=self.group.size > 1) as interruption:
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
                self._validate_subset(steps)

    def _advance(self, optimization: Optimization, parts: dict[str, Tensor],
                 recent: dict[str, list[float]], interruption: Interruption) -> bool:
        """Take a step and record its losses; return whether any process was asked to stop."""
        steps, done = self.schedule.steps[self.stage], self.schedule.done(self.stage, self.step)
        optimization.step(total(parts), self.training.rate_factor(self.step, steps, done),
                          self.step)
        self.step, self.left_out = self.step + 1, optimization.left_out
        values = torch.stack([part.detach() for part in parts.values()]).tolist()
        stop, *means = self.group.mean([float(interruption.requested), *values])
        for name, value in zip(parts, means, strict=True):
            recent.setdefault(name, []).append(value)
        return stop > 0

    def _batches(self, stage: Stage, begin: int, steps: int | None) -> Generator[Any, None, None]:
        """Yield the batches of a stage on the device; all but the transfer is prefetched."""
        numbers: Iterable[int] = itertools.count(begin) if steps is None else range(begin, steps)
        # what is completed this process knows: the number of steps may be settled meanwhile
        keys = ((step, self.schedule.done(self.stage, step)) for step in numbers)

        def make(key: tuple[int, float]) -> Any:
            step, done = key
            return self.batch_source.batch(self.stage, stage, step, done)

        with closing(prefetched(make, keys, batch_workers(self.group.device))) as batches:
            for batch in batches:
                yield batch.to(self.group.device)

    def _settle(self, spent: float, pace: float) -> int:
        spent, pace = self.group.mean([spent, pace])  # so that all processes get the same steps
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
        if self.writer is not None:
            rate = optimization.optimizers[0].param_groups[0]['lr']
            self.writer.scalars({**{f'loss/{name}': value for name, value in losses.items()},
                                'rate': rate, 'pace/s_a_step': pace}, self._total_step)

    def _validate_subset(self, steps: int | None) -> None:
        """Validate the averaged weights on a subset, `VALIDATIONS_PER_STAGE` times a stage."""
        if self.writer is None or self.validator is None or steps is None or self.step == steps:
            return
        done, before = (step * VALIDATIONS_PER_STAGE // steps
                        for step in (self.step, self.step - 1))
        if done == before:
            return
        current = copy_weights(self.network)
        self.network.load_state_dict(self.average.module.state_dict())
        self.validator.validate_subset(self.training, self.writer, self._total_step)
        self.network.load_state_dict(current)

    def _save(self, optimization: Optimization | None) -> None:
        if not self.group.is_first:
            return
        self.result.seconds = self._spent
        optimizers = [] if optimization is None else optimization.optimizers
        average = self.average.module.state_dict()
        save_checkpoint(self.path, self.network.state_dict(), average, optimizers, {
            'identity': self.identity, 'stage': self.stage, 'step': self.step,
            'steps': self.schedule.steps, 'left_out': self.left_out,
            'averaged': int(self.average.n_averaged), 'loss': self.training.state,
            **asdict(self.result)})

    def _restore(self) -> None:
        groups, state = read_checkpoint(self.path)
        check_identity(self.path, state.get('identity', {}), self.identity)
        restore_weights(self.network, self.average.module, groups, self.path)
        self.moments = groups['optimizer']
        self.stage, self.step, self.left_out = (
            state[name] for name in ('stage', 'step', 'left_out'))
        self.average.n_averaged.fill_(state['averaged'])
        self.training.state = state['loss']
        self.result = TrainingResult(state['seconds'], state['stages'])
        self.schedule.steps = state['steps']
        self.log(f'resuming stage {self.stage + 1} at step {self.step}, after '
                 f'{readable(self.result.seconds)}')


def readable(seconds: float) -> str:
    """Return a duration for log lines: ``3 min``, ``2 h 05 min``."""
    minutes = round(seconds / 60)
    return f'{minutes} min' if minutes < 60 else f'{minutes // 60} h {minutes % 60:02d} min'
