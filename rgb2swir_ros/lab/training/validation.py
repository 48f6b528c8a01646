"""Validation on held-out pairs: figures and a contact sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from rgb2swir_ros.files import write_picture
from rgb2swir_ros.lab.training.batches import padded, to_tensors
from rgb2swir_ros.lab.training.data.pairs import Pair
from rgb2swir_ros.lab.training.lookup import ColourLookup, grey_sqrt_radiance
from rgb2swir_ros.translator import SwirModel, Translator

if TYPE_CHECKING:
    from rgb2swir_ros.lab.training.stages import TranslatorTraining
    from rgb2swir_ros.lab.training.tensorboard import TensorBoardWriter

LOOKUP_FRAMES, LOOKUP_PIXELS = 256, 4096  # frames, and pixels of each, for the look-up table
SUBSET_PAIRS, SHOWN = 8, 4  # pairs of a validation within a stage, and of its contact sheet

Predict = Callable[[Pair], NDArray[np.float32]]  # square-root radiance (H, W) in [0, 1]


class Dataset(Protocol):
    """Pairs by number, such as `rgb2swir_ros.lab.training.data.pairs.PairedDataset`."""

    def __len__(self) -> int:
        """Return the number of pairs."""

    def __getitem__(self, index: int) -> Pair:
        """Return one pair."""


class SquaredErrors:
    """Squared errors of square-root radiance, summed over images of any size."""

    def __init__(self) -> None:
        """Start without images."""
        self.total, self.pixels = 0.0, 0

    def add(self, predicted: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        """Add an image; the prediction is clipped to [0, 1]."""
        self.total += float(np.square(np.clip(predicted, 0, 1) - target, dtype=np.float64).sum())
        self.pixels += target.size

    @property
    def psnr(self) -> float:
        """The peak signal-to-noise ratio in dB, for a peak of 1, over all pixels."""
        return float(10 * np.log10(1 / max(self.total / max(self.pixels, 1), 1e-12)))


def spread(pairs: Dataset, count: int) -> list[Pair]:
    """Return up to ``count`` pairs of a data set, evenly spaced and always the same."""
    chosen = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int)
    return [pairs[int(index)] for index in chosen]


def fit_lookup(pairs: Dataset, seed: int = 0) -> ColourLookup:
    """Return the colour look-up table fitted to pixels of training pairs."""
    rng = np.random.default_rng([17, seed])
    colours, targets = [], []
    for pair in spread(pairs, LOOKUP_FRAMES):
        pixels = rng.integers(0, pair.radiance.size, LOOKUP_PIXELS)
        colours.append(pair.rgb.reshape(-1, 3)[pixels])
        targets.append(np.sqrt(pair.radiance.ravel()[pixels], dtype=np.float32))
    return ColourLookup().fit(np.concatenate(colours), np.concatenate(targets))


def validate(predict: Predict, frames: Sequence[Pair],
          lookup: ColourLookup | None = None) -> dict[str, float]:
    """Return the figures of predictions for held-out frames.

    :param predict: the predictions, such as `predictor` returns for a model.
    :param lookup: adds the figures of the baselines.
    :return: PSNR in dB of square-root radiance of the ``model``, and with a ``lookup`` also of the
        ``grey``-scale conversion and of the colour ``lookup``; and ``detail``, the predicted
        amplitude of the finest octave over the true one (1 is right, below 1 is blurred).
    """
    plain = {} if lookup is None else {'grey': grey_sqrt_radiance, 'lookup': lookup.sqrt_radiance}
    errors = {name: SquaredErrors() for name in ('model', *plain)}
    fine = np.zeros(2)
    for pair in frames:
        sqrt_radiance = np.sqrt(pair.radiance)
        predicted = predict(pair)
        errors['model'].add(predicted, sqrt_radiance)
        for name, baseline in plain.items():
            errors[name].add(baseline(pair.rgb), sqrt_radiance)
        for k, picture in enumerate((predicted, sqrt_radiance)):
            fine[k] += np.square(picture - cv2.GaussianBlur(picture, (0, 0), .7)).sum()
    figures = {name: round(sums.psnr, 2) for name, sums in errors.items()}
    return figures | {'detail': round(float(np.sqrt(fine[0] / max(fine[1], 1e-12))), 3)}


@torch.no_grad()
def validate_latent(translator: Translator, frames: Sequence[Pair]) -> dict[str, float]:
    """Return PSNR in dB of square-root radiance for decoded true, zero and foreign latents.

    ``autoencoder`` decodes the frame's own latent, ``zero_latent`` zeros, ``foreign_latent`` the
    latent of another frame. Equal figures would mean that the decoder ignores its latent, so that
    diffusion had no effect.
    """
    errors = {name: SquaredErrors() for name in ('autoencoder', 'zero_latent', 'foreign_latent')}
    previous = translator.encoder(_tensors(frames[-1], translator)[1])
    for pair in frames:
        rgb, sqrt_radiance = _tensors(pair, translator)
        own = translator.encoder(sqrt_radiance)
        foreign = F.interpolate(previous, own.shape[-2:])  # a copy where the sizes are equal
        for name, latent in zip(errors, (own, torch.zeros_like(own), foreign), strict=True):
            errors[name].add(_decoded(translator, latent, rgb, pair), np.sqrt(pair.radiance))
        previous = own
    return {name: round(sums.psnr, 2) for name, sums in errors.items()}


@torch.no_grad()
def predict_sqrt_radiance(model: SwirModel, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return square-root radiance (H, W) in [0, 1] of one frame, uint8 (H, W, 3)."""
    radiance = model(torch.from_numpy(rgb[None]).to(_device(model)))
    sqrt_radiance: NDArray[np.float32] = radiance[0].sqrt().cpu().numpy()
    return sqrt_radiance


def predictor(model: SwirModel) -> Predict:
    """Return a function that predicts from the RGB image of a pair by a model."""
    return lambda pair: predict_sqrt_radiance(model, pair.rgb)


@torch.no_grad()
def sample_sqrt_radiance(translator: Translator, rgb: NDArray[np.uint8],
                steps: int) -> NDArray[np.float32]:
    """Return square-root radiance (H, W) in [0, 1] that a teacher samples from a fixed noise.

    :param rgb: uint8 (H, W, 3); ``steps``: denoiser calls.
    """
    frame = torch.from_numpy(rgb[None]).to(_device(translator))
    radiance = translator.sample(frame, steps, torch.Generator().manual_seed(0))
    sqrt_radiance: NDArray[np.float32] = radiance[0].sqrt().cpu().numpy()
    return sqrt_radiance


@torch.no_grad()
def reconstruct_sqrt_radiance(translator: Translator, pair: Pair) -> NDArray[np.float32]:
    """Return the autoencoder's reconstruction: square-root radiance (H, W)."""
    rgb, sqrt_radiance = _tensors(pair, translator)
    return _decoded(translator, translator.encoder(sqrt_radiance), rgb, pair)


def contact_sheet(predict: Predict, frames: Iterable[Pair], path: Path) -> None:
    """Write `sheet` as an image file.

    :raises UserError: if the file cannot be written.
    """
    write_picture(path, sheet(predict, frames))


def sheet(predict: Predict, frames: Iterable[Pair]) -> NDArray[np.uint8]:
    """Return rows of RGB, predicted and true SWIR display values (gamma 2.2), two pairs a row.

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


class PairValidator:
    """Validates a training on held-out pairs."""

    def __init__(self, frames: Sequence[Pair]) -> None:
        """Validate on these pairs, at least one."""
        self.frames = frames
        self.subset = spread(frames, SUBSET_PAIRS)

    def validate_subset(self, training: TranslatorTraining, writer: TensorBoardWriter,
                        step: int) -> None:
        """Write the figures of a few pairs, and images of some of them."""
        writer.scalars(_named(validate(training.predict, self.subset)), step)
        pixels = sheet(training.predict, self.subset[:SHOWN])
        writer.picture('held_out/rgb_made_true', pixels, step)

    def validate(self, training: TranslatorTraining, writer: TensorBoardWriter,
                 step: int) -> dict[str, float]:
        """Return and write the figures of all pairs, with those of `validate_latent`."""
        figures = (validate(training.predict, self.frames)
                   | validate_latent(training.translator, self.frames))
        writer.scalars({f'stage_end/{name}': value for name, value in figures.items()}, step)
        return figures


def _named(figures: Mapping[str, float]) -> dict[str, float]:
    return {'held_out/psnr' if name == 'model' else f'held_out/{name}': value
            for name, value in figures.items()}


def _device(model: SwirModel) -> torch.device:
    return next(model.parameters()).device


def _tensors(pair: Pair, model: SwirModel) -> tuple[Tensor, Tensor]:
    rgb, sqrt_radiance = to_tensors(*padded(pair.rgb[None], pair.radiance[None]))
    return rgb.to(_device(model)), sqrt_radiance.to(_device(model))


def _decoded(translator: Translator, latent: Tensor, rgb: Tensor,
             pair: Pair) -> NDArray[np.float32]:
    """Return the decoded square-root radiance (H, W), cropped to the pair's size."""
    height, width = pair.radiance.shape
    sqrt_radiance = translator.decode(latent, rgb)[0, 0, :height, :width].clamp(0, 1)
    return np.asarray(sqrt_radiance.cpu().numpy(), np.float32)
