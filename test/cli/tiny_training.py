"""Twenty pairs, and a translator of which each training takes a moment."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

MODEL = """
model:
  name: tiny
  autoencoder: {widths: [8, 8, 8], source_widths: [4, 4, 4]}
  guidance: {channels: 8, stem: 8}
  denoiser: {guidance_channels: 8, widths: [8, 8], dilations: [1], time_features: 8}
"""
TINY = MODEL + """
autoencoder:
  stages: [{name: plain, steps: 2, batch: 2, rate: 1.0e-3},
           {name: skips, steps: 2, batch: 2, rate: 1.0e-3}]
  scale_batches: 2
teacher: {stages: [{name: denoise, steps: 2, batch: 2, rate: 1.0e-3}]}
student:
  stages: [{name: latent, steps: 2, batch: 2, rate: 1.0e-3},
           {name: finish, steps: 1, batch: 2, rate: 1.0e-3, large: true}]
"""


def write_pairs(folder: Path) -> Path:
    """Write pairs of 64x48 pixels, whose SWIR frame is the red channel."""
    rng = np.random.default_rng(0)
    for name in ('rgb', 'swir'):
        (folder / name).mkdir(parents=True)
    for k in range(20):
        rgb = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        cv2.imwrite(str(folder / 'rgb' / f'drive{k}_0.png'), rgb)
        cv2.imwrite(str(folder / 'swir' / f'drive{k}_0.png'), rgb[..., 0].astype(np.uint16) * 200)
    return folder
