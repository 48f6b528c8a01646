"""Samplers: functions of a denoiser, in the style of k-diffusion."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rgb2swir_ros.diffusion.path import euler_step

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]


def sample_euler(denoiser: Denoiser, start: Tensor, guidance: Tensor, steps: int) -> Tensor:
    """Integrate the straight path from t=1 to 0 in equal Euler steps.

    Unrolled, with the times as constants, so that it exports as one static graph.

    :param start: latent at t=1, (B, C, h, w).
    :param guidance: (B, G, h, w).
    :param steps: number of denoiser calls, at least 1.
    :return: the clean latent (B, C, h, w).
    """
    if steps < 1:
        raise ValueError(f'steps must be at least 1, not {steps}')
    latent = start
    for step in range(steps):
        now, after = 1 - step / steps, 1 - (step + 1) / steps
        t = torch.full((latent.shape[0],), now, dtype=torch.float32, device=latent.device)
        latent = euler_step(latent, denoiser(latent, t, guidance), now, max(after, 0.0))
    return latent


def sample_student(denoiser: Denoiser, guidance: Tensor, latent_channels: int,
                   steps: int = 1) -> Tensor:
    """Run a few-step student from its constant start of zeros.

    One step from zeros, trained end to end, exceeds multi-step models on dense prediction
    (diffusion-e2e-ft, arXiv 2409.11355), and a constant start causes no flicker.

    :param guidance: (B, G, h, w); gives batch, size, type and device.
    :return: the clean latent (B, latent_channels, h, w).
    """
    batch, _, height, width = guidance.shape
    start = torch.zeros((batch, latent_channels, height, width),
                        dtype=guidance.dtype, device=guidance.device)
    return sample_euler(denoiser, start, guidance, steps)


def sample_teacher(denoiser: Denoiser, guidance: Tensor, latent_channels: int, steps: int,
                   generator: torch.Generator) -> Tensor:
    """Run a multi-step teacher from seeded noise; equal seeds give equal bits.

    The latent stays in float32 between the steps whatever the denoiser's type (an Euler step
    keeps the wider type): fifty roundings to half precision would accumulate.

    :param guidance: (B, G, h, w); gives batch, size, device and the denoiser's type.
    :param generator: draws the start, on its own device.
    :return: the clean latent (B, latent_channels, h, w), float32.
    """
    batch, _, height, width = guidance.shape
    start = torch.randn((batch, latent_channels, height, width), generator=generator,
                        device=generator.device).to(guidance.device)

    return sample_euler(lambda latent, t, condition: denoiser(latent.to(condition.dtype), t,
                                                              condition),
                        start, guidance, steps)
