"""Export of the detector to ONNX, and ONNX detectors for the evaluation.

**The format of an ONNX detector**, which the exported one has:

* one input, float32, (batch, 1 or 3, H, W): display values ``radiance ** (1 / 2.2)`` in [0, 1],
  equal in all channels. H and W may be fixed or free, the batch free or 1. A frame larger than a
  fixed size is scaled down to fit; a smaller one, or one that is no multiple of ``divisor``, is
  padded on the right and below by repeating its edge. Frames are never scaled up.
* outputs by name, in pixels of the input, boxes as left, top, right, bottom; either
  *final*, with suppression inside: ``boxes`` (N, 4), ``scores`` (N,), ``labels`` (N,), each with
  or without a leading 1; or *dense*: ``boxes`` (batch, N, 4) and ``scores`` (batch, N, classes) in
  [0, 1], before the suppression by `rgb2swir_ros.lab.detector.decode.suppress`.
* labels count from 0 in the order car, truck, person, bus, motorcycle, bicycle, unless
  ``FILE.yaml`` beside ``FILE.onnx`` says otherwise. All its entries are optional::

    scale: 255                        # factor on display values
    mean: [123.7, 116.3, 103.5]       # subtracted after that: a number, or one for each channel
    std: [58.4, 57.1, 57.4]           # divisor after that
    divisor: 32                       # of a free height and width
    classes: {0: person, 2: car, 7: truck}    # others are dropped, and counted
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.detector.decode import MAX_DETECTIONS, Detections, suppress
from rgb2swir_ros.lab.detector.model import DetectorModel, TorchDetector, load_detector
from rgb2swir_ros.lab.detector.onnx_signature import Signature, read_signature
from rgb2swir_ros.ownership import finished

OPSET = 17
CLASSES_KEY = 'classes'  # metadata of exported files: a JSON list of names
MIN_SIDE_KEY = 'min_side'  # the same: `DetectorConfig.min_side`


def export_onnx(folder: Path, file: Path, size: tuple[int, int]) -> None:
    """Write a detector's folder as one ONNX file with dense outputs and a free batch.

    :param size: (height, width) of its input; other frames are fitted to it as described above.
    :raises UserError: if the folder is no detector, or the file cannot be written.
    """
    detector = load_detector(folder)
    with finished(Path(file)) as part:
        _export(detector, part, size)


def _export(detector: TorchDetector, part: Path, size: tuple[int, int]) -> None:
    import onnx

    free = {'tone': {0: 'batch'}, 'boxes': {0: 'batch'}, 'scores': {0: 'batch'}}
    with warnings.catch_warnings():
        # the tracing exporter needs no further package; its warnings are about the constant sizes
        warnings.simplefilter('ignore')
        torch.onnx.export(detector.network, (torch.zeros(2, 1, *size),), str(part), dynamo=False,
                          input_names=['tone'], output_names=['boxes', 'scores'],
                          dynamic_axes=free, opset_version=OPSET)
    model = onnx.load(str(part))
    onnx.helper.set_model_props(model, {CLASSES_KEY: json.dumps(detector.classes),
                                        MIN_SIDE_KEY: str(detector.min_side)})
    onnx.checker.check_model(model)
    onnx.save(model, str(part))


class OnnxDetector:
    """A detector from an ONNX file, run by onnxruntime on the CPU."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Open the file, check its signature, and run it once.

        :param threads: of onnxruntime, 0 for as many as there are cores.
        :raises UserError: if it is no ONNX file or not as described; the text names its inputs
            and outputs.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(f'{error}: an ONNX detector needs the package onnxruntime') from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options,
                                                         providers=['CPUExecutionProvider'])
        except Exception as error:  # onnxruntime's errors have no common base class
            raise UserError(f'{path} cannot be opened as ONNX: {error}') from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        own = metadata.get(CLASSES_KEY)
        self.signature: Signature = read_signature(
            Path(path), self._session.get_inputs(), self._session.get_outputs(),
            None if own is None else tuple(json.loads(own)))
        self.classes = self.signature.classes
        self.min_side = 0.0 if own is None else float(metadata.get(MIN_SIDE_KEY, 0))
        self.dropped = 0
        self.detect([np.zeros(self.signature.size or (256, 320), np.float32)])
        self.dropped = 0

    def detect(self, display_values: Sequence[NDArray[np.float32]]) -> list[Detections]:
        """Return the detections of frames, each (H, W) float32 display values in [0, 1].

        :raises UserError: if the outputs' shapes are not as described.
        """
        return [self._detect(display_value) for display_value in display_values]

    def _detect(self, display_value: NDArray[np.float32]) -> Detections:
        fitted, scale = self.signature.fit(display_value)
        values = self._run(self.signature.prepare(fitted))
        self.signature.check(values)
        height, width = display_value.shape[:2]
        if 'labels' not in values:
            found = suppress(values['boxes'][0] / scale, values['scores'][0], (height, width))
        else:
            boxes = (values['boxes'].reshape(-1, 4) / scale).clip(0, [width, height] * 2)
            scores = values['scores'].reshape(-1).astype(np.float32)
            valid = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
            best = np.flatnonzero(valid)[
                np.argsort(-scores[valid], kind='stable')][:MAX_DETECTIONS]
            found = Detections(boxes[best].astype(np.float32), scores[best],
                               values['labels'].reshape(-1)[best].astype(np.int64))
        labels = self.signature.translate(found.labels)
        known = labels >= 0
        self.dropped += int((~known).sum())
        return Detections(found.boxes[known], found.scores[known], labels[known])

    def _run(self, batch: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        names = self.signature.outputs
        try:
            values = self._session.run(list(names), {self.signature.input: batch})
        except Exception as error:
            raise UserError(f'{self.signature.path} fails on an input of shape {batch.shape}: '
                            f'{error}') from error
        return dict(zip(names, values, strict=True))


def open_detector(path: Path) -> DetectorModel:
    """Return a detector given its folder or its ``.onnx`` file.

    :raises UserError: if it is neither, or damaged.
    """
    path = Path(path)
    if path.suffix == '.onnx':
        if not path.is_file():
            raise UserError(f'there is no file {path}')
        return OnnxDetector(path)
    return load_detector(path)

