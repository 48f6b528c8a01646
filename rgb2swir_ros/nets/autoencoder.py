"""The SWIR autoencoder, with or without the source's features (SCAE against the plain LDM).

SCAE, the source-conditioned autoencoder, is arXiv 2606.19961: features of the RGB source enter
the SWIR decoder by skip connections at every scale, because an eight-fold latent cannot carry
thin edges. Widths, positions and the head are our own choices.

The decoder works in *tone*, the square root of radiance: equal steps of tone look about equally
large, and the square of a tone is non-negative without a further constraint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.luma import REC601
from rgb2swir_ros.nets.blocks import (
    ResBlock,
    Upsample,
    centred,
    conv3x3,
    local_mean,
    zero_conv1x1,
)
from rgb2swir_ros.nets.guided import guided

LOCAL = 5  # side of the window of the luminance's local mean, in pixels of 1/2 size


@dataclass(frozen=True)
class AutoencoderConfig:
    """Shape of the autoencoder.

    :param latent_channels: channels of the latent, which has 1/8 of the image's size.
    :param widths: channels at 1/2, 1/4 and 1/8 of the image's size.
    :param source_widths: channels of the source features at the same three scales.
    :param source_skips: SCAE if true; the baseline LDM's plain autoencoder if false.
    """

    latent_channels: int = 4
    widths: tuple[int, int, int] = (32, 48, 64)
    source_widths: tuple[int, int, int] = (16, 24, 32)
    source_skips: bool = True


class SwirEncoder(nn.Module):
    """``E``: tone of a SWIR frame to its latent. Needed for training only."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build from 1/2 to 1/8."""
        super().__init__()
        w1, w2, w3 = config.widths
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2), conv3x3(4, w1), ResBlock(w1),
            conv3x3(w1, w2, stride=2), ResBlock(w2),
            conv3x3(w2, w3, stride=2), ResBlock(w3),
            nn.ReLU(), conv3x3(w3, config.latent_channels))

    @property
    def outlet(self) -> nn.Conv2d:
        """The last convolution, whose outputs are the latent's channels."""
        return self.layers[-1]  # type: ignore[return-value]

    def forward(self, tone: Tensor) -> Tensor:
        """Map (B, 1, H, W), about [0, 1], to the latent (B, C, H/8, W/8)."""
        return self.layers(tone * 2 - 1)


class SourceEncoder(nn.Module):
    """``S``: RGB to features at 1/2, 1/4 and 1/8. Thin on purpose: it carries edges.

    A deep one would know the materials, and the decoder could then ignore the latent.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build from 1/2 to 1/8."""
        super().__init__()
        w1, w2, w3 = config.source_widths
        self.at_half = conv3x3(12, w1)
        self.at_quarter = conv3x3(w1, w2, stride=2)
        self.at_eighth = conv3x3(w2, w3, stride=2)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, 3, H, W) in [0, 1] to three feature maps, finest first."""
        half = F.relu(self.at_half(F.pixel_unshuffle(centred(rgb, self), 2)))  # (B, w1, H/2, W/2)
        quarter = F.relu(self.at_quarter(half))                         # (B, w2, H/4, W/4)
        eighth = F.relu(self.at_eighth(quarter))                        # (B, w3, H/8, W/8)
        return half, quarter, eighth


class Head(nn.Module):
    """Features at 1/2 to tone at full size, in float32.

    bfloat16 has 128 levels between 0.5 and 1 and would band a sky, so these layers stay in
    float32 whatever the trunk is cast to.

    With source skips the head sees the source's pixels in two ways: through a convolution, and
    through a gain on the fine part of its luminance, ``tone = offset + gain * (luminance - its
    local mean)``. The gain is how strongly a surface's detail shows in SWIR; it starts at 1, so
    that what the coarse features know gets the source's edges before anything is learned. That is
    how a coarse spectral band is sharpened with a fine panchromatic one (high-pass detail
    injection; Vivone et al. 2015, "A Critical Comparison Among Pansharpening Algorithms"). With
    the whole luminance in its place the features had to cancel its coarse part exactly, found
    that too hard, and kept the gain low: objects of ten pixels came out as blocks.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build; the convolution of the source starts at zero, as every skip does."""
        super().__init__()
        skips = config.source_skips
        self.from_features = conv3x3(config.widths[0], 8 if skips else 4)
        self.from_source = conv3x3(12, 4) if skips else None
        self.luminance = nn.Conv2d(3, 1, 1, bias=False) if skips else None
        with torch.no_grad():
            self.from_features.weight.mul_(0.3)
            self.from_features.bias.fill_(0.5)  # type: ignore[union-attr]
        if self.from_source is not None and self.luminance is not None:
            with torch.no_grad():
                self.from_features.weight[4:] = 0
                self.from_features.bias[4:] = 1  # type: ignore[index]
                self.luminance.weight.copy_(torch.tensor(REC601).reshape(1, 3, 1, 1))
            nn.init.zeros_(self.from_source.weight)
            nn.init.zeros_(self.from_source.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, rgb: Tensor | None) -> Tensor:
        """Map (B, w1, H/2, W/2) and RGB (B, 3, H, W) or None to tone (B, 1, H, W)."""
        x = self.from_features(F.relu(features).float())  # (B, 8, H/2, W/2): offset, gain
        if self.from_source is not None and self.luminance is not None:
            x, gain = x.chunk(2, dim=1)
            if rgb is not None:
                pixels = F.pixel_unshuffle(rgb.float(), 2)  # (B, 3 * 4, H/2, W/2)
                x = x + self.from_source(pixels * 2 - 1)
                # a 1x1 convolution to one channel, written as the sum that it is: compilers fuse
                # it with what is around it, where a convolution would be a pass of its own
                weights = self.luminance.weight.reshape(1, 3, 1, 1, 1)
                luminance = (pixels.unflatten(1, (3, 4)) * weights).sum(dim=1)
                coarse = local_mean(luminance.mean(dim=1, keepdim=True), LOCAL)
                x = guided(x + gain * (luminance - coarse), pixels)
        return F.pixel_shuffle(x, 2)


class SwirDecoder(nn.Module):
    """``D``: latent, and the source's features if it has skips, to tone."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build from 1/8 to full size."""
        super().__init__()
        w1, w2, w3 = config.widths
        self.inlet = conv3x3(config.latent_channels, w3)
        self.at_eighth = ResBlock(w3)
        self.up_quarter = Upsample(w3, w2)
        self.at_quarter = ResBlock(w2)
        self.up_half = Upsample(w2, w1)
        self.at_half = ResBlock(w1)
        self.head = Head(config)
        self.skips = nn.ModuleList([
            zero_conv1x1(source, width)
            for source, width in zip(config.source_widths, config.widths, strict=True)
        ]) if config.source_skips else None

    def maps(self, latent: Tensor, features: tuple[Tensor, Tensor, Tensor] | None
             ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode all but the last layers.

        :param latent: (B, C, H/8, W/8).
        :param features: of `SourceEncoder`, or None to decode from the latent alone.
        :return: what the residual blocks give, coarsest first: (B, w3, H/8, W/8),
            (B, w2, H/4, W/4), (B, w1, H/2, W/2).
        """
        def joined(x: Tensor, scale: int) -> Tensor:
            if self.skips is None or features is None:
                return x
            return x + self.skips[scale](features[scale])

        eighth = self.at_eighth(joined(self.inlet(latent), 2))
        quarter = self.at_quarter(joined(self.up_quarter(F.relu(eighth)), 1))
        half = self.at_half(joined(self.up_half(F.relu(quarter)), 0))
        return eighth, quarter, half

    def trunk(self, latent: Tensor,
              features: tuple[Tensor, Tensor, Tensor] | None) -> Tensor:
        """Return the finest of `maps`, (B, w1, H/2, W/2): what the head takes."""
        return self.maps(latent, features)[-1]

    def forward(self, latent: Tensor, features: tuple[Tensor, Tensor, Tensor] | None,
                rgb: Tensor | None) -> Tensor:
        """Decode to tone (B, 1, H, W), float32, unclipped.

        :param latent: (B, C, H/8, W/8); ``features``: as for `trunk`.
        :param rgb: (B, 3, H, W) in [0, 1] for the head; not used without ``features``.
        """
        return self.head(self.trunk(latent, features), rgb if features is not None else None)


def scale_latent(encoder: SwirEncoder, decoder: SwirDecoder, scale: Tensor) -> None:
    """Divide the latent by a scale, in place, and let what is decoded from it stay the same.

    With the latent's standard deviations as scale, each channel gets a deviation of 1, which is
    what noise of deviation 1 asks for. Only a scale: the decoder's inlet pads with zeros, so
    folding a mean into it would change the borders.

    :param scale: (C,), above 0.
    :raises ValueError: if it has another shape or holds other values.
    """
    channels = encoder.outlet.out_channels
    if scale.shape != (channels,) or not (torch.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f'the scale must be {channels} numbers above 0, not {scale}')
    with torch.no_grad():
        encoder.outlet.weight.div_(scale[:, None, None, None])
        encoder.outlet.bias.div_(scale)  # type: ignore[union-attr]
        decoder.inlet.weight.mul_(scale[None, :, None, None])


def scale_gain(head: Head, factor: float) -> None:
    """Multiply the gain on the source's fine luminance, in place.

    :raises ValueError: if it is of a decoder without source skips, and so has no such gain.
    """
    if head.luminance is None:
        raise ValueError('a decoder without source skips has no gain')
    half = head.from_features.out_channels // 2  # offsets, then gains
    with torch.no_grad():
        head.from_features.weight[half:] *= factor
        head.from_features.bias[half:] *= factor  # type: ignore[index]
