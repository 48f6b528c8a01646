"""A tiny model with random weights, compiled once for all engine tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from rgb2swir_ros.engines.build import open_engine, warn_once
from rgb2swir_ros.translator import Translator

from ..lab.evaluation.tiny import save_tiny
from .standin import StandIn

SIZE = (32, 48)


@pytest.fixture(scope='session')
def model(tmp_path_factory) -> Path:
    """Folder of a model of some thousand parameters."""
    return save_tiny(tmp_path_factory.mktemp('models') / 'tiny')


@pytest.fixture(scope='session')
def plain_model(tmp_path_factory) -> Path:
    """Folder of a model of fewer layers, for tests that compile it and look at nothing else."""
    return save_tiny(tmp_path_factory.mktemp('plain') / 'tiny', plain=True)


@pytest.fixture(scope='session')
def reference(model) -> Translator:
    """The float32 Translator of the model."""
    return Translator.load(model)


@pytest.fixture(scope='session')
def cache(tmp_path_factory) -> Path:
    """Folder of built engines that the tests share and must not damage.

    One for all workers: the cache's own lock lets the first build, and the others wait.
    """
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if 'PYTEST_XDIST_WORKER' in os.environ else folder) / 'engines'


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
