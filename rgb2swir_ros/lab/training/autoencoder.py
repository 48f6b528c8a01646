"""The first training: the autoencoder, first without and then with the source's skip features.

The latent learns brightness and material before the skip connections provide the edges. With skip
connections from the beginning the decoder could ignore its latent.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rgb2swir_ros.diffusion.losses import sqrt_radiance_loss
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.precision import mixed_precision
from rgb2swir_ros.lab.training.preset import AutoencoderTrainingConfig, Stage
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining
from rgb2swir_ros.lab.training.validation import reconstruct_sqrt_radiance
from rgb2swir_ros.nets.autoencoder import scale_latent
from rgb2swir_ros.translator import Translator


class AutoencoderTraining(TranslatorTraining):
    """Encoder, decoder and source features."""

    kind = 'autoencoder'
    shown = 'through the latent and back'

    def __init__(self, translator: Translator, config: AutoencoderTrainingConfig,
                 group: ProcessGroup | None = None) -> None:
        """Train this translator's autoencoder, in place."""
        super().__init__(translator, group)
        self.config: AutoencoderTrainingConfig = config

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""
        net = self.translator
        plain: list[nn.Module | None] = [net.encoder, net.decoder]
        return plain if stage.name == 'plain' else [*plain, net.source]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on square-root radiance and on its gradients, and a penalty on the latent.

        Noise is added to the latent, so that nearby latents decode to similar images: the
        denoiser predicts the latent only approximately.
        """
        net, config = self.translator, self.config
        skipless = stage.name == 'plain' or float(batch.uniform()) < config.without_skips
        with mixed_precision(batch.rgb.device):
            latent = net.encoder(batch.sqrt_radiance)
            features = None if skipless else self.features(batch.rgb)
            trunk = net.decoder.trunk(latent + config.jitter * batch.normal_like(latent), features)
        predicted = net.decoder.head(trunk.float(), None if features is None else batch.rgb)
        return {'sqrt_radiance': sqrt_radiance_loss(predicted, batch.sqrt_radiance,
                                                    gradient_weight=config.gradient_weight),
                'penalty': config.penalty * latent.float().square().mean()}

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return the autoencoder's reconstruction: square-root radiance (H, W)."""
        return reconstruct_sqrt_radiance(self.translator, pair)

    @property
    def calibration_count(self) -> int:
        """Number of batches that `calibrate` needs."""
        return self.config.scale_batches

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Batch]) -> None:
        """Scale each channel of the latent to unit standard deviation over some batches.

        The denoiser's noise has unit standard deviation too, so that a time t means the same
        signal-to-noise ratio in every channel.
        """
        latents = [self.translator.encoder(batch.sqrt_radiance).double().transpose(0, 1).flatten(1)
                   for batch in batches]
        deviation = torch.cat(latents, dim=1).std(dim=1).float()
        scale_latent(self.translator.encoder, self.translator.decoder, deviation)
