"""The third training: few steps from a constant start, judged in the end on the decoded picture.

1. ``latent``: guidance and denoiser learn to go from zeros to the clean latent in the student's
   own steps, unrolled in the graph;
2. ``pixels``: guidance, denoiser, decoder and source together, judged on the decoded picture
   (diffusion-e2e-ft, arXiv 2409.11355);
3. ``finish``: the same, half of the steps at the size of use, with detail as strong as the
   target's.

In every other step of the last two the batch is half as many pictures seen twice, and what is made
of them must agree: see `rgb2swir_ros.lab.training.views`.

In the end the head's gain is scaled, for all frames by one factor: a regression shrinks detail
that its source shows only in part, in spite of stage ``finish``; see `StudentTraining.scale`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from rgb2swir_ros.diffusion.losses import finest_octave
from rgb2swir_ros.diffusion.sampler import sample_student
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.judge import predict_tone
from rgb2swir_ros.lab.training.losses import PictureWeights, picture_losses
from rgb2swir_ros.lab.training.parallel import World
from rgb2swir_ros.lab.training.preset import Stage, StudentPlan
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining, perceptual_loss
from rgb2swir_ros.lab.training.views import disagreement, two_views
from rgb2swir_ros.nets.autoencoder import scale_gain
from rgb2swir_ros.translator import Translator


class StudentTraining(TranslatorTraining):
    """Everything but the encoder."""

    kind = 'student'
    shown = 'as in use'

    def __init__(self, translator: Translator, plan: StudentPlan, world: World | None = None,
                 teacher: Translator | None = None) -> None:
        """Train this translator, in place; ``config.steps`` is how many steps it takes.

        :param teacher: whose endpoints are learned, if the plan asks for that.
        """
        super().__init__(translator, world, plan.lpl_share)
        self.plan: StudentPlan = plan
        self.teacher = teacher
        self.weights = PictureWeights(plan.gradient_weight, plan.region_weight,
                                      plan.detail_weight)

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""
        net = self.translator
        latent: list[nn.Module | None] = [net.guidance, net.denoiser]
        return latent if stage.name == 'latent' else [*latent, net.decoder, net.source]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return the loss of a stage: see the module."""
        if stage.name == 'latent':
            return self._latent_parts(batch)
        net, plan = self.translator, self.plan
        shift = None
        if plan.steady_weight and batch.step % 2 == 0:
            batch, shift = two_views(batch)
        with torch.autocast(batch.rgb.device.type, torch.bfloat16):
            truth = self._truth(batch)
            latent = self._latent(batch.rgb)
            skipless = float(batch.uniform()) < plan.without_skips
            features = None if skipless else self.features(batch.rgb)
            trunk = net.decoder.trunk(latent, features)
        predicted = net.decoder.head(trunk.float(), None if features is None else batch.rgb)
        parts = picture_losses(predicted, batch.tone, self.weights,
                               detailed=stage.name == 'finish')
        if shift is not None:
            parts['steady'] = plan.steady_weight * disagreement(predicted, shift)
        return parts | {'latent': plan.latent_weight * F.l1_loss(latent.float(), truth)}

    def _latent_parts(self, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on the latent and LPL."""
        plan = self.plan
        with torch.autocast(batch.rgb.device.type, torch.bfloat16):
            latent = self._latent(batch.rgb).float()
            truth = self._endpoints(batch) if plan.endpoints else self._truth(batch)
            parts = {'latent': F.l1_loss(latent, truth)}
            if plan.lpl_share and batch.step % plan.lpl_every == 0:
                with torch.no_grad():
                    features = self.features(batch.rgb)
                lpl = perceptual_loss(self.translator, latent, truth, features)
                parts['lpl'] = self.lpl.weighted(lpl, parts['latent'])
        return parts

    def _latent(self, rgb: Tensor) -> Tensor:
        """Return the student's latent; between its steps it is kept in float32."""
        net = self.translator
        return sample_student(net.denoiser, net.guidance(rgb).float(),
                              net.config.autoencoder.latent_channels, net.config.steps)

    @torch.no_grad()
    def _truth(self, batch: Batch) -> Tensor:
        return self.translator.encoder(batch.tone).float()

    @torch.no_grad()
    def _endpoints(self, batch: Batch) -> Tensor:
        """Return the mean of several of the teacher's endpoints.

        One endpoint is one of many plausible latents; what a deterministic student can hit is
        their mean.
        """
        if self.teacher is None:
            raise ValueError('endpoints need a teacher')
        ends = [self.teacher.teacher_latent(batch.rgb, self.plan.endpoint_steps,
                                            batch.generator).float()
                for _ in range(self.plan.endpoints)]
        return torch.stack(ends).mean(dim=0)

    @property
    def measured(self) -> int:
        """How many batches `scale` wants."""
        return self.plan.scale_batches if self.plan.fine_detail else 0

    @torch.no_grad()
    def scale(self, batches: Iterable[Batch]) -> None:
        """Scale the head's gain so that the finest octave is as strong as the plan asks.

        The picture is nearly ``p + f g``, linear in the factor f (but for the weights of
        `rgb2swir_ros.nets.guided`), so that the energy of its finest octave is a quadratic in f
        whose larger root is wanted. A factor outside [1/2, 2] would say that something else is
        wrong; it is cut there.
        """
        net, share = self.translator, self.plan.fine_detail
        if not share or net.source is None:
            return
        head = net.decoder.head
        twice = copy.deepcopy(head)
        scale_gain(twice, 2)
        pp = pg = gg = tt = 0.0
        for batch in batches:
            trunk = net.decoder.trunk(self._latent(batch.rgb), self.features(batch.rgb))
            once = head(trunk, batch.rgb)
            detail = twice(trunk, batch.rgb) - once
            p, g, t = (finest_octave(x).double() for x in (once - detail, detail, batch.tone))
            pp, pg, gg, tt = (float(total + (a * b).sum()) for total, a, b in (
                (pp, p, p), (pg, p, g), (gg, g, g), (tt, t, t)))
        root = pg ** 2 - gg * (pp - share ** 2 * tt)
        factor = (max(root, 0) ** .5 - pg) / gg if gg else 1.0
        factor = min(max(factor, .5), 2.0)
        scale_gain(head, factor)
        self.facts['gain_scaled_by'] = round(factor, 3)

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return the tone (H, W) of a frame as it will be in use."""
        return predict_tone(self.translator, pair.rgb)
