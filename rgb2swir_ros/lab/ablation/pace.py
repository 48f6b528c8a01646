"""How long the ablation's trainings take: the share for a budget, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch

from rgb2swir_ros.lab.ablation.presets import small_batch
from rgb2swir_ros.lab.ablation.rows import Task
from rgb2swir_ros.lab.training.autoencoder import AutoencoderTraining
from rgb2swir_ros.lab.training.batches import Stores
from rgb2swir_ros.lab.training.canary import CanaryConfig
from rgb2swir_ros.lab.training.preset import Preset, TranslatorTrainingConfig
from rgb2swir_ros.lab.training.stages import PairBatchSource, TranslatorTraining
from rgb2swir_ros.lab.training.student import StudentTraining
from rgb2swir_ros.lab.training.teacher import TeacherTraining
from rgb2swir_ros.translator import Translator

# Seconds for a pair of 320x256 in each stage of nano's training, on two cores (training.yaml)
SECONDS_A_PAIR = {'plain': .026, 'skips': .041, 'denoise': .021, 'latent': .027, 'pixels': .033,
                  'finish': .032}
CANARY_SECONDS_A_PAIR = .032
MORE_CALLS = .25  # of a student's time, for each denoiser call beyond the first
WARM_STEPS, TIMED_STEPS = 1, 3  # of each stage, when the pace is measured


def pairs_of_all(preset: Preset, share: float) -> int:
    """Return the pairs that a translator sees in all three trainings."""
    return sum(stage.steps * stage.batch for part in (
        preset.autoencoder, preset.teacher, preset.student) for stage in part.scaled(share).stages)


def canary_config(preset: Preset, share: float, batch_share: float = 1.0) -> CanaryConfig:
    """Return the canary's training, in which it sees as many pairs as a translator in all three.

    :param batch_share: of its batch, as of the translators'.
    """
    usual = CanaryConfig()
    batch, rate = small_batch(usual.batch, usual.rate, batch_share)
    steps = max(round(pairs_of_all(preset, share) / batch), 1)
    return replace(usual, steps=steps, batch=batch, rate=rate)


def expected_seconds(task: Task, preset: Preset, share: float) -> float:
    """Return the seconds of a training by the pace of `SECONDS_A_PAIR`."""
    if task.what == 'canary':
        return pairs_of_all(preset, share) * CANARY_SECONDS_A_PAIR
    config: TranslatorTrainingConfig = getattr(preset, task.what).scaled(share)
    once = sum(stage.steps * stage.batch * SECONDS_A_PAIR[stage.name] for stage in config.stages)
    return once * (1 + MORE_CALLS * (task.steps - 1))


class Pace:
    """This machine's pace over that of `SECONDS_A_PAIR`, from the trainings that are done."""

    def __init__(self, preset: Preset, share: float, factor: float | None = None) -> None:
        """Begin with a factor that was measured, if one was, until a training is done."""
        self.preset, self.share, self.factor = preset, share, factor
        self._spent = self._expected = 0.0

    def note(self, task: Task, seconds: float) -> None:
        """Take note of a finished training's time."""
        self._spent += seconds
        self._expected += expected_seconds(task, self.preset, self.share)

    def seconds(self, tasks: Sequence[Task]) -> float | None:
        """Return the estimated seconds of trainings; None while nothing was timed here.

        Machines differ by more than ten, so figures of another one foretell nothing.
        """
        factor = self._spent / self._expected if self._expected else self.factor
        if factor is None:
            return None
        return factor * sum(expected_seconds(t, self.preset, self.share) for t in tasks)


def measure_factor(preset: Preset, stores: Stores) -> float:
    """Return this machine's seconds over those of `SECONDS_A_PAIR`, from some steps of each stage.

    Nothing is trained: gradients are computed and left.
    """
    torch.manual_seed(0)
    translator = Translator(preset.model)
    kinds: list[TranslatorTraining] = [
        AutoencoderTraining(translator, preset.autoencoder),
        TeacherTraining(translator, preset.teacher),
        StudentTraining(translator, replace(preset.student, endpoints=0))]
    spent = expected = 0.0
    for training in kinds:
        source = PairBatchSource(stores, 0, training.kind)
        for number, stage in enumerate(training.config.stages):
            training.select(stage)
            for step in range(WARM_STEPS + TIMED_STEPS):
                begun = time.perf_counter()
                parts = training.parts(stage, source.batch(number, stage, step, .5))
                torch.stack(list(parts.values())).sum().backward()
                if step >= WARM_STEPS:
                    # weighted by the stage's steps
                    spent += stage.steps * (time.perf_counter() - begun) / TIMED_STEPS
            expected += stage.steps * stage.batch * SECONDS_A_PAIR[stage.name]
    return spent / expected


def share_for(minutes: float, tasks: Sequence[Task], preset: Preset, factor: float) -> float:
    """Return the share of the preset's steps by which the trainings take so many minutes.

    :param factor: of `measure_factor`.
    :return: at most 1, with three digits, as it is written down.
    """
    whole = factor * sum(expected_seconds(task, preset, 1.0) for task in tasks)
    return max(min(float(f'{60 * minutes / whole:.3g}'), 1.0), 1e-6)
