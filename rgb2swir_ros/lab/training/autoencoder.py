"""The first training: SWIR to latent and back, plain at first, then with the source's skips.

In this order the latent learns tone and material before the skips bring the edges; with skips from
the beginning the decoder could do without its latent.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rgb2swir_ros.diffusion.losses import sqrt_radiance_loss
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.judge import reconstruct_tone
from rgb2swir_ros.lab.training.parallel import World
from rgb2swir_ros.lab.training.preset import AutoencoderPlan, Stage
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining
from rgb2swir_ros.nets.autoencoder import scale_latent
from rgb2swir_ros.translator import Translator


class AutoencoderTraining(TranslatorTraining):
    """Encoder, decoder and source features."""

    kind = 'autoencoder'
    shown = 'through the latent and back'

    def __init__(self, translator: Translator, plan: AutoencoderPlan,
                 world: World | None = None) -> None:
        """Train this translator's autoencoder, in place."""
        super().__init__(translator, world)
        self.plan: AutoencoderPlan = plan

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""
        net = self.translator
        plain: list[nn.Module | None] = [net.encoder, net.decoder]
        return plain if stage.name == 'plain' else [*plain, net.source]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on tone and its edges, and a small penalty on the latent.

        The latent is jittered, so that what is close in it decodes alike: the denoiser will not
        hit it exactly.
        """
        net, plan = self.translator, self.plan
        skipless = stage.name == 'plain' or float(batch.uniform()) < plan.without_skips
        with torch.autocast(batch.rgb.device.type, torch.bfloat16):
            latent = net.encoder(batch.tone)
            features = None if skipless else self.features(batch.rgb)
            trunk = net.decoder.trunk(latent + plan.jitter * batch.normal_like(latent), features)
        predicted = net.decoder.head(trunk.float(), None if features is None else batch.rgb)
        return {'tone': sqrt_radiance_loss(predicted, batch.tone,
                                           gradient_weight=plan.gradient_weight),
                'penalty': plan.penalty * latent.float().square().mean()}

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return the true picture through the latent and back: tone (H, W)."""
        return reconstruct_tone(self.translator, pair)

    @property
    def measured(self) -> int:
        """How many batches `scale` wants."""
        return self.plan.scale_batches

    @torch.no_grad()
    def scale(self, batches: Iterable[Batch]) -> None:
        """Give each channel of the latent unit standard deviation over some batches.

        The denoiser's noise has it, so that t means the same for every channel.
        """
        latents = [self.translator.encoder(batch.tone).double().transpose(0, 1).flatten(1)
                   for batch in batches]
        deviation = torch.cat(latents, dim=1).std(dim=1).float()
        scale_latent(self.translator.encoder, self.translator.decoder, deviation)
