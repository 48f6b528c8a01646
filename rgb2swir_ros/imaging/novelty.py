"""How far a colour frame is from what a model knows.

The model's own guidance encoder (`rgb2swir_ros.nets.guidance`) runs once more, in NumPy, on the
frame scaled down to `SMALL`. Its features are averaged over each of `ROWS` strips from the top to
the bottom, since a sky belongs above a road, and one linear function of these averages tells
frames of roads from others. `rgb2swir_ros.lab.training.novelty` fits it: to rendered frames as the
training augments them, against the same frames made strange (outlier exposure, arXiv 1812.04606).

So nothing has to leave the compiled graph: an output more would change every engine and its parity
gate. What it sees is the frame's layout at 32x48; fine structure, such as drops on the lens or a
lens out of focus, it does not.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.tensors import Tensors, read_tensors
from rgb2swir_ros.model_files import WEIGHTS_FILE, model_hash
from rgb2swir_ros.resources import model_directory

NOVELTY_FILE = 'novelty.safetensors'
FORMAT = '1'
SMALL = (48, 32)  # height, width of the frame that the encoder gets: strips average over the width
ROWS = 6          # strips, of equal height
SAMPLES = 3       # pixels along each axis that become one of the small frame, at least
# OpenBLAS takes a second thread for products of more multiplications than this. In the node they
# would spin for a core that the engine has: on two busy cores a frame took 136 ms, not 2.
ONE_THREAD = 1 << 18

Array = NDArray[np.float32]
Layer = tuple[Array, Array]  # weight (9 * inputs, outputs) and bias (outputs,)
LAYERS = ('1', '2.conv1', '2.conv2', '4', '5.conv1', '5.conv2')


class PooledGuidance:
    """A frame's guidance features, averaged over strips: what `Novelty` is a function of."""

    def __init__(self, folder: Path) -> None:
        """Read the guidance encoder of a model.

        :param folder: of the model.
        :raises UserError: if a file is missing or damaged, or the model has no learned guidance.
        """
        path = Path(folder) / WEIGHTS_FILE
        prefix = 'guidance.layers.'
        tensors, _ = read_tensors(path, lambda name: name.startswith(prefix))
        try:
            self._layers = {key: _layer(tensors, f'{prefix}{key}') for key in LAYERS}
        except KeyError as error:
            raise UserError(f'{path} has no {error.args[0]}: only models with learned guidance '
                            'can say what they know') from error
        self.length = ROWS * len(self._layers[LAYERS[-1]][1])

    def __call__(self, rgb: NDArray[np.uint8]) -> Array:
        """Return the averages (`ROWS` * channels,) of a frame, uint8 (H, W, 3)."""
        features = self._guidance(shrunk(rgb))
        height, _, channels = features.shape
        strips = features.reshape(ROWS, height // ROWS, -1, channels)
        return np.asarray(strips.mean(axis=(1, 2)).reshape(-1), np.float32)

    def _guidance(self, small: NDArray[np.uint8]) -> Array:
        """Return what `rgb2swir_ros.nets.guidance.GuidanceEncoder` does, (h, w, channels)."""
        height, width = small.shape[:2]
        x = small.astype(np.float32) * np.float32(2 / 255) - 1
        # PixelUnshuffle(4): channel, then row, then column inside of a cell
        x = x.reshape(height // 4, 4, width // 4, 4, 3).transpose(0, 2, 4, 1, 3).reshape(
            height // 4, width // 4, 48)
        x = _conv(x, self._layers['1'])
        x = self._block(x, '2')
        x = _conv(np.maximum(x, 0), self._layers['4'], stride=2)
        return self._block(x, '5')

    def _block(self, x: Array, name: str) -> Array:
        inner = _conv(np.maximum(x, 0), self._layers[f'{name}.conv1'])
        return x + _conv(np.maximum(inner, 0), self._layers[f'{name}.conv2'])


class Novelty:
    """The novelty of frames: above 0 a frame is unlike what the model has learned from.

    :ivar facts: how it was fitted, for reports.
    """

    def __init__(self, folder: Path) -> None:
        """Read ``novelty.safetensors`` of a model's folder.

        :raises UserError: if it is missing, damaged, or was fitted to other weights.
        """
        path = Path(folder) / NOVELTY_FILE
        tensors, self.facts = read_tensors(path)
        if self.facts.get('format') != FORMAT:
            raise UserError(f'{path} is no novelty file of format {FORMAT}')
        if self.facts.get('model') != model_hash(folder):
            raise UserError(f'{path} was fitted to other weights than those beside it: run '
                            f'rgb2swir train novelty --model {folder}')
        self._pooled = PooledGuidance(folder)
        try:
            self._weight, self._offset = tensors['weight'], float(tensors['offset'][0])
        except (KeyError, IndexError) as error:
            raise UserError(f'{path} lacks weight or offset') from error
        if self._weight.shape != (self._pooled.length,):
            raise UserError(f'{path} has {self._weight.shape} weights, the model '
                            f'{self._pooled.length} averages')

    def __call__(self, rgb: NDArray[np.uint8]) -> float:
        """Return the novelty of a frame, uint8 (H, W, 3): log-odds less those of the threshold."""
        return float(self._pooled(rgb) @ self._weight) + self._offset


def open_novelty(model: str | Path) -> Novelty | None:
    """Return the novelty of a model, None where its folder has no ``novelty.safetensors``.

    :param model: name or folder.
    :raises UserError: if there is no such model, and as `Novelty`.
    """
    folder = model_directory(model)
    return Novelty(folder) if (folder / NOVELTY_FILE).is_file() else None


def shrunk(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a frame at `SMALL` by area.

    Of large frames only every so many pixels are taken, along each axis: the mean of 3x3 of
    them differs little from that of all, and takes a tenth of the time.
    """
    down, across = (max(1, side // (SAMPLES * small))
                    for side, small in zip(rgb.shape, SMALL, strict=False))
    thin = np.ascontiguousarray(rgb[down // 2::down, across // 2::across])
    return np.asarray(cv2.resize(thin, SMALL[::-1], interpolation=cv2.INTER_AREA), np.uint8)


def _layer(tensors: Tensors, name: str) -> Layer:
    """Return a 3x3 convolution as a matrix: rows are y, x and input channel of a patch."""
    weight = tensors[f'{name}.weight']
    return (np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0])),
            tensors[f'{name}.bias'])


def _conv(x: Array, layer: Layer, stride: int = 1) -> Array:
    """Return a 3x3 convolution of (H, W, C), padded with zeros, as products of matrices."""
    height, width, channels = x.shape
    padded = np.zeros((height + 2, width + 2, channels), np.float32)
    padded[1:-1, 1:-1] = x
    patches = np.concatenate([padded[dy:dy + height:stride, dx:dx + width:stride]
                              for dy in range(3) for dx in range(3)], axis=2)
    weight, bias = layer
    flat = patches.reshape(-1, 9 * channels)
    made = np.empty((len(flat), weight.shape[1]), np.float32)
    rows = max(1, ONE_THREAD // weight.size)
    for k in range(0, len(flat), rows):
        np.matmul(flat[k:k + rows], weight, out=made[k:k + rows])
    return (made + bias).reshape(*patches.shape[:2], -1)
