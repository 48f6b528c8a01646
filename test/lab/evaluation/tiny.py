"""A translator of some thousand parameters, lively and untrained."""

from __future__ import annotations

from pathlib import Path

import torch

from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, TranslatorConfig


def save_tiny(folder: Path, stage: str = 'student', steps: int = 1, *,
              plain: bool = False) -> Path:
    """Write a model folder of one stage.

    :param plain: of as few layers as a translator can have: the soonest compiled.
    """
    torch.manual_seed(3)
    translator = Translator(TranslatorConfig(
        name='tiny', stage=stage, steps=steps,
        autoencoder=AutoencoderConfig(widths=(8, 8, 8), source_widths=(8, 8, 8),
                                      source_skips=not plain,
                                      filter_window=3),
        guidance=GuidanceConfig(channels=8, stem=8, learned=not plain),
        denoiser=UNetConfig(guidance_channels=8, widths=(8, 8), dilations=() if plain else (1,),
                            time_features=8)))
    with torch.no_grad():  # the zeros that training starts from would hide what differs
        for parameter in translator.parameters():
            parameter.add_(torch.randn_like(parameter) * .05)
    translator.save(folder)
    return folder
