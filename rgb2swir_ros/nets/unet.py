"""The U-Net denoiser: noisy latent, time and guidance to the clean latent.

It predicts ``z_0`` and not the noise: with a nearly deterministic target, noise prediction adds
harmful variance (Lotus, arXiv 2409.18124). The place in the frame tells sky from road, so the
network sees the whole frame: it has dilated blocks and a pooled summary at 1/16 of the image's
size, and the row's position as an input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.nets.blocks import FrameLinear, ResBlock, Upsample, conv3x3, time_embedding


@dataclass(frozen=True)
class UNetConfig:
    """Shape of the denoiser.

    :param latent_channels: channels of the latent.
    :param guidance_channels: channels of the guidance.
    :param widths: channels at 1/8 and at 1/16 of the image's size.
    :param dilations: of the blocks at 1/16, one block each.
    :param time_features: length of the time embedding.
    """

    kind: ClassVar[str] = 'unet'
    divisor: ClassVar[int] = 2  # of the latent's sides

    latent_channels: int = 4
    guidance_channels: int = 64
    widths: tuple[int, int] = (64, 112)
    dilations: tuple[int, ...] = (1, 2, 4)
    time_features: int = 64


class UNetDenoiser(nn.Module):
    """``U(z_t, t, g) -> z_0`` for any even latent size."""

    def __init__(self, config: UNetConfig) -> None:
        """Build the layers, from 1/8 of the image's size down to 1/16 and back."""
        super().__init__()
        w1, w2 = config.widths
        self.time_features = config.time_features
        self.time = nn.Sequential(FrameLinear(config.time_features, w2), nn.ReLU(),
                                  FrameLinear(w2, w2))
        self.summary = nn.Sequential(FrameLinear(w2, w2), nn.ReLU(), FrameLinear(w2, w2))
        self.inlet = conv3x3(config.latent_channels + config.guidance_channels + 1, w1)
        self.before = ResBlock(w1, modulation=w2)
        self.down = conv3x3(w1, w2, stride=2)
        self.middle = nn.ModuleList(
            ResBlock(w2, dilation=dilation, modulation=w2) for dilation in config.dilations)
        self.up = Upsample(w2, w1)
        self.after = ResBlock(w1, modulation=w2)
        self.outlet = conv3x3(w1, config.latent_channels)

    def forward(self, latent: Tensor, t: Tensor, guidance: Tensor) -> Tensor:
        """Denoise.

        :param latent: ``z_t`` (B, C, h, w), h and w even.
        :param t: (B,) path times in [0, 1], 1 is pure noise.
        :param guidance: (B, G, h, w).
        :return: the clean latent (B, C, h, w).
        """
        batch, _, height, width = latent.shape
        rows = torch.linspace(-1, 1, height, dtype=latent.dtype, device=latent.device)
        rows = rows.reshape(1, 1, height, 1).expand(batch, 1, height, width)
        condition = self.time(time_embedding(t, self.time_features))  # (B, w2)

        x = self.inlet(torch.cat([latent, guidance, rows], dim=1))  # (B, w1, h, w)
        x = self.before(x, condition)
        y = self.down(F.relu(x))                                    # (B, w2, h/2, w/2)
        for block in self.middle:
            pooled = self.summary(y.float().mean(dim=(2, 3)))
            y = block(y, condition + pooled)
        x = self.after(x + self.up(F.relu(y)), condition)
        return self.outlet(F.relu(x))
