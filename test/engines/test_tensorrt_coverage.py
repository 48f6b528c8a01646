"""Every operator of every preset has a converter in torch_tensorrt's own registries.

The registries are the real ones of both versions that the package supports; the operators come
from the torch installed here, which for 2.8 is newer than the one it would meet.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from rgb2swir_ros.bench.models import shipped_models
from rgb2swir_ros.engines.base import EngineSpec
from rgb2swir_ros.engines.export import export_core
from rgb2swir_ros.model_presets import preset_names, read_model
from rgb2swir_ros.nets.dit import DiTConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, load_model

from .registries import REGISTRIES, need_registry

SCRIPT = Path(__file__).with_name('converters.py')
SIZES = {'fits': (512, 640), 'padded': (360, 640)}  # as the network divides, and not


def known():
    """Yield a name and a model for each preset and each model folder that ships."""
    for name in preset_names():
        yield f'preset {name}', Translator(read_model(name))
    for folder in shipped_models():
        yield f'model {folder.name}', load_model(folder)


class Unconvertible(Translator):
    """A translator with an operator that no TensorRT converter knows."""

    def tone(self, rgb):
        return torch.special.bessel_j0(super().tone(rgb))


def write(model, size, file):
    spec = EngineSpec('any', *size, 1, 'export', 'float16', 1)
    torch.export.save(export_core(model.eval().set_precision(torch.float16), spec), file)


@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    """Exported cores by name."""
    folder = tmp_path_factory.mktemp('programs')
    found = {}
    for name, model in known():
        for fit, size in SIZES.items():
            file = folder / f'{name} {fit}.pt2'
            write(model, size, file)
            found[str(file)] = name
    return found


@pytest.fixture(scope='module')
def broken(tmp_path_factory):
    """A core that TensorRT cannot convert."""
    file = tmp_path_factory.mktemp('programs') / 'broken.pt2'
    write(Unconvertible(), (64, 64), file)
    return str(file)


def test_both_denoisers_are_among_the_presets():
    kinds = {type(model.config.denoiser) for name, model in known()
             if isinstance(model, Translator)}
    assert kinds == {UNetConfig, DiTConfig}


@pytest.mark.slow
@pytest.mark.parametrize('version', REGISTRIES)
def test_every_operator_has_a_converter(version, programs, broken):
    words = [sys.executable, str(SCRIPT), str(need_registry(version)), *programs, broken]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result['version'] == version
    assert result['missing'].pop(broken) == ['aten.special_bessel_j0.default']
    assert result['missing'] == {program: [] for program in programs}
