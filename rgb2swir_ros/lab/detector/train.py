"""Train the detector on true SWIR frames: fixed seeds, running average, exact resume."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.data import FrameCache, Sample, draw_batch
from rgb2swir_ros.lab.detector.model import TorchDetector, load_detector, save_detector
from rgb2swir_ros.lab.detector.network import DIVISOR, Detector, DetectorConfig, cells, flatten
from rgb2swir_ros.lab.detector.targets import assign, detector_loss
from rgb2swir_ros.lab.scenes.annotations import AnnotatedSet, read_training
from rgb2swir_ros.lab.training.optimization import Optimization, falling
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.trainer import Orders, Trainer
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.marks import record_run

# On 1200 toy frames, 5600 crops: mAP .48 with 2e-3 and batches of 16, .56 with 4e-3, .59 with
# 2e-3 and batches of 8, .67 with both. Real trainings are ten times as long: less is safer there.
RATE = 2.5e-3
WARM_UP = 200
STEPS_A_MINUTE = 50  # until the pace is known
CLIP = 10.0  # largest norm of the gradient
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

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The only stage."""
        steps = self.steps or max(round(STEPS_A_MINUTE * self.minutes), 1)
        return (Stage('detector', steps, self.batch, self.rate),)

    def steering(self) -> dict[str, Any]:
        """Return all that the weights depend on; minutes and seed are the trainer's."""
        return {'steps': self.steps, 'batch': self.batch, 'rate': self.rate}


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
    torch.manual_seed(plan.seed)
    network = Detector(DetectorConfig(classes=annotated.classes))
    feed = FrameFeed(annotated, plan.seed)
    orders = Orders(plan.seed, plan.minutes if plan.steps is None else None)
    outcome = Trainer(DetectorTraining(network, plan, feed.places), feed, work, orders,
                      save_every_s=save_every_s, log=log).run()
    record_run(output, (plan, data))
    save_detector(network, output, {
        'frames': len(annotated.frames), 'objects': objects, 'steps': outcome.stages[0]['steps'],
        'batch': plan.batch, 'rate': plan.rate, 'seed': plan.seed,
        'minutes': round(outcome.seconds / 60, 1)})
    return load_detector(output)


@dataclass(frozen=True)
class DetectorBatch:
    """What one step learns from.

    :param tone: (B, 1, H, W); ``labels`` and ``boxes``: of `assign`.
    """

    tone: Tensor
    labels: Tensor
    boxes: Tensor

    def to(self, device: torch.device) -> DetectorBatch:
        """Return it on a device."""
        return replace(self, tone=self.tone.to(device), labels=self.labels.to(device),
                       boxes=self.boxes.to(device))


@dataclass
class FrameFeed:
    """Batches of crops of annotated frames."""

    annotated: AnnotatedSet
    seed: int
    size: tuple[int, int] = field(init=False)  # (height, width) of the crops
    places: Tensor = field(init=False)  # (N, 3), the cells of a crop

    def __post_init__(self) -> None:
        """Open the frames; none is read yet."""
        self.size = crop_size(self.annotated)
        self.places = cells(*self.size)
        self._cache = FrameCache(self.annotated.frames)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What tells the frames, their boxes and pictures, from others."""
        digest = hashlib.sha256()
        for frame in self.annotated.frames:
            length = frame.path.stat().st_size if frame.path.is_file() else None
            digest.update(repr((frame.names, frame.size, length)).encode() + frame.boxes.tobytes()
                          + frame.labels.tobytes())
        return {'frames': len(self.annotated.frames), 'files': digest.hexdigest()}

    def batch(self, number: int, stage: Stage, step: int, done: float) -> DetectorBatch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.Feed`."""
        samples = draw_batch(self._cache, stage.batch, self.size, step, self.seed)
        return DetectorBatch(*to_tensors(samples, self.places))

    def measured(self, count: int, number: int, stage: Stage) -> Iterable[DetectorBatch]:
        """Return none: nothing is measured."""
        return ()


class DetectorTraining(Training):
    """The detector and its loss."""

    kind = 'detector'

    def __init__(self, network: Detector, plan: TrainingPlan, places: Tensor) -> None:
        """Train this detector, in place.

        :param places: the cells of a crop.
        """
        super().__init__(network)
        self.detector, self.plan, self.places = network, plan, places

    def shape(self) -> dict[str, Any]:
        """Return the network's configuration."""
        return asdict(self.detector.config)

    def parts(self, stage: Stage, batch: DetectorBatch) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        with torch.autocast(batch.tone.device.type, torch.bfloat16):
            outputs = self.detector.raw(batch.tone)
        places = self.places.to(batch.tone.device)
        return {'detection': detector_loss(*flatten(outputs), places, batch.labels, batch.boxes)}

    def optimization(self, stage: Stage, average: AveragedModel) -> Optimization:
        """Return AdamW, which decays convolutions only."""
        optimizer = torch.optim.AdamW(_groups(self.network), lr=stage.rate)
        return Optimization(self.network, self.network.parameters(), stage.rate, average,
                            optimizers=[optimizer], clip=CLIP)

    def rate_factor(self, step: int, steps: int | None, done: float) -> float:
        """Return the share of the highest rate: see `schedule`."""
        return schedule(step, steps)


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
    return min((step + 1) / warm_up, 1.0) * falling(step / steps if steps else 0.0)


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    """Decay convolutions only: biases and normalisation have no reason to be small."""
    parameters = list(network.parameters())
    return [{'params': [p for p in parameters if p.ndim > 1], 'weight_decay': .02},
            {'params': [p for p in parameters if p.ndim == 1], 'weight_decay': .0}]
