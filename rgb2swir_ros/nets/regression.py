"""A direct regression from RGB to SWIR: one U-Net, no latent, no diffusion.

It is the translator's baseline of equal compute and equal last layers, and the cheapest test of
whether training data can be learned from. The U-Net is that of Ronneberger et al. 2015
(arXiv 1505.04597) with residual blocks and with skips that are added, not concatenated.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.nets.autoencoder import AutoencoderConfig, Head
from rgb2swir_ros.nets.blocks import FrameLinear, ResBlock, Upsample, centred, conv3x3


@dataclass(frozen=True)
class RegressionConfig:
    """Shape of a regression network.

    :param name: the model's name.
    :param widths: channels at 1/2, 1/4, 1/8, 1/16 and 1/32 of the image's size.
    :param dilations: of the blocks at 1/32, one block each.
    """

    name: str = 'canary'
    widths: tuple[int, int, int, int, int] = (24, 48, 96, 144, 192)
    dilations: tuple[int, ...] = (1, 2, 4)


class RegressionUNet(nn.Module):
    """RGB to square-root radiance for any size that 32 divides.

    The place in the frame tells sky from road, so the network sees the whole frame: it has
    dilated blocks, a pooled summary at 1/32 that modulates every block from there up to 1/8, and
    the row's position as an input.
    """

    def __init__(self, config: RegressionConfig) -> None:
        """Build the layers, from 1/2 of the image's size down to 1/32 and back."""
        super().__init__()
        w1, w2, w3, w4, w5 = config.widths
        self.at_half = conv3x3(12, w1)
        self.down_quarter = nn.Sequential(conv3x3(w1, w2, stride=2), ResBlock(w2))
        self.down_eighth = nn.Sequential(conv3x3(w2, w3, stride=2), ResBlock(w3))
        self.down_16th = nn.Sequential(conv3x3(w3 + 1, w4, stride=2), ResBlock(w4))
        self.down_32nd = conv3x3(w4, w5, stride=2)
        # Normalised and bounded: the summary multiplies features in six blocks. If it grew with
        # them, one unusual frame could make the training diverge.
        self.summary = nn.Sequential(nn.LayerNorm(w5), FrameLinear(w5, w5), nn.ReLU(),
                                     FrameLinear(w5, w5), nn.Tanh())
        self.middle = nn.ModuleList(
            ResBlock(w5, dilation=dilation, modulation=w5) for dilation in config.dilations)
        self.up_16th, self.out_16th = Upsample(w5, w4), ResBlock(w4, modulation=w5)
        self.up_eighth, self.out_eighth = Upsample(w4, w3), ResBlock(w3, modulation=w5)
        self.up_quarter, self.out_quarter = Upsample(w3, w2), ResBlock(w2)
        self.up_half, self.out_half = Upsample(w2, w1), ResBlock(w1)
        # the same last layers as the translator's
        self.head = Head(AutoencoderConfig(widths=(w1, w2, w3)))

    def trunk(self, rgb: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to features (B, w1, H/2, W/2)."""
        batch, _, height, width = rgb.shape
        half = self.at_half(F.pixel_unshuffle(centred(rgb, self), 2))  # (B, w1, H/2, W/2)
        quarter = self.down_quarter(F.relu(half))               # (B, w2, H/4, W/4)
        eighth = self.down_eighth(F.relu(quarter))              # (B, w3, H/8, W/8)
        rows = torch.linspace(-1, 1, height // 8, dtype=eighth.dtype, device=rgb.device)
        rows = rows.reshape(1, 1, -1, 1).expand(batch, 1, height // 8, width // 8)
        x16 = self.down_16th(torch.cat([F.relu(eighth), rows], dim=1))
        x = self.down_32nd(F.relu(x16))                         # (B, w5, H/32, W/32)
        for block in self.middle:
            x = block(x, self.summary(x.float().mean(dim=(2, 3)).to(x.dtype)))
        summary = self.summary(x.float().mean(dim=(2, 3)).to(x.dtype))
        x = self.out_16th(x16 + self.up_16th(F.relu(x)), summary)
        x = self.out_eighth(eighth + self.up_eighth(F.relu(x)), summary)
        x = self.out_quarter(quarter + self.up_quarter(F.relu(x)))
        return self.out_half(half + self.up_half(F.relu(x)))

    def forward(self, rgb: Tensor) -> Tensor:
        """Map RGB (B, 3, H, W) in [0, 1] to square-root radiance (B, 1, H, W), float32.

        The output is unclipped.
        """
        return self.head(self.trunk(rgb), rgb)
