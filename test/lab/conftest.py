"""A toy data set and a detector with lively random weights, once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rgb2swir_ros.lab.detector.model import save_detector
from rgb2swir_ros.lab.detector.network import Detector, DetectorConfig

from .toy import CLASSES, write_toy

SIZE = (64, 96)


@pytest.fixture(scope='session')
def toy(tmp_path_factory) -> Path:
    """Folder of 64x96 frames, two looks a scene."""
    return write_toy(tmp_path_factory.mktemp('toy'), {'train': 48, 'validation': 6, 'test': 12},
                     SIZE, sides=(8., 30.), most=3)


@pytest.fixture(scope='session')
def lively(tmp_path_factory) -> Path:
    """Folder of a small detector that is sure of much, without having learnt it."""
    torch.manual_seed(1)
    network = Detector(DetectorConfig(classes=CLASSES, stem=4, widths=(8, 8, 8, 8),
                                      blocks=(1, 1, 1, 1), neck=8, tower=1))
    network.train()
    with torch.no_grad():
        for _ in range(3):  # gives normalisation statistics that are not the initial ones
            network.raw(torch.rand(4, 1, 64, 96))
        for head in network.heads:
            head[-1].weight.mul_(100)
            head[-1].bias[:6] = -2
    folder = tmp_path_factory.mktemp('lively')
    save_detector(network, folder, {'steps': 0})
    return folder
