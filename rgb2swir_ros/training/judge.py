"""How a model fares on pairs it has not seen, in figures and as a contact sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.training.batches import padded, to_tensors
from rgb2swir_ros.training.data.pairs import Pair
from rgb2swir_ros.training.lookup import ColourLookup, grey_tone
from rgb2swir_ros.translator import SwirModel, Translator

LOOKUP_FRAMES, LOOKUP_PIXELS = 256, 4096


class Dataset(Protocol):
    """Pairs by number, such as `rgb2swir_ros.training.data.pairs.PairedDataset`."""

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


def judge(model: SwirModel, frames: Sequence[Pair], lookup: ColourLookup) -> dict[str, float]:
    """Measure on held-out frames.

    :return: PSNR in dB of tone of the ``model``, of the ``grey``-scale conversion and of the
        colour ``lookup``; and ``detail``, the root of the predicted energy in the finest octave
        over the true one (1 is right, below is blur).
    """
    errors = {name: Errors() for name in ('model', 'grey', 'lookup')}
    fine = np.zeros(2)
    for pair in frames:
        tone = np.sqrt(pair.radiance)
        predicted = predict_tone(model, pair.rgb)
        errors['model'].add(predicted, tone)
        errors['grey'].add(grey_tone(pair.rgb), tone)
        errors['lookup'].add(lookup.tone(pair.rgb), tone)
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
    previous = translator.encoder(_tensors(frames[-1])[1])
    for pair in frames:
        rgb, tone = _tensors(pair)
        own = translator.encoder(tone)
        foreign = F.interpolate(previous, own.shape[-2:])  # a copy where the sizes are equal
        height, width = pair.radiance.shape
        for name, latent in zip(errors, (own, torch.zeros_like(own), foreign), strict=True):
            decoded = translator.decode(latent, rgb)[0, 0, :height, :width].numpy()
            errors[name].add(decoded, np.sqrt(pair.radiance))
        previous = own
    return {name: round(sums.psnr, 2) for name, sums in errors.items()}


@torch.no_grad()
def predict_tone(model: SwirModel, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return tone (H, W) in [0, 1] of one frame, uint8 (H, W, 3)."""
    tone: NDArray[np.float32] = model(torch.from_numpy(rgb[None]))[0].sqrt().numpy()
    return tone


def contact_sheet(model: SwirModel, frames: Iterable[Pair], path: Path) -> None:
    """Write rows of RGB, translated SWIR and true SWIR (gamma 2.2), two pairs beside each other.

    :raises UserError: if the picture cannot be written.
    """
    rows = []
    for pair in frames:
        made = np.square(predict_tone(model, pair.rgb))
        greys = [cv2.cvtColor((255 * np.clip(x, 0, 1) ** (1 / 2.2)).astype(np.uint8),
                              cv2.COLOR_GRAY2BGR) for x in (made, pair.radiance)]
        row = np.hstack([pair.rgb[..., ::-1], *greys])
        rows.append(cv2.resize(row, (960, 960 * row.shape[0] // row.shape[1]),
                               interpolation=cv2.INTER_AREA))
    half = (len(rows) + 1) // 2
    columns = [np.vstack(part) for part in (rows[:half], rows[half:]) if part]
    tallest = max(column.shape[0] for column in columns)
    sheet = np.hstack([np.pad(column, ((0, tallest - column.shape[0]), (0, 0), (0, 0)))
                       for column in columns])
    part = path.with_suffix('.part.png')
    if not cv2.imwrite(str(part), sheet):
        raise UserError(f'cannot write {path}: is the folder writable, the disk full?')
    part.replace(path)


def _tensors(pair: Pair) -> tuple[Tensor, Tensor]:
    return to_tensors(*padded(pair.rgb[None], pair.radiance[None]))
