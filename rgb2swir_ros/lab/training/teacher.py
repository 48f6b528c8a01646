"""The second training: the denoiser learns the clean latent anywhere along the path from noise."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.diffusion.path import interpolate
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.judge import sample_tone
from rgb2swir_ros.lab.training.parallel import World
from rgb2swir_ros.lab.training.preset import Stage, TeacherPlan
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining, perceptual_loss
from rgb2swir_ros.translator import Translator

JUDGED_STEPS = 4  # denoiser calls of the pictures that it is judged by


class TeacherTraining(TranslatorTraining):
    """Guidance and denoiser; the autoencoder is frozen."""

    kind = 'teacher'
    shown = f'{JUDGED_STEPS} steps from noise'

    def __init__(self, translator: Translator, plan: TeacherPlan,
                 world: World | None = None) -> None:
        """Train this translator's guidance and denoiser, in place."""
        super().__init__(translator, world, plan.lpl_share)
        self.plan: TeacherPlan = plan

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that every stage trains."""
        return [self.translator.guidance, self.translator.denoiser]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on the latent and, for samples near the clean end, LPL.

        Times are logit-normal (arXiv 2403.03206): most of what is to be learned is in the middle.
        A share is at t = 1 exactly, where every sampling starts.
        """
        net, plan = self.translator, self.plan
        count = len(batch.rgb)
        t = torch.randn(count, generator=batch.generator).sigmoid()
        t[batch.uniform(count) < plan.at_noise] = 1.0
        with torch.autocast(batch.rgb.device.type, torch.bfloat16):
            with torch.no_grad():
                truth = net.encoder(batch.tone).float()
            time = t.to(truth.device)
            noisy = interpolate(truth, batch.normal_like(truth), time)
            predicted = net.denoiser(noisy, time, net.guidance(batch.rgb)).float()
        parts = {'latent': F.l1_loss(predicted, truth)}
        if plan.lpl_share and batch.step % plan.lpl_every == 0:
            near = (t < plan.lpl_below).nonzero()[:, 0].to(truth.device)
            lpl = self.near_loss(predicted, truth, batch.rgb, near)
            parts['lpl'] = self.lpl.weighted(lpl, parts['latent'])
        return parts

    def near_loss(self, predicted: Tensor, truth: Tensor, rgb: Tensor, near: Tensor) -> Tensor:
        """Return LPL of some samples, as if it were 0 for the others.

        :param near: indices of the samples, (N,).
        """
        if not len(near):
            return predicted.new_zeros(())
        with torch.autocast(rgb.device.type, torch.bfloat16):
            with torch.no_grad():
                features = self.features(rgb[near])
            loss = perceptual_loss(self.translator, predicted[near], truth[near], features)
        return len(near) / len(truth) * loss

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return tone (H, W) of a short sampling, always from the same noise."""
        return sample_tone(self.translator, pair.rgb, JUDGED_STEPS)
