"""Train the detector on true SWIR frames: fixed seeds, running average, exact resume."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.data import FrameCache, Sample, draw_batch
from rgb2swir_ros.lab.detector.model import TorchDetector, load_detector, save_detector
from rgb2swir_ros.lab.detector.network import DIVISOR, Detector, DetectorConfig, cells, flatten
from rgb2swir_ros.lab.detector.targets import assign, detector_loss
from rgb2swir_ros.lab.scenes.annotations import AnnotatedSet, read_training
from rgb2swir_ros.lab.training.checkpoint import (
    check_identity,
    read_checkpoint,
    restore_optimizers,
    save_checkpoint,
)
from rgb2swir_ros.marks import record_run

AVERAGE_DECAY = 0.998
# On 1200 toy frames, 5600 crops: mAP .48 with 2e-3 and batches of 16, .56 with 4e-3, .59 with
# 2e-3 and batches of 8, .67 with both. Real trainings are ten times as long: less is safer there.
RATE = 2.5e-3
WARM_UP = 200
TIMED_STEPS = (5, 25)  # by which a budget in minutes becomes a number of steps
CROP = (256, 320)


@dataclass(frozen=True)
class TrainingPlan:
    """What a training is: a resumed one must be given the same.

    :param steps: optimiser steps, or None for what ``minutes`` allow on this machine.
    :param batch: crops a step; ``rate``: highest learning rate.
    """

    steps: int | None = None
    minutes: float = 25.0
    batch: int = 8
    rate: float = RATE
    seed: int = 0


def train_detector(data: Path, work: Path, output: Path, plan: TrainingPlan | None = None, *,
                   save_every_s: float = 60.0, log: Callable[[str], None] = print
                   ) -> TorchDetector:
    """Train from the beginning, or go on from the checkpoint in ``work``; write the folder.

    :param data: folder that ``rgb2swir scenes`` wrote; its split ``train`` is used.
    :param work: for the checkpoint; a run killed and started again goes on where it was written,
        and ends as the uninterrupted one would, bit by bit.
    :param output: model folder: ``model.yaml`` and ``weights.safetensors``.
    :return: the detector as read back from ``output``.
    :raises UserError: if the data is unfit or the checkpoint is of another training.
    """
    plan = plan or TrainingPlan()
    annotated = read_training(data)
    objects = sum(len(f.labels) for f in annotated.frames)
    if objects == 0:
        raise UserError(f'{data}: no frame of the split train has an object to learn from')
    log(f'{len(annotated.frames)} frames with {objects} objects')
    work.mkdir(parents=True, exist_ok=True)
    training = _Training(annotated, plan, work / 'checkpoint.safetensors', log)
    training.run(save_every_s)
    training.network.load_state_dict(training.average)
    record_run(output, (plan, data))
    save_detector(training.network, output, {
        'frames': len(annotated.frames), 'objects': objects, 'steps': training.steps,
        'batch': plan.batch, 'rate': plan.rate, 'seed': plan.seed,
        'minutes': round(training.seconds / 60, 1)})
    return load_detector(output)


class _Training:
    """A training between two steps."""

    def __init__(self, annotated: AnnotatedSet, plan: TrainingPlan, path: Path,
                 log: Callable[[str], None]) -> None:
        """Begin, or go on from the checkpoint at ``path``."""
        torch.manual_seed(plan.seed)
        self.plan, self.path, self.log = plan, path, log
        self.network = Detector(DetectorConfig(classes=annotated.classes))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.train()
        self.optimizer = torch.optim.AdamW(_groups(self.network), lr=plan.rate)
        self.average = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.step, self.steps, self.seconds = 0, plan.steps, 0.0
        self.identity = _identity(annotated, plan, self.network.config)
        if path.exists():
            self._restore()
        self.size = crop_size(annotated)
        self.places = cells(*self.size)
        self.cache = FrameCache(annotated.frames)

    def run(self, save_every_s: float) -> None:
        """Train to the end."""
        begun, before, losses = self.step, self.seconds, list[float]()
        started = saved = timed = time.monotonic()
        with ThreadPoolExecutor(1) as worker:  # the next batch is drawn while this one trains
            coming = worker.submit(self._prepare, begun)
            while self.steps is None or self.step < self.steps:
                batch = coming.result()
                coming = worker.submit(self._prepare, self.step + 1)
                losses.append(self._advance(*batch))
                now = time.monotonic()
                self.seconds = before + now - started
                if self.step == TIMED_STEPS[0]:
                    timed = now
                if self.steps is None:
                    self._settle(now - timed)
                    continue  # no checkpoint before: a resumed run would settle otherwise
                pace = (now - started) / (self.step - begun)
                if self.step % 100 == 0 or self.step == self.steps:
                    self.log(f'{self.step}/{self.steps}  loss {np.mean(losses[-100:]):.4f}  '
                             f'{pace:.2f} s a step, '
                             f'{pace * (self.steps - self.step) / 60:.1f} min left')
                if now - saved > save_every_s or self.step == self.steps:
                    self._save()
                    saved = now
            coming.cancel()

    def _prepare(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        samples = draw_batch(self.cache, self.plan.batch, self.size, step, self.plan.seed)
        return to_tensors(samples, self.places)

    def _advance(self, tone: Tensor, labels: Tensor, boxes: Tensor) -> float:
        """Take one step and return its loss."""
        for group in self.optimizer.param_groups:
            group['lr'] = self.plan.rate * schedule(self.step, self.steps)
        with torch.autocast('cpu', torch.bfloat16):
            outputs = self.network.raw(tone)
        loss = detector_loss(*flatten(outputs), self.places, labels, boxes)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)):
            self.optimizer.step()  # else one infinite number would be in every weight
        update(self.average, self.network.state_dict(), self.step)
        self.step += 1
        return loss.item()

    def _settle(self, seconds: float) -> None:
        """Turn the budget in minutes into a number of steps once the pace is known."""
        first, last = TIMED_STEPS
        if self.step == last:
            pace = seconds / (last - first)
            self.steps = max(int(self.plan.minutes * 60 / pace), last + 1)
            self.log(f'{pace:.2f} s a step: {self.plan.minutes:g} min are {self.steps} steps')

    def _save(self) -> None:
        save_checkpoint(self.path, self.network.state_dict(), self.average, [self.optimizer],
                        {'identity': self.identity, 'step': self.step, 'steps': self.steps,
                         'seconds': self.seconds})

    def _restore(self) -> None:
        groups, state = read_checkpoint(self.path)
        check_identity(self.path, state.get('identity'), self.identity)
        self.network.load_state_dict(groups['model'])
        restore_optimizers([self.optimizer], groups['optimizer'], self.path)
        self.average = groups['average']
        self.step, self.steps, self.seconds = state['step'], state['steps'], state['seconds']
        self.log(f'resuming at step {self.step}')


def crop_size(annotated: AnnotatedSet) -> tuple[int, int]:
    """Return the (height, width) of the training's crops: frames are whole in them, or cut."""
    largest = [max(f.size[k] for f in annotated.frames) for k in (0, 1)]
    height, width = (min(c, -(-s // DIVISOR) * DIVISOR)
                     for c, s in zip(CROP, largest, strict=True))
    return height, width


def to_tensors(samples: list[Sample], places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return tone (B, 1, H, W), and labels and boxes of `assign`."""
    tone = torch.from_numpy(np.stack([s.tone for s in samples])[:, None])
    return tone.contiguous(memory_format=torch.channels_last), *assign(samples, places)


def schedule(step: int, steps: int | None) -> float:
    """Return the share of the highest rate: a warm-up, then half a cosine down to 2 %."""
    warm_up = WARM_UP if steps is None else min(WARM_UP, max(steps // 10, 1))
    done = step / steps if steps else 0.0
    return min((step + 1) / warm_up, 1.0) * (.02 + .98 * .5 * (1 + math.cos(math.pi * done)))


def update(average: dict[str, Tensor], current: dict[str, Tensor], step: int) -> None:
    """Move the running average towards the current weights, faster at the beginning."""
    decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
    for name, tensor in current.items():
        if tensor.is_floating_point():
            average[name].lerp_(tensor, 1 - decay)
        else:
            average[name].copy_(tensor)


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    """Decay convolutions only: biases and normalisation have no reason to be small."""
    parameters = list(network.parameters())
    return [{'params': [p for p in parameters if p.ndim > 1], 'weight_decay': .02},
            {'params': [p for p in parameters if p.ndim == 1], 'weight_decay': .0}]


def _identity(annotated: AnnotatedSet, plan: TrainingPlan,
              network: DetectorConfig) -> dict[str, Any]:
    """Return what a resumed training must have in common with the one that was begun."""
    digest = hashlib.sha256()
    for frame in annotated.frames:
        length = frame.path.stat().st_size if frame.path.is_file() else None
        digest.update(repr((frame.names, frame.size, length)).encode() + frame.boxes.tobytes()
                      + frame.labels.tobytes())
    return {'training': 'detector', 'plan': asdict(plan), 'network': asdict(network),
            'data': {'frames': len(annotated.frames), 'files': digest.hexdigest()}}
