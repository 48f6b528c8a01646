"""The eager backend: the Translator layer by layer. It needs no compiler and starts at once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from rgb2swir_ros.engines.base import EngineSpec, Frames, Radiance, padded_batch
from rgb2swir_ros.translator import SwirModel


def cast(translator: SwirModel, precision: str) -> SwirModel:
    """Return a copy with its trunk in ``precision`` and its weights in channels-last order.

    oneDNN computes in channels-last order, so no layer reorders its input.
    """
    copied = copy_in_precision(translator, precision)
    return copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def copy_in_precision(translator: SwirModel, precision: str) -> SwirModel:
    """Return a copy with its trunk in ``precision``."""
    return copy.deepcopy(translator).eval().set_precision(getattr(torch, precision))


def use_threads(threads: int) -> None:
    """Set the number of cores that torch uses for calls from this thread."""
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


class TorchEngine:
    """Run a torch function on the processor at one size."""

    def __init__(self, run: Callable[[Tensor], Tensor], spec: EngineSpec,
                 facts: dict[str, Any] | None = None) -> None:
        """Store the function; ``facts`` are added to the description.

        :param run: from (batch, H, W, 3), uint8, RGB to radiance (batch, H, W), float32.
        """
        self.spec = spec
        self.facts = facts or {}
        self._run = run

    def __call__(self, rgb: Frames) -> Radiance:
        """Translate camera frames: see `Engine`."""
        full = padded_batch(rgb, self.spec)
        use_threads(self.spec.threads)
        with torch.inference_mode():
            radiance: Radiance = self._run(torch.from_numpy(full)).numpy()
        return radiance[:len(rgb)]

    def describe(self) -> dict[str, Any]:
        """Return the description: see `Engine`."""
        return {**self.spec.fields(), **self.facts}


class EagerEngine(TorchEngine):
    """Run a Translator layer by layer at one size."""

    def __init__(self, translator: SwirModel, spec: EngineSpec,
                 facts: dict[str, Any] | None = None) -> None:
        """Copy and cast a float32 Translator; ``facts`` are added to the description."""
        super().__init__(cast(translator, spec.precision), spec, facts)
