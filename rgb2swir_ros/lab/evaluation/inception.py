"""Features of Inception-v3, whose Frechet distance is the FID, by weights that the user brings.

Heusel et al. 2017, arXiv 1706.08500. The weights are not of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rgb2swir_ros.errors import UserError

FEATURES = 2048


def inception_features(file: Path) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return a function from display values (H, W) in [0, 1] to a frame's features (1, 2048).

    :param file: TorchScript, taking uint8 RGB (B, 3, H, W) and ``return_features=True``, as
        ``inception-2015-12-05.pt`` of NVIDIA's StyleGAN repositories does.
    :raises UserError: if it cannot be loaded, or gives something else.
    """
    try:
        network = torch.jit.load(str(file), map_location='cpu').eval()
    except (RuntimeError, OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f'--inception {file} is no TorchScript file: {reason}') from error

    def features(display_value: NDArray[np.float32]) -> NDArray[np.float64]:
        grey = torch.from_numpy(np.rint(255 * display_value.clip(0, 1)).astype(np.uint8))
        with torch.no_grad():
            vector = network(grey[None, None].expand(1, 3, -1, -1), return_features=True)
        if tuple(vector.shape) != (1, FEATURES):
            raise UserError(f'--inception {file} gives {tuple(vector.shape)} in place of '
                            f'(1, {FEATURES}) features')
        return np.asarray(vector.double().numpy())
    return features
