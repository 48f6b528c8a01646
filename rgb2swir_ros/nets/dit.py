"""The DiT denoiser: noisy latent, time and guidance to the clean latent, by attention.

A diffusion transformer with adaLN-zero blocks (DiT, arXiv 2212.09748). It has the U-Net's call
and predicts ``z_0`` as the U-Net does. It differs from DiT in four ways. The guidance enters with
the tokens, and the blocks are modulated by time only. Positional features are computed for any
size, relative to the frame. Queries and keys are normalised, because growing attention logits
make trainings in half precision diverge (ViT-22B, arXiv 2302.05442). A 3x3 convolution after the
patches removes seams between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.nets.blocks import conv3x3, time_embedding

FRAME_OCTAVES = 5  # half a cycle to eight cycles a frame
LOCAL_PERIODS = 4  # of 4, 8, 16 and 32 tokens
EPSILON = 1e-5  # of the norms; 1e-6, as DiT has it, is no normal number in float16


@dataclass(frozen=True)
class DiTConfig:
    """Shape of the denoiser.

    :param latent_channels: channels of the latent.
    :param guidance_channels: channels of the guidance.
    :param width: channels of a token.
    :param depth: number of blocks.
    :param heads: of the attention; divides ``width``.
    :param mlp_ratio: hidden channels of a block's MLP, in widths.
    :param patch: side of a token in the latent: with 2, tokens stand at 1/16 of the image's size.
    :param outlet_channels: channels at the latent's size before the last convolution.
    :param time_features: length of the time embedding, even.
    :raises ValueError: if one of them is not positive or they do not fit together.
    """

    kind: ClassVar[str] = 'dit'

    latent_channels: int = 4
    guidance_channels: int = 64
    width: int = 96
    depth: int = 4
    heads: int = 3
    mlp_ratio: int = 4
    patch: int = 2
    outlet_channels: int = 16
    time_features: int = 64

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f'{name} must be at least 1, not {value}')
        if self.width % self.heads:
            raise ValueError(f'width {self.width} is not divided by heads {self.heads}')
        if self.time_features % 2:
            raise ValueError(f'time_features must be even, not {self.time_features}')

    @property
    def divisor(self) -> int:
        """What divides the latent's sides."""
        return self.patch


def axis_features(count: int, device: torch.device) -> Tensor:
    """Return the positional features along one axis: (count, 19), float32.

    The first eleven give a token's position relative to the frame, at any size: its centre in
    (-1, 1) and sinusoids of that (the place in the frame tells sky from road). The other eight
    are sinusoids of its index: they tell which tokens are near, whatever the size.

    :param count: number of tokens along the axis.
    """
    index = torch.arange(count, dtype=torch.float32, device=device)[:, None]
    place = (index + .5) / count                                                   # (count, 1)
    octaves = torch.arange(FRAME_OCTAVES, dtype=torch.float32, device=device)[None]
    frame = math.pi * place * torch.exp(math.log(2.0) * octaves)                   # (count, 5)
    halvings = torch.arange(LOCAL_PERIODS, dtype=torch.float32, device=device)[None]
    local = math.pi / 2 * index * torch.exp(-math.log(2.0) * halvings)             # (count, 4)
    return torch.cat([2 * place - 1, frame.sin(), frame.cos(), local.sin(), local.cos()], dim=1)


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Return tokens (B, N, D) normalised one by one, scaled and shifted by (B, 1, D) each."""
    return F.layer_norm(x, x.shape[-1:], eps=EPSILON) * (1 + scale) + shift


class Attention(nn.Module):
    """Self-attention over all tokens, with normalised queries and keys."""

    def __init__(self, width: int, heads: int) -> None:
        """Build the layers; ``heads`` divides ``width``."""
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.norm_q = nn.LayerNorm(width // heads, eps=EPSILON)
        self.norm_k = nn.LayerNorm(width // heads, eps=EPSILON)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, D) to the same shape."""
        batch, tokens, width = x.shape
        split = (batch, tokens, self.heads, width // self.heads)
        q, k, v = (part.reshape(split).transpose(1, 2)         # (B, heads, N, D/heads)
                   for part in self.qkv(x).chunk(3, dim=-1))
        # The attention's own scale makes torch_tensorrt 2.8 compute it, and all that follows, in
        # float32: so the query is scaled, and the attention is not.
        q = self.norm_q(q) * q.shape[-1] ** -.5
        x = F.scaled_dot_product_attention(q, self.norm_k(k), v, scale=1.0)  # as q
        return self.out(x.transpose(1, 2).reshape(batch, tokens, width))


class DiTBlock(nn.Module):
    """Attention and MLP, each shifted, scaled and gated by the condition (adaLN-zero)."""

    def __init__(self, width: int, heads: int, mlp_ratio: int) -> None:
        """Build the layers; `DiTDenoiser.initialize` sets their start."""
        super().__init__()
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, mlp_ratio * width), nn.GELU('tanh'),
                                 nn.Linear(mlp_ratio * width, width))
        self.modulate = nn.Linear(width, 6 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (B, N, D) to the same shape; ``condition`` is (B, D)."""
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            self.modulate(condition)[:, None].chunk(6, dim=-1))          # (B, 1, D) each
        x = x + gate_a * self.attention(modulated(x, shift_a, scale_a))  # (B, N, D)
        return x + gate_m * self.mlp(modulated(x, shift_m, scale_m))     # (B, N, D)


class DiTDenoiser(nn.Module):
    """``U(z_t, t, g) -> z_0`` for any latent size that the patch divides."""

    def __init__(self, config: DiTConfig) -> None:
        """Build and `initialize`."""
        super().__init__()
        width, patch = config.width, config.patch
        places = 1 + 2 * FRAME_OCTAVES + 2 * LOCAL_PERIODS
        self.patch = patch
        self.time_features = config.time_features
        self.time = nn.Sequential(nn.Linear(config.time_features, width), nn.SiLU(),
                                  nn.Linear(width, width), nn.SiLU())
        self.inlet = nn.Conv2d(config.latent_channels + config.guidance_channels, width,
                               patch, stride=patch)
        self.rows = nn.Linear(places, width)
        self.columns = nn.Linear(places, width, bias=False)
        self.blocks = nn.ModuleList(DiTBlock(width, config.heads, config.mlp_ratio)
                                    for _ in range(config.depth))
        self.modulate = nn.Linear(width, 2 * width)
        self.expand = nn.Linear(width, config.outlet_channels * patch ** 2)
        self.outlet = conv3x3(config.outlet_channels, config.latent_channels)
        self.initialize()

    def initialize(self) -> None:
        """Set the start of the training, as DiT does."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        # one linear map of a patch, so its fan is that of a linear layer, not of a convolution
        nn.init.xavier_uniform_(self.inlet.weight.flatten(1))
        nn.init.zeros_(self.inlet.bias)  # type: ignore[arg-type]
        for module in self.modules():
            if isinstance(module, DiTBlock):
                # gates of zero: each block starts as the identity, so depth costs no stability
                nn.init.zeros_(module.modulate.weight)
                nn.init.zeros_(module.modulate.bias)
        # the last modulation starts as the identity
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)
        # the output starts constant, so that no patch starts with an inner pattern
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, latent: Tensor, t: Tensor, guidance: Tensor) -> Tensor:
        """Denoise.

        :param latent: ``z_t`` (B, C, h, w), h and w divided by the patch p.
        :param t: (B,) path times in [0, 1], 1 is pure noise.
        :param guidance: (B, G, h, w).
        :return: the clean latent (B, C, h, w).
        """
        high, wide = latent.shape[2] // self.patch, latent.shape[3] // self.patch
        dtype = latent.dtype
        rows = self.rows(axis_features(high, latent.device).to(dtype))        # (h/p, D)
        columns = self.columns(axis_features(wide, latent.device).to(dtype))  # (w/p, D)
        places = (rows[:, None] + columns[None]).flatten(0, 1)                # (N, D)
        condition = self.time(time_embedding(t, self.time_features).to(dtype))  # (B, D)

        x = self.inlet(torch.cat([latent, guidance], dim=1))             # (B, D, h/p, w/p)
        x = x.flatten(2).transpose(1, 2) + places                        # (B, N, D)
        for block in self.blocks:
            x = block(x, condition)                                      # (B, N, D)
        shift, scale = self.modulate(condition)[:, None].chunk(2, dim=-1)  # (B, 1, D) each
        x = self.expand(modulated(x, shift, scale))                      # (B, N, K * p * p)
        x = x.transpose(1, 2).reshape(x.shape[0], -1, high, wide)        # (B, K * p * p, h/p, w/p)
        return self.outlet(F.pixel_shuffle(x, self.patch))               # (B, C, h, w)
