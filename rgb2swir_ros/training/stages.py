"""What each stage of the training trains, on what, and by which loss.

1. ``autoencoder``: SWIR to latent and back; plain at first, then with the source's skips, so
   that the latent learns tone and material before the skips bring the edges.
2. ``latent``: the denoiser learns the clean latent, from noisy ones along the whole path and
   from the student's constant start.
3. ``pixels``: guidance, denoiser and decoder together, one step from the constant start, judged
   on the decoded picture (diffusion-e2e-ft, arXiv 2409.11355).
4. ``finish``: the same at the size of use, with detail as strong as the target's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.diffusion.losses import detail_loss, tone_loss
from rgb2swir_ros.diffusion.path import interpolate
from rgb2swir_ros.translator import Translator

# With 1, a pilot of 1300 steps left pictures at half the source's sharpness: L1 alone is content
# with soft edges where it is unsure which side a pixel belongs to.
GRADIENT_WEIGHT = 3.0
# In the last stage only: without it the finest octave of the output had .68 of its target's
# energy, on the training's own pairs.
DETAIL_WEIGHT = 10.0


@dataclass(frozen=True)
class Stage:
    """One stage.

    :param steps: optimiser steps; ``rate``: highest learning rate.
    :param batch: pairs of 320x256 a step; of larger frames there are fewer.
    :param large: frames of the size of use in place of small ones.
    """

    name: str
    steps: int
    batch: int
    rate: float
    large: bool = False

    def kind(self, step: int) -> str:
        """Return the kind of a step's batch: see `rgb2swir_ros.training.batches.draw`."""
        if self.large:
            return 'large'
        return 'crop' if step % 2 else 'whole'


@dataclass(frozen=True)
class Preset:
    """A whole training: its stages."""

    stages: tuple[Stage, ...] = (
        Stage('autoencoder', 1500, 8, 1e-3),
        Stage('latent', 1200, 8, 1e-3),
        Stage('pixels', 3500, 8, 8e-4),
        Stage('finish', 1500, 12, 3e-4, large=True),
    )

    def scaled(self, share: float) -> Preset:
        """Return the same training with its steps scaled; for trying things out and tests."""
        return Preset(tuple(replace(stage, steps=max(round(stage.steps * share), 1))
                            for stage in self.stages))


def trained_parameters(translator: Translator, stage: Stage) -> Iterator[nn.Parameter]:
    """Yield the parameters that a stage trains."""
    student: list[nn.Module | None] = [translator.guidance, translator.denoiser]
    pictures: list[nn.Module | None] = [translator.decoder, translator.source]
    modules = {'autoencoder': [translator.encoder, *pictures], 'latent': student,
               'pixels': student + pictures, 'finish': student + pictures}
    for module in modules[stage.name]:
        if module is not None:
            yield from module.parameters()


def stage_loss(translator: Translator, stage: Stage, done: float, rgb: Tensor, tone: Tensor,
               generator: torch.Generator) -> Tensor:
    """Return the loss of one batch.

    :param done: share of the stage that is done, in [0, 1).
    :param rgb: (B, 3, H, W) in [0, 1]; ``tone``: (B, 1, H, W), square root of radiance.
    :param generator: draws noise, times and dropped skips.
    """
    draw = float(torch.rand((), generator=generator))
    with torch.autocast(rgb.device.type, torch.bfloat16):
        if stage.name == 'autoencoder':
            latent = translator.encoder(tone)
            jitter = .05 * torch.randn(latent.shape, generator=generator)
            plain = done < .3 or draw < .25
            features = None if plain else _features(translator, rgb)
            trunk = translator.decoder.trunk(latent + jitter, features)
            extra = 1e-3 * latent.float().square().mean()
        else:
            with torch.no_grad():
                truth = translator.encoder(tone).float()
            guidance = translator.guidance(rgb)
            if stage.name == 'latent':
                return _latent_loss(translator, truth, guidance, generator)
            start = torch.zeros_like(truth)
            latent = translator.denoiser(start, torch.ones(len(start)), guidance)
            features = None if draw < .1 else _features(translator, rgb)
            trunk = translator.decoder.trunk(latent, features)
            extra = .1 * F.l1_loss(latent.float(), truth)
    predicted = translator.decoder.head(trunk.float(), None if features is None else rgb)
    if stage.name == 'finish':
        extra = extra + DETAIL_WEIGHT * detail_loss(predicted, tone)
    return tone_loss(predicted, tone, gradient_weight=GRADIENT_WEIGHT) + extra


def _features(translator: Translator, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor] | None:
    return None if translator.source is None else translator.source(rgb)


def _latent_loss(translator: Translator, truth: Tensor, guidance: Tensor,
                 generator: torch.Generator) -> Tensor:
    """Half of the batch from the constant start, half from anywhere along the path."""
    count = len(truth)
    t = torch.rand(count, generator=generator)
    t[: (count + 1) // 2] = 1.0
    noise = torch.randn(truth.shape, generator=generator)
    noise[: (count + 1) // 2] = 0.0
    predicted = translator.denoiser(interpolate(truth, noise, t), t, guidance)
    return F.l1_loss(predicted.float(), truth)
