"""Models small enough to be built in a moment."""

from __future__ import annotations

from dataclasses import replace

import torch

from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.regression import RegressionConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, TranslatorConfig

TINY = TranslatorConfig(
    autoencoder=AutoencoderConfig(widths=(8, 8, 12), source_widths=(4, 4, 8)),
    guidance=GuidanceConfig(channels=8, stem=8),
    denoiser=UNetConfig(guidance_channels=8, widths=(8, 12), dilations=(1,)))
TINY_DIT = replace(TINY, denoiser=DiTConfig(guidance_channels=8, width=16, depth=2, heads=2))
REGRESSION = RegressionConfig('twit', (8, 8, 12, 16, 16), (1, 2))


def untidy(config: TranslatorConfig) -> Translator:
    """Return a translator whose zero starts have been left behind, as after some training."""
    torch.manual_seed(0)
    translator = Translator(config).eval()
    with torch.no_grad():
        for parameter in translator.parameters():
            parameter.add_(.1 * torch.randn_like(parameter))
    return translator
