"""How a translator fares on pairs it has not seen, in figures and as a contact sheet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from rgb2swir_ros.training.loop import to_tensors
from rgb2swir_ros.training.pool import PairPool
from rgb2swir_ros.translator import Translator


def psnr(predicted: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB of tones clipped to [0, 1], over all pixels."""
    error = (predicted.clamp(0, 1) - target).square().mean().item()
    return float(10 * np.log10(1 / max(error, 1e-12)))


@torch.no_grad()
def judge(translator: Translator, pool: PairPool) -> dict[str, float]:
    """Measure on held-out pairs, in dB of tone.

    ``student`` is the whole translator; ``grey`` is the plain grey-scale conversion. The three
    autoencoder figures say whether the decoder uses its latent: with the true one, with zeros,
    with another picture's. Were they alike, diffusion would be decoration.
    """
    rgb, tone = to_tensors(np.array(pool.rgb), np.array(pool.radiance, np.float32))
    parts: dict[str, list[Tensor]] = {}
    latents = torch.cat([translator.encoder(t[None]) for t in tone])
    for k, (x, _) in enumerate(zip(rgb.split(1), tone, strict=True)):
        grey = (x * torch.tensor([.299, .587, .114]).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
        own = latents[k:k + 1]
        decoded = {'student': translator.tone(x), 'grey': grey.pow(1.1),
                   'autoencoder': translator.decode(own, x),
                   'zero_latent': translator.decode(torch.zeros_like(own), x),
                   'foreign_latent': translator.decode(latents[k - 1:k] if k else latents[-1:],
                                                       x)}
        for name, picture in decoded.items():
            parts.setdefault(name, []).append(picture)
    return {name: round(psnr(torch.cat(pictures), tone), 2) for name, pictures in parts.items()}


@torch.no_grad()
def contact_sheet(translator: Translator, pool: PairPool, path: Path, count: int = 8) -> None:
    """Write rows of RGB, translated SWIR and true SWIR (gamma 2.2)."""
    rows = []
    for index in range(min(count, pool.count)):
        rgb = np.array(pool.rgb[index])
        made = translator(torch.from_numpy(rgb[None]))[0].numpy()
        greys = [np.repeat((255 * np.clip(r, 0, 1) ** (1 / 2.2)).astype(np.uint8)[..., None], 3, 2)
                 for r in (made, np.array(pool.radiance[index], np.float32))]
        rows.append(np.hstack([rgb[..., ::-1], *greys]))
    cv2.imwrite(str(path), np.vstack(rows))
