"""A model's core as an exported program, which TensorRT compiles on this machine or another."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from rgb2swir_ros.engines.base import EngineSpec, Frames, Radiance
from rgb2swir_ros.translator import SwirModel


class Core(nn.Module):
    """A model's `core` as a module that can be exported."""

    def __init__(self, model: SwirModel) -> None:
        """Wrap a model that has its final precision."""
        super().__init__()
        self.model = model

    def forward(self, rgb: Tensor) -> Tensor:
        """Map RGB (B, 3, H, W) in [0, 1] to radiance (B, 1, H, W), float32."""
        return self.model.core(rgb)


def export_core(model: SwirModel, spec: EngineSpec) -> ExportedProgram:
    """Export a model's core at a size: floats in, floats out, shapes fixed.

    The cast from uint8 stays outside: torch_tensorrt has no converter for it.

    :param model: in its final precision, on ``spec.device``; not copied.
    :return: a program whose input is (B, 3, H, W) in ``spec.precision``, output (B, 1, H, W)
        in float32.
    """
    example = core_example(spec)
    with warnings.catch_warnings(), torch.no_grad():
        # torch's own deprecation warnings, which a user of this package cannot fix
        warnings.simplefilter('ignore')
        return torch.export.export(Core(model).eval(), (example,))


def core_example(spec: EngineSpec) -> Tensor:
    """Return an input of the core: (B, 3, H, W), zeros, on the spec's device."""
    return torch.zeros(spec.batch, 3, spec.height, spec.width,
                       dtype=getattr(torch, spec.precision), device=spec.device)


def core_input(rgb: Tensor, dtype: torch.dtype) -> Tensor:
    """Return frames as input of the core.

    :param rgb: (B, H, W, 3), uint8, on any device.
    :return: (B, 3, H, W), contiguous, in [0, 1]. Half precision holds k/255 to 1/16 of a level.
    """
    planes = rgb.permute(0, 3, 1, 2).to(dtype, memory_format=torch.contiguous_format)
    return planes / 255


class ExportedCore:
    """Call an exported core with camera frames, for the parity gate."""

    def __init__(self, program: ExportedProgram, spec: EngineSpec) -> None:
        """Store a program of `export_core`."""
        self._core = program.module()
        self._spec = spec

    def __call__(self, rgb: Frames) -> Radiance:
        """Translate (B, H, W, 3) uint8 frames, B at most the program's batch."""
        spec = self._spec
        full = np.zeros((spec.batch, spec.height, spec.width, 3), np.uint8)
        full[:len(rgb)] = rgb
        pixels = torch.from_numpy(full).to(spec.device)
        with torch.no_grad():
            radiance = self._core(core_input(pixels, getattr(torch, spec.precision)))
        result: Radiance = radiance[:len(rgb), 0].cpu().numpy()
        return result
