"""The canary: a direct regression, trained for some minutes to find out what the data teaches.

If it cannot learn from the pairs, or learns them and fails on photographs, the data is wrong, and
no diffusion will mend that. It is also the plain baseline that the translator must beat.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.batches import Stores, draw, prepared, to_tensors
from rgb2swir_ros.lab.training.checkpoint import (
    check_identity,
    read_checkpoint,
    restore_optimizers,
    restore_weights,
    save_checkpoint,
)
from rgb2swir_ros.lab.training.losses import PictureWeights, picture_losses, total
from rgb2swir_ros.lab.training.optimization import Optimization, copy_weights
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.translator import Regressor

WEIGHTS = PictureWeights()


@dataclass(frozen=True)
class CanaryPlan:
    """How long to train, and on what.

    :param minutes: of optimisation, resumed runs added up; ``steps`` instead, if given, makes
        the training the same on every run with one number of threads.
    :param batch: pairs of 320x256; larger frames are fewer.
    :param rate: highest learning rate.
    :param large_share: share at the end that is spent on frames of the size of use.
    """

    minutes: float = 20.0
    steps: int | None = None
    batch: int = 8
    rate: float = 1.0e-3
    large_share: float = 0.2
    network: RegressionConfig = field(default_factory=RegressionConfig)

    def __post_init__(self) -> None:
        """Refuse a budget of nothing.

        :raises UserError: if minutes or steps are not positive.
        """
        if not self.minutes > 0:
            raise UserError(f'{self.minutes} minutes of training: give more than 0')
        if self.steps is not None and self.steps < 1:
            raise UserError(f'{self.steps} steps of training: give at least 1')

    def steering(self) -> dict[str, Any]:
        """Return all that a resumed training must have in common with the one that was begun.

        Minutes are no part of it: a training may be given more of them.
        """
        return {name: value for name, value in asdict(self).items() if name != 'minutes'}

    def done(self, step: int, seconds: float) -> float:
        """Return the share of the budget that is spent after so many steps and seconds."""
        return seconds / (60 * self.minutes) if self.steps is None else step / self.steps

    def kind(self, done: float, rng: np.random.Generator) -> str:
        """Return the kind of the next batch: see `rgb2swir_ros.lab.training.batches.draw`."""
        if done >= 1 - self.large_share:
            return 'large'
        return 'crop' if rng.random() < .4 else 'whole'


def canary_loss(model: Regressor, rgb: Tensor, tone: Tensor, done: float) -> Tensor:
    """Return the loss of one batch.

    L1 on tone, on its gradients (edges) and on its means over 8x8 and 32x32 pixels (materials,
    whatever their texture); in the last third also on the amount of detail.

    :param rgb: (B, 3, H, W) in [0, 1]; ``tone``: (B, 1, H, W), square root of radiance.
    :param done: share of the training that is done.
    """
    with torch.autocast(rgb.device.type, torch.bfloat16):
        features = model.network.trunk(rgb)
    predicted = model.head(features.float(), rgb)
    return total(picture_losses(predicted, tone, WEIGHTS, detailed=done > 2 / 3))


def train_canary(stores: Stores, plan: CanaryPlan, work: Path, *, seed: int = 0,
                 save_every_s: float = 60.0,
                 log: Callable[[str], None] = print) -> Regressor:
    """Train from the beginning, or go on from the checkpoint in ``work``.

    :param stores: the training's pairs.
    :param work: folder of the checkpoint; a run killed and started again with the same folder
        goes on where the checkpoint was written.
    :return: the regression with averaged weights, in evaluation mode.
    :raises UserError: if the checkpoint in ``work`` is of other settings, data or another network.
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = Regressor(plan.network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimization = Optimization(model, model.parameters(), plan.rate, copy_weights(model))
    path = work / 'checkpoint.safetensors'
    identity = {'training': 'canary', 'seed': seed, 'plan': plan.steering(),
                'data': stores.identity}
    first, spent = _resume(path, identity, model, optimization, log)
    done = plan.done(first, spent)

    def make(step: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([seed, step])
        share = done if plan.steps is None else plan.done(step, 0)
        return to_tensors(*draw(stores, rng, plan.batch, plan.kind(share, rng)))

    def save(step: int, seconds: float) -> None:
        save_checkpoint(path, model.state_dict(), optimization.average, optimization.optimizers,
                        {'identity': identity, 'step': step, 'seconds': seconds})

    started = saved = time.monotonic()
    losses: list[float] = []
    step, seconds = first, spent
    with closing(prepared(make, itertools.count(first))) as batches:
        while done < 1:
            rgb, tone = next(batches)
            losses.append(optimization.step(canary_loss(model, rgb, tone, done), done, step))
            step, now = step + 1, time.monotonic()
            seconds = spent + now - started
            done = plan.done(step, seconds)
            if step % 100 == 0 or done >= 1:
                pace = (now - started) / (step - first)
                left = (1 - done) * (step - first) / max(done - plan.done(first, spent), 1e-9)
                out = f', {optimization.left_out} steps left out' * bool(optimization.left_out)
                log(f'step {step}  loss {np.nanmean(losses[-100:]):.4f}  {pace:.2f} s a step, '
                    f'{max(left * pace, 0) / 60:.1f} min left{out}')
            if now - saved > save_every_s:
                save(step, seconds)
                saved = time.monotonic()
    save(step, seconds)
    model.load_state_dict(optimization.average)
    log(f'trained for {step} steps, {seconds / 60:.1f} min')
    return model.eval()


def _resume(path: Path, identity: dict[str, Any], model: Regressor,
            optimization: Optimization, log: Callable[[str], None]) -> tuple[int, float]:
    """Return the step and the seconds that a checkpoint stands at, all restored from it.

    :raises UserError: if the checkpoint is of another training.
    """
    if not path.exists():
        return 0, 0.0
    groups, state = read_checkpoint(path)
    check_identity(path, state.get('identity'), identity)
    restore_weights(model, optimization.average, groups, path)
    restore_optimizers(optimization.optimizers, groups['optimizer'], path)
    log(f'resuming at step {state["step"]}, after {state["seconds"] / 60:.1f} min')
    return state['step'], state['seconds']
