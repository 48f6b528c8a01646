"""The training of the detector on true SWIR frames."""

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
from rgb2swir_ros.lab.detector.data import CACHE_BYTES, FrameCache, Sample, draw_batch
from rgb2swir_ros.lab.detector.model import TorchDetector, load_detector, save_detector
from rgb2swir_ros.lab.detector.network import DIVISOR, Detector, DetectorConfig, cells, flatten
from rgb2swir_ros.lab.detector.targets import assign, detector_loss
from rgb2swir_ros.lab.scenes.annotations import AnnotatedSet, read_training, with_min_side
from rgb2swir_ros.lab.training.optimization import Optimization, cosine_decay
from rgb2swir_ros.lab.training.parallel import batch_workers, training_device
from rgb2swir_ros.lab.training.precision import mixed_precision
from rgb2swir_ros.lab.training.preset import Stage
from rgb2swir_ros.lab.training.trainer import RunSettings, Trainer
from rgb2swir_ros.lab.training.training import Training
from rgb2swir_ros.marks import record_run
from rgb2swir_ros.model_files import model_hash

RATE = 2.5e-3  # highest learning rate
WARM_UP = 200  # steps
STEPS_A_MINUTE = 50  # assumed until the pace has been measured
CLIP = 10.0  # largest norm of the gradient
CROP = (256, 320)


@dataclass(frozen=True)
class DetectorTrainingConfig:
    """The settings of a training; a resumed run must have the same ones.

    :param steps: optimiser steps, or None for as many as ``minutes`` allow.
    :param batch: crops a step; ``rate``: highest learning rate.
    :param crop: largest (height, width) of the crops.
    :param min_side: pixels; boxes thinner than that become ignore regions.
    :param start: folder of the detector whose weights the training begins with, or None for
        random ones.
    """

    steps: int | None = None
    minutes: float = 25.0
    batch: int = 8
    rate: float = RATE
    seed: int = 0
    crop: tuple[int, int] = CROP
    min_side: float = 0.0
    start: Path | None = None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The only stage."""
        steps = self.steps or max(round(STEPS_A_MINUTE * self.minutes), 1)
        return (Stage('detector', steps, self.batch, self.rate),)

    def checkpoint_identity(self) -> dict[str, Any]:
        """Return the settings that the weights depend on; the trainer adds minutes and seed."""
        return {'steps': self.steps, 'batch': self.batch, 'rate': self.rate, 'crop': self.crop}


def train_detector(data: Path, work: Path, output: Path,
                   config: DetectorTrainingConfig | None = None, *, save_every_s: float = 60.0,
                   log: Callable[[str], None] = print) -> TorchDetector:
    """Train from the beginning, or resume from the checkpoint in ``work``; write the folder.

    :param data: folder that ``rgb2swir scenes`` wrote; its split ``train`` is used.
    :param work: folder of the checkpoint; a run that was killed resumes from it, and its weights
        are bit-equal to those of an uninterrupted run.
    :param output: model folder: ``model.yaml`` and ``weights.safetensors``.
    :return: the detector as read back from ``output``.
    :raises UserError: if the data has no objects, the checkpoint belongs to another training, or
        the detector to start from cannot be read or has other classes.
    """
    return train_on_frames(read_training(data), str(data), work, output, config,
                           save_every_s=save_every_s, log=log)


def train_on_frames(annotated: AnnotatedSet, name: str, work: Path, output: Path,
                    config: DetectorTrainingConfig | None = None, *, save_every_s: float = 60.0,
                    log: Callable[[str], None] = print) -> TorchDetector:
    """Train on given frames: see `train_detector`.

    :param name: of the frames, for errors.
    """
    config = config or DetectorTrainingConfig()
    annotated = with_min_side(annotated, config.min_side)
    objects = sum(int((~f.ignored).sum()) for f in annotated.frames)
    if objects == 0:
        raise UserError(f'{name}: no frame of the split train has an object to learn from')
    ignored = sum(len(f.labels) for f in annotated.frames) - objects
    log(f'{len(annotated.frames)} frames with {objects} objects'
        + f', and {ignored} that are ignored' * bool(ignored))
    network, origin = _first_network(annotated.classes, name, config)
    batch_source = FrameBatchSource(annotated, config.seed, config.crop)
    settings = RunSettings(config.seed, config.minutes if config.steps is None else None,
                           origin)
    training = DetectorTraining(network, config, batch_source.places)
    result = Trainer(training, batch_source, work, settings,
                     save_every_s=save_every_s, log=log).run()
    record_run(output, (asdict(config), name))
    save_detector(network, output, {
        'frames': len(annotated.frames), 'objects': objects, 'ignored': ignored,
        'steps': result.stages[0]['steps'], 'batch': config.batch,
        'crop': list(batch_source.size), 'rate': config.rate, 'seed': config.seed,
        'minutes': round(result.seconds / 60, 1), **({'start': origin} if origin else {})})
    return load_detector(output)


@dataclass(frozen=True)
class DetectorBatch:
    """The batch of one step.

    :param display_value: (B, 1, H, W); ``labels`` and ``boxes``: from `assign`.
    """

    display_value: Tensor
    labels: Tensor
    boxes: Tensor

    def to(self, device: torch.device) -> DetectorBatch:
        """Return the batch on a device."""
        return replace(self, display_value=self.display_value.to(device),
                       labels=self.labels.to(device), boxes=self.boxes.to(device))


@dataclass
class FrameBatchSource:
    """Batches of crops of annotated frames."""

    annotated: AnnotatedSet
    seed: int
    crop: tuple[int, int] = CROP  # largest (height, width) of the crops
    size: tuple[int, int] = field(init=False)  # (height, width) of the crops
    places: Tensor = field(init=False)  # (N, 3), the cells of a crop

    def __post_init__(self) -> None:
        """Prepare the cache; no frame is read yet."""
        self.size = crop_size(self.annotated, self.crop)
        self.places = cells(*self.size)
        # each process that prepares batches keeps frames of its own
        workers = max(batch_workers(training_device()), 1)
        self._cache = FrameCache(self.annotated.frames, CACHE_BYTES // workers)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The identity of the frames, with their boxes and file sizes."""
        digest = hashlib.sha256()
        for frame in self.annotated.frames:
            length = frame.path.stat().st_size if frame.path.is_file() else None
            digest.update(repr((frame.names, frame.size, length)).encode() + frame.boxes.tobytes()
                          + frame.labels.tobytes() + frame.ignored.tobytes())
        return {'frames': len(self.annotated.frames), 'files': digest.hexdigest()}

    def batch(self, number: int, stage: Stage, step: int, done: float) -> DetectorBatch:
        """Return the batch of a step: see `rgb2swir_ros.lab.training.training.BatchSource`."""
        samples = draw_batch(self._cache, stage.batch, self.size, step, self.seed)
        return DetectorBatch(*to_tensors(samples, self.places))

    def calibration_batches(self, count: int, number: int,
                            stage: Stage) -> Iterable[DetectorBatch]:
        """Return no batches: the detector needs no calibration."""
        return ()


class DetectorTraining(Training):
    """The detector and its loss."""

    kind = 'detector'

    def __init__(self, network: Detector, config: DetectorTrainingConfig, places: Tensor) -> None:
        """Train this detector, in place.

        :param places: the cells of a crop.
        """
        super().__init__(network)
        self.detector, self.config, self.places = network, config, places

    def shape(self) -> dict[str, Any]:
        """Return the network's configuration."""
        return asdict(self.detector.config)

    def parts(self, stage: Stage, batch: DetectorBatch) -> dict[str, Tensor]:
        """Return the loss of one batch."""
        with mixed_precision(batch.display_value.device):
            outputs = self.detector.raw(batch.display_value)
        places = self.places.to(batch.display_value.device)
        return {'detection': detector_loss(*flatten(outputs), places, batch.labels, batch.boxes)}

    def optimization(self, stage: Stage, average: AveragedModel) -> Optimization:
        """Return AdamW with weight decay of convolutions only."""
        optimizer = torch.optim.AdamW(_groups(self.network), lr=stage.rate)
        return Optimization(self.network, self.network.parameters(), stage.rate, average,
                            optimizers=[optimizer], clip=CLIP)

    def rate_factor(self, step: int, steps: int | None, done: float) -> float:
        """Return the factor of the learning rate: see `schedule`."""
        return schedule(step, steps)


def _first_network(classes: tuple[str, ...], name: str,
                   config: DetectorTrainingConfig) -> tuple[Detector, str]:
    """Return the network to train, and the hash of the detector that it starts from, or ''."""
    torch.manual_seed(config.seed)
    if config.start is None:
        return Detector(DetectorConfig(classes=classes, min_side=config.min_side)), ''
    start = load_detector(config.start).network
    if start.config.classes != classes:
        raise UserError(f"{config.start} finds {', '.join(start.config.classes)}, but {name} has "
                        f"{', '.join(classes)}: start from a detector of the same classes in the "
                        'same order')
    network = Detector(replace(start.config, min_side=config.min_side))
    network.load_state_dict(start.state_dict())
    return network, model_hash(config.start)


def crop_size(annotated: AnnotatedSet, crop: tuple[int, int] = CROP) -> tuple[int, int]:
    """Return the (height, width) of the crops: at most ``crop``, and no larger than the frames.

    Both are multiples of the network's divisor.
    """
    largest = [max(f.size[k] for f in annotated.frames) for k in (0, 1)]
    height, width = (min(c // DIVISOR * DIVISOR, -(-s // DIVISOR) * DIVISOR)
                     for c, s in zip(crop, largest, strict=True))
    return height, width


def to_tensors(samples: list[Sample], places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return display values (B, 1, H, W), and labels and boxes from `assign`."""
    display_value = torch.from_numpy(np.stack([s.display_value for s in samples])[:, None])
    return display_value.contiguous(memory_format=torch.channels_last), *assign(samples, places)


def schedule(step: int, steps: int | None) -> float:
    """Return the factor of the learning rate: linear warm-up, then cosine decay to 2 %."""
    warm_up = WARM_UP if steps is None else min(WARM_UP, max(steps // 10, 1))
    return min((step + 1) / warm_up, 1.0) * cosine_decay(step / steps if steps else 0.0)


def _groups(network: torch.nn.Module) -> list[dict[str, Any]]:
    """Return parameter groups: weight decay for convolutions, none for biases and norms."""
    parameters = list(network.parameters())
    return [{'params': [p for p in parameters if p.ndim > 1], 'weight_decay': .02},
            {'params': [p for p in parameters if p.ndim == 1], 'weight_decay': .0}]
