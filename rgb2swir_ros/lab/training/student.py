"""The third training: a student that samples in few steps from a constant start.

1. ``latent``: guidance and denoiser learn the way from zeros to the clean latent in the student's
   own steps, unrolled in the graph;
2. ``pixels``: guidance, denoiser, decoder and source are trained together, with losses on the
   decoded image (diffusion-e2e-ft, arXiv 2409.11355);
3. ``finish``: the same with half of the steps at the deployment resolution, and with a loss on the
   amount of detail.

In every other step of the last two stages the batch holds half as many images in two views each,
and a consistency loss compares the two predictions: see `rgb2swir_ros.lab.training.views`.

After the training the head's gain is calibrated by one factor for all frames: a regression
attenuates detail that its source shows only in part; see `StudentTraining.calibrate`.
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
from rgb2swir_ros.lab.training.losses import PictureWeights, picture_losses
from rgb2swir_ros.lab.training.parallel import ProcessGroup
from rgb2swir_ros.lab.training.precision import mixed_precision
from rgb2swir_ros.lab.training.preset import Stage, StudentTrainingConfig
from rgb2swir_ros.lab.training.stages import Batch, TranslatorTraining, perceptual_loss
from rgb2swir_ros.lab.training.validation import predict_sqrt_radiance
from rgb2swir_ros.lab.training.views import consistency_loss, two_views
from rgb2swir_ros.nets.autoencoder import scale_gain
from rgb2swir_ros.translator import Translator


class StudentTraining(TranslatorTraining):
    """The training of all parts but the encoder."""

    kind = 'student'
    shown = 'as in use'

    def __init__(self, translator: Translator, config: StudentTrainingConfig,
                 group: ProcessGroup | None = None, teacher: Translator | None = None) -> None:
        """Train this translator, in place; ``translator.config.steps`` is its number of steps.

        :param teacher: computes the endpoints, if ``config.endpoints`` is not 0.
        """
        super().__init__(translator, group, config.lpl_share)
        self.config: StudentTrainingConfig = config
        self.teacher = teacher
        self.weights = PictureWeights(config.gradient_weight, config.region_weight,
                                      config.detail_weight)

    def modules(self, stage: Stage) -> list[nn.Module | None]:
        """Return the parts that a stage trains."""
        net = self.translator
        latent: list[nn.Module | None] = [net.guidance, net.denoiser]
        return latent if stage.name == 'latent' else [*latent, net.decoder, net.source]

    def parts(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss of a stage: see the module."""
        if stage.name == 'latent':
            return self._latent_parts(batch)
        net, config = self.translator, self.config
        shift = None
        if config.steady_weight and batch.step % 2 == 0:
            batch, shift = two_views(batch)
        with mixed_precision(batch.rgb.device):
            truth = self._truth(batch)
            latent = self._latent(batch.rgb)
            skipless = float(batch.uniform()) < config.without_skips
            features = None if skipless else self.features(batch.rgb)
            trunk = net.decoder.trunk(latent, features)
        predicted = net.decoder.head(trunk.float(), None if features is None else batch.rgb)
        parts = picture_losses(predicted, batch.sqrt_radiance, self.weights,
                               detailed=stage.name == 'finish')
        if shift is not None:
            parts['steady'] = config.steady_weight * consistency_loss(predicted, shift)
        return parts | {'latent': config.latent_weight * F.l1_loss(latent.float(), truth)}

    def _latent_parts(self, batch: Batch) -> dict[str, Tensor]:
        """Return L1 on the latent and LPL."""
        config = self.config
        with mixed_precision(batch.rgb.device):
            latent = self._latent(batch.rgb).float()
            truth = self._endpoints(batch) if config.endpoints else self._truth(batch)
            parts = {'latent': F.l1_loss(latent, truth)}
            if config.lpl_share and batch.step % config.lpl_every == 0:
                with torch.no_grad():
                    features = self.features(batch.rgb)
                lpl = perceptual_loss(self.translator, latent, truth, features)
                parts['lpl'] = self.lpl.weighted(lpl, parts['latent'])
        return parts

    def _latent(self, rgb: Tensor) -> Tensor:
        """Return the student's latent, float32 between the steps."""
        net = self.translator
        return sample_student(net.denoiser, net.guidance(rgb).float(),
                              net.config.autoencoder.latent_channels, net.config.steps)

    @torch.no_grad()
    def _truth(self, batch: Batch) -> Tensor:
        return self.translator.encoder(batch.sqrt_radiance).float()

    @torch.no_grad()
    def _endpoints(self, batch: Batch) -> Tensor:
        """Return the mean of several of the teacher's endpoints.

        An endpoint is one of many plausible latents; a deterministic student can learn their mean.
        """
        if self.teacher is None:
            raise ValueError('endpoints need a teacher')
        ends = [self.teacher.teacher_latent(batch.rgb, self.config.endpoint_steps,
                                            batch.generator).float()
                for _ in range(self.config.endpoints)]
        return torch.stack(ends).mean(dim=0)

    @property
    def calibration_count(self) -> int:
        """Number of batches that `calibrate` needs."""
        has_gain = self.translator.decoder.head.luminance is not None
        return self.config.scale_batches if self.config.fine_detail and has_gain else 0

    @torch.no_grad()
    def calibrate(self, batches: Iterable[Batch]) -> None:
        """Scale the head's gain so that the finest octave has the configured amplitude.

        The image is nearly ``p + f g``, linear in the factor f except for the weights of
        `rgb2swir_ros.nets.guided`. The energy of its finest octave is then a quadratic in f, and
        the factor is the larger root. It is clipped to [1/2, 2]: a factor outside would point to
        another fault.
        """
        net, share = self.translator, self.config.fine_detail
        head = net.decoder.head
        if not share or head.luminance is None:
            return
        twice = copy.deepcopy(head)
        scale_gain(twice, 2)
        pp = pg = gg = tt = 0.0
        for batch in batches:
            trunk = net.decoder.trunk(self._latent(batch.rgb), self.features(batch.rgb))
            once = head(trunk, batch.rgb)
            detail = twice(trunk, batch.rgb) - once
            p, g, t = (finest_octave(x).double()
                       for x in (once - detail, detail, batch.sqrt_radiance))
            pp, pg, gg, tt = (float(total + (a * b).sum()) for total, a, b in (
                (pp, p, p), (pg, p, g), (gg, g, g), (tt, t, t)))
        root = pg ** 2 - gg * (pp - share ** 2 * tt)
        factor = (max(root, 0) ** .5 - pg) / gg if gg else 1.0
        factor = min(max(factor, .5), 2.0)
        scale_gain(head, factor)
        self.facts['gain_scaled_by'] = round(factor, 3)

    def predict(self, pair: Pair) -> NDArray[np.float32]:
        """Return the square-root radiance (H, W) of a frame as at inference."""
        return predict_sqrt_radiance(self.translator, pair.rgb)
