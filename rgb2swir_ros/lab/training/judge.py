"""How a model fares on pairs it has not seen, in figures and as a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.files import write_picture
from rgb2swir_ros.lab.training.batches import padded, to_tensors
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.lookup import ColourLookup, grey_tone
from rgb2swir_ros.translator import SwirModel, Translator

LOOKUP_FRAMES, LOOKUP_PIXELS = 256, 4096

Predict = Callable[[Pair], NDArray[np.float32]]  # to tone (H, W), in [0, 1]


class Dataset(Protocol):
    """Pairs by number, such as `rgb2swir_ros.lab.training.data.pairs.PairedDataset`."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int) -> Pair:
        """Return one."""


class Errors:
    """Squared errors of tone, summed over pictures of any size."""

    def __init__(self) -> None:
        """Start empty."""
        self.total, self.pixels = 0.0, 0

    def add(self, predicted: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        """Add a picture; the prediction is clipped to [0, 1]."""
        self.total += float(np.square(np.clip(predicted, 0, 1) - target, dtype=np.float64).sum())
        self.pixels += target.size

    @property
    def psnr(self) -> float:
        """The peak signal-to-noise ratio in dB, for a peak of 1, over all pixels."""
        return float(10 * np.log10(1 / max(self.total / max(self.pixels, 1), 1e-12)))


def spread(pairs: Dataset, count: int) -> list[Pair]:
    """Return up to ``count`` pairs of a data set, always the same ones, spread over it."""
    chosen = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int)
    return [pairs[int(index)] for index in chosen]


def fit_lookup(pairs: Dataset, seed: int = 0) -> ColourLookup:
    """Return the colour look-up fitted to pixels of training pairs."""
    rng = np.random.default_rng([17, seed])
    colours, tones = [], []
    for pair in spread(pairs, LOOKUP_FRAMES):
        pixels = rng.integers(0, pair.radiance.size, LOOKUP_PIXELS)
        colours.append(pair.rgb.reshape(-1, 3)[pixels])
        tones.append(np.sqrt(pair.radiance.ravel()[pixels], dtype=np.float32))
    return ColourLookup().fit(np.concatenate(colours), np.concatenate(tones))


def judge(predict: Predict, frames: Sequence[Pair],
          lookup: ColourLookup | None = None) -> dict[str, float]:
    """Measure on held-out frames.

    :param predict: what is judged, such as `predictor` gives for a model.
    :return: PSNR in dB of tone of the ``model``, and with a ``lookup`` those of the ``grey``-scale
        conversion and of the colour ``lookup``; and ``detail``, the root of the predicted energy
        in the finest octave over the true one (1 is right, below is blur).
    """
    plain = {} if lookup is None else {'grey': grey_tone, 'lookup': lookup.tone}
    errors = {name: Errors() for name in ('model', *plain)}
    fine = np.zeros(2)
    for pair in frames:
        tone = np.sqrt(pair.radiance)
        predicted = predict(pair)
        errors['model'].add(predicted, tone)
        for name, baseline in plain.items():
            errors[name].add(baseline(pair.rgb), tone)
        for k, picture in enumerate((predicted, tone)):
            fine[k] += np.square(picture - cv2.GaussianBlur(picture, (0, 0), .7)).sum()
    figures = {name: round(sums.psnr, 2) for name, sums in errors.items()}
    return figures | {'detail': round(float(np.sqrt(fine[0] / max(fine[1], 1e-12))), 3)}


@torch.no_grad()
def judge_latent(translator: Translator, frames: Sequence[Pair]) -> dict[str, float]:
    """Say whether the decoder uses its latent, in dB of tone.

    With the true one (``autoencoder``), with zeros, with another picture's. Were they alike,
    diffusion would be decoration.
    """
    errors = {name: Errors() for name in ('autoencoder', 'zero_latent', 'foreign_latent')}
    previous = translator.encoder(_tensors(frames[-1], translator)[1])
    for pair in frames:
        rgb, tone = _tensors(pair, translator)
        own = translator.encoder(tone)
        foreign = F.interpolate(previous, own.shape[-2:])  # a copy where the sizes are equal
        for name, latent in zip(errors, (own, torch.zeros_like(own), foreign), strict=True):
            errors[name].add(_decoded(translator, latent, rgb, pair), np.sqrt(pair.radiance))
        previous = own
    return {name: round(sums.psnr, 2) for name, sums in errors.items()}


@torch.no_grad()
def predict_tone(model: SwirModel, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return tone (H, W) in [0, 1] of one frame, uint8 (H, W, 3)."""
    radiance = model(torch.from_numpy(rgb[None]).to(_device(model)))
    tone: NDArray[np.float32] = radiance[0].sqrt().cpu().numpy()
    return tone


def predictor(model: SwirModel) -> Predict:
    """Return what judges a model by what it makes of the pairs' RGB."""
    return lambda pair: predict_tone(model, pair.rgb)


@torch.no_grad()
def sample_tone(translator: Translator, rgb: NDArray[np.uint8],
                steps: int) -> NDArray[np.float32]:
    """Return tone (H, W) in [0, 1] that a teacher samples, always from the same noise.

    :param rgb: uint8 (H, W, 3); ``steps``: denoiser calls.
    """
    frame = torch.from_numpy(rgb[None]).to(_device(translator))
    radiance = translator.sample(frame, steps, torch.Generator().manual_seed(0))
    tone: NDArray[np.float32] = radiance[0].sqrt().cpu().numpy()
    return tone


@torch.no_grad()
def reconstruct_tone(translator: Translator, pair: Pair) -> NDArray[np.float32]:
    """Return the true tone (H, W) through the latent and back."""
    rgb, tone = _tensors(pair, translator)
    return _decoded(translator, translator.encoder(tone), rgb, pair)


def contact_sheet(predict: Predict, frames: Iterable[Pair], path: Path) -> None:
    """Write `sheet` as a picture.

    :raises UserError: if the picture cannot be written.
    """
    write_picture(path, sheet(predict, frames))


def sheet(predict: Predict, frames: Iterable[Pair]) -> NDArray[np.uint8]:
    """Return rows of RGB, translated SWIR and true SWIR (gamma 2.2), two pairs beside each other.

    :return: uint8 RGB (H, W, 3).
    """
    rows = []
    for pair in frames:
        made = np.square(predict(pair))
        greys = [cv2.cvtColor((255 * np.clip(x, 0, 1) ** (1 / 2.2)).astype(np.uint8),
                              cv2.COLOR_GRAY2RGB) for x in (made, pair.radiance)]
        row = np.hstack([pair.rgb, *greys])
        rows.append(cv2.resize(row, (960, 960 * row.shape[0] // row.shape[1]),
                               interpolation=cv2.INTER_AREA))
    half = (len(rows) + 1) // 2
    columns = [np.vstack(part) for part in (rows[:half], rows[half:]) if part]
    tallest = max(column.shape[0] for column in columns)
    return np.hstack([np.pad(column, ((0, tallest - column.shape[0]), (0, 0), (0, 0)))
                      for column in columns]).astype(np.uint8)


def _device(model: SwirModel) -> torch.device:
    return next(model.parameters()).device


def _tensors(pair: Pair, model: SwirModel) -> tuple[Tensor, Tensor]:
    rgb, tone = to_tensors(*padded(pair.rgb[None], pair.radiance[None]))
    return rgb.to(_device(model)), tone.to(_device(model))


def _decoded(translator: Translator, latent: Tensor, rgb: Tensor,
             pair: Pair) -> NDArray[np.float32]:
    """Return the tone (H, W) of a latent, as large as the pair."""
    height, width = pair.radiance.shape
    tone = translator.decode(latent, rgb)[0, 0, :height, :width].clamp(0, 1)
    return np.asarray(tone.cpu().numpy(), np.float32)
