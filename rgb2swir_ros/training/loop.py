"""The training loop: stages in order, running average, checkpoints, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.training.checkpoint import (
    read_checkpoint,
    restore_optimizer,
    save_checkpoint,
)
from rgb2swir_ros.training.pool import PairPool
from rgb2swir_ros.training.stages import Preset, Stage, stage_loss, trained_parameters
from rgb2swir_ros.translator import Translator

AVERAGE_DECAY = 0.998
# The pairs at the size of use come from cameras of twice that size, as most frames do.
SUPERSAMPLE = 2
LARGE_SEEDS, HELD_OUT_SEEDS = 10_000_000, 20_000_000  # ranges that never meet the training's


def to_tensors(rgb: np.ndarray, radiance: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return RGB (B, 3, H, W) in [0, 1] and tone (B, 1, H, W), float32, channels last."""
    x = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255
    return x, torch.from_numpy(radiance)[:, None].sqrt()


def train(preset: Preset, work: Path, *, seed: int = 0, save_every_s: float = 60.0,
          log: Callable[[str], None] = print) -> Translator:
    """Train from the beginning, or go on from the newest checkpoint in ``work``.

    :param work: folder for the pairs and the checkpoint; a run killed and started again with the
        same folder goes on where the checkpoint was written.
    :return: the translator with averaged weights, in evaluation mode.
    """
    work.mkdir(parents=True, exist_ok=True)
    small, large = pools(preset, work, seed, log)
    torch.manual_seed(seed)
    translator = Translator()
    translator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = {k: v.clone() for k, v in translator.state_dict().items()}
    path = work / 'checkpoint.safetensors'
    first, begun, spent, moments = 0, 0, 0.0, None
    if path.exists():
        groups, state = read_checkpoint(path)
        translator.load_state_dict(groups['model'])
        average, moments = groups['average'], groups['optimizer']
        first, begun, spent = state['stage'], state['step'], state['seconds']
        log(f'resuming stage {first + 1} at step {begun}')
    for number, stage in enumerate(preset.stages):
        if number < first:
            continue
        parameters = list(trained_parameters(translator, stage))
        optimizer = torch.optim.AdamW(parameters, lr=stage.rate, weight_decay=1e-4)
        if number == first and moments:
            restore_optimizer(optimizer, moments)
        started = saved = time.monotonic()
        losses: list[float] = []
        for step in range(begun if number == first else 0, stage.steps):
            rate = stage.rate * _schedule(step / stage.steps)
            for group in optimizer.param_groups:
                group['lr'] = rate
            rng = np.random.default_rng([seed, number, step])
            rgb, tone = to_tensors(*_draw(preset, stage, small, large, rng, step))
            generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
            loss = stage_loss(translator, stage, step / stage.steps, rgb, tone, generator)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            _update(average, translator.state_dict(), restart=step < 20)
            losses.append(loss.item())
            now = time.monotonic()
            if (step + 1) % 100 == 0 or step + 1 == stage.steps:
                done = step + 1 - (begun if number == first else 0)
                left = (now - started) / done * (stage.steps - step - 1)
                log(f'{stage.name} {step + 1}/{stage.steps}  loss {np.mean(losses[-100:]):.4f}  '
                    f'{(now - started) / done:.2f} s a step, {left / 60:.0f} min left in stage')
            if now - saved > save_every_s:
                save_checkpoint(path, translator.state_dict(), average, optimizer,
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


def pools(preset: Preset, work: Path, seed: int,
          log: Callable[[str], None]) -> tuple[PairPool, PairPool]:
    """Return the filled pools of small and of large pairs."""
    small = PairPool(work / 'small', preset.pairs, preset.size, seed * 1_000_000)
    large = PairPool(work / 'large', preset.large_pairs, preset.large_size,
                     LARGE_SEEDS + seed * 1_000_000, SUPERSAMPLE)
    for name, pool in (('small', small), ('large', large)):
        def progress(done: int, count: int, name: str = name) -> None:
            if done % 250 == 0 or done == count:
                log(f'{name} pairs {done}/{count}')
        pool.fill(progress)
    return small, large


def held_out(preset: Preset, work: Path, log: Callable[[str], None] = print) -> PairPool:
    """Return the filled pool of pairs that no training sees."""
    pool = PairPool(work / 'held_out', preset.held_out, preset.large_size, HELD_OUT_SEEDS,
                    SUPERSAMPLE)
    pool.fill(lambda done, count: log(f'held-out pairs {done}/{count}') if done == count else None)
    return pool


def _draw(preset: Preset, stage: Stage, small: PairPool, large: PairPool,
          rng: np.random.Generator, step: int) -> tuple[np.ndarray, np.ndarray]:
    if stage.large:
        return large.batch(rng, stage.batch, None)
    if step % 2:
        return small.batch(rng, stage.batch, preset.crop)
    return small.batch(rng, max(stage.batch // 2, 1), None)


def _schedule(done: float) -> float:
    """Warm up over 2 %, then half a cosine down to 2 %."""
    return min(done / .02 + .02, 1.0) * (.02 + .98 * .5 * (1 + math.cos(math.pi * done)))


def _update(average: dict[str, Tensor], current: dict[str, Tensor], *, restart: bool) -> None:
    for name, tensor in current.items():
        if restart:
            average[name].copy_(tensor)
        else:
            average[name].lerp_(tensor, 1 - AVERAGE_DECAY)
