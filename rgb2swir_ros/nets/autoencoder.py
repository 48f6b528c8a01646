"""The SWIR autoencoder, with or without the source's features (SCAE against the plain LDM).

SCAE, the source-conditioned autoencoder, is arXiv 2606.19961: features of the RGB source enter
the SWIR decoder by skip connections at every scale, because an eight-fold latent cannot carry
thin edges. Widths, positions and the head are our own choices.

Encoder and decoder work in square-root radiance, ``sqrt_radiance = radiance ** (1/2)``: equal
steps of it look about equally large, and its square is non-negative without a further constraint.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.checked import within
from rgb2swir_ros.luma import REC601
from rgb2swir_ros.nets.blocks import (
    ResBlock,
    Upsample,
    centred,
    conv3x3,
    local_mean,
    zero_conv1x1,
)
from rgb2swir_ros.nets.guided import WINDOW, guided_filter

LOCAL_MEAN_WINDOW = 5  # side, in pixels at 1/2 of the image's size
MOST_SHIFT = .5        # of a guide channel by the features; guides lie within [-1, 1]


@dataclass(frozen=True)
class AutoencoderConfig:
    """Shape of the autoencoder.

    :param latent_channels: channels of the latent, which has 1/8 of the image's size.
    :param widths: channels at 1/2, 1/4 and 1/8 of the image's size.
    :param source_widths: channels of the source features at the same three scales.
    :param source_skips: whether the source's features enter the decoder, and its pixels the head
        through a convolution; without them this is the baseline LDM's plain autoencoder.
    :param fine_gain: whether the head adds the fine part of the source's luminance times a gain.
    :param guided_filter: whether a guided filter with the source as its guide comes last. This
        and ``fine_gain`` need the source, so by default both are as ``source_skips``.
    :param filter_window: side of the guided filter's windows, in cells of 4x4 pixels; odd.
    :param learned_guide: the features shift the guided filter's guide, so that things of one
        colour in one window can differ.
    :param residual_bound: largest square-root radiance that the features may add or take away
        after the guided filter; 0: none.
    :raises ValueError: if the window is even, or a switch is on without what it needs.
    """

    latent_channels: int = 4
    widths: tuple[int, int, int] = (32, 48, 64)
    source_widths: tuple[int, int, int] = (16, 24, 32)
    source_skips: bool = True
    fine_gain: bool | None = None
    guided_filter: bool | None = None
    filter_window: int = within(3, 15, WINDOW)
    learned_guide: bool = False
    residual_bound: float = within(0, 1, 0.0)

    def __post_init__(self) -> None:
        """Set the switches that were left open, and check all."""
        for name in ('fine_gain', 'guided_filter'):
            if getattr(self, name) is None:
                object.__setattr__(self, name, self.source_skips)  # the dataclass is frozen
            elif getattr(self, name) and not self.source_skips:
                raise ValueError(f'{name} needs source_skips: without them the decoder does not '
                                 'see the source')
        for name in ('learned_guide', 'residual_bound'):
            if getattr(self, name) and not self.guided_filter:
                raise ValueError(f'{name} needs the guided filter, which is off')
        if self.filter_window % 2 == 0:
            raise ValueError(f'filter_window {self.filter_window} is even: a window has a centre')


class SwirEncoder(nn.Module):
    """``E``: square-root radiance of a SWIR frame to its latent. Needed for training only."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build the layers, from 1/2 to 1/8 of the image's size."""
        super().__init__()
        w1, w2, w3 = config.widths
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2), conv3x3(4, w1), ResBlock(w1),
            conv3x3(w1, w2, stride=2), ResBlock(w2),
            conv3x3(w2, w3, stride=2), ResBlock(w3),
            nn.ReLU(), conv3x3(w3, config.latent_channels))

    @property
    def outlet(self) -> nn.Conv2d:
        """The last convolution; its outputs are the latent's channels."""
        return self.layers[-1]  # type: ignore[return-value]

    def forward(self, sqrt_radiance: Tensor) -> Tensor:
        """Map (B, 1, H, W), about [0, 1], to the latent (B, C, H/8, W/8)."""
        return self.layers(sqrt_radiance * 2 - 1)


class SourceEncoder(nn.Module):
    """``S``: RGB to features at 1/2, 1/4 and 1/8 of the image's size.

    It is shallow on purpose: it carries edges. A deep encoder would recognise materials, and the
    decoder could then ignore the latent.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build the layers, from 1/2 to 1/8 of the image's size."""
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
    """Features at 1/2 of the image's size to square-root radiance at full size, in float32.

    bfloat16 has 128 levels between 0.5 and 1 and would show bands in a sky, so these layers stay
    in float32 whatever type the trunk is cast to.

    With source skips, the head uses the source's pixels through a convolution; and, with
    ``fine_gain``, through a gain on the high-pass part of the luminance,
    ``sqrt_radiance = offset + gain * (luminance - local mean of the luminance)``. The gain states
    how strongly a surface's detail shows in SWIR. It starts at 1, so the output has the source's
    edges before the training begins. Pan-sharpening does the same: it sharpens a coarse spectral
    band with a fine panchromatic one (high-pass detail injection; Vivone et al. 2015, "A Critical
    Comparison Among Pansharpening Algorithms"). The mean is subtracted because the features would
    otherwise have to cancel the luminance's coarse part exactly, which keeps the gain low and
    small objects blurred. With ``guided_filter`` a guided filter comes last
    (`rgb2swir_ros.nets.guided`).

    The filter makes the output locally linear in the source's colour. Three switches of the
    configuration loosen that: smaller windows, a guide that the features shift, and a bounded
    residual after the filter. The last two start at zero, so a trained head goes on from where it
    was.
    """

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build the layers; the convolution of the source starts at zero, as every skip does."""
        super().__init__()
        self.filtered = bool(config.guided_filter)
        self.from_features = conv3x3(config.widths[0], 8 if config.fine_gain else 4)
        self.from_source = conv3x3(12, 4) if config.source_skips else None
        self.luminance = nn.Conv2d(3, 1, 1, bias=False) if config.fine_gain else None
        width = config.widths[0]
        self.window, self.bound = config.filter_window, config.residual_bound
        self.guide_shift = zero_conv1x1(width, 12) if config.learned_guide else None
        self.residual = zero_conv1x1(width, 4) if config.residual_bound else None
        with torch.no_grad():
            self.from_features.weight.mul_(0.3)
            self.from_features.bias.fill_(0.5)  # type: ignore[union-attr]
        if self.luminance is not None:
            with torch.no_grad():
                self.from_features.weight[4:] = 0
                self.from_features.bias[4:] = 1  # type: ignore[index]
                self.luminance.weight.copy_(torch.tensor(REC601).reshape(1, 3, 1, 1))
        if self.from_source is not None:
            nn.init.zeros_(self.from_source.weight)
            nn.init.zeros_(self.from_source.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, rgb: Tensor | None) -> Tensor:
        """Return square-root radiance (B, 1, H, W), unclipped.

        :param features: (B, w1, H/2, W/2).
        :param rgb: the source (B, 3, H, W) in [0, 1]; None to decode without it.
        """
        features = F.relu(features).float()
        x = self.from_features(features)  # (B, 4 or 8, H/2, W/2): offset, gain
        gain = None
        if self.luminance is not None:
            x, gain = x.chunk(2, dim=1)
        if self.from_source is not None and rgb is not None:
            pixels = F.pixel_unshuffle(rgb.float(), 2)  # (B, 3 * 4, H/2, W/2)
            x = x + self.from_source(pixels * 2 - 1)
            if self.luminance is not None and gain is not None:
                # A 1x1 convolution to one channel, written as a sum: compilers fuse the sum with
                # its neighbours, and would run a convolution as a separate kernel.
                weights = self.luminance.weight.reshape(1, 3, 1, 1, 1)
                luminance = (pixels.unflatten(1, (3, 4)) * weights).sum(dim=1)
                coarse = local_mean(luminance.mean(dim=1, keepdim=True), LOCAL_MEAN_WINDOW)
                x = x + gain * (luminance - coarse)
            if self.filtered:
                shift = None if self.guide_shift is None else (
                    MOST_SHIFT * torch.tanh(self.guide_shift(features)))
                x = guided_filter(x, pixels, window=self.window, shift=shift)
            if self.residual is not None:
                x = x + self.bound * torch.tanh(self.residual(features))
        return F.pixel_shuffle(x, 2)


class SwirDecoder(nn.Module):
    """``D``: latent, and the source's features if it has skips, to square-root radiance."""

    def __init__(self, config: AutoencoderConfig) -> None:
        """Build the layers, from 1/8 of the image's size to full size."""
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
        """Return the decoder's feature maps: run all layers but the head.

        :param latent: (B, C, H/8, W/8).
        :param features: of `SourceEncoder`, or None to decode from the latent alone.
        :return: outputs of the residual blocks, coarsest first: (B, w3, H/8, W/8),
            (B, w2, H/4, W/4), (B, w1, H/2, W/2).
        """
        def with_skip(x: Tensor, scale: int) -> Tensor:
            if self.skips is None or features is None:
                return x
            return x + self.skips[scale](features[scale])

        eighth = self.at_eighth(with_skip(self.inlet(latent), 2))
        quarter = self.at_quarter(with_skip(self.up_quarter(F.relu(eighth)), 1))
        half = self.at_half(with_skip(self.up_half(F.relu(quarter)), 0))
        return eighth, quarter, half

    def trunk(self, latent: Tensor,
              features: tuple[Tensor, Tensor, Tensor] | None) -> Tensor:
        """Return the finest of `maps`, (B, w1, H/2, W/2): the head's input."""
        return self.maps(latent, features)[-1]

    def forward(self, latent: Tensor, features: tuple[Tensor, Tensor, Tensor] | None,
                rgb: Tensor | None) -> Tensor:
        """Decode to square-root radiance (B, 1, H, W), float32, unclipped.

        :param latent: (B, C, H/8, W/8).
        :param features: as for `maps`.
        :param rgb: (B, 3, H, W) in [0, 1] for the head; not used without ``features``.
        """
        return self.head(self.trunk(latent, features), rgb if features is not None else None)


def scale_latent(encoder: SwirEncoder, decoder: SwirDecoder, scale: Tensor) -> None:
    """Divide the latent by a scale, in place, without a change of what is decoded from it.

    With the latent's standard deviations as scale, each channel gets the standard deviation 1, as
    the noise has. The mean is not removed: the decoder's inlet pads with zeros, so a mean folded
    into it would change the borders.

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
    """Multiply the gain on the source's high-pass luminance, in place.

    :raises ValueError: if the head has no such gain.
    """
    if head.luminance is None:
        raise ValueError('this head has no gain: its autoencoder was configured without fine_gain')
    half = head.from_features.out_channels // 2  # offsets, then gains
    with torch.no_grad():
        head.from_features.weight[half:] *= factor
        head.from_features.bias[half:] *= factor  # type: ignore[index]
