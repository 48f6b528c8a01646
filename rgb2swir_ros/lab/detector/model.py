"""The model folder of a detector, and the common interface of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from rgb2swir_ros.checked import build
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes
from rgb2swir_ros.lab.detector.decode import Detections, suppress
from rgb2swir_ros.lab.detector.network import Detector, DetectorConfig
from rgb2swir_ros.nets.weights import load_weights, write_weights
from rgb2swir_ros.sizes import size_of

FORMAT = 1
KIND = 'detector'
MODEL_FILE, WEIGHTS_FILE = 'model.yaml', 'weights.safetensors'


class DetectorModel(Protocol):
    """A detector of objects in SWIR frames."""

    classes: tuple[str, ...]
    min_side: float  # pixels; boxes thinner than that are ignore regions in an evaluation

    def detect(self, display_values: Sequence[NDArray[np.float32]]) -> list[Detections]:
        """Return the detections of frames, each (H, W) float32 display values in [0, 1]."""
        ...


class TorchDetector:
    """The detector of this package, run by PyTorch in float32."""

    def __init__(self, network: Detector) -> None:
        """Set a trained network to evaluation mode."""
        self.network = network.eval()
        self.classes, self.min_side = network.config.classes, network.config.min_side

    @torch.no_grad()
    def detect(self, display_values: Sequence[NDArray[np.float32]]) -> list[Detections]:
        """Return the detections of frames, each (H, W) float32 display values in [0, 1].

        Frames run one by one: their sizes may differ, and batches are no faster on a CPU.
        """
        found = []
        for display_value in display_values:
            boxes, scores = self.network(torch.from_numpy(display_value)[None, None])
            found.append(suppress(boxes[0].numpy(), scores[0].numpy(), size_of(display_value)))
        return found


def save_detector(network: Detector, folder: Path, training: dict[str, Any] | None = None) -> None:
    """Write ``model.yaml`` and ``weights.safetensors``; create the folder if necessary.

    Convolutions are stored as float16, which halves the file without loss in mAP.

    :param training: facts about the training, for information; plain YAML values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.half() if v.ndim == 4 else v for k, v in network.state_dict().items()}
    config = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(network.config).items()}
    text = yaml.safe_dump({'format': FORMAT, 'kind': KIND, **config, 'training': training or {}},
                          sort_keys=False)
    write_weights(tensors, folder / WEIGHTS_FILE)
    write_bytes(folder / MODEL_FILE, text.encode())


def load_detector(folder: Path) -> TorchDetector:
    """Read a detector's folder.

    :raises UserError: if a file is missing, damaged, or the two do not fit; the text names it.
    """
    network = Detector(_read_config(Path(folder) / MODEL_FILE))
    load_weights(network, Path(folder) / WEIGHTS_FILE, MODEL_FILE)
    return TorchDetector(network)


def _read_config(path: Path) -> DetectorConfig:
    try:
        entries = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f'cannot read {path}: {error}') from error
    if (not isinstance(entries, dict) or entries.pop('format', None) != FORMAT
            or entries.pop('kind', None) != KIND):
        raise UserError(f"{path} is no detector of format {FORMAT} (it must have the entries "
                        f"'format: {FORMAT}' and 'kind: {KIND}')")
    entries.pop('training', None)
    config = build(DetectorConfig, entries, str(path))
    try:
        with torch.device('meta'):
            Detector(config)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(f'{path}: {error}') from error
    return config
