"""A baseline without a neural network: gradient-boosted trees for each pixel.

After J. Imaging 2025, 11, 206, which predicts near-infrared from colour, position and local
statistics of a pixel by boosted trees. Histogram trees of scikit-learn (``pip install
'rgb2swir_ros[eval]'``).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.training.validation import Dataset, spread
from rgb2swir_ros.luma import REC601

FRAMES, PIXELS = 256, 1024  # frames, and pixels of each, to fit
ROUNDS = 200  # trees
WINDOWS = (5, 15, 45)  # sides in pixels, of a frame 640 wide
WIDTH = 640  # windows scale with the frame's width


def pixel_features(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return features (H, W, D): colour, place, and local statistics in three windows.

    Colour is red, green, blue; place is column and row in [-1, 1]; in each window there are the
    mean colour and the deviation of the luma.
    """
    height, width = rgb.shape[:2]
    colour = rgb.astype(np.float32) / 255
    luma = colour @ np.array(REC601, np.float32)
    rows, columns = np.meshgrid(np.linspace(-1, 1, height, dtype=np.float32),
                                np.linspace(-1, 1, width, dtype=np.float32), indexing='ij')
    parts: list[NDArray[Any]] = [colour, columns[..., None], rows[..., None]]
    for window in WINDOWS:
        side = max(round(window * width / WIDTH), 3) | 1
        mean, square = (cv2.blur(image, (side, side)) for image in (luma, luma * luma))
        parts += [cv2.blur(colour, (side, side)),
                  np.sqrt(np.maximum(square - mean * mean, 0))[..., None]]
    return np.concatenate(parts, axis=2)


class BoostedTrees:
    """Square-root radiance of a pixel by boosted regression trees."""

    def __init__(self, pairs: Dataset, seed: int = 0) -> None:
        """Fit to pixels of training pairs.

        :raises UserError: if scikit-learn is missing.
        """
        try:
            from sklearn.ensemble import HistGradientBoostingRegressor
        except ImportError as error:
            raise UserError(f"{error}: the trees need pip install 'rgb2swir_ros[eval]'"
                            ) from error
        rng = np.random.default_rng([18, seed])
        features, targets = [], []
        for pair in spread(pairs, FRAMES):
            chosen = rng.integers(0, pair.radiance.size, PIXELS)
            known = pixel_features(pair.rgb)
            features.append(known.reshape(-1, known.shape[2])[chosen])
            targets.append(np.sqrt(pair.radiance.ravel()[chosen]))
        # L1, like the trainings of the networks; early stopping would draw a random part
        self._trees: Any = HistGradientBoostingRegressor(
            loss='absolute_error', max_iter=ROUNDS, learning_rate=.1, max_leaf_nodes=31,
            early_stopping=False, random_state=seed)
        self._trees.fit(np.concatenate(features), np.concatenate(targets))

    def __call__(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return radiance (H, W), float32 in [0, 1], of uint8 RGB (H, W, 3)."""
        features = pixel_features(rgb)
        flat = features.reshape(-1, features.shape[2])
        sqrt_radiance = np.asarray(self._trees.predict(flat), np.float32).clip(0, 1)
        return np.square(sqrt_radiance).reshape(rgb.shape[:2])
