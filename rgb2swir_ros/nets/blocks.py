"""The layers that all networks share.

Residual blocks have ReLU and no normalisation. Normalisation over the image would make the
brightness of one pixel depend on the whole frame (flicker). A float16 GroupNorm fails to build in
TensorRT unless the groups are a multiple of 8 (NVIDIA/TensorRT#3956). Without normalisation a
block is two convolutions, which compilers fuse well.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv3x3(inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps the size (or divides it by ``stride``)."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation)


def centred(rgb: Tensor, network: nn.Module) -> Tensor:
    """Map RGB from [0, 1] to [-1, 1], and cast it to the type of a network's weights.

    The cast comes last: bfloat16 rounds every k/255 up, which would brighten the whole frame.
    """
    return (rgb * 2 - 1).to(next(network.parameters()).dtype)


def zero_conv1x1(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a 1x1 convolution that starts at zero, so that adding it changes nothing at first."""
    conv = nn.Conv2d(inputs, outputs, 1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def local_mean(x: Tensor, side: int) -> Tensor:
    """Return the mean over the window around each pixel of (B, C, H, W).

    At the border, the mean is over the part of the window that lies inside.

    :param side: side of the window, odd.
    """
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)


class FrameLinear(nn.Linear):
    """A linear layer on a vector that describes a whole frame; computes in its weights' type.

    `rgb2swir_ros.translator.SwirModel.set_precision` leaves it in float32: a rounding error here
    shifts the whole frame, and the layer is too small to cost time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs) of any float type to (B, outputs) of the weights' type."""
        return super().forward(x.to(self.weight.dtype))


class ResBlock(nn.Module):
    """Residual block ``x + conv(relu(modulate(conv(relu(x)))))`` of constant width.

    :param channels: width.
    :param dilation: of both convolutions; enlarges the receptive field at no cost.
    :param modulation: length of the vector that scales and shifts the inner features
        (FiLM, arXiv 1709.07871), or 0 for none.
    """

    def __init__(self, channels: int, *, dilation: int = 1, modulation: int = 0) -> None:
        """Build the layers; the second convolution starts small, so the block starts near x."""
        super().__init__()
        self.conv1 = conv3x3(channels, channels, dilation=dilation)
        self.conv2 = conv3x3(channels, channels, dilation=dilation)
        with torch.no_grad():
            self.conv2.weight.mul_(0.1)
        self.modulate = FrameLinear(modulation, 2 * channels) if modulation else None
        if self.modulate is not None:
            nn.init.zeros_(self.modulate.weight)
            nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map (B, C, H, W) to the same shape; ``condition`` is (B, modulation) if modulated."""
        h = self.conv1(F.relu(x))
        if self.modulate is not None:
            if condition is None:
                raise ValueError('this ResBlock is modulated: it needs a condition')
            factors = self.modulate(condition).to(h.dtype)[:, :, None, None]
            scale, shift = factors.chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return x + self.conv2(F.relu(h))


class Upsample(nn.Module):
    """Double the size: 1x1 convolution to four times the width, then pixel shuffle."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the layer; its four sub-pixels start equal, which avoids checkerboard patterns.

        The initialisation is ICNR (arXiv 1707.02937).
        """
        super().__init__()
        self.expand = nn.Conv2d(inputs, 4 * outputs, 1)
        with torch.no_grad():
            self.expand.weight.copy_(self.expand.weight[::4].repeat_interleave(4, dim=0))
            self.expand.bias.copy_(  # type: ignore[union-attr]
                self.expand.bias[::4].repeat_interleave(4, dim=0))  # type: ignore[index]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        return F.pixel_shuffle(self.expand(x), 2)


def time_embedding(t: Tensor, length: int) -> Tensor:
    """Return sinusoids of the path time (Vaswani et al. 2017, scaled as in DiT).

    :param t: (B,), 0 (clean) to 1 (noise).
    :param length: even number of features.
    :return: (B, length), float32.
    """
    half = length // 2
    exponents = torch.arange(half, dtype=torch.float32, device=t.device) / half
    angles = 1000.0 * t.float()[:, None] * torch.exp(-math.log(10000.0) * exponents)[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column of (B, C, H, W) until ``multiple`` divides both sides.

    Slices and concatenation instead of ``F.pad``: both convert to TensorRT in every version.
    """
    bottom, right = -x.shape[2] % multiple, -x.shape[3] % multiple
    if bottom:
        x = torch.cat([x, x[:, :, -1:].expand(-1, -1, bottom, -1)], dim=2)
    if right:
        x = torch.cat([x, x[:, :, :, -1:].expand(-1, -1, -1, right)], dim=3)
    return x
