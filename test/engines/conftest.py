"""A tiny model with random weights, compiled once for all engine tests."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from rgb2swir_ros.engines.build import open_engine, warn_once
from rgb2swir_ros.nets.autoencoder import AutoencoderConfig
from rgb2swir_ros.nets.guidance import GuidanceConfig
from rgb2swir_ros.nets.unet import UNetConfig
from rgb2swir_ros.translator import Translator, TranslatorConfig

from .standin import StandIn

SIZE = (32, 48)


@pytest.fixture(scope='session')
def model(tmp_path_factory) -> Path:
    """Folder of a model of some thousand parameters."""
    torch.manual_seed(3)
    translator = Translator(TranslatorConfig(
        name='tiny', autoencoder=AutoencoderConfig(widths=(8, 8, 8), source_widths=(8, 8, 8)),
        guidance=GuidanceConfig(channels=8, stem=8),
        denoiser=UNetConfig(guidance_channels=8, widths=(8, 8), dilations=(1,), time_features=8)))
    with torch.no_grad():  # zero-initialised weights would hide a broken graph
        for parameter in translator.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    folder = tmp_path_factory.mktemp('models') / 'tiny'
    translator.save(folder)
    return folder


@pytest.fixture(scope='session')
def reference(model) -> Translator:
    """The float32 Translator of the model."""
    return Translator.load(model)


@pytest.fixture(scope='session')
def cache(tmp_path_factory) -> Path:
    """Folder of built engines that the tests share and must not damage."""
    return tmp_path_factory.mktemp('shared') / 'engines'


@pytest.fixture(scope='session')
def compiled(model, cache):
    """The model compiled in the processor's best precision: built here, once."""
    return open_engine(model, SIZE, backend='inductor', threads=1, cache=cache)


@pytest.fixture(autouse=True)
def _own_default_cache(tmp_path, monkeypatch):
    """Keep tests that name no cache from using the user's."""
    monkeypatch.setenv('RGB2SWIR_CACHE', str(tmp_path / 'default-cache'))


@pytest.fixture
def without_openvino(monkeypatch):
    """A machine without OpenVINO."""
    monkeypatch.setitem(sys.modules, 'openvino', None)


@pytest.fixture(autouse=True)
def _warnings_anew():
    """Make warnings that are logged once per process appear in each test."""
    warn_once.cache_clear()


@pytest.fixture(scope='session')
def frame() -> np.ndarray:
    """A frame (32, 48, 3) with all levels."""
    return np.random.default_rng(7).integers(0, 256, (*SIZE, 3), np.uint8)


@pytest.fixture
def standin(tmp_path, monkeypatch) -> StandIn:
    """Engine processes without torch, with faults on request."""
    folder = tmp_path / 'standin'
    folder.mkdir()
    return StandIn(folder, monkeypatch)
