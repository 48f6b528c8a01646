"""Small pairs and a small translator, for tests of the training in one process and in two."""

import numpy as np
import torch

from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, TranslatorConfig


class PatchPairs:
    """Pairs in memory: coloured patches, half of them textured.

    Texture tells two materials of one colour apart, so that a look-up of colours cannot do it.
    """

    def __init__(self, count: int, size: tuple[int, int], seed: int = 0) -> None:
        self.size = size
        self.identity = {'patches': count, 'size': list(size), 'seed': seed}
        rng = np.random.default_rng([seed, 99])
        height, width = size
        self.rgb = np.zeros((count, height, width, 3), np.uint8)
        self.radiance = np.zeros((count, height, width), np.float32)
        for k in range(count):
            for top in range(0, height, 16):
                for left in range(0, width, 16):
                    colour, textured = rng.uniform(60, 200, 3), rng.random() < .5
                    grain = 40 * rng.standard_normal((16, 16, 1)) * textured
                    window = (k, slice(top, top + 16), slice(left, left + 16))
                    shape = self.radiance[window].shape
                    self.rgb[window] = np.clip(colour + grain, 0, 255)[:shape[0], :shape[1]]
                    self.radiance[window] = (.7 if textured else .1) + colour[0] / 1000

    def __len__(self) -> int:
        return len(self.rgb)

    def __getitem__(self, index: int) -> Pair:
        return Pair(self.rgb[index], self.radiance[index], str(index), 'patches')

    def batch(self, rng, count, crop, augmentation=None):
        chosen = rng.integers(0, len(self), count)
        height, width = self.rgb.shape[1:3]
        rows, columns = crop or (height, width)
        top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
        window = (chosen, slice(top, top + rows), slice(left, left + columns))
        return self.rgb[window], self.radiance[window]


def tiny_translator(seed: int = 0, *, skips: bool = True, gain: bool | None = None,
                    **entries) -> Translator:
    """Build a small translator, the same weights for equal seeds."""
    torch.manual_seed(seed)
    return Translator(TranslatorConfig(
        name='tiny', autoencoder=AutoencoderConfig(
            widths=(8, 8, 8), source_widths=(4, 4, 4), source_skips=skips,
            fine_gain=gain),
        guidance=GuidanceConfig(channels=8, stem=8),
        denoiser=UNetConfig(guidance_channels=8, widths=(8, 8), dilations=(1,), time_features=8),
        **entries))
