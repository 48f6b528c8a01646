"""The second training: the denoiser learns to predict the clean latent from any noise level."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.diffusion.path import interpolate
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.precision import mixed_precision
from rgb2swir_ros.lab.training.preset import Stage, TeacherTrainingConfig
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining, perceptual_loss
from rgb2swir_ros.lab.training.validation import sample_sqrt_radiance
from rgb2swir_ros.translator import Translator

VALIDATION_STEPS = 4  # denoiser calls of an image of the validation


class TeacherTraining(TranslatorTraining):
    """The training of guidance and denoiser; the autoencoder is frozen."""

    kind = 'teacher'
    shown = f'{VALIDATION_STEPS} steps from noise'

    def __init__(self, translator: Translator, config: TeacherTrainingConfig,
                 group: ProcessGroup | None = None) -> None:
        """Train this translator's guidance and denoiser, in place."""
        super().__init__(translator, group, config.lpl_share)
        self.config: TeacherTrainingConfig = config

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that every stage trains."""
        return [self.translator.guidance, self.translator.denoiser]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on the latent and, for samples near the clean end, LPL.

        Times follow a logit-normal distribution (arXiv 2403.03206), which favours the middle of
        the path. A share of them is exactly t = 1, where sampling starts.
        """
        net, config = self.translator, self.config
        count = len(batch.rgb)
        t = torch.randn(count, generator=batch.generator).sigmoid()
        t[batch.uniform(count) < config.at_noise] = 1.0
        with mixed_precision(batch.rgb.device):
            with torch.no_grad():
                truth = net.encoder(batch.sqrt_radiance).float()
            time = t.to(truth.device)
            noisy = interpolate(truth, batch.normal_like(truth), time)
            predicted = net.denoiser(noisy, time, net.guidance(batch.rgb)).float()
        parts = {'latent': F.l1_loss(predicted, truth)}
        if config.lpl_share and batch.step % config.lpl_every == 0:
            near = (t < config.lpl_below).nonzero()[:, 0].to(truth.device)
            lpl = self.near_loss(predicted, truth, batch.rgb, near)
            parts['lpl'] = self.lpl.weighted(lpl, parts['latent'])
        return parts

    def near_loss(self, predicted: Tensor, truth: Tensor, rgb: Tensor, near: Tensor) -> Tensor:
        """Return LPL of some samples, with 0 for the others.

        :param near: indices of the samples, (N,).
        """
        if not len(near):
            return predicted.new_zeros(())
        with mixed_precision(rgb.device):
            with torch.no_grad():
                features = self.features(rgb[near])
            loss = perceptual_loss(self.translator, predicted[near], truth[near], features)
        return len(near) / len(truth) * loss

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return square-root radiance (H, W), sampled in few steps from a fixed noise."""
        return sample_sqrt_radiance(self.translator, pair.rgb, VALIDATION_STEPS)
