"""The training loop of the translator: stages in order, checkpoints, exact resume."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.training.batches import Stores, draw, prepared, to_tensors
from rgb2swir_ros.training.checkpoint import (
    read_checkpoint,
    restore_optimizer,
    restore_weights,
    save_checkpoint,
)
from rgb2swir_ros.training.optimization import Optimization, copy_weights
from rgb2swir_ros.training.stages import Preset, Stage, stage_loss, trained_parameters
from rgb2swir_ros.translator import Translator


def train(stores: Stores, preset: Preset, work: Path, *, seed: int = 0, save_every_s: float = 60.0,
          log: Callable[[str], None] = print) -> Translator:
    """Train from the beginning, or go on from the newest checkpoint in ``work``.

    :param stores: the training's pairs.
    :param work: folder of the checkpoint; a run killed and started again with the same folder
        goes on where the checkpoint was written.
    :return: the translator with averaged weights, in evaluation mode.
    """
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    translator = Translator()
    translator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy_weights(translator)
    path = work / 'checkpoint.safetensors'
    first, begun, spent, moments = 0, 0, 0.0, None
    if path.exists():
        groups, state = read_checkpoint(path)
        restore_weights(translator, average, groups, path)
        moments = groups['optimizer']
        first, begun, spent = state['stage'], state['step'], state['seconds']
        log(f'resuming stage {first + 1} at step {begun}')
    for number, stage in enumerate(preset.stages):
        if number < first:
            continue
        optimization = Optimization(translator, trained_parameters(translator, stage), stage.rate,
                                    average)
        if number == first and moments:
            restore_optimizer(optimization.optimizer, moments)
        begin = begun if number == first else 0
        started = saved = time.monotonic()
        losses: list[float] = []
        with closing(_batches(stores, stage, [seed, number], begin)) as batches:
            for step, (rgb, tone, generator) in enumerate(batches, begin):
                loss = stage_loss(translator, stage, step / stage.steps, rgb, tone, generator)
                losses.append(optimization.step(loss, step / stage.steps, step))
                now = time.monotonic()
                if (step + 1) % 100 == 0 or step + 1 == stage.steps:
                    pace = (now - started) / (step + 1 - begin)
                    log(f'{stage.name} {step + 1}/{stage.steps}  '
                        f'loss {np.mean(losses[-100:]):.4f}  {pace:.2f} s a step, '
                        f'{pace * (stage.steps - step - 1) / 60:.0f} min left in stage')
                if now - saved > save_every_s:
                    save_checkpoint(path, translator.state_dict(), average,
                                    optimization.optimizer,
                                    {'stage': number, 'step': step + 1,
                                     'seconds': spent + now - started})
                    saved = now
        spent += time.monotonic() - started
        # the next stage builds on the averaged weights
        translator.load_state_dict(average)
        save_checkpoint(path, translator.state_dict(), average, None,
                        {'stage': number + 1, 'step': 0, 'seconds': spent})
    log(f'trained for {spent / 60:.1f} min')
    return translator.eval()


Batch = tuple[Tensor, Tensor, torch.Generator]


def _batches(stores: Stores, stage: Stage, seeds: list[int],
             begin: int) -> Generator[Batch, None, None]:
    """Yield RGB, tone and a generator of noise for the steps of a stage from ``begin`` on."""
    def make(step: int) -> Batch:
        rng = np.random.default_rng([*seeds, step])
        rgb, tone = to_tensors(*draw(stores, rng, stage.batch, stage.kind(step)))
        return rgb, tone, torch.Generator().manual_seed(int(rng.integers(1 << 62)))

    return prepared(make, range(begin, stage.steps))
