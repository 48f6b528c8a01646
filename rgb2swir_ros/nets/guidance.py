"""The condition of the denoiser at latent size: learned (LGE) or downsampled (baseline).

LGE, the learnable guidance encoder, is arXiv 2606.19961: a learned encoder replaces the naive
downsampling of the RGB condition. Depth and widths are our own choices.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.nets.blocks import ResBlock, centred, conv3x3


@dataclass(frozen=True)
class GuidanceConfig:
    """Shape of the guidance.

    :param channels: channels of the guidance.
    :param stem: channels at 1/4 of the image's size, where texture distinguishes asphalt from
        shaded foliage.
    :param learned: LGE if true; area resize and a 1x1 convolution (baseline) if false.
    """

    channels: int = 64
    stem: int = 48
    learned: bool = True


class GuidanceEncoder(nn.Module):
    """``G``: RGB to guidance at 1/8 of its size, for LGE and for the baseline."""

    def __init__(self, config: GuidanceConfig) -> None:
        """Build LGE or the baseline."""
        super().__init__()
        self.learned = config.learned
        if config.learned:
            self.layers = nn.Sequential(
                nn.PixelUnshuffle(4), conv3x3(48, config.stem), ResBlock(config.stem), nn.ReLU(),
                conv3x3(config.stem, config.channels, stride=2), ResBlock(config.channels))
        else:
            self.layers = nn.Sequential(nn.Conv2d(3, config.channels, 1))

    def forward(self, rgb: Tensor) -> Tensor:
        """Map (B, 3, H, W) in [0, 1] to (B, channels, H/8, W/8), of the weights' type."""
        rgb = centred(rgb, self)
        return self.layers(rgb if self.learned else F.avg_pool2d(rgb, 8))
