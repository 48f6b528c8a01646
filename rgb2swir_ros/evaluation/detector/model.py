"""A detector's model folder, and the call that every detector answers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from torch import Tensor

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.evaluation.detector.decode import Detections, suppress
from rgb2swir_ros.nets.detector import Detector, DetectorConfig

FORMAT = 1
KIND = 'detector'
MODEL_FILE, WEIGHTS_FILE = 'model.yaml', 'weights.safetensors'


class Judge(Protocol):
    """What finds objects in SWIR frames."""

    classes: tuple[str, ...]

    def detect(self, tones: Sequence[NDArray[np.float32]]) -> list[Detections]:
        """Return the detections of frames, each (H, W) float32 tone in [0, 1]."""
        ...


class TorchDetector:
    """Our own detector, run by PyTorch in float32."""

    def __init__(self, network: Detector) -> None:
        """Take a trained network; it is set to evaluation mode."""
        self.network = network.eval()
        self.classes = network.config.classes

    @torch.no_grad()
    def detect(self, tones: Sequence[NDArray[np.float32]]) -> list[Detections]:
        """Return the detections of frames, each (H, W) float32 tone in [0, 1].

        Frames run one by one: their sizes may differ, and a CPU gains nothing from batches.
        """
        found = []
        for tone in tones:
            boxes, scores = self.network(torch.from_numpy(tone)[None, None])
            found.append(suppress(boxes[0].numpy(), scores[0].numpy(), tone.shape[:2]))
        return found


def save_detector(network: Detector, folder: Path, training: dict[str, Any] | None = None) -> None:
    """Write ``model.yaml`` and ``weights.safetensors``, made if need be.

    Convolutions are stored as float16 (half the file, no loss in mAP), all else as it is.

    :param training: how it came about, for the reader; plain YAML values.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {k: (v.half() if v.ndim == 4 else v).detach().contiguous()
               for k, v in network.state_dict().items()}
    config = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(network.config).items()}
    text = yaml.safe_dump({'format': FORMAT, 'kind': KIND, **config, 'training': training or {}},
                          sort_keys=False)
    part = folder / (WEIGHTS_FILE + '.part')
    save_file(tensors, part)
    part.chmod(0o644)  # the library leaves it to the owner alone
    part.replace(folder / WEIGHTS_FILE)
    part = folder / (MODEL_FILE + '.part')
    part.write_text(text)
    part.replace(folder / MODEL_FILE)


def load_detector(folder: Path) -> TorchDetector:
    """Read a detector's folder.

    :raises UserError: if a file is missing, damaged, or the two do not fit; the text names it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = Detector(_read_config(Path(folder) / MODEL_FILE))
    path = Path(folder) / WEIGHTS_FILE
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except OSError as error:
        raise UserError(f'cannot read the weights {path}: {error}') from error
    except (SafetensorError, ValueError) as error:
        raise UserError(f'{path} is damaged or no safetensors file ({error})') from error
    expected = network.state_dict()
    wrong = sorted({*expected} ^ {*tensors}) or sorted(
        k for k in expected if expected[k].shape != tensors[k].shape)
    if wrong:
        raise UserError(f'{path} does not fit its {MODEL_FILE}: {len(wrong)} tensors differ, '
                        f'{wrong[0]} first; both files must come from the same training')
    bad = [k for k, v in tensors.items() if not torch.isfinite(v).all()]
    if bad:
        raise UserError(f'{path} holds values that are not finite, in {bad[0]}')
    network.load_state_dict(tensors)
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
    if unknown := sorted({*entries} - {f.name for f in fields(DetectorConfig)}):
        raise UserError(f"{path}: unknown entry '{unknown[0]}'")
    try:
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v
                                  for k, v in entries.items()}
        config = DetectorConfig(**values)
        with torch.device('meta'):
            Detector(config)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(f'{path}: {error}') from error
    return config
