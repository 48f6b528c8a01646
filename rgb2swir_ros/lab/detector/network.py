"""A small anchor-free detector of road users in one-channel SWIR frames.

Most objects are smaller than 32x32 pixels, many smaller than ten, so the finest output has
stride 4. The shape is that of FCOS (arXiv 1904.01355): a residual backbone, a light top-down
neck, and at strides 4, 8 and 16 a head that gives each cell class scores and a box. There is no
centre-ness branch: the class score is trained to equal the box's IoU (arXiv 2006.04388).

Unlike the translator, the detector uses batch normalisation: its statistics are frozen at
inference, and it shortens the training to minutes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.checked import within
from rgb2swir_ros.nets.blocks import pad_to_multiple

STRIDES = (4, 8, 16)
DIVISOR = 32  # stride of the coarsest stage, which provides context
BOX_UNIT = 2.0  # in strides: the side of a box that is predicted as 0, its logarithm
MAX_LOG_SIDE = 5.0  # e^5 units: larger than any frame, without overflow
PRIOR = 0.01  # score of every cell before training (focal loss, arXiv 1708.02002)


@dataclass(frozen=True)
class DetectorConfig:
    """Shape of the detector.

    :param classes: names, in the order of the scores.
    :param stem: channels at 1/2 of the frame's size.
    :param widths: channels at 1/4, 1/8, 1/16 and 1/32; ``blocks``: residual blocks there.
    :param neck: channels of the neck and of the heads; ``tower``: convolutions of each head.
    :param min_side: pixels; boxes thinner than that were ignore regions in its training, and are
        in evaluations by it: neither hits nor misses.
    """

    classes: tuple[str, ...] = ('car', 'truck', 'person', 'bus', 'motorcycle', 'bicycle')
    stem: int = 16
    widths: tuple[int, int, int, int] = (40, 80, 128, 160)
    blocks: tuple[int, int, int, int] = (2, 2, 2, 1)
    neck: int = 40
    tower: int = 2
    min_side: float = within(0, 64, 0.0)


class Detector(nn.Module):
    """Display values to boxes and scores.

    A display value is ``radiance ** (1 / 2.2)`` in [0, 1]. 8-bit images store display values, so
    that linear and 8-bit frames have the same input.
    """

    def __init__(self, config: DetectorConfig | None = None) -> None:
        """Build the network, untrained.

        :raises ValueError: if a width or a count is not positive or there is no class.
        """
        super().__init__()
        self.config = config = config or DetectorConfig()
        if not config.classes or len(config.widths) != 4 or len(config.blocks) != 4:
            raise ValueError('a detector has at least one class, four widths and four blocks')
        if min(config.stem, *config.widths, *config.blocks, config.neck, config.tower) < 1:
            raise ValueError(f'widths and counts must be positive: {config}')
        self.stem = _conv(1, config.stem, stride=2)
        inputs = (config.stem, *config.widths)
        self.stages = nn.ModuleList(
            nn.Sequential(_conv(inputs[k], inputs[k + 1], stride=2),
                          *[_Block(inputs[k + 1]) for _ in range(config.blocks[k])])
            for k in range(4))
        self.laterals = nn.ModuleList(nn.Conv2d(w, config.neck, 1) for w in config.widths)
        self.heads = nn.ModuleList(
            nn.Sequential(*[_conv(config.neck, config.neck) for _ in range(config.tower)],
                          nn.Conv2d(config.neck, len(config.classes) + 4, 1)) for _ in STRIDES)
        self._initialize()

    def _initialize(self) -> None:
        """He initialisation before ReLU; residual branches and heads start near zero."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, _Block):
                nn.init.zeros_(module.norm.weight)
        scores = len(self.config.classes)
        for head in self.heads:
            last: nn.Conv2d = head[-1]  # type: ignore[index]
            nn.init.normal_(last.weight, std=.01)
            with torch.no_grad():
                last.bias[:scores].fill_(-math.log(1 / PRIOR - 1))  # type: ignore[index]

    def features(self, display_value: Tensor) -> list[Tensor]:
        """Return the backbone's maps at 1/4, 1/8, 1/16, 1/32 of (B, 1, H, W); 32 divides H, W."""
        x = self.stem(display_value * 2 - 1)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def raw(self, display_value: Tensor) -> list[Tensor]:
        """Return (B, classes + 4, H/s, W/s) for each stride s of (B, 1, H, W); 32 divides H, W.

        The channels are class logits, then the box's centre relative to the cell's in strides,
        then the logarithms of its width and height in ``BOX_UNIT`` strides.
        """
        maps = self.features(display_value)
        outputs: list[Tensor] = []
        above: Tensor | None = None
        for level in reversed(range(4)):
            merged = self.laterals[level](maps[level])
            if above is not None:
                merged = merged + F.interpolate(above, scale_factor=2.0, mode='nearest')
            above = F.relu(merged)
            if level < len(STRIDES):
                outputs.append(self.heads[level](above))
        return outputs[::-1]

    def forward(self, display_value: Tensor) -> tuple[Tensor, Tensor]:
        """Return the candidates; this is the exported graph.

        :param display_value: (B, 1, H, W), float32, in [0, 1]; any size (padded inside).
        :return: boxes (B, N, 4), left, top, right, bottom in pixels, and scores (B, N, classes)
            in [0, 1]: one candidate for each cell, before
            `rgb2swir_ros.lab.detector.decode.suppress`.
        """
        display_value = pad_to_multiple(display_value, DIVISOR)
        offsets, logits = flatten(self.raw(display_value))
        places = cells(display_value.shape[2], display_value.shape[3]).to(display_value.device)
        return decode_boxes(offsets, places), logits.sigmoid()


def flatten(outputs: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return box offsets (B, N, 4) and class logits (B, N, classes), float32, of `raw`."""
    flat = torch.cat([o.float().flatten(2) for o in outputs], dim=2).transpose(1, 2)
    return flat[..., -4:], flat[..., :-4]


def cells(height: int, width: int) -> Tensor:
    """Return (N, 3): centre x, y in pixels and stride of each cell; 32 divides the sides."""
    parts = []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride),
                              indexing='ij')
        centre = (torch.stack([x, y], dim=-1).reshape(-1, 2).float() + .5) * stride
        parts.append(torch.cat([centre, torch.full_like(centre[:, :1], stride)], dim=1))
    return torch.cat(parts)


def decode_boxes(offsets: Tensor, places: Tensor) -> Tensor:
    """Return boxes (..., 4), left, top, right, bottom in pixels.

    :param offsets: (..., 4) as in `Detector.raw`; ``places``: (..., 3) of `cells`.
    """
    stride = places[..., 2:]
    centre = places[..., :2] + offsets[..., :2] * stride
    half = offsets[..., 2:].clamp(-MAX_LOG_SIDE, MAX_LOG_SIDE).exp() * (BOX_UNIT / 2) * stride
    return torch.cat([centre - half, centre + half], dim=-1)


def _conv(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Block(nn.Module):
    """Residual block of constant width (arXiv 1512.03385)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return F.relu(x + self.norm(self.second(self.first(x))))
